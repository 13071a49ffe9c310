"""Runs that a server has claimed and handed to nobody yet. For the engine's thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from jobrunner.domain.ahead import AHEAD_SECONDS, MOST_TOGETHER, reach, together
from jobrunner.domain.run import Claimed

_STUCK_SECONDS = 2 * AHEAD_SECONDS


class Ahead:
    """In the order in which they were claimed, for so many ``workers``. ``seconds`` and ``usual``: what a run of a job
    takes, where it may be claimed ahead, and where it may share a child; see ``domain.ahead``.

    Every ``now`` is in monotonic seconds.
    """

    def __init__(
        self, workers: int, seconds: Callable[[str], float | None], usual: Callable[[str], float | None]
    ) -> None:
        self._workers = workers
        self._seconds = seconds
        self._usual = usual
        self._runs = deque[Claimed]()
        self._moved = 0.0

    def __len__(self) -> int:
        return len(self._runs)

    def add(self, claimed: Sequence[Claimed], now: float) -> None:
        self._runs.extend(claimed)
        self._moved = now

    def put_first(self, runs: Sequence[Claimed]) -> None:
        """These were handed to somebody who has not begun them: they have waited since."""
        self._runs.extendleft(reversed(runs))

    def next(self, idle: int, now: float) -> list[Claimed]:
        """Those whose turn it is, for so many workers are idle: what one child is given."""
        self._moved = now
        runs = self._runs
        coming = [run.job for run in islice(runs, idle * MOST_TOGETHER)]
        return [runs.popleft() for _ in range(together(coming, idle, self._usual))]

    def reach(self, jobs: Sequence[str], room: int, behind: Iterable[str]) -> int:
        """How many of the next runs, of these jobs, may be claimed where ``room`` workers are idle.

        ``behind``: the jobs of those that have been handed over and are behind others.
        """
        waiting = [*behind, *(run.job for run in self._runs)]
        return reach(jobs, room, self._seconds, waiting, workers=self._workers)

    def goes_on(self, claimed: Sequence[Claimed], room: int, before: bool) -> bool:
        """Whether it pays to look further than to the idle workers the next time, after so many were claimed for so
        much room. ``before``: whether it was tried."""
        if claimed:
            return len(claimed) >= room and self._seconds(claimed[-1].job) is not None
        return before and room == 0

    @property
    def stuck_at(self) -> float:
        """When nobody will have come for so long that all turn out to be busy with something long."""
        return self._moved + _STUCK_SECONDS

    def clear(self) -> list[Claimed]:
        """Gives all of them up."""
        runs = list(self._runs)
        self._runs.clear()
        return runs
