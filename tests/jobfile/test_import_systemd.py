"""Timers become jobs that fire at the same times and do the same, and what cannot be carried over is named."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from corpus import TIMERS, UNITS, golden, timers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobrunner import jobfile
from jobrunner.domain.job import ScheduleSpec
from jobrunner.domain.schedule import parse
from jobrunner.errors import JobrunnerError, NotFound, UsageError
from jobrunner.jobfile.imports.calendar_events import NotSaid, schedule_of, span
from jobrunner.jobfile.imports.service_commands import command_of
from jobrunner.jobfile.imports.units import Setting, Unit, parse_unit, words

BRIEF = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVENTS = {
    "minutely": "* * * * *",
    "hourly": "@hourly",
    "daily": "@daily",
    "monthly": "@monthly",
    "weekly": "0 0 * * mon",
    "yearly": "@yearly",
    "quarterly": "0 0 1 1,4,7,10 *",
    "semiannually": "0 0 1 1,7 *",
    "Mon..Fri *-*-* 09:00": "0 9 * * mon-fri",
    "Mon-Fri 10:00": "0 10 * * mon-fri",
    "Mon *-*-01..07": "0 0 * * mon#1",
    "Mon,Tue *-*-8..14 3:00": "0 3 * * mon#2,tue#2",
    "Mon *-*-1/2": "0 0 */2 * mon",
    "Fri *-*~7/1": "0 0 * * friL",
    "Mon *-05~07/1": "0 0 * 5 monL",
    "Mon..Sun 4:00": "0 4 * * *",
    "Thu..Sun 20:00": "0 20 * * thu,fri,sat,sun",
    "Monday": "0 0 * * mon",
    "sat 3:00": "0 3 * * sat",
    "*:0/15": "*/15 * * * *",
    "0/2:00": "0 */2 * * *",
    "5/10:00": "0 5/10 * * *",
    "9..17:0": "0 9-17 * * *",
    "12:34": "34 12 * * *",
    "*:*:0/10": "*/10 * * * * *",
    "*-*~01": "0 0 L * *",
    "*-02~03": "0 0 L-2 2 *",
    "*-*~1..3": "0 0 L-2,L-1,L * *",
    "*-*-* 6,18:00": "0 6,18 * * *",
    "*-*-1/2": "0 0 */2 * *",
    "*-1,7-1": "0 0 1 1,7 *",
    "*-02-29": "0 0 29 2 *",
    "*-*-5,10..12,20/3 1,3..5:0/20": "*/20 1,3-5 5,10-12,20/3 * *",
}
TABLES = {
    "daily UTC": {"cron": "@daily", "timezone": "UTC"},
    "Sat,Sun *:30:15 Europe/Madrid": {"cron": "15 30 * * * sat,sun", "timezone": "Europe/Madrid"},
    "2027-*-*": {"cron": "0 0 * * *", "start": "2027-01-01", "end": "2027-12-31"},
    "2026..2027-01-01 00:00:00": {"cron": "0 0 1 1 *", "start": "2026-01-01", "end": "2027-12-31"},
    "2027-12-01 06:00": {"at": "2027-12-01T06:00:00"},
    "27-1-1": {"at": "2027-01-01T00:00:00"},
}
ALL = {event: {"cron": cron} for event, cron in EVENTS.items()} | TABLES


def fires(schedule: dict[str, Any]) -> list[datetime]:
    """The next five."""
    start = datetime.fromisoformat(schedule["start"]) if "start" in schedule else None
    end = datetime.fromisoformat(schedule["end"]) + timedelta(days=1, seconds=-1) if "end" in schedule else None
    expression = schedule["cron"] if "cron" in schedule else f"at {schedule['at']}"
    spec = ScheduleSpec(expression=expression, timezone=schedule.get("timezone"), start=start, end=end)
    found, after = list[datetime](), NOW
    while len(found) < 5 and (fire := parse(spec, job="job", timezone="UTC").next_after(after)):
        found.append(after := fire)
    return found


@pytest.mark.parametrize("event", ALL)
def test_calendar_events(event: str) -> None:
    assert schedule_of(event) == ALL[event]
    assert fires(ALL[event])


@pytest.mark.parametrize("event", ALL)
def test_calendar_events_as_systemd_has_them(event: str) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        assert fires(ALL[event])
        return
    command = [program, "calendar", "--iterations=5", f"--base-time={NOW:%Y-%m-%d %H:%M:%S} UTC", event]
    done = subprocess.run(command, capture_output=True, text=True, env={"TZ": "UTC", "LANG": "C"})
    assert done.returncode == 0, done.stderr
    in_utc = re.findall(r"\(in UTC\): \w+ ([\d-]+ [\d:]+)", done.stdout)
    told = in_utc or re.findall(r"(?:elapse|Iter\S* #\d+|Iteration #\d+): \w+ ([\d-]+ [\d:]+) UTC", done.stdout)
    assert told == [f"{fire:%Y-%m-%d %H:%M:%S}" for fire in fires(ALL[event])]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("Wed *-*-13", "both its weekday and its day must match"),
        ("Fri *-*~1", "can only be the last one"),
        ("*-*-* *:*:00.5", "parts of a second"),
        ("2026,2028-*-*", "its years are no range"),
        ("*-02-30", "never fires"),
        ("*-13-01", "no month '13'"),
        ("25:00", "no hour '25'"),
        ("10", "cannot be read"),
        ("*/15", "cannot be read"),
        ("", "cannot be read"),
        ("Sat..Mon", "cannot be read"),
        ("5..3:00", "cannot be read"),
        ("0/0:00", "cannot be read"),
        ("daily Europe/Nowhere", "no such time zone"),
        ("*-*-40", "no month has a day 40"),
        ("Mon *-*-40", "no month has a day 40"),
    ],
)
def test_calendar_events_that_no_schedule_says(event: str, why: str) -> None:
    with pytest.raises(NotSaid, match=re.escape(why)):
        schedule_of(event)


@BRIEF
@given(event=st.text("Mon.,-*:/0123456789~ ") | st.text(max_size=20))
def test_no_calendar_event_is_too_much(event: str) -> None:
    with suppress(NotSaid):
        assert len(fires(schedule_of(event))) <= 5


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("1h 30min", 5400),
        ("2d12h", 216_000),
        ("500ms", 0.5),
        ("1.5m", 90),
        ("1 week", 604_800),
        ("1M", 2_629_800),
    ],
)
def test_time_spans(text: str, seconds: float) -> None:
    assert span(text) == timedelta(seconds=seconds)


def test_time_spans_that_are_none() -> None:
    assert span("infinity") is None
    for text in ("x", "1 fortnight", "-5", "5 5h x", "999999999y"):
        with pytest.raises(NotSaid):
            span(text)


@pytest.mark.parametrize("name", TIMERS)
def test_timers_of_real_machines(name: str, tmp_path: Path) -> None:
    found = timers(*TIMERS[name])
    assert golden(found) == (UNITS / f"{name}.toml").read_text()
    _valid(found.text, tmp_path)


def _valid(text: str, folder: Path) -> None:
    (folder / "imported.toml").write_text(text)
    (folder / "imported.toml").chmod(0o600)
    result = jobfile.check(folder / "imported.toml")
    assert result.valid, (text, [str(problem) for problem in result.problems])


def imported(folder: Path, timer: str, service: str, name: str = "x") -> dict[str, Any]:
    """The job of a timer and a service."""
    (folder / f"{name}.timer").write_text(timer)
    (folder / f"{name}.service").write_text(service)
    found = timers(name, folder=folder)
    _valid(found.text, folder)
    return dict(tomllib.loads(found.text)["jobs"][name])


def test_a_missed_event_is_made_up_for_where_it_was(tmp_path: Path) -> None:
    service = "[Service]\nExecStart=/bin/a"
    assert imported(tmp_path, "[Timer]\nOnCalendar=daily", service)["catchup"] == "none"
    assert imported(tmp_path, "[Timer]\nOnCalendar=daily\nPersistent=no", service)["catchup"] == "none"
    job = imported(tmp_path, "[Timer]\nOnCalendar=daily\nPersistent=true", service)
    assert (job["catchup"], job["catchup_window"]) == ("latest", "365d")


def test_braces_are_no_parameters(tmp_path: Path) -> None:
    job = imported(tmp_path, "[Timer]\nOnCalendar=daily", "[Service]\nExecStart=/bin/find . -exec rm {} + {name}")
    assert job["command"] == ["/bin/find", ".", "-exec", "rm", "{{}}", "+", "{{name}}"]


def test_several_events_are_a_list(tmp_path: Path) -> None:
    job = imported(tmp_path, "[Timer]\nOnCalendar=6:00\nOnCalendar=Sun 7:00", "[Service]\nExecStart=/bin/a")
    assert job["schedule"] == ["0 6 * * *", "0 7 * * sun"]
    job = imported(tmp_path, "[Timer]\nOnCalendar=6:00\nOnCalendar=\nOnCalendar=7:00", "[Service]\nExecStart=/bin/a")
    assert job["schedule"] == "0 7 * * *"


def test_time_limits_are_those_of_the_kind_of_service(tmp_path: Path) -> None:
    limits = "RuntimeMaxSec=1h\nTimeoutStartSec=5min\nTimeoutStopSec=20\nExecStart=/bin/a"
    timer = "[Timer]\nOnCalendar=daily"
    assert imported(tmp_path, timer, f"[Service]\nType=oneshot\n{limits}")["timeout"] == "5m"
    job = imported(tmp_path, timer, f"[Service]\nType=exec\n{limits}")
    assert (job["timeout"], job["kill_grace"]) == ("1h", "20s")
    assert "timeout" not in imported(tmp_path, timer, "[Service]\nType=oneshot\nTimeoutSec=infinity\nExecStart=/bin/a")


def command(text: str, *more: str) -> tuple[str | list[str] | None, list[str]]:
    """The command of a service with such ExecStart lines, and what is said of it."""
    settings = parse_unit("\n".join(("[Service]", *(f"ExecStart={line}" for line in (text, *more)))), "x.service")
    said = list[str]()
    return command_of(Unit("x.service", "x.service", settings), str, lambda why, _: said.append(why)), said


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/bin/a b", ["/bin/a", "b"]),
        ("""/bin/a "b c" 'd e' f\\x20g h\\ti""", ["/bin/a", "b c", "d e", "f g", "h\ti"]),
        ("/bin/a 'it''s'", ["/bin/a", "its"]),
        ("@/bin/a name b", ["/bin/a", "b"]),
        ("+/bin/a", ["/bin/a"]),
        ("-/bin/a b", "set -e\n/bin/a b || true\n"),
        ("/bin/a ; /bin/b \\; c", "set -e\n/bin/a\n/bin/b ';' c\n"),
        ("/bin/a $B x$C ${D}e 50$$", '/bin/a $B \'x$C\' "${D}e" "50\\$"'),
        ("/bin/a 'unclosed", None),
        ("", None),
    ],
)
def test_command_lines(line: str, expected: str | list[str] | None) -> None:
    assert command(line)[0] == expected


def test_several_commands_end_with_the_first_that_fails() -> None:
    script, _ = command("/bin/echo 'one $X'", "/bin/false", "/bin/echo two")
    assert isinstance(script, str)
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "one $X\n")


@settings(BRIEF, max_examples=15)
@given(args=st.lists(st.text(st.characters(blacklist_characters="\0\n", blacklist_categories=("Cs",)), max_size=8)))
def test_arguments_reach_the_program_through_a_script(args: list[str]) -> None:
    quoted = ['"' + re.sub(r'(["\\])', r"\\\1", arg).replace("$", "$$") + '"' for arg in args]
    script, _ = command("/bin/true", " ".join(["/usr/bin/printf", r"%s\\n", '""', *quoted]))
    assert isinstance(script, str)
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    assert done.stdout.decode() == "".join(f"{arg}\n" for arg in ("", *args))


def test_words_that_do_not_end() -> None:
    assert words("a 'b") is None
    assert words('  a  ""  b ') == ["a", "", "b"]


@BRIEF
@given(text=st.text(max_size=60) | st.text("[]=a\\\n #;%@", max_size=60))
def test_no_unit_is_too_much(text: str, tmp_path: Path) -> None:
    for timer, service in (
        (text, "[Service]\nExecStart=/bin/a"),
        ("[Timer]\nOnCalendar=daily", f"[Service]\nExecStart={text}"),
    ):
        (tmp_path / "x.timer").write_text(timer)
        (tmp_path / "x.service").write_text(service)
        with suppress(JobrunnerError):
            found = timers("x", folder=tmp_path)
            if found.text:
                _valid(found.text, tmp_path)


def test_files_of_units_are_found(tmp_path: Path) -> None:
    assert timers(str(UNITS / "fstrim.timer"), folder=tmp_path).jobs == ("fstrim",)
    assert timers("pg_dump@a", "pg_dump@b.timer").jobs == ("pg_dump-a", "pg_dump-b")
    with pytest.raises(NotFound, match=r"there is no unit none\.timer"):
        timers("none")
    with pytest.raises(UsageError, match=r"man-db\.service is no timer"):
        timers("man-db.service")
    with pytest.raises(UsageError, match=r"is a template; name an instance: pg_dump@NAME\.timer"):
        timers("pg_dump@.timer")
    (tmp_path / "lone.timer").write_text("[Timer]\nOnCalendar=daily")
    with pytest.raises(NotFound, match=r"there is no unit lone\.service"):
        timers("lone", folder=tmp_path)
    (tmp_path / "off.timer").symlink_to("/dev/null")
    with pytest.raises(UsageError, match="masked"):
        timers("off", folder=tmp_path)
    (tmp_path / "bad.timer").write_text("[Timer]\nwhat is this")
    with pytest.raises(UsageError, match=r"bad\.timer:2: this is no line of a unit"):
        timers("bad", folder=tmp_path)


def test_lines_go_on() -> None:
    assert parse_unit("[A]\nb = c \\\n# remark\n  d\\\ne\n;x\n[F]\ng=", "f") == [
        Setting("A", "b", "c d e", "f", 2),
        Setting("F", "g", "", "f", 8),
    ]
