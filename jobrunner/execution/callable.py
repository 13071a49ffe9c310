"""A Python callable or an HTTP request as an attempt: handed to a warm child, and watched in one poll loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from jobrunner.domain.clock import Clock
from jobrunner.domain.job import PythonCall
from jobrunner.errors import ParameterError
from jobrunner.execution import sweep
from jobrunner.execution.attempt import AttemptSpec, Control, Sink
from jobrunner.execution.command import sooner
from jobrunner.execution.describe import describe, folder_of
from jobrunner.execution.ending import Ending
from jobrunner.execution.launcher import LauncherLost, Process
from jobrunner.execution.outcome import PENDING, UNBEGUN, Failed, NotStarted, Outcome, Pending, Succeeded
from jobrunner.execution.output import Output, read_once, read_rest
from jobrunner.execution.pool import Pool, key_of
from jobrunner.execution.reports import as_progress
from jobrunner.execution.started import MAXRSS_UNIT
from jobrunner.execution.warm import WarmChild
from jobrunner.execution.watch import Watch
from jobrunner.execution.wire import encode, frame, pack
from jobrunner.execution.wording import one_line, signal_name

_MOST_CHILDREN = 5
_SMALL = 64 * 1024
"""Bytes that a child's socket takes at once, whatever the child is doing."""

_BETWEEN = 128
"""More than what stands around each of several requests in one message, and around one alone."""

_NAMES = ("stdout", "stderr")


