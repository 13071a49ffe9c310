"""Tables fit the terminal that they are read on, and are plain and whole elsewhere."""

import io
import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from shown_values import (
    NOW,
    a_batch,
    a_failed_run,
    a_job,
    a_run,
    a_running_run,
    a_server,
    a_waiting_run,
)

from jobrunner.domain.audit import AuditEntry
from jobrunner.domain.change import KeyChange, Ran
from jobrunner.domain.queue import Pause, QueueStatus
from jobrunner.domain.server import Reloaded
from jobrunner.domain.state import RunState
from jobrunner.domain.status import Explanation, Fire, JobStatus
from jobrunner.presentation import changes, details, labels, lists
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column, fit, render
from jobrunner.presentation.times import Times

SGR = re.compile("\x1b\\[[0-9;]*m")
PIPE = Screen(terminal=False)
ABSOLUTE = Times(now=NOW, zone=ZoneInfo("UTC"), relative=False)
RELATIVE = Times(now=NOW, zone=ZoneInfo("UTC"), relative=True)

LONG = "a-name-of-a-job-that-is-longer-than-most-but-not-as-long-as-it-may-be"
RUNS = [
    a_run(),
    a_failed_run(job=LONG, error="exit status 3: " + "x" * 300),
    a_waiting_run(),
    a_running_run(),
    a_run(state=RunState.SCHEDULED, run_after=NOW + timedelta(hours=2), queue="a-queue-with-a-long-name"),
    a_run(id=10**6, state=RunState.RETRYING, attempt=2, started_at=NOW, run_after=NOW + timedelta(minutes=5)),
]
RAN = Ran(version=3, success=1041, keys=(KeyChange("timeout", None, "1h"),))
QUEUE = QueueStatus(
    name="critical",
    queued=12_345,
    running=4,
    waiting=0,
    scheduled=1,
    retrying=0,
    oldest_wait=61.0,
    paused=True,
    max_running=4,
)
ENTRY = AuditEntry(
    id=1, at=NOW, who="alice", host="web1.example.com", action="retry", target="1042", detail="d" * 90, outcome="done"
)
PAUSE = Pause(scope="job", name="x", who="alice", since=NOW, until=None, reason="disk migration")
JOBS = [
    JobStatus(job=a_job(), next_fire=NOW + timedelta(hours=4), last_run=a_failed_run(), pause=None),
    JobStatus(job=a_job(name=LONG, description="d" * 80), next_fire=None, last_run=None, pause=PAUSE),
    JobStatus(job=a_job(name="off", enabled=False), next_fire=None, last_run=a_running_run(), pause=None),
]


def every_list(screen: Screen, times: Times) -> dict[str, list[str]]:
    return {
        "runs": list(lists.runs(RUNS, screen, times)),
        "jobs": list(lists.jobs(JOBS, screen, times)),
        "queues": list(lists.queues([QUEUE], screen)),
        "servers": list(lists.servers([a_server(), a_server(name=LONG)], screen, times)),
        "batches": list(lists.batches([a_batch(), a_batch(id=10**9, name=LONG)], screen, times)),
        "audit": list(lists.audit([ENTRY], screen, times)),
        "fires": list(lists.fires([Fire(job=LONG, at=NOW, zone="UTC", note="n" * 60)], screen, times)),
    }


@pytest.mark.parametrize("width", [40, 80, 140, 200])
@pytest.mark.parametrize("colour", [True, False])
def test_no_line_is_wider_than_the_terminal(width: int, colour: bool) -> None:
    screen = Screen(terminal=True, width=width, colour=colour)
    for name, lines in every_list(screen, RELATIVE).items():
        for line in lines:
            assert cell_len(SGR.sub("", line)) <= width, (name, line)


def header(lines: list[str]) -> str:
    return " ".join(SGR.sub("", lines[0]).split())


