"""The verbs on a real project without a server: what they print, what they answer in JSON, how they end."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from program import Process

Runner = Callable[..., Process]

JOBS = """
[jobrunner]
timezone = "Europe/Madrid"

[jobs.backup]
description = "Nightly backup"
command = ["echo", "{target}"]
schedule = "0 2 * * *"
params.target = { default = "/srv" }
params.token = { default = "", secret = true }
tags = ["db", "night"]

[jobs.invoice]
command = ["echo", "{id}"]
params.id = { type = "int", required = true }
queue = "low"

[jobs.summary]
command = "true"
tags = ["night"]

[jobs.zonce]
command = "true"
unique = true
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "jobs.toml").write_text(JOBS)
    return tmp_path


@pytest.fixture
def answer(project: Path, jobrunner: Runner) -> Callable[..., Any]:
    """Runs a verb with ``--json``, which must end with 0, and gives back the document."""

    def run(*args: str) -> Any:
        result = jobrunner(args[0], "--json", *args[1:])
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run


Answer = Callable[..., Any]


def test_trigger_prints_the_id_and_says_that_no_server_serves_it(jobrunner: Runner, project: Path) -> None:
    result = jobrunner("trigger", "backup")
    assert (result.returncode, result.stdout) == (0, "1\n")
    assert result.stderr.count("\n") == 1
    assert "no server" in result.stderr
    assert jobrunner("trigger", "backup").stdout == "2\n"


def test_trigger_takes_parameters_and_options(answer: Answer) -> None:
    run = answer("trigger", "backup", "-p", "target=a=b", "--param", "token=hunter2", "--queue", "critical")
    assert run["params"] == {"target": "a=b", "token": "***"}
    assert (run["state"], run["queue"], run["trigger"]) == ("queued", "critical", "manual")
    assert answer("trigger", "backup", "--priority", "-5", "--retries", "2")["max_attempts"] == 3
    assert answer("show", "2")["priority"] == -5


def test_trigger_later(answer: Answer) -> None:
    assert answer("trigger", "backup", "--delay", "1h")["state"] == "scheduled"
    run = answer("trigger", "backup", "--at", "2999-01-01 12:00")
    assert run["run_after"] == "2999-01-01T11:00:00.000000Z"


def test_trigger_like_another_run(answer: Answer) -> None:
    answer("trigger", "backup", "-p", "target=/home", "-p", "token=x")
    assert answer("trigger", "backup", "--like", "1")["params"] == {"target": "/home", "token": "***"}
    assert answer("trigger", "backup", "--like", "1", "-p", "target=/var")["params"]["target"] == "/var"


def test_trigger_after_another_run(answer: Answer) -> None:
    answer("trigger", "backup")
    run = answer("trigger", "summary", "--after", "1")
    assert (run["state"], run["parent_ids"]) == ("waiting", [1])
    assert run["waiting_for"]["reason"] == "after"


def test_a_unique_run_that_is_there_is_given_back(answer: Answer, jobrunner: Runner) -> None:
    assert "existing" not in answer("trigger", "zonce")
    run = answer("trigger", "zonce")
    assert (run["id"], run["existing"]) == (1, True)
    result = jobrunner("trigger", "zonce")
    assert (result.returncode, result.stdout) == (0, "1\n")
    assert "run 1 is there already" in result.stderr


def test_a_batch_from_a_file_and_from_standard_input(jobrunner: Runner, project: Path, answer: Answer) -> None:
    (project / "ids").write_text('7\n\n{"id": 8}\n')
    assert answer("trigger", "invoice", "--each", "ids", "--then", "summary") == {"batch_id": "b1", "runs": 2}
    result = jobrunner("trigger", "invoice", "--each", "-", "--then-on-failure", "summary", input="9\n")
    assert (result.returncode, result.stdout) == (0, "b2\n")
    assert [run["params"]["id"] for run in answer("runs", "--job", "invoice")] == [9, 8, 7]
    assert [batch["id"] for batch in answer("batches")] == ["b2", "b1"]
    assert answer("show", "b1")["total"] == 2
    assert len(answer("batches", "--limit", "1")) == 1


def test_a_batch_is_all_or_nothing(jobrunner: Runner, project: Path, answer: Answer) -> None:
    result = jobrunner("trigger", "invoice", "--each", "-", input="7\nseven\n")
    assert (result.returncode, result.stdout) == (2, "")
    assert "item 2" in result.stderr
    assert answer("runs") == []
    assert answer("batches") == []


def test_submit_needs_no_job(answer: Answer, jobrunner: Runner, project: Path) -> None:
    run = answer("submit", "--retries", "1", "--queue", "low", "--run-timeout", "1m", "--", "ls", "-l", "--x")
    assert (run["job"], run["max_attempts"], run["queue"]) == ("submit:ls", 2, "low")
    result = jobrunner("submit", "--cwd", "/", "--delay", "1h", "--priority", "3", "true")
    assert (result.returncode, result.stdout) == (0, "2\n")
    assert answer("show", "2")["state"] == "scheduled"
    assert answer("submit", "--after", "1", "true")["state"] == "waiting"
    assert answer("submit", "--at", "2999-01-01", "true")["state"] == "scheduled"


