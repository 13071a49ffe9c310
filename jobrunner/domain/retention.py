"""What is kept of finished runs: ``[retention]`` and ``max_runs``, as one value. Used by the server."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import NamedTuple

from jobrunner.domain.jobfile import Jobfile
from jobrunner.domain.state import FINAL, RunState


class Retention(NamedTuple):
    """How long runs are kept after their end, by their final state, and how many finished ones of some jobs at most.

    Of the ``jobs`` in force the newest run and the newest success stay, however old. ``unique_for`` is the longest time
    for which a success stands in for later runs like it: so long it stays, too.
    """

    ages: Mapping[RunState, timedelta]
    most: Mapping[str, int]
    jobs: Collection[str]
    unique_for: timedelta

    @classmethod
    def of(cls, file: Jobfile) -> Retention:
        """What a file says."""
        jobs = file.jobs
        windows = (job.unique.window for job in jobs.values() if job.unique is not None)
        return cls(
            ages={state: file.settings.retention[state.value] for state in sorted(FINAL)},
            most={name: job.max_runs for name, job in jobs.items() if job.max_runs is not None},
            jobs=jobs.keys(),
            unique_for=max((window for window in windows if window is not None), default=timedelta()),
        )
