"""Attempts that begin without waiting, and that end as they answer, or are seen through by who may wait."""

from __future__ import annotations

import os
import select
from copy import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jobrunner.domain.clock import SystemClock
from jobrunner.domain.job import Command, HttpRequest, Kind, PythonCall
from jobrunner.execution import (
    Control,
    Execution,
    Failed,
    Launcher,
    NotStarted,
    Stopped,
    StopReason,
    Succeeded,
    TimedOut,
)
from jobrunner.execution.callable import CallAttempt
from jobrunner.execution.outcome import PENDING, UNBEGUN

PATIENCE = 20_000


class Begun:
    """A call that has begun."""

    def __init__(
        self, bench: Any, what: str | Kind, params: dict[str, Any] | None = None, *, begins: bool = True, **job: Any
    ) -> None:
        self.bench, self.sink, self.control = bench, type(bench.sink)(), Control()
        kind = PythonCall(target=f"work:{what}") if isinstance(what, str) else what
        self.spec = bench.spec(bench.job(kind, **job), params=params or {})
        self.specs: list[Any] = []
        self.follows = False
        if begins:
            self.attempt = bench.execution.begin(self.spec, self.control, self.sink)

    def behind(self, *more: tuple[str, dict[str, Any]], seconds: float = PATIENCE / 1000) -> Begun:
        """Begins it anew with others behind it, which its child may begin for so long."""
        self.specs = [
            self.bench.spec(self.bench.job(PythonCall(target=f"work:{what}")), params=params) for what, params in more
        ]
        until = SystemClock().monotonic() + seconds
        self.attempt = self.bench.execution.begin(self.spec, self.control, self.sink, self.specs, until)
        return self

    def follow(self) -> Begun:
        """The call behind it."""
        assert isinstance(self.attempt, CallAttempt)
        assert self.attempt.goes_on
        next_one = copy(self)
        next_one.follows = True
        next_one.sink, next_one.control, next_one.specs = type(self.sink)(), Control(), self.specs[1:]
        next_one.attempt = self.bench.execution.follow(self.attempt, self.specs[0], next_one.control, next_one.sink)
        return next_one

    def answered(self) -> Any:
        """What it knows when its child has said something."""
        assert self.attempt is not None
        poll = select.poll()
        poll.register(self.attempt.fd, select.POLLIN)
        outcome: Any = PENDING
        if self.follows:
            outcome = self.attempt.answered()
        while outcome is PENDING:
            assert poll.poll(PATIENCE)
            outcome = self.attempt.answered()
        return outcome

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
        def both(n): print("out", n); print("err", n, file=sys.stderr); os.system(f"echo sub {n}")
        def much(n):
            open("go").close()  # a pipe: it prints when the test says so
            print("x" * n)
        def slow():
            print("slow")
            open("printed", "w").close()  # both are pipes, and wait for the test
            open("go").close()
        def torn(): os.write(1, b"half a line"); die()
        def fail(): raise ValueError("no")
        def die(): os.kill(os.getpid(), 9)
        def nap(): time.sleep(0.06)
        def sleep(): time.sleep(600)
        def length(text): return len(text)
        def tired():
            clock = time.monotonic
            late = lambda: sys._getframe(2).f_code.co_name == "_work_off"
            time.monotonic = lambda: clock() + 3600 * late()
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


def test_requests_and_what_was_told_to_end_are_not_begun(warm: Any) -> None:
    control = Control()
    request = warm.spec(warm.job(HttpRequest(method="GET", url="http://127.0.0.1:1/", headers={}, json=None)))
    assert warm.execution.begin(request, control, warm.sink) is None
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