def test_lists(answer: Answer, jobrunner: Runner, project: Path) -> None:
    answer("trigger", "backup")
    answer("trigger", "invoice", "-p", "id=7")
    assert [job["name"] for job in answer("jobs")] == ["backup", "invoice", "summary", "zonce"]
    assert [job["name"] for job in answer("jobs", "--tag", "db")] == ["backup"]
    assert answer("jobs")[0]["last_run"]["id"] == 1
    assert [run["id"] for run in answer("runs")] == [2, 1]
    assert [run["id"] for run in answer("runs", "--limit", "1")] == [2]
    assert [run["id"] for run in answer("runs", "--job", "backup", "--state", "queued", "--since", "1h")] == [1]
    assert answer("runs", "--state", "failed", "--state", "running") == []
    assert answer("runs", "--since", "tomorrow") == []
    assert answer("runs", "--dead") == []
    assert [queue["name"] for queue in answer("queues")] == ["critical", "default", "low"]
    assert answer("servers") == []
    assert [entry["action"] for entry in answer("audit")] == ["trigger", "trigger"]
    assert len(answer("audit", "--since", "1h", "--limit", "1")) == 1
    assert answer("audit", "--since", "tomorrow") == []


def test_empty_lists_say_what_to_do(jobrunner: Runner, project: Path) -> None:
    for args in (["runs"], ["runs", "--dead"], ["servers"], ["batches"], ["jobs", "--tag", "x"], ["audit"]):
        result = jobrunner(*args)
        assert (result.returncode, result.stdout) == (0, ""), args
        assert result.stderr.count("\n") == 1


def test_piped_lists_are_plain_and_say_the_zone(jobrunner: Runner, project: Path, answer: Answer) -> None:
    answer("trigger", "backup", "--at", "2999-01-01 12:00")
    for verb in ("jobs", "runs", "next"):
        text = jobrunner(verb).stdout
        assert text.isascii()
        assert "\x1b" not in text
    assert "2999-01-01 12:00:00 CET" in jobrunner("runs").stdout


def test_a_terminal_gets_colours_glyphs_and_relative_times(
    terminal: Callable[..., str], project: Path, answer: Answer
) -> None:
    answer("trigger", "backup", "--delay", "90m")
    text = terminal("runs")
    assert "\x1b[34m◌ scheduled\x1b[0m" in text
    assert re.search(r"in 1 h", text)
    assert "\x1b" not in terminal("runs", NO_COLOR="1")
    assert "\x1b" not in terminal("runs", TERM="dumb")
    assert ". scheduled" in terminal("runs", LC_ALL="C")
    for width in (60, 140):
        for verb in ("jobs", "runs"):
            assert max(map(len, terminal(verb, width=width, NO_COLOR="1").splitlines())) <= width, verb


def test_show(answer: Answer, jobrunner: Runner, project: Path) -> None:
    answer("trigger", "backup", "-p", "token=hunter2")
    assert answer("show", "backup")["kind"] == "command"
    assert answer("show", "1")["attempts"] == []
    for target in ("backup", "1"):
        result = jobrunner("show", target)
        assert result.returncode == 0
        assert "hunter2" not in result.stdout


def test_logs_of_a_run_that_has_not_started(jobrunner: Runner, answer: Answer) -> None:
    answer("trigger", "backup")
    result = jobrunner("logs", "1")
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == "jobrunner: run 1 has not started: it is queued\n"
    assert jobrunner("logs", "1", "--attempt", "2").returncode == 3


def test_cancel_and_retry_each_run_by_itself(jobrunner: Runner, answer: Answer) -> None:
    answer("trigger", "backup")
    answer("trigger", "backup")
    result = jobrunner("cancel", "1", "99", "2", "x")
    assert (result.returncode, result.stdout) == (3, "1 backup cancelled\n2 backup cancelled\n")
    assert len(result.stderr.splitlines()) == 2
    assert jobrunner("cancel", "1").returncode == 0
    assert answer("retry", "1")[0]["state"] == "queued"
    refused = jobrunner("retry", "1", "2")
    assert (refused.returncode, refused.stdout) == (6, "2 backup queued\n")
    assert jobrunner("retry", "1", "99").returncode == 6
    assert jobrunner("discard", "1").returncode == 6
    assert json.loads(jobrunner("cancel", "1", "--now", "--json").stdout)[0]["state"] == "cancelled"


def test_cancel_of_a_batch(jobrunner: Runner, answer: Answer, project: Path) -> None:
    jobrunner("trigger", "invoice", "--each", "-", input="1\n2\n")
    assert {run["state"] for run in answer("cancel", "b1")} == {"cancelled"}
    again = jobrunner("cancel", "b1")
    assert (again.returncode, again.stdout) == (0, "")
    assert "nothing to do in b1" in again.stderr
    assert jobrunner("cancel", "b9").returncode == 3
    assert jobrunner("discard", "b1").returncode == 3


def test_retry_of_dead_letters_when_there_are_none(jobrunner: Runner, project: Path) -> None:
    result = jobrunner("retry", "--dead", "--job", "backup")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "jobrunner: no dead letters\n")