def test_columns_leave_in_their_order() -> None:
    wide = every_list(Screen(terminal=True, width=200), RELATIVE)
    usual = every_list(Screen(terminal=True, width=80), RELATIVE)
    assert header(wide["runs"]) == "ID STATE JOB WHEN TOOK TRY EXIT TRIGGER QUEUE NOTE"
    assert header(usual["runs"]) == "ID STATE JOB WHEN TOOK TRY EXIT NOTE"
    assert header(wide["jobs"]) == "NAME STATE SCHEDULE NEXT LAST TOOK QUEUE TAGS DESCRIPTION"
    assert header(usual["jobs"]) == "NAME STATE SCHEDULE NEXT LAST TOOK QUEUE TAGS"


def test_piped_tables_are_whole_and_plain() -> None:
    for name, lines in every_list(PIPE, ABSOLUTE).items():
        text = "\n".join(lines)
        assert "\x1b" not in text, name
        assert "…" not in text
        assert "●" not in text
    runs = every_list(PIPE, ABSOLUTE)["runs"]
    assert "x" * 300 in runs[2]
    assert "2026-11-22 00:00:00 UTC" in runs[5]


def test_a_terminal_sees_glyph_word_and_colour() -> None:
    lines = list(lists.runs([a_failed_run()], Screen(terminal=True, width=120, colour=True), RELATIVE))
    assert "\x1b[1;31m✗ failed\x1b[0m" in lines[1]
    assert "3 m ago" in lines[1]


def test_ascii_terminals_get_ascii() -> None:
    for name, lines in every_list(Screen(terminal=True, width=80, unicode=False), RELATIVE).items():
        assert "\n".join(lines).isascii(), name


def test_cells_are_sanitised() -> None:
    lines = list(lists.runs([a_failed_run(error="\x1b[2J\u202eboo\nnext")], Screen(terminal=True, width=200), RELATIVE))
    assert len(lines) == 2
    assert "\\x1b[2J\\u202eboo\\nnext" in lines[1]


@given(
    st.lists(
        st.tuples(
            st.integers(1, 60), st.one_of(st.none(), st.integers(1, 20)), st.one_of(st.none(), st.integers(1, 9))
        ),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 200),
)
def test_fitting_always_fits(shape: list[tuple[int, int | None, int | None]], width: int) -> None:
    columns = [Column(title="T", minimum=minimum, leaves=leaves) for _, minimum, leaves in shape]
    natural = [max(1, size) for size, _, _ in shape]
    widths = [each for each in fit(columns, natural, width) if each is not None]
    assert sum(widths) + 2 * (len(widths) - 1) <= width
    assert widths


@given(st.lists(st.text(max_size=30), min_size=1, max_size=4), st.integers(20, 60))
def test_wide_characters_are_measured_in_cells(texts: list[str], width: int) -> None:
    screen = Screen(terminal=True, width=width)
    columns = [Column(title="A", minimum=4), Column(title="B")]
    for line in render(columns, [(text, Cell("日本")) for text in texts], screen):
        assert cell_len(line) <= width


def test_every_state_has_a_label_of_one_cell() -> None:
    for table in (labels.RUN_STATES, labels.OUTCOMES, labels.SERVER_STATES, labels.BATCH_STATES):
        for state in type(next(iter(table))):
            label = table[state]  # type: ignore[index]
            assert cell_len(label.glyph) == 1
            assert label.ascii.isascii()
            assert label.word == state.value


def test_a_run_whole() -> None:
    text = "\n".join(details.run(a_failed_run(), RAN, PIPE, ABSOLUTE))
    assert "error        exit status 3: no space left" in text
    assert "batch        b7" in text
    assert "jobrunner retry 1042" in text
    assert "\\x1b[2Jshop.sql" in text
    assert "ATTEMPT  OUTCOME" in text
    assert "11.8 MiB  250ms" in text
    assert "version      3\n" in text
    assert 'changed since the last success, run 1041\n  timeout: (none) → "1h"' in text
    assert "\x1b" not in text