def test_a_begun_command_tells_its_end_output_and_result(bench: Any) -> None:
    begun = Begun(
        bench, Command(line="echo said; echo '[7]' > $JOBRUNNER_RESULT_FILE; echo $JOBRUNNER_RESULT_FILE >&2")
    )
    outcome = begun.answered()
    assert isinstance(outcome, Succeeded)
    assert (outcome.exit_code, outcome.result) == (0, [7])
    assert begun.sink.stdout == b"said\n"
    assert len(begun.sink.pids) == 1
    assert not os.path.exists(begun.sink.stderr.strip())
    failed = Begun(bench, Command(line="echo why >&2; exit 3")).answered()
    assert isinstance(failed, Failed)
    assert (failed.exit_code, failed.error) == (3, "exit status 3: why")


def test_a_begun_command_that_cannot_start_says_so(bench: Any) -> None:
    outcome = Begun(bench, Command(argv=("/none/such",))).answered()
    assert isinstance(outcome, NotStarted)


def test_a_begun_command_that_is_seen_through_has_its_timeout_and_all_of_its_output(bench: Any) -> None:
    late = Begun(bench, Command(argv=("sleep", "600")), timeout=timedelta(milliseconds=50))
    assert isinstance(late.finish(), TimedOut)
    much = Begun(bench, Command(line="yes | head -c 1000000"))
    assert isinstance(much.finish(), Succeeded)
    assert len(much.sink.stdout) == 1_000_000


def test_a_begun_command_whose_launcher_is_killed_is_interrupted(tmp_path: Path, bench: Any) -> None:
    launcher = Launcher.start()
    execution = Execution(launcher, SystemClock())
    try:
        own = type(bench)(execution, launcher, tmp_path)
        begun = Begun(own, Command(argv=("sleep", "600")))
        assert begun.attempt is not None
        launcher._guard.kill()
        launcher._guard.wait()
        again = Begun(own, Command(argv=("true",)))
        assert again.attempt is None  # a worker starts the next one, which takes waiting
        outcome = begun.finish()
        assert isinstance(outcome, Stopped)
        assert outcome.reason is StopReason.INTERRUPTED
    finally:
        execution.close()
        launcher.close()


@pytest.mark.parametrize("job", [{"user": "nobody"}, {"env": {"LONG": "x" * 10_000}}])
def test_a_command_that_could_keep_others_waiting_is_not_begun(bench: Any, job: dict[str, Any]) -> None:
    env = job.get("env", {})
    spec = bench.spec(bench.job(Command(argv=("true",)), **job), env=env)
    assert bench.execution.begin(spec, Control(), bench.sink) is None


def test_a_child_works_off_what_it_was_given_one_after_another(warm: Any) -> None:
    pid = warm.call("pid").result
    first = Begun(warm, "length", {"text": "long"}, begins=False).behind(("pid", {}), ("echo", {"n": 2}), ("pid", {}))
    assert first.answered().result == 4
    second = first.follow()
    assert second.answered().result == pid
    third = second.follow()
    assert third.answered().result == 2
    fourth = third.follow()
    assert fourth.answered().result == pid
    assert [each.sink.stdout for each in (first, second, third, fourth)] == [b"", b"", b"said 2\n", b""]
    assert Begun(warm, "pid").answered().result == pid


def test_what_those_that_follow_each_other_print_is_told_apart(warm: Any) -> None:
    calls = [Begun(warm, "both", {"n": 0}, begins=False).behind(*(("both", {"n": n}) for n in range(1, 6)))]
    calls[0].answered()
    for _ in range(5):
        calls.append(calls[-1].follow())
        calls[-1].answered()
    for n, call in enumerate(calls):
        assert sorted(call.sink.stdout.splitlines()) == [b"out %d" % n, b"sub %d" % n]
        assert call.sink.stderr == b"err %d\n" % n
    begun = Begun(warm, "echo", {"n": 7})
    begun.answered()
    assert (begun.sink.stdout, begun.sink.stderr) == (b"said 7\n", b"")