def test_pause_and_resume(jobrunner: Runner, answer: Answer) -> None:
    pause = answer("pause", "backup", "--for", "2h", "--reason", "disk migration")
    assert (pause["scope"], pause["name"], pause["reason"]) == ("job", "backup", "disk migration")
    assert pause["until"] is not None
    assert answer("show", "backup")["paused"] is True
    assert "disk migration" in jobrunner("show", "backup").stdout
    assert answer("pause", "--queue", "low")["scope"] == "queue"
    assert [queue["paused"] for queue in answer("queues")] == [False, False, True]
    assert answer("pause", "--all")["until"] is None
    for args in (["backup"], ["--queue", "low"], ["--all"]):
        assert answer("resume", *args)["was_paused"] is True
        assert answer("resume", *args)["was_paused"] is False
    said = jobrunner("pause", "backup", "--for", "1h").stderr
    assert said.startswith("jobrunner: job backup is paused until ")
    assert jobrunner("resume", "backup").stderr == "jobrunner: job backup goes on\n"
    for args in (["nope"], ["--queue", "nope"]):
        assert jobrunner("pause", *args).returncode == 3


def test_next(answer: Answer, jobrunner: Runner) -> None:
    fires = answer("next", "-n", "2", "--from", "2026-10-24 12:00")
    assert [fire["at"] for fire in fires] == ["2026-10-25T00:00:00.000000Z", "2026-10-26T01:00:00.000000Z"]
    assert fires[0]["job"] == "backup"
    assert answer("next", "summary") == []
    assert len(answer("next", "backup")) == 10
    assert "2026-10-26 02:00:00 CET" in jobrunner("next", "--from", "2026-10-25 12:00", "-n", "1").stdout


@pytest.mark.parametrize(
    ("args", "status", "message"),
    [
        (["trigger", "bakcup"], 3, "backup"),
        (["trigger", "backup", "-p", "x=1"], 2, "x"),
        (["trigger", "invoice"], 2, "id"),
        (["trigger", "invoice", "-p", "id=seven"], 2, "id"),
        (["trigger", "backup", "--queue", "nope"], 2, "nope"),
        (["trigger", "backup", "--after", "99"], 3, "99"),
        (["trigger", "backup", "--after", "b7"], 3, "b7"),
        (["trigger", "backup", "--like", "99"], 3, "99"),
        (["trigger", "backup", "--like", "last"], 3, "last"),
        (["trigger", "backup", "--at", "25:00"], 2, "--at"),
        (["trigger", "backup", "--delay", "soon"], 2, "--delay"),
        (["trigger", "backup", "--delay", "1h", "--at", "now"], 2, "--delay and --at exclude each other"),
        (["runs", "--since", "whenever"], 2, "--since"),
        (["show", "99"], 3, "99"),
        (["show", "b99"], 3, "b99"),
        (["show", "nope"], 3, "nope"),
        (["show", ""], 3, ""),
        (["show", "99999999999999999999"], 3, "99999999999999999999"),
        (["logs", "99"], 3, "99"),
        (["next", "nope"], 3, "nope"),
        (["next", "--from", "never"], 2, "--from"),
    ],
)
def test_what_is_refused(jobrunner: Runner, project: Path, args: list[str], status: int, message: str) -> None:
    result = jobrunner(*args)
    assert (result.returncode, result.stdout) == (status, ""), result.stderr
    assert result.stderr.startswith("jobrunner: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


def test_runs_can_be_seen_while_a_job_of_the_file_is_broken(jobrunner: Runner, project: Path, answer: Answer) -> None:
    answer("trigger", "backup")
    (project / "jobs.toml").write_text(JOBS.replace('schedule = "0 2 * * *"', "retries = -1"))
    for args in (
        ["runs"],
        ["runs", "--job", "backup"],
        ["show", "1"],
        ["logs", "1"],
        ["queues"],
        ["trigger", "summary"],
    ):
        assert jobrunner(*args).returncode == 0, args
    for args in (["jobs"], ["next"], ["show", "backup"], ["trigger", "backup"]):
        result = jobrunner(*args)
        assert (result.returncode, result.stdout) == (78, "")
        assert re.match(r"jobrunner: \S*jobs\.toml:\d+:\d+: ", result.stderr)
        assert result.stderr.count("\n") == 1


def test_completion_of_runs(jobrunner: Runner, answer: Answer) -> None:
    answer("trigger", "backup")
    words = "jobrunner logs "
    result = jobrunner(_JOBRUNNER_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD="2")
    assert result.stdout.split() == ["1"]


def test_an_unreachable_store_is_status_5(jobrunner: Runner, project: Path) -> None:
    (project / "jobs.toml").write_text(
        '[jobrunner]\nstore = "sqlite:////nowhere/at/all.db"\n[jobs.a]\ncommand = "true"\n'
    )
    for args in (["runs"], ["trigger", "a"], ["cancel", "1"]):
        result = jobrunner(*args)
        assert (result.returncode, result.stdout) == (5, "")
        assert result.stderr.count("\n") == 1
