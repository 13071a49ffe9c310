"""More than a hundred mistakes: one line that says what is wrong and where, the status, nothing half done."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from project import Project

JOBS = """
[jobs.plain]
command = "true"

[jobs.typed]
command = "true"
params.n = { type = "int", default = 1 }
params.x = { type = "float", default = 1.0 }
params.yes = { type = "bool", default = true }
params.day = { type = "date", default = "2026-01-01" }
params.at = { type = "datetime", default = "2026-01-01T00:00:00Z" }
params.deep = { type = "json", default = {} }
params.colour = { choices = ["red", "green"], default = "red" }
params.token = { secret = true, default = "" }

[jobs.needs]
command = "true"
params.id = { type = "int", required = true }
params.name = { default = "" }

[jobs.one]
command = "true"
params.id = { type = "int", required = true }

[jobs.scheduled]
command = "true"
schedule = "0 2 * * *"
"""

# What is typed; the status; words of the line.
MISTAKES: list[tuple[list[str], int, list[str]]] = [
    # verbs and options
    (["runn"], 2, ["runn", "did you mean 'run'"]),
    (["Runs"], 2, ["Runs"]),
    (["--verbose"], 2, ["--verbose"]),
    (["jobs", "--colour"], 2, ["--colour"]),
    (["jobs", "--tag"], 2, ["--tag"]),
    (["jobs", "plain"], 2, ["plain"]),
    (["queues", "default"], 2, ["default"]),
    (["runs", "--state", "Failed"], 2, ["--state", "Failed"]),
    (["runs", "--state", ""], 2, ["--state"]),
    (["runs", "--limit", "-5"], 2, ["--limit", "-5"]),
    (["runs", "--limit", "1e3"], 2, ["--limit", "1e3"]),
    (["runs", "--limit", "9" * 30], 2, ["--limit"]),
    (["audit", "--limit", "9" * 30], 2, ["--limit"]),
    (["batches", "--limit", "x"], 2, ["--limit"]),
    (["runs", "--since", "yesterdayish"], 2, ["--since", "yesterdayish"]),
    (["runs", "--since", "2026-13-01"], 2, ["--since", "2026-13-01"]),
    (["runs", "--since", "2026-02-30"], 2, ["--since", "2026-02-30"]),
    (["runs", "--since", ""], 2, ["--since"]),
    (["audit", "--since", "1 fortnight"], 2, ["--since", "fortnight"]),
    (["audit", "--since", "\N{ARABIC-INDIC DIGIT ONE}h"], 2, ["--since"]),
    # jobs
    (["trigger"], 2, ["JOB"]),
    (["trigger", "plane"], 3, ["plane", "did you mean plain?"]),
    (["trigger", "PLAIN"], 3, ["PLAIN"]),
    (["trigger", ""], 3, ["job"]),
    (["trigger", "../plain"], 3, ["../plain"]),
    (["trigger", "plain\n"], 3, ["job"]),
    (["trigger", "\x1b[2Jplain"], 3, ["job"]),
    (["trigger", "a" * 10_000], 3, ["aaa"]),
    (["trigger", "plain", "scheduled"], 2, ["scheduled"]),
    (["show", "plane"], 3, ["plane"]),
    (["next", "plane"], 3, ["plane"]),
    (["pause", "plane"], 3, ["plane"]),
    (["resume", "plane"], 3, ["plane"]),
    # parameters
    (["trigger", "plain", "-p", "x=1"], 2, ["x", "plain"]),
    (["trigger", "typed", "-p", "m=1"], 2, ["m", "typed"]),
    (["trigger", "typed", "-p", "n"], 2, ["'n'", "name=value"]),
    (["trigger", "typed", "-p", "=1"], 2, ["'=1'"]),
    (["trigger", "typed", "-p", "n=1", "-p", "n=2"], 2, ["'n'", "twice"]),
    (["trigger", "typed", "-p", "n="], 2, ["n"]),
    (["trigger", "typed", "-p", "n=seven"], 2, ["'n'", "seven", "whole number"]),
    (["trigger", "typed", "-p", "n=1.5"], 2, ["'n'", "1.5"]),
    (["trigger", "typed", "-p", "n=1_000"], 2, ["'n'"]),
    (["trigger", "typed", "-p", "n=" + "9" * 5000], 2, ["'n'"]),
    (["trigger", "typed", "-p", "n= 1"], 2, ["'n'"]),
    (["trigger", "typed", "-p", "N=1"], 2, ["N"]),
    (["trigger", "typed", "-p", "x=nan"], 2, ["'x'", "nan"]),
    (["trigger", "typed", "-p", "x=1e999"], 2, ["'x'", "1e999"]),
    (["trigger", "typed", "-p", "yes=maybe"], 2, ["'yes'", "maybe"]),
    (["trigger", "typed", "-p", "day=2026-02-30"], 2, ["'day'", "2026-02-30"]),
    (["trigger", "typed", "-p", "day=tomorrowish"], 2, ["'day'"]),
    (["trigger", "typed", "-p", "at=25:00"], 2, ["'at'", "25:00"]),
    (["trigger", "typed", "-p", "deep={"], 2, ["'deep'"]),
    (["trigger", "typed", "-p", "deep=NaN"], 2, ["'deep'"]),
    (["trigger", "typed", "-p", "deep=" + "[" * 100_000], 2, ["'deep'"]),
    (["trigger", "typed", "-p", "colour=blue"], 2, ["'colour'", "red"]),
    (["trigger", "typed", "-p", "token=" + "x" * 1_100_000], 2, ["'token'"]),
    (["trigger", "needs"], 2, ["'id'", "needs"]),
    (["trigger", "needs", "-p", "name=x"], 2, ["'id'"]),
    # times, numbers and other options of a trigger
    (["trigger", "plain", "--delay", "5"], 2, ["--delay", "'5'"]),
    (["trigger", "plain", "--delay", "-5s"], 2, ["--delay"]),
    (["trigger", "plain", "--delay", "5 parsecs"], 2, ["--delay", "parsecs"]),
    (["trigger", "plain", "--delay", "30m1h"], 2, ["--delay", "1h30m"]),
    (["trigger", "plain", "--delay", ""], 2, ["--delay"]),
    (["trigger", "plain", "--delay", "99999999w"], 2, ["--delay", "too long"]),
    (["trigger", "plain", "--at", "25:00"], 2, ["--at", "25:00"]),
    (["trigger", "plain", "--at", "2026-10-25T02:30:00+99:00"], 2, ["--at"]),
    (["trigger", "plain", "--at", "2026-1-1"], 2, ["--at", "2026-1-1"]),
    (["trigger", "plain", "--at", "soon"], 2, ["--at", "soon"]),
    (["trigger", "plain", "--at", ""], 2, ["--at"]),
    (["trigger", "plain", "--at", "99999-01-01"], 2, ["--at"]),
    (["trigger", "plain", "--at", "now", "--delay", "1s"], 2, ["--delay", "--at"]),
    (["trigger", "plain", "--queue", "nope"], 2, ["nope", "critical, default, low"]),
    (["trigger", "plain", "--queue", ""], 2, ["queue"]),
    (["trigger", "plain", "--priority", "high"], 2, ["--priority", "high"]),
    (["trigger", "plain", "--priority", "101"], 2, ["--priority", "101"]),
    (["trigger", "plain", "--retries", "-1"], 2, ["--retries"]),
    (["trigger", "plain", "--retries", "9" * 25], 2, ["--retries"]),
    (["trigger", "plain", "--after", "99"], 3, ["99"]),
    (["trigger", "plain", "--after", "b1"], 3, ["b1"]),
    (["trigger", "plain", "--after", "last"], 3, ["last"]),
    (["trigger", "plain", "--after", "1", "--after", "99"], 3, ["99"]),
    (["trigger", "plain", "--like", "99"], 3, ["99"]),
    (["trigger", "plain", "--like", "-1"], 3, ["-1"]),
    (["trigger", "plain", "--timeout", "1s"], 2, ["--timeout", "--wait"]),
    (["trigger", "plain", "--wait", "--timeout", "x"], 2, ["--timeout", "'x'"]),
    # batches
    (["trigger", "one", "--each", "nowhere.txt"], 2, ["--each", "nowhere.txt", "No such file"]),
    (["trigger", "one", "--each", "."], 2, ["--each", "irectory"]),
    (["trigger", "one", "--each", "empty.txt"], 2, ["--each", "empty.txt"]),
    (["trigger", "one", "--each", "latin1.txt"], 2, ["latin1.txt, line 2", "UTF-8"]),
    (["trigger", "one", "--each", "broken.txt"], 2, ["broken.txt, line 2", "JSON"]),
    (["trigger", "one", "--each", "twice.txt"], 2, ["twice.txt, line 1", "twice"]),
    (["trigger", "one", "--each", "third.txt"], 2, ["item 3", "'id'", "three"]),
    (["trigger", "one", "--each", "unknown.txt"], 2, ["item 2", "nme"]),
    (["trigger", "needs", "--each", "third.txt"], 2, ["item 1", "JSON object"]),
    (["trigger", "plain", "--each", "third.txt"], 2, ["item 1"]),
    (["trigger", "one", "--each", "good.txt", "--then", "nope"], 3, ["nope"]),
    (["trigger", "one", "--each", "good.txt", "--then", "needs"], 2, ["'id'", "needs"]),
    (["trigger", "one", "--each", "good.txt", "--then-on-failure", "nope"], 3, ["nope"]),
    (["trigger", "one", "--each", "good.txt", "--queue", "nope"], 2, ["nope"]),
    (["trigger", "one", "--each", "good.txt", "--after", "99"], 3, ["99"]),
    (["trigger", "one", "--then", "plain"], 2, ["--then", "--each"]),
    # ad-hoc programs
    (["submit"], 2, ["PROG"]),
    (["submit", "--"], 2, ["PROG"]),
    (["submit", ""], 2, ["program"]),
    (["submit", "--run-timeout", "0", "true"], 2, ["--run-timeout"]),
    (["submit", "--queue", "nope", "true"], 2, ["nope"]),
    (["submit", "--at", "x", "true"], 2, ["--at"]),
    # runs
    (["show"], 2, ["JOB|RUN|BATCH"]),
    (["show", "99"], 3, ["99"]),
    (["show", "b99"], 3, ["b99"]),
    (["show", "99999999999999999999"], 3, ["99999999999999999999"]),
    (["show", "1.0"], 3, ["1.0"]),
    (["logs", "0"], 3, ["0"]),
    (["logs", "-1"], 2, ["-1"]),
    (["logs", "plain"], 3, ["plain"]),
    (["logs", "b1"], 3, ["b1"]),
    (["logs", "1", "--attempt", "5"], 3, ["attempt 5"]),
    (["logs", "1", "--attempt", "0"], 2, ["--attempt"]),
    (["logs", "1", "--tail", "many"], 2, ["--tail", "many"]),
    (["logs", "1", "--stream", "err"], 2, ["--stream", "err"]),
    (["retry", "1"], 6, ["run 1", "queued"]),
    (["retry", "99"], 3, ["99"]),
    (["retry", "b99"], 3, ["b99"]),
    (["retry", "plain"], 3, ["plain"]),
    (["retry"], 2, ["--dead"]),
    (["retry", "--job", "plain"], 2, ["--dead"]),
    (["discard", "1"], 6, ["run 1", "queued"]),
    (["discard", "b1"], 3, ["b1"]),
    (["cancel"], 2, ["nothing to cancel"]),
    (["cancel", "plain"], 3, ["plain"]),
    (["cancel", "99", "--now"], 3, ["99"]),
    # pauses
    (["pause"], 2, ["--all"]),
    (["pause", "plain", "--queue", "low"], 2, ["exactly one"]),
    (["pause", "--queue", "nope"], 3, ["nope"]),
    (["pause", "plain", "--for", "0s"], 2, ["future"]),
    (["pause", "plain", "--for", "a while"], 2, ["--for", "a while"]),
    (["resume", "--queue", "nope"], 3, ["nope"]),
    # schedules
    (["next", "-n", "0"], 2, ["-n"]),
    (["next", "-n", "1000000000"], 2, ["-n"]),
    (["next", "--from", ""], 2, ["--from"]),
    (["next", "--from", "noonish"], 2, ["--from", "noonish"]),
    (["explain"], 2, ["EXPR"]),
    (["explain", ""], 2, [""]),
    (["explain", "* * * *"], 2, ["* * * *"]),
    (["explain", "60 * * * *"], 2, ["60"]),
    (["explain", "* * 31 2 *"], 2, ["never"]),
    (["explain", "* * * * mondy"], 2, ["mondy"]),
    (["explain", "5-1 * * * *"], 2, ["5-1"]),
    (["explain", "*/0 * * * *"], 2, ["*/0"]),
    (["explain", "@sometimes"], 2, ["@sometimes"]),
    (["explain", "every 0s"], 2, ["every 0s"]),
    (["explain", "every 100ms"], 2, ["100ms"]),
    (["explain", "every day"], 2, ["every day"]),
    (["explain", "@daily", "--timezone", "Europe/Madird"], 2, ["Europe/Madird"]),
    (["explain", "@daily", "--timezone", "../../etc/passwd"], 2, ["passwd"]),
    (["explain", "1," * 50_000 + "1 * * * *"], 2, [""]),
    # files
    (["check", "-c", "a.toml", "b.toml"], 2, ["--config"]),
    (["init", "-c", "a.toml", "folder"], 2, ["--config"]),
    (["init"], 6, ["jobs.toml exists"]),
    (["init", "empty.txt"], 6, ["empty.txt"]),
    (["-c", "nowhere.toml", "runs"], 78, ["nowhere.toml"]),
    (["runs", "-c", ""], 78, [""]),
    (["runs", "-c", "empty.txt/jobs.toml"], 78, ["empty.txt/jobs.toml"]),
    (["run", "--workers", "0"], 2, ["--workers"]),
    (["run", "--workers", "1001"], 2, ["--workers"]),
    (["run", "--log-format", "yaml"], 2, ["--log-format", "yaml"]),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = Project(tmp_path_factory.mktemp("mistakes"), JOBS)
    files = {
        "empty.txt": b"\n  \n",
        "latin1.txt": b"1\n\xe9\n",
        "broken.txt": b'1\n{"id": 2\n',
        "twice.txt": b'{"id": 1, "id": 2}\n',
        "third.txt": b"1\n2\nthree\n",
        "unknown.txt": b'{"id": 1}\n{"id": 2, "nme": 3}\n',
        "good.txt": b"1\n2\n",
    }
    for name, content in files.items():
        (made.folder / name).write_bytes(content)
    assert made.trigger("plain") == 1
    yield made
    made.close()


def _names(args: list[str]) -> str:
    return " ".join(args)[:60].encode("unicode_escape").decode() or "nothing"


@pytest.mark.parametrize(("args", "status", "words"), MISTAKES, ids=[_names(args) for args, _, _ in MISTAKES])
def test_a_mistake(project: Project, args: list[str], status: int, words: list[str]) -> None:
    before = _state(project)
    answer = project.call(*args)
    assert (answer.status, answer.out) == (status, ""), answer.err[:2000]
    assert answer.err.startswith("jobrunner: ")
    assert answer.err.endswith("\n")
    assert answer.err.count("\n") == 1, answer.err[:2000]
    assert answer.err[:-1].isprintable()
    assert "--debug" not in answer.err  # a fault of ours
    assert len(answer.err) < 2000
    for word in words:
        assert word in answer.err
    assert _state(project) == before


def _state(project: Project) -> tuple[object, ...]:
    """What a mistake must leave as it is."""
    files = sorted(str(path) for path in Path(project.folder).rglob("*"))
    runs = [(run["id"], run["state"]) for run in project.json("runs", "--limit", "0")]
    paused = [job["paused"] for job in project.json("jobs")]
    return files, runs, paused, project.json("batches")
