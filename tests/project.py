"""A project in a folder of its own, the command line in and out of process, real servers. Used by the tests here."""

import _thread
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds after which something that is awaited counts as never going to happen: a safety net, not a measure."""

MARK = "JOBRUNNERTESTFOLDER"
"""A variable that every process of a project's servers inherits, so that survivors can be found."""

FINAL = ("succeeded", "failed", "cancelled", "skipped", "expired")


def until(look: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """Looks again and again until the answer is true, and gives it."""
    deadline = time.monotonic() + seconds
    pause = 0.005
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"never came: {what}")
        time.sleep(pause)
        pause = min(pause * 1.4, 0.1)  # the machine is needed by what is awaited
    return found


def clean_environment(folder: Path) -> dict[str, str]:
    """The environment without what this machine says about jobrunner, locale and colours."""
    unwanted = ("JOBRUNNER", "XDG", "LC_", "NO_COLOR", "COLUMNS", "NOTIFY_", "WATCHDOG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # it would double the start of every process
    return kept | {"HOME": str(folder), "LANG": "C.UTF-8", "TZ": "UTC"}


def marked(mark: object) -> list[int]:
    """The living processes that inherited a mark: of a server, or all that begin with the folder of a project."""
    found = []
    wanted = f"{MARK}={mark}#".encode()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if wanted in Path(entry.path, "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


@dataclass(frozen=True)
class Answer:
    """What a command ended with and printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run_here(args: Sequence[str], folder: Path, environment: dict[str, str], input: str | bytes = b"") -> Answer:
    """Runs a command in this process with a folder, an environment and streams of its own: ten times as quick."""
    from jobrunner.cli.app import main

    given = input.encode() if isinstance(input, str) else input
    streams = [io.TextIOWrapper(io.BytesIO(data), encoding="utf-8") for data in (given, b"", b"")]
    with _process_state(folder, environment, streams):
        guard = threading.Timer(PATIENCE, _thread.interrupt_main)  # a wait that never ends is a failure, not a hang
        guard.start()
        try:
            status = main(args)
        except SystemExit as end:  # of typer, when it has shown or installed completion
            status = int(end.code or 0)
        finally:
            guard.cancel()
        out, err = (_written(stream) for stream in streams[1:])
    return Answer(status, out, err)


class Project:
    """A folder with a jobs.toml."""

    def __init__(self, folder: Path, jobs: str = "") -> None:
        self.folder = folder
        self.file = folder / "jobs.toml"
        self.environment = clean_environment(folder)
        self.servers: list[Server] = []
        self.write(jobs)

    def write(self, jobs: str) -> None:
        """Replaces jobs.toml as a careful editor does: at once."""
        fresh = self.folder / ".jobs.toml.new"
        fresh.write_text(jobs)
        fresh.chmod(0o600)
        fresh.replace(self.file)

    def call(self, *args: str, input: str | bytes = b"", **environ: str) -> Answer:
        """Runs a command in this process, as ``python -m jobrunner`` in the project's folder would."""
        return run_here(args, self.folder, self.environment | environ, input)

    def json(self, *args: str, **more: Any) -> Any:
        """The JSON document of a command that has to end with 0."""
        answer = self.call(*args, "--json", **more)
        assert answer.status == 0, answer
        return answer.json

    def trigger(self, *args: str, **more: Any) -> int:
        """The id of the run that ``trigger`` created."""
        answer = self.call("trigger", *args, **more)
        assert answer.status == 0, answer
        return int(answer.out)

    def show(self, run: int | str) -> Any:
        return self.json("show", str(run))

    def logs(self, run: int, *args: str) -> str:
        answer = self.call("logs", str(run), *args)
        assert answer.status == 0, answer
        return answer.out

    def ended(self, run: int) -> Any:
        """Waits until a run has ended, and shows it."""
        return self.in_state(run, *FINAL)

    def in_state(self, run: int, *states: str) -> Any:
        """Waits until a run is in one of these states, and shows it."""
        return until(lambda: (shown := self.show(run))["state"] in states and shown, f"run {run} in {states}")

    def popen(self, *args: str, **options: Any) -> subprocess.Popen[bytes]:
        """Starts a command as a process of its own."""
        environment = self.environment | options.pop("environ", {})
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        command = [sys.executable, "-m", "jobrunner", *args]
        return subprocess.Popen(command, cwd=self.folder, env=environment, **options)

    def run(self, *args: str, **options: Any) -> Answer:
        """Runs a command as a process of its own."""
        with self.popen(*args, **options) as process:
            out, err = process.communicate(timeout=PATIENCE)
        return Answer(process.returncode, (out or b"").decode(), (err or b"").decode())

    @contextmanager
    def server(self, *args: str, **environ: str) -> "Iterator[Server]":
        """A server that is ready; ended at the latest when the block is, leaving no process."""
        server = self.start(*args, **environ)
        server.ready()
        yield server
        if server.process.poll() is None:
            server.stop()

    def start(self, *args: str, **environ: str) -> "Server":
        """Starts ``jobrunner run`` with these arguments."""
        server = Server(self, args, environ)
        self.servers.append(server)
        return server

    def burst(self, *args: str, **environ: str) -> "Server":
        """Works off what is there, which has to end with 0."""
        server = self.start("--burst", *args, **environ)
        assert server.wait() == 0, server.text()
        return server

    def close(self) -> None:
        """Kills what a failed test left behind."""
        for server in self.servers:
            server.close()


class Server:
    """A ``jobrunner run`` process, and its log as it comes."""

    def __init__(self, project: Project, args: tuple[str, ...], environ: Mapping[str, str]) -> None:
        self.project = project
        self.lines: list[str] = []
        self._came = threading.Condition()
        self._over = False
        self.mark = f"{project.folder}#{len(project.servers)}"
        environment = {MARK: f"{self.mark}#"} | environ
        self.process = project.popen("run", *args, environ=environment, stdout=subprocess.DEVNULL)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    def ready(self) -> "Server":
        """Waits until it takes runs."""
        self.said(lambda line: line.get("message") == "ready")
        return self

    def said(self, wanted: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Waits for a line of the log, past ones included."""

        def found() -> dict[str, Any] | None:
            return next((line for line in self.log() if wanted(line)), None)

        with self._came:
            self._came.wait_for(lambda: found() or self._over, PATIENCE)
        line = found()
        assert line, f"never said; the log is:\n{self.text()}"
        return line

    def log(self) -> list[dict[str, Any]]:
        """The log so far; a line that is not JSON is ``{"text": …}``."""
        return [_parsed(line) for line in self.lines]

    def text(self) -> str:
        return "\n".join(self.lines)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Waits for its end and gives the status."""
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    def stop(self) -> None:
        """Ends it as systemd would; it has to end with 0 and leave nothing."""
        self.signal(signal.SIGTERM)
        assert self.wait() == 0, self.text()
        self.left_nothing()

    def left_nothing(self) -> None:
        """Waits until no process is left of it and its jobs."""
        until(lambda: not marked(self.mark), "the end of all processes of the server")

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self._reader.join(PATIENCE)
        assert self.process.stderr
        self.process.stderr.close()

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            with self._came:
                self.lines.append(line.decode().rstrip("\n"))
                self._came.notify_all()
        with self._came:
            self._over = True
            self._came.notify_all()


def _parsed(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {"text": line}
    return found if isinstance(found, dict) else {"text": line}


@contextmanager
def _process_state(folder: Path, environment: dict[str, str], streams: list[io.TextIOWrapper]) -> Iterator[None]:
    kept = dict(os.environ), os.getcwd(), (sys.stdin, sys.stdout, sys.stderr)
    try:
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        os.chdir(folder)
        sys.stdin, sys.stdout, sys.stderr = streams
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = kept[2]
        os.chdir(kept[1])
        os.environ.clear()
        os.environ.update(kept[0])
        time.tzset()


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode(errors="surrogateescape")
