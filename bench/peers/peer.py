"""A peer: what it needs, its program, and how it is run. One module of this folder for each."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.project import environment
from bench.services import Services

HERE = Path(__file__).parent
VENVS = HERE.parent / ".venvs"
PATIENCE = 180
"""Seconds that one figure may take."""


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A peer in one configuration.

    ``venv`` names its environment, made of ``requirements`` when first needed. ``tasks`` is the text of its tasks.py
    (see ``driver``); ``before`` commands prepare an empty store, ``worker`` works it off; their first word is a program
    of the environment. ``store`` is ``sqlite``, ``redis`` or ``postgresql``; its URL is in ``$BENCH_STORE``.
    ``settings`` says how it is configured; ``share`` is what part of the runs it gets, since some are slow.
    """

    title: str
    venv: str
    requirements: tuple[str, ...]
    tasks: str
    worker: tuple[str, ...]
    store: str
    settings: str
    before: tuple[tuple[str, ...], ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    share: float = 1.0
    batches: bool = False

    def enqueue(self, services: Services, count: int) -> float:
        """Runs enqueued a second."""
        with self._prepared(services) as place:
            return place.drive("enqueue", self.part(count))[0]

    def batch(self, services: Services, count: int) -> float:
        """The same in a batch."""
        with self._prepared(services) as place:
            return place.drive("batch", self.part(count))[0]

    def drain(self, services: Services, count: int) -> float:
        """Runs worked off a second, from the first result to the last."""
        count = self.part(count)
        with self._prepared(services) as place:
            place.drive("fill", count)
            with place.started("driver.py", "watch", count) as watch:
                assert watch.stdout is not None
                if watch.stdout.readline().strip() != "ready":
                    raise RuntimeError(f"{self.title}: {place.error()}")
                with place.worker() as worker:
                    place.wait(watch, worker)
                return float(watch.stdout.read())

    def pickup(self, services: Services, count: int) -> list[float]:
        """Milliseconds from each enqueue to the first instruction, idle."""
        with (
            self._prepared(services) as place,
            place.worker() as worker,
            place.started("driver.py", "pickup", count) as driver,
        ):
            place.wait(driver, worker)
            assert driver.stdout is not None
            return [float(line) for line in driver.stdout.read().splitlines()]

    @contextmanager
    def serving(self, services: Services) -> Iterator[subprocess.Popen[str]]:
        """Its worker, idle."""
        with self._prepared(services) as place, place.worker() as process:
            place.drive("pickup", 1)
            yield process

    def part(self, count: int) -> int:
        return max(int(count * self.share), 20)

    @contextmanager
    def _prepared(self, services: Services) -> Iterator[_Place]:
        folder = Path(tempfile.mkdtemp(prefix=f"jobrunner-bench-{self.venv}-"))
        try:
            (folder / "tasks.py").write_text(self.tasks)
            for name in ("driver.py", "work.py"):
                shutil.copy(HERE / name, folder)
            (folder / "stamps").mkdir()
            url = {"redis": services.redis, "postgresql": services.postgresql}.get(self.store, str)()
            place = _Place(self, folder, url)
            for command in self.before:
                place.run(command)
            yield place
        finally:
            shutil.rmtree(folder, ignore_errors=True)


class _Place:
    """A folder with a peer's program in it, and an empty store."""

    def __init__(self, peer: Peer, folder: Path, url: str) -> None:
        self._peer = peer
        self._folder = folder
        self._bin = installed(peer.venv, peer.requirements)
        path = f"{self._bin}{os.pathsep}{os.environ.get('PATH', '')}"
        ours = {"BENCH_STORE": url, "PYTHONPATH": str(folder), "PATH": path, "PYTHONWARNINGS": "ignore"}
        self._environ = environment() | ours | dict(peer.environ)
        self._log = folder / "log"

    def run(self, command: tuple[str, ...]) -> str:
        with self._log.open("a") as log:
            done = subprocess.run(
                self._command(command),
                cwd=self._folder,
                env=self._environ,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                timeout=PATIENCE,
            )
        if done.returncode:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {self.error()}")
        return done.stdout

    def drive(self, verb: str, count: int) -> list[float]:
        return [float(line) for line in self.run(("python", "driver.py", verb, str(count))).splitlines()]

    @contextmanager
    def started(self, program: str, verb: str, count: int) -> Iterator[subprocess.Popen[str]]:
        with self._process(("python", program, verb, str(count)), subprocess.PIPE) as process:
            yield process

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[str]]:
        with self._process(self._peer.worker, subprocess.DEVNULL) as process:
            yield process

    def wait(self, driver: subprocess.Popen[str], worker: subprocess.Popen[str]) -> None:
        """Until the driver has ended.

        Raises:
            RuntimeError: the worker has ended before, or it took too long.
        """
        deadline = time.monotonic() + PATIENCE
        while driver.poll() is None:
            if worker.poll() is not None or time.monotonic() > deadline:
                what = "has ended" if worker.poll() is not None else f"took more than {PATIENCE} s"
                raise RuntimeError(f"its worker {what}: {self.error()}")
            time.sleep(0.02)

    def error(self) -> str:
        """The last line that any of its programs wrote to standard error."""
        lines = [line for line in self._log.read_text().splitlines() if line.strip()]
        return lines[-1] if lines else "no word"

    @contextmanager
    def _process(self, command: tuple[str, ...], stdout: int) -> Iterator[subprocess.Popen[str]]:
        with self._log.open("a") as log:
            process = subprocess.Popen(
                self._command(command),
                cwd=self._folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            _end(process)

    def _command(self, command: tuple[str, ...]) -> list[str]:
        words = [word.replace("$BENCH_STORE", self._environ["BENCH_STORE"]) for word in command]
        return [str(self._bin / words[0]), *words[1:]]


def installed(venv: str, requirements: tuple[str, ...]) -> Path:
    """The folder of the programs of an environment, which is made or made anew when its requirements have changed.

    Raises:
        RuntimeError: it cannot be made, for example without a network.
    """
    folder = VENVS / venv
    asked = folder / "requirements.txt"
    text = "\n".join(requirements) + "\n"
    if not asked.exists() or asked.read_text() != text:
        print(f"installing {', '.join(requirements)}", file=sys.stderr)
        _install(folder, requirements)
        asked.write_text(text)
    return folder / "bin"


def _install(folder: Path, requirements: tuple[str, ...]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    for command in ([sys.executable, "-m", "venv", str(folder)], [*pip, *requirements]):
        done = subprocess.run(command, env=environment(), capture_output=True, text=True)
        if done.returncode:
            words = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr]
            raise RuntimeError(f"cannot install {', '.join(requirements)}: {words[-1]}")


def _end(process: subprocess.Popen[str]) -> None:
    """Ends a program and all that it started."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait(10)
    if process.stdout is not None:
        process.stdout.close()
