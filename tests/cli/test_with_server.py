"""The verbs while a server works: waiting, following, output, dead letters, and the options of ``run``."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from program import Process, clean_environment

Runner = Callable[..., Process]
Answer = Callable[..., Any]

JOBS = """
[jobrunner]
shutdown_timeout = "100ms"

[jobs.text]
python = "work:text"
params.name = { default = "world" }

[jobs.square]
python = "work:square"
params.n = { type = "int", required = true }

[jobs.nothing]
command = "true"

[jobs.noise]
command = "printf 'one\\\\ntwo\\\\n'; printf 'err\\\\n' >&2; sleep 0.2; printf 'three\\\\n'"

[jobs.bytes]
command = "printf '\\\\033[31mred\\\\033[2J\\\\377\\\\n'"

[jobs.fails]
command = "echo oops >&2; exit 3"

[jobs.steps]
command = "echo one; echo two; until [ -e go ]; do sleep 0.05; done; echo three"

[jobs.stays]
command = "echo begun; exec sleep 600"
queue = "low"
"""

WORK = """
def text(name):
    return f"hello {name}"

def square(n):
    if n < 0:
        raise ValueError("negative")
    return {"n": n, "square": n * n}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "jobs.toml").write_text(JOBS)
    (tmp_path / "work.py").write_text(WORK)
    return tmp_path


@pytest.fixture
def answer(project: Path, jobrunner: Runner) -> Answer:
    def run(*args: str) -> Any:
        result = jobrunner(args[0], "--json", *args[1:])
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run


