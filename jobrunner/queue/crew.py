"""The workers of a server: who is idle, what is claimed for them, who is handed what."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Protocol

from jobrunner.domain.clock import Clock
from jobrunner.domain.run import Claimed
from jobrunner.queue.ahead import Ahead
from jobrunner.queue.serializer import message
from jobrunner.queue.storage import STOP

_FEW = 8


class Hand(Protocol):
    """What the engine can do itself, without a worker. Called in its thread; nothing of it waits."""

    def fileno(self) -> int:
        """Becomes readable when there is something to collect."""

    def seconds(self, job: str) -> float | None:
        """What a run of a job usually takes, None where none may be claimed before somebody is free for it."""

    def usual(self, job: str) -> float | None:
        """What a run of a job usually takes, None where none may be begun behind another."""

    def take(self, runs: Sequence[Claimed]) -> int:
        """Begins the first of these, and has those behind it begun after it by who has it; how many of them, from the
        first on. 0, and nothing done, where that is a worker's work."""

    def collect(self) -> int:
        """Submits the ends of what was taken and has ended; how many are still under way."""


class Crew:
    """``hand_over``, ``hand_on``, ``give_up``, ``reach``, ``employ`` are for the engine's thread, the rest for any.

    ``handed_in``: how many ends of attempts were, ever.
    """

    def __init__(self, workers: int, clock: Clock) -> None:
        self.inbox = SimpleQueue[bytes]()
        self.workers = workers
        self.ahead = Ahead(workers, lambda job: None, lambda job: None)
        self.hand: Hand | None = None
        self.claiming = True
        self.handed_in = 0
        self._clock = clock
        self._claimed = dict[int, Claimed]()
        self._behind = dict[int, str]()
        self._returned = list[Claimed]()
        self._outstanding = dict[int, int]()
        self._changed = threading.Condition()

    def employ(self, hand: Hand) -> None:
        """Has some runs begun without a worker; before anything is handed over."""
        self.hand = hand
        self.ahead = Ahead(self.workers, hand.seconds, hand.usual)

    def stop(self) -> None:
        """From now on nobody gets a run."""
        with self._changed:
            self.claiming = False

    def release(self, count: int) -> None:
        """Lets so many workers that wait for a message look at their stop flag."""
        for _ in range(count):
            self.inbox.put(STOP)

    def delegate(self, claimed: Claimed) -> None:
        """Gives a worker what ``Hand`` has taken and cannot end."""
        self.inbox.put(message(claimed.id, claimed.attempt, claimed.queue))

    def turn(self, run_id: int) -> None:
        """A run that was behind another one has been begun."""
        with self._changed:
            self._behind.pop(run_id, None)

    def give_back(self, runs: Sequence[Claimed]) -> None:
        """These were taken and have not been begun: others may have them."""
        with self._changed:
            self._behind.update((run.id, run.job) for run in runs)
            self._claimed.update((run.id, run) for run in runs)
            self._returned += runs

    def claimed(self, run_id: int) -> Claimed | None:
        """What was claimed under this id, once; nothing after ``stop``: it is to be given back."""
        with self._changed:
            return self._claimed.pop(run_id, None) if self.claiming else None

    def unstarted(self) -> list[Claimed]:
        """What was claimed and nobody has taken: to be given back at the end."""
        with self._changed:
            left = list(self._claimed.values())
            self._claimed.clear()
            return left

    def free(self, run_id: int, attempt: int) -> None:
        """Somebody has handed in the end of an attempt. A later one may have been claimed since."""
        with self._changed:
            if self._outstanding.get(run_id) == attempt:
                del self._outstanding[run_id]
            self.handed_in += 1
            self._changed.notify()

    def wait(self, condition: Callable[[], bool], seconds: float) -> None:
        """Until that holds, which is looked at when somebody is free or something was handed over."""
        with self._changed:
            self._changed.wait_for(condition, seconds)

    @property
    def outstanding(self) -> int:
        """Runs that are claimed and have not ended."""
        return len(self._outstanding)

    @property
    def busy(self) -> int:
        """Those of them that somebody is at."""
        return len(self._outstanding) - self.waiting

    @property
    def idle(self) -> int:
        """Workers that have nothing to do, and are not to get what was given back."""
        return max(0, self.workers - self.busy - len(self._returned)) if self.claiming else 0

    @property
    def under_way(self) -> int:
        """Runs that somebody has taken and not yet handed back."""
        with self._changed:
            return len(self._outstanding) - len(self._claimed)

    def hand_over(self, claimed: Sequence[Claimed]) -> int:
        """What was claimed just now, in its order; how many of them are under way here already, and nobody gets."""
        with self._changed:
            fresh = [run for run in claimed if self._outstanding.get(run.id, 0) < run.attempt]
            self._outstanding.update((run.id, run.attempt) for run in fresh)
            self._claimed.update((run.id, run) for run in fresh)
            self._changed.notify()
        self.ahead.add(fresh, self._clock.monotonic())
        self._hand_out(fresh=True)
        return len(claimed) - len(fresh)

    def hand_on(self) -> None:
        """Gives what was claimed ahead to whoever has become free."""
        if self._returned:
            with self._changed:
                returned, self._returned = self._returned, []
                for run in returned:
                    del self._behind[run.id]
            self.ahead.put_first(returned)
        self._hand_out(fresh=False)

    def reach(self, jobs: Sequence[str], room: int) -> int:
        """How many of the next runs, of these jobs, may be claimed where ``room`` workers are idle."""
        with self._changed:
            behind = tuple(self._behind.values())
        return self.ahead.reach(jobs, room, behind)

    @property
    def waiting(self) -> int:
        """Runs that are claimed and that nobody is at."""
        return len(self.ahead) + len(self._behind)

    @property
    def lives_from_hand(self) -> bool:
        """Whether everybody has one run at a time, and more have been claimed."""
        return bool(self.ahead) and not self._behind

    @property
    def supplied(self) -> bool:
        """Whether everybody has something to do, and to go on with for a moment."""
        return self.waiting >= min(self.workers, _FEW) and not self.idle

    def give_up(self) -> list[Claimed]:
        """Takes back what is ahead; ``let_go`` follows when the store knows."""
        return self.ahead.clear()

    def let_go(self, runs: Sequence[Claimed]) -> None:
        """These are no longer claimed."""
        with self._changed:
            for run in runs:
                if self._claimed.pop(run.id, None) is not None:
                    self._outstanding.pop(run.id, None)

    def _hand_out(self, *, fresh: bool) -> None:
        while self.ahead and (idle := self.workers - self.busy) > 0 and self.claiming:
            one_each = len(self.ahead) <= idle
            runs = self.ahead.next(idle, self._clock.monotonic())
            if not fresh:
                runs[0] = runs[0]._replace(started_at=self._clock.now())
            taken = self._take_in_hand(runs, one_each=one_each)
            if not taken:
                self.delegate(runs[0])
            if left := runs[max(taken, 1) :]:
                self.ahead.put_first(left)

    def _take_in_hand(self, runs: Sequence[Claimed], *, one_each: bool) -> int:
        """``one_each``: there is a worker for each of these, which it takes up though it is begun behind another."""
        if self.hand is None:
            return 0
        with self._changed:
            if not self.claiming:
                return 0
            for run in runs:
                self._claimed.pop(run.id, None)
            if not one_each:
                self._behind.update((run.id, run.job) for run in runs[1:])
        taken = self.hand.take(runs)
        if taken < len(runs):
            with self._changed:
                for run in runs[taken:]:
                    self._behind.pop(run.id, None)
                    self._claimed[run.id] = run
        return taken
