"""How far a server claims beyond its idle workers: only what may be repeated, and is over in no time. And how many runs
one child is given at once. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

AHEAD_SECONDS = 0.01
"""So much work for each worker may be claimed that none is free for yet: what comes last has begun by then."""

MOST_AHEAD = 64

MOST_TOGETHER = 16
"""So many runs are handed to a child at once, to be begun one after another."""

SHARED_SECONDS = 0.002
"""So much work for one child where others are idle: to wake another costs more processor time than such runs do."""

_PROVEN = 2
"""A job's runs are known after so many that were short, one after the other."""

_HANDLING_SECONDS = 0.00015
"""What a run costs besides, however short it is: it is handed over, and its end is taken."""

_REMEMBERED = 8
"""The usual time of a job is the mean of so many runs; after that the latest counts one part in so many."""

_LONG_SECONDS = 0.05
"""What takes so long is no short run that was kept from a processor for a moment."""


class Paces:
    """What runs of each job usually take, lately; a job with one long run is unknown again."""

    def __init__(self) -> None:
        self._known = dict[str, tuple[int, float]]()

    def note(self, job: str, seconds: float) -> None:
        """A run of it has taken so long."""
        if seconds >= _LONG_SECONDS:
            self._known.pop(job, None)
            return
        count, usual = self._known.get(job, (0, 0.0))
        count = min(count + 1, _REMEMBERED)
        self._known[job] = (count, usual + (seconds - usual) / count)

    def seconds(self, job: str) -> float | None:
        """What a run of it usually takes, handling included; None for a job that is not known well enough."""
        count, usual = self._known.get(job, (0, 0.0))
        return usual + _HANDLING_SECONDS if count >= _PROVEN else None


def reach(
    jobs: Iterable[str],
    room: int,
    seconds: Callable[[str], float | None],
    waiting: Iterable[str] = (),
    *,
    workers: int = 1,
) -> int:
    """How many of the next runs, of ``jobs`` in their order, may be claimed where ``room`` of the workers are idle.

    ``seconds``: what a run of a job takes, None where it is not to be claimed ahead; then none after it is, for that
    would overtake it. ``waiting``: the jobs of what has been claimed ahead before.
    """
    takes = cache(seconds)
    before = list(waiting)
    work = sum(takes(job) or 0.0 for job in before)
    taken, ahead = 0, len(before)
    for job in jobs:
        if taken >= room:
            more = takes(job)
            if more is None or ahead >= MOST_AHEAD or work + more > AHEAD_SECONDS * workers:
                break
            work += more
            ahead += 1
        taken += 1
    return taken


def together(jobs: Sequence[str], idle: int, seconds: Callable[[str], float | None]) -> int:
    """How many of the next runs, of ``jobs`` in their order, are handed at once to the child of one of so many idle
    workers: its part of them, and more as long as they are next to nothing together. At least one, of whatever job.

    ``seconds``: what a run of a job takes, None where it must not be begun behind another, nor another behind it.
    """
    part = -(-len(jobs) // idle)
    known = dict[str, float | None]()
    count, work = 0, 0.0
    for job in jobs[:MOST_TOGETHER]:
        takes = known[job] if job in known else known.setdefault(job, seconds(job))
        if takes is None:
            break
        work += takes
        if count >= part and work > SHARED_SECONDS:
            break
        count += 1
    return max(count, 1)
