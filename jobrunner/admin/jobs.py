"""The jobs of the file for use cases: one alone, as ``trigger`` needs it, or the whole valid file."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from jobrunner import jobfile
from jobrunner.domain.clock import Clock
from jobrunner.domain.job import Job
from jobrunner.domain.params import Checker
from jobrunner.errors import NotFound

if TYPE_CHECKING:
    from jobrunner.domain.jobfile import Jobfile

_LOOK_AGAIN_SECONDS = 1.0


class Jobs:
    """Reads jobs when they are asked for and remembers them until the file has changed; thread-safe.

    Whether it has is looked up at most once a second: a program may trigger thousands of runs in between.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._known = dict[str, tuple[Job, Checker]]()
        self._whole: Jobfile | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._includes = False
        self._look_at = 0.0

    def one(self, name: str) -> Job:
        """A job; the rest of the file may be wrong.

        Raises:
            NotFound: no such job.
            ConfigError: the file, or this job, cannot be used.
        """
        return self.checked(name)[0]

    def checked(self, name: str) -> tuple[Job, Checker]:
        """A job with the checker of its parameters. Raises as ``one``."""
        with self._lock:
            self._forget_if_changed()
            known = self._known.get(name)
            if known is None:
                settings, job = jobfile.read_job(self._path, name)
                self._includes = bool(settings.include)
                known = self._known[name] = (job, Checker(job.params, job=job.name))
            return known

    def all(self) -> Jobfile:
        """The whole file.

        Raises:
            ConfigError: with every fault of it.
        """
        with self._lock:
            self._forget_if_changed()
            if self._whole is None:
                self._whole = jobfile.read(self._path)
                self._includes = bool(self._whole.settings.include)
            return self._whole

    def named(self, name: str) -> Job:
        """A job of the whole, valid file. Raises NotFound, ConfigError."""
        jobs = self.all().jobs
        if name not in jobs:
            raise NotFound(f"no job {name!r}", hint=_nearest(name, list(jobs)))
        return jobs[name]

    def _forget_if_changed(self) -> None:
        now = self._clock.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_AGAIN_SECONDS
        try:
            stat = os.stat(self._path)
        except OSError:
            return  # reading it says what is wrong
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        # Included files may have changed, come or gone whatever the main one looks like.
        if stamp != self._stamp or self._includes:
            self._known.clear()
            self._whole = None
            self._stamp = stamp


def _nearest(name: str, names: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else "`jobrunner jobs` lists them"
