"""Crontabs become files that are valid, mean the same, and say what they leave out, whatever stands in the crontab."""

from __future__ import annotations

import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from corpus import CRONTABS, NAMES, crontab, golden
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobrunner import jobfile
from jobrunner.errors import UsageError
from jobrunner.jobfile.imports.crontab import assignment, split_input
from jobrunner.jobfile.imports.naming import name_of, slug
from jobrunner.jobfile.imports.shell import plain_argv, with_input, without_folder
from jobrunner.jobfile.imports.writing import value

BRIEF = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck))


def only(text: str, **how: Any) -> dict[str, Any]:
    """The one job of a crontab."""
    jobs = tomllib.loads(crontab(text, **how).text)["jobs"]
    assert len(jobs) == 1
    return dict(next(iter(jobs.values())))


def defaults(text: str) -> dict[str, Any]:
    return dict(tomllib.loads(crontab(text).text)["defaults"])


def remarks(text: str) -> list[tuple[int | None, str]]:
    return [(remark.line, remark.message) for remark in crontab(text).remarks]


def check(text: str, folder: Path) -> None:
    """The text is a valid jobs.toml, as it is and when its marked lines are used."""
    for written in (text, text.replace("# shadow = true", "shadow = true")):
        path = folder / "imported.toml"
        path.write_text(written)
        path.chmod(0o600)
        result = jobfile.check(path)
        assert result.valid, (written, [str(problem) for problem in result.problems])


@pytest.mark.parametrize("name", NAMES)
def test_crontabs_of_real_machines(name: str, tmp_path: Path) -> None:
    found = crontab((CRONTABS / f"{name}.txt").read_text())
    assert golden(found) == (CRONTABS / f"{name}.toml").read_text()
    check(found.text, tmp_path)


def test_mail_as_the_file_says_it_is_valid(tmp_path: Path) -> None:
    text = crontab("MAILTO=a@example.com,root\n0 1 * * * x").text
    block = [line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   ")]
    whole = text.replace("# shadow = true", 'notify = ["mail"]') + "\n".join(block)
    assert tomllib.loads(whole)["notify"]["mail"]["url"].endswith("to=a@example.com,root@localhost")
    check(whole, tmp_path)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("A=b", ("A", "b")),
        ("A = b c  ", ("A", "b c")),
        ("A=", ("A", "")),
        ('A=""', ("A", "")),
        ("A=' b '", ("A", " b ")),
        ('"A"="b"', ("A", "b")),
        ("A=$B/c", ("A", "$B/c")),
        ("A=b'c", ("A", "b'c")),
        ("A='b' c", None),
        ("0 5 * * * A=b c", None),
        ("* * * * * x = y", None),
        ("=b", None),
        ("A b", None),
    ],
)
def test_variables_as_cron_reads_them(line: str, expected: tuple[str, str] | None) -> None:
    assert assignment(line) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b", ("a b", None)),
        (r"date +\%F", ("date +%F", None)),
        ("cat%a%b", ("cat", "a\nb\n")),
        ("cat%", ("cat", None)),
        (r"cat%50\% off%", ("cat", "50% off\n")),
        (r"printf a\\b", (r"printf a\\b", None)),
        (r"a \\%b", (r"a \\", "b\n")),
        (r"cat%a\b", ("cat", "a\\b\n")),
    ],
)
def test_percent_signs_as_cron_reads_them(text: str, expected: tuple[str, str | None]) -> None:
    assert split_input(text) == expected


@pytest.mark.parametrize("line", ["cat", "cat | tr a a", "true; cat", "cat # remark", "(cat)", "if true; then cat; fi"])
def test_standard_input_reaches_the_whole_line(line: str) -> None:
    text = "one\nEND\n$HOME `x` \\ 'y\n"
    done = subprocess.run(["sh", "-c", with_input(line, text)], capture_output=True, text=True, check=True)
    assert done.stdout == text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/bin/a b", ["/bin/a", "b"]),
        ("""a 'b c' "d e" f'g'h""", ["a", "b c", "d e", "fgh"]),
        ("a --x=y,z http://e.com/%20", ["a", "--x=y,z", "http://e.com/%20"]),
        *(
            (line, None)
            for line in ("a $B", "a *", "a | b", "a > b", "a; b", "a `b`", "a ~", "a \\b", 'a "$b"', "a {b}")
        ),
        *(
            (line, None)
            for line in ("A=b c", "cd a", "echo a", ". a", "if a", "'a' b", "a #b", "a 'b", "[ a ]", "a 'b{}'")
        ),
    ],
)
def test_lines_that_need_no_shell(line: str, expected: list[str] | None) -> None:
    assert plain_argv(line) == expected


