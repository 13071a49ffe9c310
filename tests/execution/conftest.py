"""One launcher and execution for each test worker; runs are described by `attempt`, watched by a collecting sink."""

from __future__ import annotations

import itertools
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobrunner.domain.clock import SystemClock
from jobrunner.domain.job import Command, Job, Kind, PythonCall
from jobrunner.domain.run import Progress
from jobrunner.execution import AttemptSpec, Control, Execution, Launcher, Outcome

_numbers = itertools.count(1000)


class Collected:
    """A sink that keeps everything, and does something at the first sign of life if it was told to."""

    def __init__(self, when: Callable[[bytes], bool] | None = None, then: Callable[[], None] | None = None) -> None:
        self.pieces: list[tuple[str, bytes]] = []
        self.reports: list[Progress] = []
        self.pids: list[int | None] = []
        self._when, self._then = when, then

    def output(self, stream: str, data: bytes) -> None:
        self.pieces.append((stream, data))
        if self._then and (self._when is None or self._when(self.stdout)):
            then, self._then = self._then, None
            then()

    def progress(self, progress: Progress) -> None:
        self.reports.append(progress)

    def started(self, pid: int | None) -> None:
        self.pids.append(pid)

    @property
    def stdout(self) -> bytes:
        return b"".join(data for stream, data in self.pieces if stream == "stdout")

    @property
    def stderr(self) -> bytes:
        return b"".join(data for stream, data in self.pieces if stream == "stderr")


class Bench:
    """Executes jobs that work in one folder."""

    def __init__(self, execution: Execution, launcher: Launcher, folder: Path) -> None:
        self.execution, self.launcher, self.folder = execution, launcher, folder
        self.sink = Collected()

    def job(self, kind: Kind, **more: Any) -> Job:
        return Job(
            **{"name": "job", "kind": kind, "folder": str(self.folder), "timezone": "UTC", "definition": "{}"} | more
        )

    def spec(self, job: Job, **more: Any) -> AttemptSpec:
        given = {"run_id": next(_numbers), "attempt": 1, "max_attempts": 3, "trigger": "manual", "server": "here"}
        return AttemptSpec(**given | {"job": job} | more)

    def run(
        self,
        kind: Kind,
        params: dict[str, Any] | None = None,
        *,
        spec: dict[str, Any] | None = None,
        control: Control | None = None,
        sink: Collected | None = None,
        **job: Any,
    ) -> Outcome:
        self.sink = sink or Collected()
        attempt = self.spec(self.job(kind, **job), params=params or {}, **(spec or {}))
        return self.execution.execute(attempt, control or Control(), self.sink)

    def shell(self, line: str, **more: Any) -> Outcome:
        return self.run(Command(line=line), **more)

    def call(self, function: str, params: dict[str, Any] | None = None, **more: Any) -> Outcome:
        return self.run(PythonCall(target=function if ":" in function else f"work:{function}"), params, **more)

    def module(self, text: str, name: str = "work") -> None:
        (self.folder / f"{name}.py").write_text(textwrap.dedent(text))


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    launcher = Launcher.start()
    yield launcher
    launcher.close()


@pytest.fixture(scope="session")
def execution(launcher: Launcher) -> Iterator[Execution]:
    execution = Execution(launcher, SystemClock())
    yield execution
    execution.close()


@pytest.fixture
def bench(execution: Execution, launcher: Launcher, tmp_path: Path) -> Iterator[Bench]:
    yield Bench(execution, launcher, tmp_path)
    execution.recycle()


@pytest.fixture
def collected() -> type[Collected]:
    return Collected


def alive(pid: int) -> bool:
    """Whether a process still executes anything; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat[stat.rindex(b")") + 2 :][:1] not in (b"Z", b"X")


@pytest.fixture
def survivors() -> Callable[[Iterable[int]], list[int]]:
    """Of some processes those that do not end, however long one waits."""

    def wait(pids: Iterable[int]) -> list[int]:
        until(lambda: not any(map(alive, pids)))
        return [pid for pid in pids if alive(pid)]

    return wait


def until(condition: Callable[[], bool], patience: float = 20.0) -> bool:
    """Looks again and again, and gives up at last."""
    give_up = time.monotonic() + patience
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.005)
    return True


@pytest.fixture
def eventually() -> Callable[..., bool]:
    return until


@pytest.fixture
def pids_in(eventually: Callable[..., bool]) -> Callable[[Path, int], list[int]]:
    """Waits until so many processes have written their pid into a folder."""

    def read(folder: Path, count: int) -> list[int]:
        assert eventually(lambda: len(_pids(folder)) >= count), _pids(folder)
        return _pids(folder)

    return read


def _pids(folder: Path) -> list[int]:
    return [int(path.read_text()) for path in folder.glob("*.pid") if path.read_text().strip()]
