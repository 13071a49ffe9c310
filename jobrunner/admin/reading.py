"""The output of runs, and waiting for them to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from jobrunner.admin.context import Context
from jobrunner.domain.duration import format_duration
from jobrunner.errors import NotFound, ResultTimeout, StoreUnavailable

if TYPE_CHECKING:
    from jobrunner.domain.batch import Batch
    from jobrunner.domain.run import Run
    from jobrunner.domain.status import OutputPart
    from jobrunner.store.output import Place

T = TypeVar("T")

_LOOK_SECONDS = 1.0
_AWAY_SECONDS = 60.0
"""How long who waits outlasts a store that is away: as long as a database takes to start again, or to move."""

_AGAIN_SECONDS = 0.5


class Reading:
    """The verb ``logs``, and ``--wait``."""

    _context: Context

    def output(self, run_id: int, *, attempt: int | None = None, stream: str | None = None) -> Iterator[OutputPart]:
        """What is kept of an attempt's output (None: the last attempt's), in order.

        Raises:
            NotFound: no such run or attempt.
        """
        number = self._attempt(run_id, attempt)
        return self._parts(run_id, number, stream) if number else iter(())

    def follow(self, run_id: int, *, attempt: int | None = None, stream: str | None = None) -> Iterator[OutputPart]:
        """The same, and what comes, until the run ends; without ``attempt`` it goes on with the next attempt."""
        self._attempt(run_id, attempt)
        return self._follow(run_id, attempt, stream)

    def tail(
        self, run_id: int, lines: int, *, attempt: int | None = None, stream: str | None = None
    ) -> Iterator[OutputPart]:
        """The last so many lines of an attempt's output. Raises NotFound."""
        number = self._attempt(run_id, attempt)
        return iter(self._last_lines(run_id, number, lines, stream)) if number and lines else iter(())

    def wait(self, run_id: int, timeout: timedelta | None = None) -> Run:
        """Waits until a run has ended; a store that is away meanwhile is outlasted for a minute.

        Raises:
            NotFound: no such run.
            ResultTimeout: it has not ended in time.
            StoreUnavailable: the store has been away for longer.
        """
        from jobrunner.store.runs import read

        db = self._context.db
        self._until(lambda: read.state(db, run_id).final, timeout, f"run {run_id}")
        return self._outlasting(lambda: read.get(db, run_id))

    def wait_batch(self, batch_id: int, timeout: timedelta | None = None) -> Batch:
        """Waits until every member of a batch has ended. Raises as ``wait``."""
        from jobrunner.store import batches

        db = self._context.db
        batches.get(db, batch_id)
        self._until(lambda: batches.finished(db, batch_id), timeout, f"batch b{batch_id}")
        return self._outlasting(lambda: batches.get(db, batch_id))

    def _until(self, done: Callable[[], bool], timeout: timedelta | None, what: str) -> None:
        from jobrunner.store.changes import Changes

        changes, clock = Changes(self._context.db), self._context.clock
        deadline = None if timeout is None else clock.monotonic() + timeout.total_seconds()
        while not self._outlasting(done, deadline):
            left = _LOOK_SECONDS if deadline is None else deadline - clock.monotonic()
            if timeout is not None and left <= 0:
                raise ResultTimeout(f"{what} has not ended within {format_duration(timeout)}", hint="it goes on")
            self._outlasting(partial(changes.wait, min(left, _LOOK_SECONDS)), deadline)

    def _outlasting(self, look: Callable[[], T], deadline: float | None = None) -> T:
        """What the store says, once it is there again."""
        clock = self._context.clock
        give_up = clock.monotonic() + _AWAY_SECONDS
        while True:
            try:
                return look()
            except StoreUnavailable:
                if clock.monotonic() >= min(give_up, deadline or give_up):
                    raise
                time.sleep(_AGAIN_SECONDS)

    def _attempt(self, run_id: int, attempt: int | None) -> int:

        from jobrunner.store.runs import read

        run = read.get(self._context.db, run_id)
        if attempt is not None and not 1 <= attempt <= run.attempt:
            had = "it has not started yet" if not run.attempt else f"it has had {run.attempt}"
            raise NotFound(f"run {run_id} has no attempt {attempt}", hint=had)
        return attempt if attempt is not None else run.attempt

    def _parts(self, run_id: int, attempt: int, stream: str | None, place: Place | None = None) -> Iterator[OutputPart]:
        from jobrunner.store import output
        from jobrunner.store.output import Place

        place = place or Place()
        while True:
            parts, after = output.read(self._context.db, run_id, attempt, place=place)
            if after == place:
                return
            place = after
            yield from _of_stream(parts, stream)

    def _follow(self, run_id: int, attempt: int | None, stream: str | None) -> Iterator[OutputPart]:
        from jobrunner.store import output
        from jobrunner.store.changes import Changes
        from jobrunner.store.output import Place
        from jobrunner.store.runs import read

        db, changes = self._context.db, Changes(self._context.db)
        number, place = attempt or 0, Place()
        while True:
            run = self._outlasting(lambda: read.get(db, run_id))
            ended = run.state.final or (attempt is not None and run.attempts[attempt - 1].outcome is not None)
            number = number or min(run.attempt, 1)
            while number:
                parts, after = self._outlasting(partial(output.read, db, run_id, number, place=place))
                yield from _of_stream(parts, stream)
                if after != place:
                    place = after
                elif attempt is None and number < run.attempt:
                    number, place = number + 1, Place()
                else:
                    break
            if ended:
                return
            self._outlasting(lambda: changes.wait(_LOOK_SECONDS))

    def _last_lines(self, run_id: int, attempt: int, lines: int, stream: str | None) -> list[OutputPart]:
        from jobrunner.store import output

        kept: list[OutputPart] = []
        left = lines
        for parts in output.newest(self._context.db, run_id, attempt):
            for part in reversed(list(_of_stream(parts, stream))):
                start, left = _line_start(part.data, left, last=not kept)
                kept.append(part._replace(data=part.data[start:]))
                if not left:
                    return kept[::-1]
        return kept[::-1]


def _line_start(data: bytes, lines: int, *, last: bool) -> tuple[int, int]:
    """Where the last ``lines`` lines of data begin, and how many are still to be found before it.

    A line break that ends the whole output (``last``) begins no line.
    """
    place = len(data) - 1 if last and data.endswith(b"\n") else len(data)
    while lines:
        place = data.rfind(b"\n", 0, place)
        if place < 0:
            return 0, lines
        lines -= 1
    return place + 1, 0


def _of_stream(parts: list[OutputPart], stream: str | None) -> Iterator[OutputPart]:
    return (part for part in parts if stream is None or part.dropped or part.stream == stream)