@pytest.mark.parametrize(
    ("line", "folder", "rest"),
    [
        ("cd /a && b", "/a", "b"),
        ("cd '/a b' && c | d && e", "/a b", "c | d && e"),
        ("cd /a && b > c 2>&1", "/a", "b > c 2>&1"),
        *((line, None, line) for line in ("cd a && b", "cd /a; b", "cd /a && b || c", "cd /a && b; c", "cd /a && b &")),
    ],
)
def test_a_folder_in_front(line: str, folder: str | None, rest: str) -> None:
    assert without_folder(line) == (folder, rest)


def test_what_cron_does_is_said_once() -> None:
    found = defaults("0 1 * * * a\n0 2 * * * b")
    assert found == {
        "overlap": "allow",
        "catchup": "none",
        "on_lost": "fail",
        "cwd": "/home/ana",
        "env": {"PATH": "/usr/bin:/bin"},
    }


def test_variables_hold_for_the_lines_below_them() -> None:
    found = crontab("A=1\n0 1 * * * a\nA=2\nSHELL=/bin/bash\nHOME=/x\n0 2 * * * b | c")
    table = tomllib.loads(found.text)
    assert table["defaults"]["env"] == {"PATH": "/usr/bin:/bin"}
    assert table["jobs"]["a"] == {"command": ["a"], "cwd": "/home/ana", "env": {"A": "1"}, "schedule": "0 1 * * *"}
    assert table["jobs"]["b"]["env"] == {"A": "2", "HOME": "/x"}
    assert (table["jobs"]["b"]["shell"], table["jobs"]["b"]["cwd"]) == ("/bin/bash", "/x")


def test_nothing_is_expanded(tmp_path: Path) -> None:
    found = crontab("A=${HOME}/$B\n0 1 * * * a", name="x")
    assert tomllib.loads(found.text)["defaults"]["env"]["A"] == "$${HOME}/$B"
    check(found.text, tmp_path)


@pytest.mark.parametrize(
    ("text", "system"),
    [
        ("0 1 * * * root /bin/a\n0 2 * * * shop /bin/b", True),
        ("0 1 * * * /bin/a b\n0 2 * * * php x.php", False),
        ("0 1 * * * mysql /bin/a\n0 2 * * * root /bin/b", True),
        ("0 1 * * * mail -s x ana\n0 2 * * * /bin/b", False),
        ("0 1 * * * sync", False),
        ("", False),
    ],
)
def test_whether_lines_have_a_user_is_seen(text: str, system: bool) -> None:
    users = [job.get("user") for job in tomllib.loads(crontab(text).text).get("jobs", {}).values()]
    shared = tomllib.loads(crontab(text).text).get("defaults", {}).get("user")
    assert (any(users) or bool(shared)) == system


@pytest.mark.parametrize("text", ["0 1 * * * mail /bin/a b", "0 1 * * * root /bin/a\n0 2 * * * php x.php"])
def test_whether_lines_have_a_user_is_asked_where_it_cannot_be_seen(text: str) -> None:
    with pytest.raises(UsageError, match=r"say --system .* or --no-system"):
        crontab(text)
    assert crontab(text, system=True).jobs
    assert crontab(text, system=False).jobs


def test_the_user_is_carried_over() -> None:
    found = tomllib.loads(crontab("0 1 * * *\troot\ta\n0 2 * * * shop b\n0 3 * * * gone c", system=True).text)
    assert [job["user"] for job in found["jobs"].values()] == ["root", "shop", "gone"]
    assert [job.get("cwd") for job in found["jobs"].values()] == ["/root", "/srv/shop", None]