class CallAttempt:
    """One execution in a warm child.

    ``run`` is called once, and blocks until nothing of it is left. Or ``begin`` succeeds, and when ``fd`` is readable
    ``answered`` is asked; where that knows no outcome ``finish`` blocks for it.

    A child may be given further runs with the first, ``behind`` of them, which it begins one after another until a
    certain time. Where the end of one says that it ``goes_on``, the next is ``follow``ed in the same way: it has begun,
    or is found not to. Where it does not, or has not come when that time has passed, none of the others has begun, or
    ever will.
    """

    __slots__ = (
        "_answer",
        "_child",
        "_clock",
        "_control",
        "_ending",
        "_heard",
        "_output",
        "_pool",
        "_sink",
        "_spec",
        "_tree",
        "behind",
    )

    def __init__(self, spec: AttemptSpec, control: Control, sink: Sink, pool: Pool, clock: Clock) -> None:
        self._spec = spec
        self._control = control
        self._sink = sink
        self._pool = pool
        self._output = Output(spec, sink, clock, lines=False)
        self._ending = Ending(spec, control, clock)
        self._clock = clock
        self._tree = Watch({}, clock.monotonic())
        self._answer: dict[str, Any] | None = None
        self._child: WarmChild
        self.behind = 0
        self._heard = False

    def run(self) -> Outcome:
        """Hands the run to a child and says how it ended.

        Raises:
            LauncherLost: in the middle of it.
        """
        try:
            request = pack(_request(self._spec))
        except ParameterError as error:
            return self._not_started(str(error))
        # A child may refuse before it has begun: its modules are old, or a signal meant for all has reached it.
        for _ in range(_MOST_CHILDREN):
            try:
                self._child = self._pool.take(key_of(self._spec.job), self._spec.job)
            except OSError as error:
                return self._not_started(f"cannot start a process for Python: {error.strerror}")
            self._take_on(self._child)
            outcome = self._see_through(self._child, request)
            if outcome is not None:
                return outcome
        return self._not_started("no child process took the run: each was ended while it started")

    def begin(self, behind: Sequence[AttemptSpec] = (), until: float = 0.0) -> bool:
        """Hands the run to a child that waits for one; False, and nothing done, where that would take waiting.

        Those ``behind`` it, whose jobs need the same kind of child, are begun after it until then (monotonic seconds),
        as many of them as it takes.
        """
        try:
            request = encode(_request(self._spec))
            others = _within(_SMALL - len(request), (encode(_request(spec)) for spec in behind))
        except ParameterError:
            return False
        child = self._pool.idle(key_of(self._spec.job)) if len(request) <= _SMALL else None
        if child is None:
            return False
        if others:
            child.divide()
            mark = encode(child.mark)
            request = b'%s,"until":%.6f,"mark":%s,"behind":[%s]}' % (request[:-1], until, mark, b",".join(others))
        self._child = child
        self.behind = len(others)
        self._take_on(child)
        try:
            begun = self._hand_over(child, frame(request))
        except BaseException:
            self._drop(child)
            raise
        if not begun:
            self._drop(child)
        return begun

    @property
    def fd(self) -> int:
        """Readable when the child has said something, or has ended."""
        return self._child.control

    def answered(self) -> Outcome | Pending | None:
        """The outcome of a call that has ended as calls do, with a child that is as good as before. Never waits."""
        child = self._child
        try:
            speaks = self._listen(child)
            if self._answer is None and speaks:
                return PENDING
            unbegun = self._answer is not None and "late" in self._answer
            if not unbegun and not self._may_keep():
                return None
            self._take_rest(child)
            outcome = UNBEGUN if unbegun else self._judge(child)
        except BaseException:
            self._drop(child)
            raise
        self._control.detach()
        if not self.goes_on:
            self._pool.give_back(child)
        return outcome

    @property
    def goes_on(self) -> bool:
        """Whether its child has begun the run behind it, unless it turns out not to have done so."""
        return self._answer is not None and self._answer.get("goes_on", False)

    def follow(self, before: CallAttempt) -> None:
        """This is the run behind one that has ended; may be asked at once what was heard of it together with that."""
        self._child = before._child
        self.behind = before.behind - 1
        self._heard = True
        self._take_on(self._child)

    def leave_behind(self) -> None:
        """The runs behind it are others'. To be called when it has not ended, and their time is over."""
        self.behind = 0

    def finish(self) -> Outcome:
        """Sees through what ``begin`` has begun.

        Raises:
            LauncherLost: in the middle of it.
        """
        outcome = self._see_through(self._child, None)
        return outcome if outcome is not None else self.run()

    def _take_on(self, child: WarmChild) -> None:
        self._ending.process = child.process
        self._answer = None
        self._control.attach(child.bell)

    def _drop(self, child: WarmChild) -> None:
        self._control.detach()
        child.kill()
        child.close()

    def _see_through(self, child: WarmChild, request: bytes | None) -> Outcome | None:
        """The outcome, None where the child did not begin and another may. ``request`` None: the child has it."""
        keep = False
        try:
            begun = request is None or self._hand_over(child, request)
            self._watch(child)
            keep = self._may_keep()
            begun = begun and not self._is_unbegun()
            if begun and not keep:
                self._end(child)
            self._take_rest(child)
            return self._judge(child) if begun or child.process.failure is not None else self._ending.outcome()
        except LauncherLost:
            self._take_rest(child)
            raise
        except BaseException:
            child.kill()
            raise
        finally:
            self._control.detach()
            if keep:
                self._pool.give_back(child)
            else:
                child.close()

    def _hand_over(self, child: WarmChild, request: bytes) -> bool:
        try:
            child.send(request)
        except OSError:
            return False  # it has ended; the watch will learn why
        if child.process.pid is not None:
            self._sink.started(child.process.pid)
        return True

    def _watch(self, child: WarmChild) -> None:
        """Until the child has answered or ended."""
        while self._answer is None and not child.process.ended and not self._ending.hopeless:
            self._once(child, sooner(self._ending.step(), self._output.valve.pause(), self._measure(child)))

    def _measure(self, child: WarmChild) -> float | None:
        """Looks at the memory of child and descendants from time to time, and gives the seconds until it will again.

        The launcher does so for a child that has limits, and so serves this run only.
        """
        if child.process.pid is None or self._spec.job.resources.of_tree or not sweep.HAS_PROC:
            return None
        now = self._clock.monotonic()
        if now >= self._tree.due:
            self._tree.look([child.process.pid, *sweep.descendants_of(child.process.pid)], now)
        return self._tree.due - now

    def _end(self, child: WarmChild) -> None:
        """A child that serves no more runs, or that was told to end, ends with everything below it."""
        answer = self._answer
        if not child.process.ended and not self._ending.hopeless:
            child.kill()
        while not child.process.ended and not self._ending.hopeless:
            self._once(child, sooner(self._ending.step(), 1.0))
        self._answer = answer

    def _once(self, child: WarmChild, pause: int | None) -> None:
        for fd, _ in child.poll.poll(pause):
            if fd == child.control:
                self._listen(child)
            elif fd == child.process.fd:
                self._hear(child)
            elif fd == child.bell.fd:
                child.bell.hush()
            elif (data := child.pipes[fd].read()) == b"":
                child.poll.unregister(fd)
            elif data:
                self._feed(child, fd, data)

    def _listen(self, child: WarmChild) -> bool:
        """Takes what the child has said, up to the answer; False when it will say nothing more."""
        heard, self._heard = self._heard, False
        speaks = heard or child.receive()
        if not speaks:
            child.poll.unregister(child.control)
        while self._answer is None and (message := child.next()) is not None:
            if "progress" in message:
                done, total, words = message["progress"]
                self._output.valve.put(as_progress(done, total, self._output.mask(words)))
            else:
                self._answer = message
        return speaks

    def _hear(self, child: WarmChild) -> None:
        before = child.process.pid
        child.process.read()
        if before is None and child.process.pid is not None:
            self._sink.started(child.process.pid)

    def _take_rest(self, child: WarmChild) -> None:
        """Everything was written before the answer, so what is there now is all there will be.

        Where the child goes on all had been read by then but for what is before a mark: what is there else is the next
        run's.
        """
        if self.goes_on:
            self._take_parts(child)
        else:
            for fd, parts in child.parts.items() if child.parts else ():
                self._output.feed(_NAMES[fd == child.err], parts.rest())
            for fd, _ in child.poll.poll(0):
                if fd in (child.out, child.err):
                    read_rest(fd, _NAMES[fd == child.err], self._output)
            child.parts = None
        self._output.finish()

    def _take_parts(self, child: WarmChild) -> None:
        assert self._answer is not None
        assert child.parts is not None
        for number, fd in ((1, child.out), (2, child.err)):
            parts = child.parts[fd]
            if number not in self._answer["divided"]:  # it had all been read, with the part before it
                self._output.feed(_NAMES[fd == child.err], parts.rest())
                continue
            self._feed(child, fd, b"")
            while not parts.over and (data := read_once(fd)):
                self._feed(child, fd, data)
            parts.turn()

    def _feed(self, child: WarmChild, fd: int, data: bytes) -> None:
        part = data if child.parts is None else child.parts[fd].take(data)
        self._output.feed(_NAMES[fd == child.err], part)

    def _is_unbegun(self) -> bool:
        """Whether the child has old modules, is told to end, or had no time for a run behind another one."""
        return self._answer is not None and ("stale" in self._answer or "late" in self._answer)

    def _may_keep(self) -> bool:
        """A child that wanted to go on when its other runs had been given to others is about to say something more."""
        good = self._answer is not None and self._answer.get("reusable", False) and not self._ending.asked
        return good and (self.behind > 0 or not self.goes_on)

    def _judge(self, child: WarmChild) -> Outcome:
        process, answer = child.process, self._answer
        if process.failure is not None:
            return self._not_started(process.failure)
        kept = self._kept(child)
        ended = self._ending.outcome(**kept)
        if ended is not None:
            return ended
        if process.exceeded is not None:
            return Failed(error=str(process.exceeded), signal=9, **kept)
        if answer is None:
            return self._died(process, kept)
        if "unstarted" in answer:
            return self._not_started(answer["unstarted"])
        if "failure" in answer:
            failure = answer["failure"]
            return Failed(error=self._line(failure["error"]), exceptions=tuple(failure["exceptions"]), **kept)
        return Succeeded(result=self._output.mask_result(answer["result"]), **kept)

    def _kept(self, child: WarmChild) -> dict[str, Any]:
        answer, process = self._answer, child.process
        if answer is None or "cpu" not in answer:
            return {"left": process.left, "peak_memory": process.peak_memory, "cpu": process.cpu}
        child.peak = answer["peak"] * MAXRSS_UNIT
        memory = max(answer["memory"] * MAXRSS_UNIT, self._tree.peak)
        if process.peak_memory is not None and child.runs == 0:
            memory = max(memory, process.peak_memory)
        used = {"cpu": answer["cpu"], "took": answer["took"]}
        return {"left": answer["left"] + process.left, "peak_memory": memory or None, **used}

    def _died(self, process: Process, kept: dict[str, Any]) -> Failed:
        code, number = process.exit
        if number is not None:
            return Failed(error=f"killed by {signal_name(number)}", signal=number, **kept)
        words = self._output.last_error_line
        line = f"its process ended with exit status {code}" + (f": {words}" if words else "")
        return Failed(error=line, exit_code=code, **kept)

    def _not_started(self, error: str) -> NotStarted:
        return NotStarted(error=one_line(self._output.mask(error), 400))

    def _line(self, error: str) -> str:
        return one_line(self._output.mask(error))


def _within(room: int, texts: Iterable[bytes]) -> list[bytes]:
    """The first of them, as many as fit into so many bytes with a few for each besides."""
    found = list[bytes]()
    for text in texts:
        room -= len(text) + _BETWEEN
        if room < 0:
            break
        found.append(text)
    return found


def _request(spec: AttemptSpec) -> dict[str, Any]:
    """What a child is told of a run."""
    job = spec.job
    request: dict[str, Any] = {
        "run": describe(spec),
        "env": dict(spec.env),
        "cwd": folder_of(job),
        "umask": job.umask,
    }
    if isinstance(job.kind, PythonCall):
        return request | {"target": job.kind.target}
    from jobrunner.execution.http import prepare

    return request | {"http": prepare(spec), "cwd": "/"}
