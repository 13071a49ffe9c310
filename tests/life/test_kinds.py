"""What a job can be, on a real server: commands, shell lines, Python, HTTP; what they see and what comes of them."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from project import Project, until

JOBS = r"""
[jobrunner]
workers = 8

[defaults]
kill_grace = "5s"

[jobs.argv]
command = ["python3", "-c", "import json,sys; print(json.dumps(sys.argv[1:]))", "{word}", "{{x}}", "${HOME}", "a={n}"]
params.word = { default = "$(touch pwned); `touch pwned`" }
params.n = { type = "int", default = 7 }

[jobs.line]
command = 'echo "$JOBRUNNER_PARAM_WORD" | tr a-z A-Z && echo $0'
params.word = { default = "a; touch pwned" }

[jobs.bash]
command = 'echo "${BASH_VERSION:+bash}"'
shell = "/bin/bash"

[jobs.seen]
command = ["sh", "-c", "env | grep -a ^JOBRUNNER_ | sort"]
params.month = { default = "2026-10" }
params.full = { type = "bool", default = true }
params.nothing = {}
retries = 2

[jobs.place]
command = "pwd; echo $GREETING $LAYERED; umask; nice; echo \"[$(cat)]\""
cwd = "sub"
env = { GREETING = "hello", LAYERED = "${FROM_OUTSIDE}-x" }
umask = "027"
nice = 5

[jobs.home]
command = "pwd"

[jobs.json_result]
command = "echo '{\"total\": [1, 2.5, null, \"ü\"]}' > $JOBRUNNER_RESULT_FILE"

[jobs.not_json]
command = "echo 'total: 3' > $JOBRUNNER_RESULT_FILE"

[jobs.too_large]
command = "python3 -c 'import json; print(json.dumps(\"x\" * 1100000))' > $JOBRUNNER_RESULT_FILE"

[jobs.exit3]
command = "echo all is lost >&2; exit 3"

[jobs.signalled]
command = "kill -SEGV $$"

[jobs.absent]
command = ["/no/such/program"]

[jobs.no_folder]
command = "true"
cwd = "not/there"

[jobs.slow]
command = "exec sleep 60"
timeout = "100ms"

[jobs.add]
python = "functions:add"
params.a = { type = "int", required = true }
params.b = { type = "float", default = 0.5 }

[jobs.async_add]
python = "functions:async_add"
params.a = { type = "int", required = true }

[jobs.told]
python = "functions:told"
params.deep = { type = "json", default = { list = [1, { x = true }] } }
params.day = { type = "date", default = "2026-02-03" }
params.at = { type = "datetime", default = "2026-02-03T04:05:06+01:00" }

[jobs.raises]
python = "functions:raises"

[jobs.leaves]
python = "functions:leaves"

[jobs.dies]
python = "functions:dies"

[jobs.unfit]
python = "functions:unfit"

[jobs.large]
python = "functions:large"

[jobs.missing_module]
python = "no_such_module:f"

[jobs.missing_function]
python = "functions:nope"

[jobs.py_place]
python = "functions:place"
cwd = "sub"
env = { GREETING = "hello" }
umask = "027"
nice = 3

[jobs.hangs]
python = "functions:hangs"
timeout = "100ms"

[jobs.progress]
command = "echo ::progress 1/4 first; echo ::progress 3/4 nearly there; cat gate >/dev/null"

[jobs.py_progress]
python = "functions:progress"

[jobs.get]
http = { url = "http://127.0.0.1:PORT/json?q={q}" }
params.q = { default = "a b&c" }

[jobs.post]
params.id = { type = "int", default = 7 }
[jobs.post.http]
url = "http://127.0.0.1:PORT/echo"
method = "POST"
headers = { X-Token = "${TOKEN}" }
json = { id = "{id}", name = "n-{id}" }

[jobs.redirected]
http = { url = "http://127.0.0.1:PORT/redirect" }

[jobs.teapot]
http = { url = "http://127.0.0.1:PORT/teapot", expect = [418] }

[jobs.unavailable]
http = { url = "http://127.0.0.1:PORT/unavailable" }

[jobs.text]
http = { url = "http://127.0.0.1:PORT/text" }

[jobs.refused]
http = { url = "http://127.0.0.1:1/" }

[jobs.stuck]
http = { url = "http://127.0.0.1:PORT/stuck" }
timeout = "200ms"
"""

FUNCTIONS = """
import asyncio, os, sys, time
from jobrunner import current_run

def add(a, b):
    print("adding", a, b)
    return {"sum": a + b}

async def async_add(a):
    await asyncio.sleep(0)
    return a + 1