def test_a_start_of_the_machine_is_no_schedule() -> None:
    assert only("@reboot /bin/a") == {"command": ["/bin/a"]}
    assert remarks("\n@reboot /bin/a")[0][0] == 2
    assert "jobrunner trigger a" in remarks("@reboot /bin/a")[0][1]


@pytest.mark.parametrize(
    ("when", "schedule"),
    [
        ("@Daily", "@daily"),
        ("@every_minute", "* * * * *"),
        ("~ * * * *", "H * * * *"),
        ("10~ ~20 ~ ~ ~5", "H(10-59) H(0-20) H(1-31) H H(0-5)"),
        ("0 0 * * fri-sun", "0 0 * * fri-7"),
        ("0 0 * * 5-0,2", "0 0 * * 5-7,2"),
        ("0 0 * * 0-5", "0 0 * * 0-5"),
    ],
)
def test_what_some_crons_have_besides(when: str, schedule: str) -> None:
    assert only(f"{when} a")["schedule"] == schedule


def test_zones_and_delays_of_cronie() -> None:
    text = "CRON_TZ=Asia/Tokyo\nRANDOM_DELAY=5\n0 1 * * * a"
    assert only(text)["schedule"] == {"cron": "0 1 * * *", "timezone": "Asia/Tokyo", "jitter": "5m"}
    assert "env" not in only(text)
    assert any("Debian's cron ignores it" in message for _, message in remarks(text))
    assert any("no number of minutes" in message for _, message in remarks("RANDOM_DELAY=x\n0 1 * * * a"))


def test_comments_are_kept() -> None:
    found = crontab(
        "# top\n\n# what it does\n0 1 * * * a\n# one\n# two\n0 2 * * * b\n#5 5 * * * old\n0 3 * * * c\n# end"
    )
    table = tomllib.loads(found.text)["jobs"]
    assert [job.get("description") for job in table.values()] == ["what it does", None, None]
    for comment in ("# top\n", "# one\n# two\n[jobs.b]", "# 5 5 * * * old\n[jobs.c]", "\n\n# end\n"):
        assert comment in found.text
    assert [line for line, message in ((r.line, r.message) for r in found.remarks) if "commented out" in message] == [8]


def test_comments_that_cron_itself_wrote_are_left_out() -> None:
    head = (
        "# DO NOT EDIT THIS FILE - edit the master and reinstall.\n# (/tmp/x installed on Mon)\n# (Cron version -- x)\n"
    )
    assert "description" not in only(f"{head}# m h  dom mon dow   command\n0 1 * * * a")
    assert "installed on" not in crontab(f"{head}0 1 * * * a").text


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("1 5 cron.daily nice run-parts /etc/cron.daily", "it is a line of an anacrontab"),
        ("@monthly 45 cron.monthly run-parts /etc/cron.monthly", "it is a line of an anacrontab"),
        ("0 0 5 * * * /bin/a", "it has six fields"),
        ("0 0 5 * * mon-fri /bin/a", "it has six fields"),
        ("*/5 * * * *", "it is neither a job"),
        ("at 5 * * * /bin/a", "it begins with no minute"),
        ("61 * * * * /bin/a", "there is no minute '61'"),
        ("0 0 31 2 * /bin/a", "never fires"),
        ("@often /bin/a", "there is no '@often'"),
        ("A = 'b' c", "it is neither a job"),
    ],
)
def test_lines_that_cron_refuses_are_named_and_kept(line: str, why: str) -> None:
    found = crontab(f"{line}\n0 1 * * * /bin/b\n", system=False)
    assert found.jobs == ("b",)
    assert [(remark.line, remark.message.startswith("not carried over: ")) for remark in found.remarks] == [(1, True)]
    assert why in found.remarks[0].message
    assert f"#   {line}\n\n[jobs.b]" in found.text


def test_comments_cannot_break_the_file(tmp_path: Path) -> None:
    check(crontab("# \x1b[31m \x00 \x7f \u202e \r\n0 1 * * * a\n# \x08").text, tmp_path)


