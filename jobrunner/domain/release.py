"""What the ends of its parents mean for a waiting run: wait on, start, or be skipped. Used by ``store.runs``."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

from jobrunner.domain.job import When
from jobrunner.domain.state import RunState


class Verdict(StrEnum):
    """What becomes of a child."""

    WAIT = "wait"
    START = "start"
    SKIP = "skip"


def verdict(when: When, parents: Sequence[RunState]) -> Verdict:
    """The verdict over a child whose parents are in these states.

    ``success`` starts when all succeeded, ``failure`` when all ended and one did not succeed, ``done`` when all ended,
    ``any`` as soon as one succeeded; what can no longer start is skipped, and never before every parent has ended.
    """
    ended = all(state.final for state in parents)
    succeeded = [state is RunState.SUCCEEDED for state in parents]
    match when:
        case When.SUCCESS:
            start = all(succeeded)
        case When.FAILURE:
            start = ended and not all(succeeded)
        case When.DONE:
            start = ended
        case When.ANY:
            start = any(succeeded)
        case _:
            assert_never(when)
    if start:
        return Verdict.START
    return Verdict.SKIP if ended else Verdict.WAIT