def test_what_did_not_change_and_what_cannot_be_compared() -> None:
    same = "\n".join(details.run(a_failed_run(), Ran(None, 1041, ()), PIPE, ABSOLUTE))
    assert "version      that which the run carries" in same
    assert "run 1041\n  nothing" in same
    never = "\n".join(details.run(a_failed_run(), Ran(1, None, None), PIPE, ABSOLUTE))
    assert "changed since" not in never
    assert "version  " not in "\n".join(details.run(a_waiting_run(), Ran(None, None, None), PIPE, ABSOLUTE))


def test_a_waiting_run_says_why_and_a_running_one_how_far() -> None:
    assert "waiting for  after: run 7" in "\n".join(details.run(a_waiting_run(), RAN, PIPE, ABSOLUTE))
    assert "progress  30/100 copying" in "\n".join(details.run(a_running_run(), RAN, PIPE, ABSOLUTE))


def test_a_job_whole_hides_what_is_secret() -> None:
    text = "\n".join(details.job(JOBS[0], PIPE, ABSOLUTE))
    assert '["pg_dump", "--file", "{target}", "shop"]' in text
    assert "0 2 * * * (Europe/Madrid)" in text
    assert "PGPASSWORD" in text
    assert "secrets/pg" not in text
    assert "hunter2" not in text


def test_a_batch_whole_lists_members() -> None:
    lines = list(details.batch(a_batch(), [a_failed_run()], PIPE, ABSOLUTE))
    assert lines[0] == "batch      b7"
    assert any("1042  failed" in line for line in lines)


def test_an_explanation() -> None:
    value = Explanation(
        expression="0 2 * * *", timezone="UTC", description="At 02:00", next=(NOW,), notes=("skipped in March",)
    )
    lines = list(details.explanation(value, PIPE, ABSOLUTE))
    assert lines == [
        "expression  0 2 * * *",
        "means       At 02:00",
        "timezone    UTC",
        "note: skipped in March",
        "",
        "next",
        "  2026-11-21 22:00:00 UTC",
    ]


class Stream(io.TextIOWrapper):
    def __init__(self, encoding: str, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("environ", "encoding", "colour", "unicode"),
    [
        ({"TERM": "xterm", "LANG": "en_US.UTF-8"}, "utf-8", True, True),
        ({"TERM": "xterm", "LANG": "en_US.UTF-8", "NO_COLOR": "1"}, "utf-8", False, True),
        ({"TERM": "dumb", "LANG": "en_US.UTF-8"}, "utf-8", False, True),
        ({"TERM": "xterm", "LC_ALL": "C"}, "utf-8", True, False),
        ({"TERM": "xterm", "LANG": "C", "LC_CTYPE": "C.UTF-8"}, "utf-8", True, False),
        ({"TERM": "xterm", "LC_CTYPE": "C.UTF-8"}, "utf-8", True, True),
        ({"TERM": "xterm", "LANG": "de_DE.ISO-8859-1"}, "latin-1", True, False),
    ],
)
def test_what_a_terminal_can_show(environ: dict[str, str], encoding: str, colour: bool, unicode: bool) -> None:
    screen = Screen.of(Stream(encoding, terminal=True), environ)
    assert (screen.terminal, screen.colour, screen.unicode) == (True, colour, unicode)
    assert not Screen.of(Stream(encoding, terminal=False), environ).colour


def test_servers_that_read_different_files_are_not_passed_over() -> None:
    one = Reloaded(1, "a", "web1", live=True, done=True, config_hash="aa", error=None)
    other = one._replace(server_id=2, name="b", host="web2")
    assert list(changes.reloaded([one, other])) == ["a (web1): loaded", "b (web2): loaded"]
    *_, warning = changes.reloaded([one, other._replace(config_hash="bb")])
    assert warning == "warning: these servers have read different files (jobrunner servers); give all the same"
    refused = other._replace(config_hash="bb", error="jobs.toml: no")
    assert len(list(changes.reloaded([one, refused]))) == 2