def test_bytes_that_are_no_text_are_named() -> None:
    text = b"0 1 * * * a \xff\n0 2 * * * b".decode("utf-8", "surrogateescape")
    assert remarks(text) == [(1, "not carried over: it is not text: a NUL, or bytes that are not UTF-8")]
    assert r"\udcff" in crontab(text).text


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/usr/local/bin/backup.sh --full", "backup"),
        ("A=b nice -n 19 ionice -c3 /opt/x/sync.sh", "sync"),
        ("cd /x && php artisan schedule:run", "schedule-run"),
        ("/bin/bash -l -c 'cd /x && bundle exec rake a:b'", "a-b"),
        ("[ -x /a ] && if [ ! -d /run ]; then /usr/lib/php/sessionclean; fi", "sessionclean"),
        ("php -f /var/www/nextcloud/cron.php", "nextcloud-cron"),
        ("python3 -m app.cleanup", "cleanup"),
        ("flock -n /l -c 'cd /x && ./y'", "y"),
        ("curl -fsS https://u:p@www.example.com/poll?x=1", "example-com-poll"),
        ("run-parts --report /etc/cron.daily", "cron-daily"),
        ("1042", "job-1042"),
        ("b7", "job-b7"),
        ("*", "job"),
        ("sleep 5", "job"),
        ("a" * 300, "a" * 40),
        ("'unclosed", "unclosed"),
    ],
)
def test_names_are_short_and_say_something(command: str, name: str) -> None:
    assert name_of(command) == name


def test_names_are_unique() -> None:
    assert crontab("0 1 * * * /a/x\n0 1 * * * /b/x.sh\n0 1 * * * x-2\n0 1 * * * x").jobs == ("x", "x-2", "x-2-2", "x-3")


@BRIEF
@given(text=st.text())
def test_every_text_can_be_written(text: str) -> None:
    assert tomllib.loads(f"x = {value(text)}")["x"] == text
    assert tomllib.loads(f"x = {value([text, 'y'])}")["x"] == [text, "y"]


@BRIEF
@given(line=st.text(st.sampled_from("ab /;&|'\"\\$`<>(){}\n#"), min_size=90, max_size=300))
def test_every_long_line_can_be_written(line: str) -> None:
    assert tomllib.loads(f"x = {value(line)}")["x"] == line


@BRIEF
@given(words=st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5))
def test_arguments_stay_what_they_are(words: list[str]) -> None:
    assert plain_argv(shlex.join(["/bin/a", *words])) in (None, ["/bin/a", *words])


@BRIEF
@given(text=st.text())
def test_every_name_is_one(text: str) -> None:
    assert slug(name_of(text))


_field = st.sampled_from(
    ["*", "*/5", "0", "1-5", "1,2", "~", "mon", "61", "x", "@daily", "@reboot", "5/10", "L", "H", "-"]
)
_piece = st.sampled_from(
    ["root", "/bin/a", "cd /x &&", "%", "\\%", "|", "'", '"', "{}", "{a}", "${A}", "$A", "#", "\\", "é"]
)
_line = (
    st.tuples(st.lists(_field, min_size=1, max_size=6), st.lists(_piece | st.text(max_size=6), max_size=6)).map(
        lambda parts: " ".join([*parts[0], *parts[1]])
    )
    | st.tuples(st.sampled_from(["MAILTO", "SHELL", "CRON_TZ", "HOME", "JOBRUNNER_X", "A"]), st.text(max_size=8)).map(
        "=".join
    )
    | st.text(max_size=30).map("#{}".format)
    | st.text(max_size=30)
)


def _survives(text: str, folder: Path) -> None:
    for system in (True, False, None):
        try:
            found = crontab(text, system=system)
        except UsageError:
            assert system is None
            continue
        if found.text:
            check(found.text, folder)
        assert all(remark.message for remark in found.remarks)


@BRIEF
@given(lines=st.lists(_line, max_size=5))
def test_no_crontab_is_too_much(lines: list[str], tmp_path: Path) -> None:
    _survives("\n".join(lines), tmp_path)


@pytest.mark.faults
@LONG
@given(lines=st.lists(_line, max_size=8))
def test_no_crontab_is_too_much_at_length(lines: list[str], tmp_path: Path) -> None:
    _survives("\n".join(lines), tmp_path)