def test_what_the_next_one_had_printed_when_the_one_before_it_was_read_is_its_own(warm: Any) -> None:
    for name in ("printed", "go"):
        os.mkfifo(warm.folder / name)
    first = Begun(warm, "echo", {"n": 1}, begins=False).behind(("slow", {}), ("echo", {"n": 3}))
    (warm.folder / "printed").open().close()
    first.answered()
    second = first.follow()
    (warm.folder / "go").open("w").close()
    second.answered()
    third = second.follow()
    third.answered()
    assert [each.sink.stdout for each in (first, second, third)] == [b"said 1\n", b"slow\n", b"said 3\n"]


def test_who_has_printed_what_fills_its_pipe_is_read_before_the_next_begins(warm: Any) -> None:
    os.mkfifo(warm.folder / "go")
    first = Begun(warm, "echo", {"n": 1}, begins=False).behind(("much", {"n": 40_000}), ("pid", {}))
    first.answered()
    second = first.follow()
    (warm.folder / "go").open("w").close()
    second.answered()
    assert not second.attempt.goes_on
    assert (first.sink.stdout, len(second.sink.stdout)) == (b"said 1\n", 40_001)


def test_the_last_words_of_one_that_dies_behind_another_are_its_own(warm: Any) -> None:
    first = Begun(warm, "echo", {"n": 1}, begins=False).behind(("torn", {}))
    first.answered()
    second = first.follow()
    assert second.answered() is None
    second.attempt.leave_behind()
    assert isinstance(second.finish(), Failed)
    assert (first.sink.stdout, second.sink.stdout) == (b"said 1\n", b"half a line")


def test_a_mark_is_no_output_of_one_whose_child_meant_to_go_on(warm: Any) -> None:
    first = Begun(warm, "echo", {"n": 1}, begins=False).behind(("sleep", {}))
    first.attempt.leave_behind()
    assert isinstance(first.finish(), Succeeded)
    assert first.sink.stdout == b"said 1\n"


def test_a_child_begins_nothing_when_its_time_is_over(warm: Any) -> None:
    pid = warm.call("pid").result
    first = Begun(warm, "nap", begins=False).behind(("die", {}), seconds=0.01)
    assert isinstance(first.answered(), Succeeded)
    assert not first.attempt.goes_on
    assert Begun(warm, "pid").answered().result == pid


def test_a_child_whose_time_is_over_when_it_has_answered_says_so(warm: Any) -> None:
    pid = warm.call("pid").result
    first = Begun(warm, "tired", begins=False).behind(("die", {}), ("die", {}))
    assert isinstance(first.answered(), Succeeded)
    assert first.follow().answered() is UNBEGUN
    assert Begun(warm, "pid").answered().result == pid


def test_a_child_that_has_ended_has_begun_no_other(warm: Any) -> None:
    first = Begun(warm, "die", begins=False).behind(("pid", {}))
    assert first.answered() is None
    first.attempt.leave_behind()
    assert isinstance(first.finish(), Failed)
    assert not first.attempt.goes_on


def test_the_one_behind_another_may_die_and_be_seen_through(warm: Any) -> None:
    first = Begun(warm, "pid", begins=False).behind(("die", {}), ("pid", {}))
    first.answered()
    second = first.follow()
    assert second.answered() is None
    second.attempt.leave_behind()
    assert second.finish().signal == 9


def test_a_child_that_goes_on_when_others_have_its_runs_is_let_go(warm: Any) -> None:
    pid = warm.call("pid").result
    first = Begun(warm, "pid", begins=False).behind(("sleep", {}))
    first.attempt.leave_behind()
    assert first.finish().result == pid
    assert warm.call("pid").result != pid


def test_a_child_is_given_as_many_as_its_socket_takes_at_once(warm: Any) -> None:
    long = {"text": "x" * 30_000}
    first = Begun(warm, "length", long, begins=False).behind(("length", long), ("length", long))
    assert first.attempt.behind == 1
    assert first.answered().result == 30_000
    second = first.follow()
    assert (second.answered().result, second.attempt.goes_on) == (30_000, False)
    assert warm.call("length", long).result == 30_000
