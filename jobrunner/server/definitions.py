"""Which definition an attempt uses: the one in force on this server, else the one that the run carries."""

from __future__ import annotations

import threading
from collections.abc import Callable

from jobrunner.domain.job import Job
from jobrunner.domain.jobfile import Jobfile
from jobrunner.domain.run import Claimed
from jobrunner.errors import NotFound
from jobrunner.jobfile import job_from_definition

_REMEMBERED = 1000


class Definitions:
    """The jobs of the file in force, which ``apply`` replaces as a whole, and those that only runs still carry.

    ``body`` reads a definition of the store by its number.
    """

    def __init__(self, jobfile: Jobfile, body: Callable[[int], str | None]) -> None:
        self._jobfile = jobfile
        self._body = body
        self._carried = dict[int, Job]()
        self._lock = threading.Lock()

    @property
    def jobfile(self) -> Jobfile:
        """The file in force."""
        return self._jobfile

    def apply(self, jobfile: Jobfile) -> None:
        """Puts another file in force; attempts under way keep what they started with."""
        self._jobfile = jobfile

    def of(self, claimed: Claimed) -> Job:
        """The definition for an attempt.

        Raises:
            NotFound: the file has no such job, and the run's own definition is gone or cannot be read.
        """
        return self._jobfile.jobs.get(claimed.job) or self._of_run(claimed.job, claimed.definition_id)

    def _of_run(self, job: str, number: int) -> Job:
        with self._lock:
            known = self._carried.get(number)
        if known is not None:
            return known
        body = self._body(number)
        if body is None:
            raise NotFound(f"job {job} is in no file and its definition is gone", hint="put it back into jobs.toml")
        found = job_from_definition(job, body)
        with self._lock:
            if len(self._carried) >= _REMEMBERED:
                self._carried.clear()
            self._carried[number] = found
        return found