def told(deep, day, at):
    run = current_run()
    return {
        "types": [type(deep).__name__, type(day).__name__, type(at).__name__],
        "run": [run.run_id, run.job, run.attempt, run.max_attempts, run.trigger, run.fire_time, run.batch_id],
        "environ": os.environ["JOBRUNNER_RUN_ID"],
        "stdin": sys.stdin.read(),
    }

def raises():
    raise LookupError("no customer 7\\nsecond line")

def leaves():
    sys.exit(3)

def dies():
    os._exit(9)

def unfit():
    return {"when": {1, 2}}

def large():
    return "x" * 1_100_000

def place():
    mask = os.umask(0)
    os.umask(mask)
    return [os.getcwd(), os.environ["GREETING"], mask, os.nice(0)]

def hangs():
    time.sleep(60)

def progress():
    current_run().progress(30, total=120, message="thirty")
    open("gate").read()
"""


class Handler(BaseHTTPRequestHandler):
    """Answers by path."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/json?q=moved")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path == "/stuck":
            self.server.gate.wait()  # type: ignore[attr-defined]
        elif path == "/text":
            self._answer(200, "text/plain; charset=utf-8", "grüezi\n".encode())
        elif path == "/teapot":
            self._answer(418, "text/plain", b"short and stout")
        elif path == "/unavailable":
            self._answer(503, "text/plain", b"try later")
        else:
            self._answer(200, "application/json", json.dumps({"path": self.path}).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kept = {name: self.headers[name] for name in ("X-Token", "Idempotency-Key", "Content-Type")}
        self._answer(201, "application/json", json.dumps({"body": json.loads(body), **kept}).encode())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.gate = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1]
    server.gate.set()  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory, address: int) -> Iterator[Project]:
    """One server for all tests of this module."""
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "sub").mkdir()
    (folder / "functions.py").write_text(FUNCTIONS)
    project = Project(folder, JOBS.replace("PORT", str(address)))
    with project.server(FROM_OUTSIDE="outside", TOKEN="t0ken-of-the-test"):
        yield project
    project.close()


def result(kinds: Project, *args: str) -> Any:
    """What ``trigger --wait --json`` says of a run that has to succeed."""
    answer = kinds.call("trigger", *args, "--wait", "--json")
    assert answer.status == 0, answer
    return answer.json["result"]


def failure(kinds: Project, *args: str) -> Any:
    """The run that failed."""
    answer = kinds.call("trigger", *args, "--wait", "--json")
    assert answer.status == 1, answer
    run = answer.json
    assert run["state"] == "failed"
    assert "\n" not in run["error"]
    assert "Traceback" not in answer.err
    return run


def output(kinds: Project, *args: str) -> str:
    """The output of a run that has to succeed."""
    answer = kinds.call("trigger", *args, "--follow")
    assert answer.status == 0, answer
    return answer.out


def test_a_program_gets_its_parameters_as_whole_arguments(kinds: Project) -> None:
    printed = json.loads(output(kinds, "argv", "-p", "n=-1"))
    assert printed == ["$(touch pwned); `touch pwned`", "{x}", "${HOME}", "a=-1"]
    assert not list(kinds.folder.rglob("pwned"))


def test_a_shell_line_gets_them_in_the_environment_only(kinds: Project) -> None:
    assert output(kinds, "line").splitlines() == ["A; TOUCH PWNED", "/bin/sh"]
    assert not list(kinds.folder.rglob("pwned"))


def test_another_shell(kinds: Project) -> None:
    assert output(kinds, "bash") == "bash\n"


def test_what_a_command_sees_of_its_run(kinds: Project) -> None:
    run = kinds.trigger("seen")
    assert kinds.ended(run)["state"] == "succeeded"
    seen = dict(line.split("=", 1) for line in kinds.logs(run).splitlines())
    result_file = seen.pop("JOBRUNNER_RESULT_FILE")
    assert not Path(result_file).exists()
    assert seen.pop("JOBRUNNER_PROCESS")  # by which the launcher finds what a run has left behind
    assert seen == {
        "JOBRUNNER_RUN_ID": str(run),
        "JOBRUNNER_JOB": "seen",
        "JOBRUNNER_ATTEMPT": "1",
        "JOBRUNNER_MAX_ATTEMPTS": "3",
        "JOBRUNNER_TRIGGER": "manual",
        "JOBRUNNER_SERVER": kinds.json("servers")[0]["name"],
        "JOBRUNNER_PARAM_MONTH": "2026-10",
        "JOBRUNNER_PARAM_FULL": "true",
    }


def test_folder_environment_umask_niceness_and_no_input(kinds: Project) -> None:
    lines = output(kinds, "place").splitlines()
    assert lines == [str(kinds.folder / "sub"), "hello ***-x", "0027", "5", "[]"]
    assert output(kinds, "home") == f"{kinds.folder}\n"


