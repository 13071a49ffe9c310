"""The warm children that wait for work. Used by Execution from all worker threads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection

from jobrunner.domain.clock import Clock
from jobrunner.domain.job import Job, PythonCall
from jobrunner.execution.describe import limits_of
from jobrunner.execution.launcher import Launcher, LauncherLost
from jobrunner.execution.warm import Key, WarmChild

IDLE_SECONDS = 300.0
"""How long a child waits for work before it is let go; the last one of the pool is kept."""

MOST_RUNS, MOST_SECONDS = 1_000, 900.0
"""A child that has done so many runs *and* is so old is replaced, so that what leaks is bounded and short runs are not
slowed down by it."""

MOST_BYTES = 512 * 1024 * 1024
"""A child whose memory has ever been above this is replaced."""


class Pool:
    """Idle children by key, the one used last first."""

    def __init__(self, launcher: Launcher, clock: Clock) -> None:
        self._launcher = launcher
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: dict[Key, list[WarmChild]] = {}
        self._generation = 0
        self._uses = 0
        self._tidied = clock.monotonic()
        self._closed = False

    def take(self, key: Key, job: Job) -> WarmChild:
        """An idle child, else a new one.

        Raises:
            OSError: a new one cannot be asked for.
            LauncherLost: nobody there to start it.
        """
        return self.idle(key) or self._new(key, job)

    def idle(self, key: Key) -> WarmChild | None:
        """A child that waits for work, None where there is none."""
        while True:
            with self._lock:
                waiting = self._idle.get(key)
                child = waiting.pop() if waiting else None
            if child is None or child.is_ready():
                return child
            child.close()

    def give_back(self, child: WarmChild) -> None:
        """Keeps a child for the next run, unless it has served long enough."""
        now = self._clock.monotonic()
        child.since = now
        child.runs += 1
        worn = child.runs >= MOST_RUNS and now - child.born >= MOST_SECONDS
        with self._lock:
            self._uses += 1
            child.used = self._uses
            keep = not (worn or self._closed or child.generation != self._generation or child.peak > MOST_BYTES)
            # What is counted against such a limit has to be of one run.
            keep = keep and not child.key[3].of_tree
            if keep:
                self._idle.setdefault(child.key, []).append(child)
        if not keep:
            child.close()
        if now - self._tidied > IDLE_SECONDS / 10:
            self.tidy()

    def warm(self, jobs: Collection[Job]) -> None:
        """Has a child ready for the commonest kind among the jobs."""
        keys = Counter((key_of(job), not job.resources.of_tree) for job in jobs)
        first = next((key for (key, reusable), _ in keys.most_common() if reusable), None)
        if first is None:
            return
        job = next(job for job in jobs if key_of(job) == first)
        with self._lock:
            if self._idle.get(first) or self._closed:
                return
        try:
            child = self._new(first, job)
        except (OSError, LauncherLost):
            return  # the first run will meet it, and has a place to say so
        with self._lock:
            self._idle.setdefault(first, []).append(child)

    def recycle(self) -> None:
        """Lets all idle children go, and the busy ones after their run."""
        with self._lock:
            self._generation += 1
        self._let_go(lambda child: True)

    def tidy(self) -> None:
        """Lets go of children that were idle for long, all but the one used last."""
        now = self._tidied = self._clock.monotonic()
        with self._lock:
            last = max((child.used for children in self._idle.values() for child in children), default=0)
        self._let_go(lambda child: child.used != last and now - child.since > IDLE_SECONDS)

    def close(self) -> None:
        """Lets all idle children go, and keeps none from now on."""
        with self._lock:
            self._closed = True
        self.recycle()

    def _new(self, key: Key, job: Job) -> WarmChild:
        return WarmChild(self._launcher, key, limits_of(job), self._generation, self._clock.monotonic())

    def _let_go(self, unwanted: Callable[[WarmChild], bool]) -> None:
        with self._lock:
            gone = [child for children in self._idle.values() for child in children if unwanted(child)]
            for key, children in tuple(self._idle.items()):
                self._idle[key] = [child for child in children if child not in gone]
                if not self._idle[key]:
                    del self._idle[key]
        for child in gone:
            child.close()


def key_of(job: Job) -> Key:
    """What a child must be to serve a job. HTTP requests import nothing of a folder, so they share theirs."""
    folder = job.folder if job.kind_name == "python" else ""
    return (folder, job.user, job.nice, job.resources)


def shares_child(one: Job, other: Job) -> bool:
    """Whether a child may be given runs of both at once."""
    calls = isinstance(one.kind, PythonCall) and isinstance(other.kind, PythonCall)
    return calls and (one is other or key_of(one) == key_of(other)) and not one.resources.of_tree
