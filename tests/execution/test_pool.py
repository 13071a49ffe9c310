"""Which warm children are kept, and for how long; and the small mechanisms below."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from jobrunner.domain.job import Limits, PythonCall
from jobrunner.execution import Control, Execution, bell, leftovers, pool, sweep


class _Clock:
    """Stands until it is turned."""

    def __init__(self) -> None:
        self.time = 1000.0

    def monotonic(self) -> float:
        return self.time


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def pid(bench: Any, launcher: Any, clock: _Clock, collected: Any) -> Iterator[Callable[..., int]]:
    """Runs something, and tells which child did it."""
    execution = Execution(launcher, clock)
    (bench.folder / "work.py").write_text("import os\ndef pid(size=0):\n    x = b'x' * size\n    return os.getpid()\n")

    def run(size: int = 0, **job: Any) -> int:
        spec = bench.spec(bench.job(PythonCall(target="work:pid"), **job), params={"size": size})
        result = execution.execute(spec, Control(), collected()).result
        assert isinstance(result, int)
        return result

    run.execution = execution  # type: ignore[attr-defined]
    yield run
    execution.close()


def test_a_child_is_replaced_when_it_is_old_and_has_done_much(
    pid: Callable[..., int], clock: _Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MOST_RUNS", 3)
    first = pid()
    assert [pid(), pid(), pid()] == [first] * 3  # many runs, but young
    clock.time += pool.MOST_SECONDS
    assert pid() == first
    second = pid()
    assert second != first
    clock.time += pool.MOST_SECONDS
    assert pid() == second  # old, but few runs


def test_a_child_that_needed_much_memory_is_replaced(pid: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MOST_BYTES", 100_000_000)
    first = pid()
    assert pid(150_000_000) == first
    assert pid() != first


def test_a_limit_on_processor_time_is_for_one_run(pid: Callable[..., int]) -> None:
    limits = Limits(cpu_time=timedelta(seconds=100))
    assert pid(resources=limits) != pid(resources=limits)
    keeping = Limits(open_files=200)
    assert pid(resources=keeping) == pid(resources=keeping)


def test_idle_children_are_let_go_but_for_one(
    pid: Callable[..., int], clock: _Clock, survivors: Callable[[list[int]], list[int]]
) -> None:
    others = [pid(nice=1), pid(nice=2)]
    last = pid()
    clock.time += pool.IDLE_SECONDS + 1
    pid.execution.tidy()  # type: ignore[attr-defined]
    assert survivors(others) == []
    assert pid() == last


def test_folders_do_not_share_modules(pid: Callable[..., int], bench: Any, tmp_path_factory: Any) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "work.py").write_text("def pid(size): return -1")
    assert pid() > 0
    assert pid(folder=str(other)) == -1


@pytest.mark.parametrize("kind", [bell._EventBell, bell._PipeBell])
def test_a_bell_is_heard_until_it_is_hushed(kind: Any) -> None:
    import select

    one = kind()
    poll = select.poll()
    poll.register(one.fd, select.POLLIN)
    for _ in range(3):
        assert poll.poll(0) == []
        one.ring()
        one.ring()
        assert poll.poll(0)
        one.hush()
    one.hush()
    one.close()


def test_marked_processes_are_found_and_ended() -> None:
    token = os.urandom(8).hex()
    env = os.environ | {sweep.MARKER: f"{token}.1.7"}
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], env=env, stdin=subprocess.PIPE) as process:
        assert leftovers.end_marked("0" * 16) == 0
        while sweep.marker_of(process.pid) != f"{token}.1.7":  # between fork and exec
            pass
        assert leftovers.end_marked(token) >= 1
        assert process.wait() == -9
