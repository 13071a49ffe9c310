"""The jobs of the file for use cases: one alone, as ``trigger`` needs it, or the whole valid file."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jobrunner import jobfile
from jobrunner.domain.clock import Clock
from jobrunner.domain.job import Job
from jobrunner.domain.params import Checker
from jobrunner.errors import ConfigError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from jobrunner.admin.behind import Behind
    from jobrunner.domain.jobfile import Jobfile

_LOOK_AGAIN_SECONDS = 1.0
_LARGE_BYTES = 256 * 1024
_PUT_OFF_SECONDS = 0.3


class AtHand(NamedTuple):
    """What is known of the file without waiting: its last valid form (None: none was read yet), and why the file as it
    is now cannot be used. ``reading``: it is being read, and more is known soon."""

    whole: Jobfile | None
    error: ConfigError | None
    reading: bool


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
        self._behind: Behind[AtHand] | None = None
        self._last: Jobfile | None = None
        self._signed: tuple[float, Hashable] = (-_LOOK_AGAIN_SECONDS, None)
        self.when_read: Callable[[], None] = _nothing
        self._goes_on = threading.Event()
        self._goes_on.set()

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
            if (known := self._read_behind_already()) is not None:
                return known
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

    def at_hand(self, include: Sequence[str]) -> AtHand:
        """The whole file as far as it is known, at once: it is read behind the back of who asks. Never raises.

        ``include`` are the patterns that it is known to include.
        """
        with self._lock:
            if self._behind is None:
                from jobrunner.admin.behind import Behind

                self._behind = Behind("jobs.toml", lambda: self.when_read())
        known = self._behind.ask(self._signature(include), self._read_behind)
        found = known.value or AtHand(None, None, reading=True)
        return found._replace(reading=not known.current)

    def put_off(self) -> None:
        """Until ``go_on``, but not for longer than a moment, nothing is read behind the back of who asks."""
        self._goes_on.clear()

    def go_on(self) -> None:
        self._goes_on.set()

    def _read_behind(self) -> AtHand:
        self._goes_on.wait(_PUT_OFF_SECONDS)
        try:
            large = _is_large(self._path)
            self._last = jobfile.read_apart(self._path) if large else jobfile.read(self._path, warn=True)
        except ConfigError as error:
            return AtHand(self._last, error, reading=False)
        return AtHand(self._last, None, reading=False)

    def _read_behind_already(self) -> Jobfile | None:
        """The file as it is now, where it has been read for who watches: to read a large one twice takes long."""
        if self._behind is None or self._last is None:
            return None
        known = self._behind.ask(self._signature(()), self._read_behind)
        if known.value is None or not known.current:
            return None
        if known.value.error is not None:
            raise known.value.error
        return known.value.whole

    def _signature(self, include: Sequence[str]) -> Hashable:
        """What tells whether the file, or one that belongs to it, is another than before."""
        from jobrunner.jobfile.include import expand

        looked, signature = self._signed
        now = self._clock.monotonic()
        if now >= looked + _LOOK_AGAIN_SECONDS:
            folder, last = str(self._path.parent), self._last
            patterns = include if last is None else last.settings.include
            files = [str(self._path), *(file for pattern in patterns for file in expand(pattern, folder))]
            files += [each.file for each in last.calendars.values() if each.file is not None] if last else []
            signature = tuple(map(_stamp, files))
            self._signed = (now, signature)
        return signature

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


def _nothing() -> None:
    pass


def _is_large(path: Path) -> bool:
    return _stamp(str(path))[2] > _LARGE_BYTES


def _stamp(name: str) -> tuple[str, int, int, int]:
    try:
        stat = os.stat(name)
    except OSError:
        return name, 0, -1, 0
    return name, stat.st_ctime_ns, stat.st_size, stat.st_ino


def _nearest(name: str, names: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else "`jobrunner jobs` lists them"