def test_the_result_of_a_command(kinds: Project) -> None:
    assert result(kinds, "json_result") == {"total": [1, 2.5, None, "ü"]}
    assert result(kinds, "home") is None


@pytest.mark.parametrize(
    ("job", "error", "exit_code"),
    [
        ("not_json", "JSON", 0),
        ("too_large", "1 MiB", 0),
        ("exit3", "exit status 3: all is lost", 3),
        ("signalled", "SIGSEGV", None),
        ("absent", "/no/such/program", None),
        ("no_folder", "not/there", None),
        ("raises", "LookupError: no customer 7", None),
        ("leaves", "SystemExit", None),
        ("dies", "9", 9),
        ("unfit", "set", None),
        ("large", "1 MiB", None),
        ("missing_module", "no_such_module", None),
        ("missing_function", "nope", None),
        ("unavailable", "HTTP 503 Service Unavailable", None),
        ("refused", "127.0.0.1:1", None),
    ],
)
def test_what_fails_says_why_in_one_line(kinds: Project, job: str, error: str, exit_code: int | None) -> None:
    run = failure(kinds, job)
    assert error in run["error"]
    assert run["exit_code"] == exit_code
    (attempt,) = kinds.show(run["id"])["attempts"]
    assert (attempt["outcome"], attempt["error"]) == ("failed", run["error"])
    assert attempt["signal"] == (11 if job == "signalled" else None)


def test_a_traceback_is_in_the_output_and_begins_with_the_job(kinds: Project) -> None:
    text = kinds.logs(failure(kinds, "raises")["id"], "--stream", "stderr")
    assert text.startswith("Traceback")
    assert text.count("File ") == 1
    assert "functions.py" in text


@pytest.mark.parametrize("job", ["slow", "hangs", "stuck"])
def test_a_timeout_ends_the_attempt(kinds: Project, job: str) -> None:
    run = failure(kinds, job)
    assert run["error"].startswith("timed out after ")
    assert kinds.show(run["id"])["attempts"][0]["outcome"] == "timeout"


def test_a_python_function(kinds: Project) -> None:
    assert result(kinds, "add", "-p", "a=2") == {"sum": 2.5}
    assert result(kinds, "async_add", "-p", "a=41") == 42
    assert output(kinds, "add", "-p", "a=2", "-p", "b=1e1") == "adding 2 10.0\n"


def test_what_a_function_is_told(kinds: Project) -> None:
    run = kinds.trigger("told")
    told = kinds.ended(run)["result"]
    assert told["types"] == ["dict", "str", "str"]
    assert told["run"] == [run, "told", 1, 1, "manual", None, None]
    assert told["environ"] == str(run)
    assert told["stdin"] == ""


def test_the_surroundings_of_a_function(kinds: Project) -> None:
    assert result(kinds, "py_place") == [str(kinds.folder / "sub"), "hello", 0o027, 3]
    assert result(kinds, "add", "-p", "a=1") == {"sum": 1.5}


@pytest.mark.parametrize(
    ("job", "progress"),
    [
        ("progress", {"done": 3, "total": 4, "message": "nearly there"}),
        ("py_progress", {"done": 30, "total": 120, "message": "thirty"}),
    ],
)
def test_progress_shows_while_it_runs(kinds: Project, job: str, progress: dict[str, Any]) -> None:
    gate = kinds.folder / "gate"
    os.mkfifo(gate)
    try:
        run = kinds.trigger(job)
        until(lambda: kinds.show(run)["progress"] == progress, "the progress")
        assert kinds.show(run)["state"] == "running"
        gate.write_text("go")
        assert kinds.ended(run)["progress"] == progress
    finally:
        gate.unlink()


def test_an_http_request_and_its_answer(kinds: Project) -> None:
    assert result(kinds, "get") == {"path": "/json?q=a%20b%26c"}
    assert result(kinds, "redirected") == {"path": "/json?q=moved"}
    assert result(kinds, "teapot") == "short and stout"
    assert result(kinds, "text") == "grüezi\n"
    assert output(kinds, "text") == "grüezi\n"


def test_what_an_http_request_sends(kinds: Project) -> None:
    answer = kinds.call("trigger", "post", "-p", "id=9", "--wait", "--json").json
    assert answer["result"]["body"] == {"id": 9, "name": "n-9"}
    assert answer["result"]["Idempotency-Key"] == str(answer["id"])
    assert answer["result"]["Content-Type"] == "application/json"
    assert answer["result"]["X-Token"] == "***"


def test_the_body_of_a_failure_is_its_output(kinds: Project) -> None:
    assert kinds.logs(failure(kinds, "unavailable")["id"]) == "try later"
