"""Retries in all their keys, what they count, and what a person's retry adds; expiry."""

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from project import Project

JOBS = r"""
[jobs.delays]
command = "exit 1"
retry_delays = ["10ms", "20ms"]

[jobs.last_repeats]
command = "exit 1"
retries = 3
retry_delays = ["10ms", "20ms"]

[jobs.grows]
command = "exit 1"
retries = 3
retry_delay = "10ms"
retry_backoff = 3
retry_max_delay = "50ms"
retry_jitter = 0

[jobs.jitters]
command = "exit 1"
retries = 1
retry_delay = "100ms"
retry_jitter = 0.5

[jobs.only_75]
command = ["sh", "-c", "exit $1", "sh", "{code}"]
params.code = { type = "int", required = true }
retry_delays = ["1ms"]
retry_on = { exit_codes = [75, 111] }

[jobs.not_64]
command = ["sh", "-c", "exit $1", "sh", "{code}"]
params.code = { type = "int", required = true }
retry_delays = ["1ms"]
no_retry_on = { exit_codes = [64] }

[jobs.only_lookup]
python = "functions:raises"
params.name = { required = true }
retry_delays = ["1ms"]
retry_on = { exceptions = ["LookupError", "functions.Own"] }

[jobs.second_time]
command = "test $JOBRUNNER_ATTEMPT -ge 2"
retry_delays = ["1ms"]

[jobs.times_out]
command = "sleep 60"
timeout = "20ms"
kill_grace = "50ms"
retry_delays = ["1ms"]

[jobs.forgotten]
command = "exit 1"
dead_letter = false

[jobs.fails]
command = "exit 1"
params.who = { default = "a" }

[jobs.switch]
command = "test -e fixed"
params.who = { default = "a" }

[jobs.expires]
command = "true"
expires = "1ms"

[jobs.lasting]
command = "true"
expires = "1h"
"""

FUNCTIONS = """
class Own(Exception): pass

def raises(name):
    raise {"KeyError": KeyError, "Own": Own, "ValueError": ValueError}[name]("x")
"""


@pytest.fixture
def retries(project: Callable[[str], Project]) -> Project:
    made = project(JOBS)
    (made.folder / "functions.py").write_text(FUNCTIONS)
    return made


def gaps(run: Any) -> list[float]:
    """Milliseconds between the end of an attempt and when the next one was due: at most those until it started."""
    attempts = run["attempts"]
    return [
        (_time(later["started_at"]) - _time(earlier["finished_at"])) * 1000 for earlier, later in pairwise(attempts)
    ]


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_the_number_and_the_delays_of_attempts(retries: Project) -> None:
    jobs = ("delays", "last_repeats", "grows", "jitters", "second_time", "times_out")
    runs = {job: retries.trigger(job) for job in jobs}
    with retries.server():
        shown = {job: retries.ended(run) for job, run in runs.items()}
    counts = {job: (run["attempt"], run["max_attempts"], run["state"]) for job, run in shown.items()}
    assert counts == {
        "delays": (3, 3, "failed"),
        "last_repeats": (4, 4, "failed"),
        "grows": (4, 4, "failed"),
        "jitters": (2, 2, "failed"),
        "second_time": (2, 2, "succeeded"),
        "times_out": (2, 2, "failed"),
    }
    least = {"delays": [10, 20], "last_repeats": [10, 20, 20], "grows": [10, 30, 50], "jitters": [50]}
    for job, expected in least.items():
        assert all(gap >= wanted for gap, wanted in zip(gaps(shown[job]), expected, strict=True)), (job, shown[job])
    assert [attempt["outcome"] for attempt in shown["second_time"]["attempts"]] == ["failed", "succeeded"]
    assert [attempt["outcome"] for attempt in shown["times_out"]["attempts"]] == ["timeout", "timeout"]


def test_a_retry_that_is_to_come_is_shown(retries: Project) -> None:
    retries.write(JOBS.replace('retry_delays = ["10ms", "20ms"]', 'retry_delays = ["1h"]'))
    run = retries.trigger("delays")
    retries.burst()
    shown = retries.show(run)
    assert (shown["state"], shown["attempt"], shown["error"]) == ("retrying", 1, "exit status 1")
    assert _time(shown["run_after"]) - _time(shown["finished_at"]) == pytest.approx(3600)
    assert retries.call("cancel", str(run)).status == 0
    assert retries.show(run)["state"] == "cancelled"


def test_what_is_worth_another_attempt(retries: Project) -> None:
    attempts = {
        ("only_75", "code=75"): 2,
        ("only_75", "code=111"): 2,
        ("only_75", "code=1"): 1,
        ("not_64", "code=64"): 1,
        ("not_64", "code=1"): 2,
        ("only_lookup", "name=KeyError"): 2,
        ("only_lookup", "name=Own"): 2,
        ("only_lookup", "name=ValueError"): 1,
    }
    runs = {case: retries.trigger(case[0], "-p", case[1]) for case in attempts}
    with retries.server():
        shown = {case: retries.ended(run) for case, run in runs.items()}
    assert {case: run["attempt"] for case, run in shown.items()} == attempts
    assert {(run["state"], run["max_attempts"]) for run in shown.values()} == {("failed", 2)}


def test_retries_of_a_trigger_take_the_place_of_the_jobs(retries: Project) -> None:
    run = retries.trigger("fails", "--retries", "0")
    more = retries.trigger("delays", "--retries", "3")
    none = retries.trigger("delays", "--retries", "0")
    with retries.server():
        assert [retries.ended(each)["attempt"] for each in (run, more, none)] == [1, 4, 1]


def test_a_persons_retry_adds_attempts_and_keeps_the_history(retries: Project) -> None:
    run = retries.trigger("delays")
    with retries.server():
        assert retries.ended(run)["attempt"] == 3
        (answer,) = retries.json("retry", str(run))
        assert answer["id"] == run
        shown = retries.ended(run)
    assert (shown["attempt"], shown["max_attempts"], len(shown["attempts"])) == (6, 6, 6)
    assert retries.call("retry", "--dead").status == 0
    assert retries.show(run)["state"] == "queued"


def test_dead_letters_and_what_resolves_them(retries: Project) -> None:
    dead = retries.trigger("switch")
    other = retries.trigger("switch", "-p", "who=b")
    discarded = retries.trigger("fails")
    forgotten = retries.trigger("forgotten")
    retries.burst()
    assert [run["id"] for run in retries.json("runs", "--dead")] == [discarded, other, dead]
    assert retries.show(forgotten)["state"] == "failed"
    assert retries.call("discard", str(discarded)).status == 0
    (retries.folder / "fixed").touch()
    retries.trigger("switch")
    retries.burst()
    assert [run["id"] for run in retries.json("runs", "--dead")] == [other]
    assert [run["id"] for run in retries.json("retry", "--dead", "--job", "switch")] == [other]
    retries.burst()
    assert retries.json("runs", "--dead") == []
    assert retries.show(dead)["state"] == "failed"


def test_a_run_that_did_not_start_in_time_expires(retries: Project) -> None:
    late = retries.trigger("expires")
    lasting = retries.trigger("lasting")
    retries.burst()
    shown = retries.show(late)
    assert (shown["state"], shown["attempt"], shown["attempts"]) == ("expired", 0, [])
    assert shown["error"]
    assert retries.show(lasting)["state"] == "succeeded"
    assert retries.call("retry", str(late)).status == 6
