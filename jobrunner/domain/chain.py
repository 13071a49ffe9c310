"""The chain of a run: what it follows, and what follows it, over runs and batches, near ones first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from jobrunner.domain.batch import Batch
from jobrunner.domain.job import When
from jobrunner.domain.run import Run


class Kind(StrEnum):
    """What a link of a chain is."""

    RUN = "run"
    BATCH = "batch"


class Step(NamedTuple):
    """A run or a batch. ``when``: which end of what it follows starts it; None where that is not said."""

    kind: Kind
    id: int
    when: When | None = None


class Link(NamedTuple):
    """One step of a chain. ``depth`` is how many steps it is away: below 0 it comes before, 0 is what was asked about.

    ``of`` is None where it is no longer kept.
    """

    step: Step
    depth: int
    of: Run | Batch | None = None


class Chain(NamedTuple):
    """The links in the order in which they come to run; ``whole`` where there are no others."""

    links: tuple[Link, ...]
    whole: bool


Next = Callable[[Step, int], Sequence[Step]]
"""The steps right before, or right after, one; at most so many."""


def chain(start: Step, before: Next, after: Next, most: int) -> Chain:
    """The chain of ``start``, with at most ``most`` links on either side of it.

    What comes before is given level by level, the farthest first; what comes after as a tree in which what follows
    stands below what it follows. A step that can be reached in several ways is given once, where it is met first.
    """
    earlier, all_before = _levels(start, before, most)
    later, all_after = _tree(start, after, most)
    return Chain((*reversed(earlier), Link(start, 0), *later), all_before and all_after)


def _levels(start: Step, before: Next, most: int) -> tuple[list[Link], bool]:
    found, seen, level, depth = list[Link](), {start[:2]}, [start], -1
    while level:
        near = list[Step]()
        for step in level:
            for other in before(step, most + 1):
                if other[:2] not in seen:
                    if len(found) == most:
                        return found, False
                    seen.add(other[:2])
                    near.append(other)
                    found.append(Link(other, depth))
        level, depth = near, depth - 1
    return found, True


def _tree(start: Step, after: Next, most: int) -> tuple[list[Link], bool]:
    found, seen = list[Link](), {start[:2]}
    ahead = [Link(step, 1) for step in reversed(after(start, most + 1))]
    while ahead:
        link = ahead.pop()
        if link.step[:2] in seen:
            continue
        if len(found) == most:
            return found, False
        seen.add(link.step[:2])
        found.append(link)
        ahead += [Link(step, link.depth + 1) for step in reversed(after(link.step, most + 1))]
    return found, True