def start_server(folder: Path, *args: str) -> subprocess.Popen[str]:
    """A server that has said that it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "jobrunner", "run", "--log-format", "json", *args],
        cwd=folder,
        env=clean_environment(folder),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    seen = []
    for line in process.stderr:
        seen.append(line)
        if '"message": "ready"' in line:
            return process
    raise AssertionError(f"the server ended: {seen}")


def stop_server(process: subprocess.Popen[str]) -> str:
    """Stops it and gives back the rest of its log."""
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)
    return log


@pytest.fixture
def server(project: Path) -> Iterator[subprocess.Popen[str]]:
    process = start_server(project)
    yield process
    if process.poll() is None:
        stop_server(process)


@pytest.mark.usefixtures("server")
class TestWaiting:
    def test_the_result_goes_to_stdout_and_the_rest_to_stderr(self, jobrunner: Runner) -> None:
        result = jobrunner("trigger", "text", "-p", "name=you", "--wait")
        assert (result.returncode, result.stdout) == (0, "hello you\n")
        begin, end = result.stderr.splitlines()
        assert begin == "jobrunner: run 1 of text"
        assert end.startswith("jobrunner: run 1 succeeded after ")

    def test_other_results_are_json_and_none_is_nothing(self, jobrunner: Runner) -> None:
        assert jobrunner("trigger", "square", "-p", "n=3", "--wait").stdout == '{"n": 3, "square": 9}\n'
        assert jobrunner("trigger", "nothing", "--wait").stdout == ""

    def test_json_is_the_run_as_it_ended(self, answer: Answer) -> None:
        run = answer("trigger", "square", "-p", "n=3", "--wait")
        assert (run["state"], run["result"]) == ("succeeded", {"n": 3, "square": 9})
        assert run["duration"] > 0

    def test_a_failure_is_status_1(self, jobrunner: Runner) -> None:
        result = jobrunner("trigger", "fails", "--wait")
        assert (result.returncode, result.stdout) == (1, "")
        assert "run 1 failed after" in result.stderr
        assert "exit status 3" in result.stderr

    @pytest.mark.parametrize("how", ["--wait", "--follow"])
    def test_the_timeout_ends_the_wait_and_not_the_run(self, jobrunner: Runner, answer: Answer, how: str) -> None:
        result = jobrunner("trigger", "stays", how, "--timeout", "1s")
        assert result.returncode == 4
        assert "run 1 has not ended within 1s" in result.stderr
        assert answer("show", "1")["state"] in ("queued", "running")
        timed_out = jobrunner("trigger", "stays", "--wait", "--timeout", "1s", "--json")
        assert (timed_out.returncode, json.loads(timed_out.stdout)["id"]) == (4, 2)

    @pytest.mark.parametrize("how", ["--wait", "--follow"])
    def test_an_interrupt_ends_the_wait_and_not_the_run(self, project: Path, answer: Answer, how: str) -> None:
        with subprocess.Popen(
            [sys.executable, "-m", "jobrunner", "trigger", "stays", how],
            cwd=project,
            env=clean_environment(project),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr
            first = process.stderr.readline()
            process.send_signal(signal.SIGINT)
            try:
                _, rest = process.communicate(timeout=60)
            finally:
                process.kill()
        assert process.returncode == 130
        assert (first, rest) == (
            "jobrunner: run 1 of stays\n",
            "jobrunner: run 1 goes on; to see it: jobrunner logs -f 1\n",
        )
        assert answer("show", "1")["state"] in ("queued", "running")

    def test_follow_prints_the_output_as_it_comes(self, jobrunner: Runner) -> None:
        result = jobrunner("trigger", "noise", "--follow")
        assert result.returncode == 0
        assert sorted(result.stdout.split()) == ["err", "one", "three", "two"]
        both = jobrunner(
            "submit", "--follow", "--wait", "--", "sh", "-c", 'echo out; echo 7 > "$JOBRUNNER_RESULT_FILE"'
        )
        assert (both.returncode, both.stdout) == (0, "out\n7\n")

    def test_follow_in_json_is_lines_of_output_and_then_the_run(self, jobrunner: Runner) -> None:
        result = jobrunner("trigger", "noise", "--follow", "--json")
        *parts, run = [json.loads(line) for line in result.stdout.splitlines()]
        assert "".join(part["text"] for part in parts if part["stream"] == "stdout") == "one\ntwo\nthree\n"
        assert (run["id"], run["state"]) == (1, "succeeded")

    def test_a_batch_prints_its_results_in_order(self, jobrunner: Runner) -> None:
        result = jobrunner("trigger", "square", "--each", "-", "--wait", input="1\n2\n3\n")
        assert result.returncode == 0
        assert [json.loads(line)["square"] for line in result.stdout.splitlines()] == [1, 4, 9]
        assert result.stderr.splitlines()[-1] == "jobrunner: batch b1 succeeded: 3 succeeded, 0 failed, 0 other"

    def test_a_batch_with_a_failure_is_status_1(self, jobrunner: Runner) -> None:
        result = jobrunner("trigger", "square", "--each", "-", "--wait", "--json", input="1\n-2\n")
        batch = json.loads(result.stdout)
        assert (result.returncode, batch["state"], batch["failed"]) == (1, "failed", 1)
        text = jobrunner("show", "b1")
        assert "failed" in text.stdout
        assert "ValueError" in text.stdout

    def test_a_batch_can_time_out(self, jobrunner: Runner) -> None:
        result = jobrunner("trigger", "stays", "--each", "-", "--wait", "--timeout", "1s", input="{}\n")
        assert (result.returncode, result.stdout) == (4, "")

    def test_the_server_is_listed(self, answer: Answer, jobrunner: Runner) -> None:
        (server,) = answer("servers")
        assert (server["state"], server["queues"]) == ("running", ["critical", "default", "low"])
        assert "running" in jobrunner("servers").stdout


@pytest.fixture
def ran(project: Path, jobrunner: Runner) -> Callable[[str], None]:
    """Runs a job to its end."""

    def run(job: str) -> None:
        assert jobrunner("trigger", job).returncode == 0
        assert jobrunner("run", "--burst").returncode == 0

    return run


Ran = Callable[[str], None]


def test_output_is_byte_for_byte_in_a_pipe(project: Path, ran: Ran) -> None:
    ran("bytes")
    command = [sys.executable, "-m", "jobrunner", "logs", "1"]
    result = subprocess.run(command, cwd=project, env=clean_environment(project), capture_output=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"\x1b[31mred\x1b[2J\xff\n", b"")


def test_output_on_a_terminal_is_shown_and_not_obeyed(ran: Ran, terminal: Callable[..., str]) -> None:
    ran("bytes")
    assert terminal("logs", "1") == "\x1b[31mred\\x1b[2J\\xff\n\x1b[0m\n"


def test_output_by_stream_tail_and_attempt(ran: Ran, jobrunner: Runner) -> None:
    ran("noise")
    assert jobrunner("logs", "1", "--stream", "stdout").stdout == "one\ntwo\nthree\n"
    assert jobrunner("logs", "1", "--stream", "stderr").stdout == "err\n"
    assert jobrunner("logs", "1", "--stream", "stdout", "--tail", "2").stdout == "two\nthree\n"
    assert jobrunner("logs", "1", "--tail", "0").stdout == ""
    assert jobrunner("logs", "1", "--attempt", "1", "-f").returncode == 0
    assert jobrunner("logs", "1", "--attempt", "2").returncode == 3
    assert jobrunner("logs", "-f", "1", "--stream", "stdout", "--tail", "1").stdout == "three\n"
    assert sorted(jobrunner("logs", "1", "--follow").stdout.split()) == ["err", "one", "three", "two"]
    lines = [json.loads(line) for line in jobrunner("logs", "1", "--json", "--stream", "stderr").stdout.splitlines()]
    assert [(line["stream"], line["text"], line["dropped"]) for line in lines] == [("stderr", "err\n", 0)]


@pytest.mark.usefixtures("server")
def test_following_a_run_that_goes_on(project: Path, jobrunner: Runner) -> None:
    assert jobrunner("trigger", "steps").returncode == 0
    while jobrunner("logs", "1").stdout != "one\ntwo\n":
        pass
    with subprocess.Popen(
        [sys.executable, "-m", "jobrunner", "logs", "-f", "1", "--tail", "1"],
        cwd=project,
        env=clean_environment(project),
        stdout=subprocess.PIPE,
        text=True,
    ) as follower:
        assert follower.stdout
        assert follower.stdout.readline() == "two\n"
        (project / "go").touch()
        assert follower.stdout.read() == "three\n"
        assert follower.wait(timeout=60) == 0


@pytest.mark.usefixtures("server")
def test_cancelling_a_run_that_goes_on(jobrunner: Runner, answer: Answer) -> None:
    assert jobrunner("trigger", "stays").returncode == 0
    while jobrunner("logs", "1").stdout != "begun\n":
        pass
    assert jobrunner("cancel", "1").stdout in ("1 stays being cancelled\n", "1 stays cancelled\n")
    assert jobrunner("logs", "-f", "1").stdout == "begun\n"
    assert answer("show", "1")["state"] == "cancelled"


def test_a_submitted_program_starts_where_it_is_told_and_ends_in_time(jobrunner: Runner, answer: Answer) -> None:
    answer("submit", "--cwd", "/", "--", "pwd")
    answer("submit", "--run-timeout", "100ms", "--", "sleep", "600")
    assert jobrunner("run", "--burst").returncode == 0
    assert jobrunner("logs", "1").stdout == "/\n"
    assert answer("show", "2")["attempts"][0]["outcome"] == "timeout"


def test_a_run_that_printed_nothing_says_so(ran: Ran, jobrunner: Runner) -> None:
    ran("nothing")
    result = jobrunner("logs", "1")
    assert (result.stdout, result.stderr) == ("", "jobrunner: run 1 has printed nothing\n")


def test_dead_letters_are_listed_retried_and_discarded(ran: Ran, jobrunner: Runner, answer: Answer) -> None:
    ran("fails")
    ran("fails")
    assert [run["id"] for run in answer("runs", "--dead")] == [2, 1]
    assert answer("show", "1")["attempts"][0]["exit_code"] == 3
    assert "exit status 3" in jobrunner("show", "1").stdout
    assert jobrunner("discard", "1").stdout == "1 fails failed\n"
    assert answer("discard", "2")[0]["dead"] is False
    assert answer("runs", "--dead") == []
    ran("fails")
    assert [run["id"] for run in answer("retry", "--dead", "--job", "nothing")] == []
    assert [run["id"] for run in answer("retry", "--dead", "--job", "fails")] == [3]
    assert jobrunner("run", "--burst").returncode == 0
    assert len(answer("show", "3")["attempts"]) == 2
    assert "SIG" not in jobrunner("show", "3").stdout


def test_retry_of_a_batch_takes_those_that_failed(jobrunner: Runner, project: Path, answer: Answer) -> None:
    jobrunner("trigger", "square", "--each", "-", input="1\n-2\n")
    assert jobrunner("run", "--burst").returncode == 0
    assert [run["params"]["n"] for run in answer("retry", "b1")] == [-2]


def test_the_options_of_the_server(project: Path, jobrunner: Runner, answer: Answer) -> None:
    process = start_server(
        project, "--workers", "3", "--queue", "low", "--queue", "default", "--name", "blue", "--no-scheduler"
    )
    try:
        (server,) = answer("servers")
        assert (server["name"], server["workers"], server["queues"]) == ("blue", 3, ["low", "default"])
        assert server["pid"] == process.pid
    finally:
        stop_server(process)
    assert process.returncode == 0
    assert answer("servers")[0]["state"] == "stopped"


def test_burst_serves_only_the_queues_it_is_told(project: Path, jobrunner: Runner, answer: Answer) -> None:
    answer("trigger", "nothing")
    answer("trigger", "nothing", "--queue", "critical")
    result = jobrunner("run", "--burst", "--queue", "critical", "--log-format", "text")
    assert result.returncode == 0
    assert not result.stderr.startswith("{")
    assert [run["state"] for run in answer("runs")] == ["succeeded", "queued"]


def test_run_needs_a_valid_file_and_a_queue_that_exists(project: Path, jobrunner: Runner) -> None:
    assert jobrunner("run", "--burst", "--queue", "nope").returncode == 2
    (project / "jobs.toml").write_text("[jobs.a]\n")
    result = jobrunner("run", "--burst")
    assert (result.returncode, result.stdout) == (78, "")
    assert os.linesep in result.stderr
