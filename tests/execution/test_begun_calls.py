"""Calls that a waiting child begins at once, and that end as they answer, or are seen through by who may wait."""

from __future__ import annotations

import os
import select
from datetime import timedelta
from typing import Any

import pytest

from jobrunner.domain.job import Command, PythonCall
from jobrunner.execution import Control, Failed, Stopped, StopReason, Succeeded, TimedOut

PATIENCE = 20_000


class Begun:
    """A call that has begun."""

    def __init__(self, bench: Any, function: str, params: dict[str, Any] | None = None, **job: Any) -> None:
        self.bench, self.sink, self.control = bench, type(bench.sink)(), Control()
        spec = bench.spec(bench.job(PythonCall(target=f"work:{function}"), **job), params=params or {})
        self.attempt = bench.execution.begin(spec, self.control, self.sink)

    def answered(self) -> Any:
        """What it knows when its child has said something."""
        assert self.attempt is not None
        poll = select.poll()
        poll.register(self.attempt.fd, select.POLLIN)
        assert poll.poll(PATIENCE)
        return self.attempt.answered()

    def finish(self) -> Any:
        assert self.attempt is not None
        return self.bench.execution.finish(self.attempt, self.control)


@pytest.fixture
def warm(bench: Any) -> Any:
    """A bench with one child that waits for work."""
    bench.module("""
        import os, sys, time
        def pid(): return os.getpid()
        def echo(n): print("said", n); return n
        def fail(): raise ValueError("no")
        def die(): os.kill(os.getpid(), 9)
        def nap(): time.sleep(0.06)
        def sleep(): time.sleep(600)
        def length(text): return len(text)
    """)
    assert isinstance(bench.call("pid"), Succeeded)
    return bench


def test_a_begun_call_answers_with_result_output_and_usage_and_its_child_serves_the_next(warm: Any) -> None:
    pid = warm.call("pid").result
    begun = Begun(warm, "echo", {"n": 3})
    outcome = begun.answered()
    assert isinstance(outcome, Succeeded)
    assert outcome.result == 3
    assert outcome.cpu is not None
    assert outcome.peak_memory is not None
    assert begun.sink.stdout == b"said 3\n"
    assert begun.sink.pids == [pid]
    assert Begun(warm, "pid").answered().result == pid


def test_a_failure_is_an_answer(warm: Any) -> None:
    outcome = Begun(warm, "fail").answered()
    assert isinstance(outcome, Failed)
    assert outcome.error == "ValueError: no"


def test_nothing_begins_without_a_child_that_waits(warm: Any) -> None:
    first = Begun(warm, "sleep")
    assert first.attempt is not None
    assert Begun(warm, "pid").attempt is None
    first.control.stop(StopReason.CANCELLED, now=True)
    assert isinstance(first.finish(), Stopped)


def test_what_a_socket_does_not_take_at_once_is_not_begun(warm: Any) -> None:
    text = "x" * 100_000
    assert Begun(warm, "length", {"text": text}).attempt is None
    assert warm.call("length", {"text": text}).result == 100_000


def test_commands_and_what_was_told_to_end_are_not_begun(warm: Any) -> None:
    control = Control()
    command = warm.spec(warm.job(Command(argv=("true",))))
    assert warm.execution.begin(command, control, warm.sink) is None
    control.stop(StopReason.CANCELLED)
    call = warm.spec(warm.job(PythonCall(target="work:pid")))
    assert warm.execution.begin(call, control, warm.sink) is None


def test_a_child_that_dies_leaves_its_end_to_who_may_wait(warm: Any) -> None:
    begun = Begun(warm, "die")
    assert begun.answered() is None
    outcome = begun.finish()
    assert isinstance(outcome, Failed)
    assert outcome.signal == 9


def test_a_child_with_old_modules_hands_the_run_to_another_one(warm: Any) -> None:
    warm.call("nap")  # runs that follow each other within a blink share one look at the files
    warm.module("def pid(): return -1\ndef fresh(): return 'fresh'")
    stamp = os.stat(warm.folder / "work.py").st_mtime_ns + 10_000_000
    os.utime(warm.folder / "work.py", ns=(stamp, stamp))
    begun = Begun(warm, "pid")
    assert begun.answered() is None
    assert begun.finish().result == -1


def test_a_begun_call_that_is_seen_through_has_its_timeout_and_is_stopped(warm: Any) -> None:
    late = Begun(warm, "sleep", timeout=timedelta(milliseconds=50), kill_grace=timedelta(milliseconds=50))
    assert isinstance(late.finish(), TimedOut)
    assert isinstance(warm.call("pid"), Succeeded)
    stopped = Begun(warm, "sleep", kill_grace=timedelta(seconds=10))
    stopped.control.stop(StopReason.INTERRUPTED)
    outcome = stopped.finish()
    assert isinstance(outcome, Stopped)
    assert outcome.reason is StopReason.INTERRUPTED
