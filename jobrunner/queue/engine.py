"""The one writer of a server: claims runs for its idle workers and commits what has ended, in the same transactions.

It sleeps on the wake-up, with a safety query each second. Everything that the server writes goes through it, so that
commits are shared and SQLite never waits for another thread of the same process.
"""

from __future__ import annotations

import logging
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from math import inf
from typing import NamedTuple, Protocol

from jobrunner.domain.ahead import MOST_AHEAD
from jobrunner.domain.clock import Clock
from jobrunner.domain.run import Claimed
from jobrunner.domain.state import Ready
from jobrunner.errors import BrokerUnavailable, StoreUnavailable
from jobrunner.queue.announce import Announcer
from jobrunner.queue.crew import Crew, Hand
from jobrunner.queue.operations import Operation, Operations, Submitted, away
from jobrunner.store import pauses
from jobrunner.store.database import Collision, Database
from jobrunner.store.outlook import Outlook, outlook
from jobrunner.store.runs import claim, steer
from jobrunner.store.runs.unclaim import unclaim

log = logging.getLogger(__name__)

SAFETY_SECONDS = 1.0
STOP_SECONDS = 15.0
"""How long a server that ends goes on trying to write what its runs came to."""

_SHORTEST_PATIENCE, _LONGEST_PATIENCE = 0.0001, 0.002
"""Seconds that ends wait for others to be committed with: half of what a commit takes, where that is worth it."""

_GATHERING_SECONDS = 0.01
"""How long what is to be written gathers for one commit while runs that were claimed ahead go on being begun."""

_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.05, 2.0
_LONGEST_ROUND = 30.0
_BROKER_PAUSE = 5.0


class Bell(Protocol):
    """What becomes readable when another process says that there is something to do."""

    def fileno(self) -> int: ...

    def clear(self) -> None:
        """Takes what was rung so far."""


class _Room(NamedTuple):
    """How many runs may be claimed: for the idle workers, and at the most where some are claimed ahead of them."""

    idle: int
    most: int


class Engine:
    """Claims, records and hands over; one thread.

    ``on_cancel`` is told (run, attempt, at once) of each running attempt that a person wants stopped, again and again
    until it ends. ``on_idle`` is called when nothing is claimed and nothing is left to claim now, ``on_lost`` when the
    server turns out to have been declared lost: then it claims nothing. All are called in the engine's thread.
    ``named_only`` says that a broker delivers: then only offered runs are claimed.
    """

    def __init__(
        self,
        db: Database,
        *,
        server_id: int,
        queues: Sequence[str],
        workers: int,
        clock: Clock,
        announcer: Announcer,
        bell: Bell | None,
        named_only: bool,
        on_cancel: Callable[[int, int, bool], None],
        on_idle: Callable[[], None] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        self.queues = tuple(queues)
        self.crew = Crew(workers, clock)
        self._db = db
        self._server_id = server_id
        self._clock = clock
        self._announcer = announcer
        self._bell = bell
        self._look_ahead = False
        self._written_at = 0.0
        self._poller = select.poll()
        self._commit_takes = 0.0
        self._named_only = named_only
        self._on_cancel = on_cancel
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._doubtful = list[Claimed]()
        self._operations = Operations()
        self._offered = deque[tuple[int, int]]()
        self._stop_at: float | None = None
        self._complaint: str | None = None
        self._tell_again = 0.0
        self._look = True
        self._sleeping = False
        self._next_due: datetime | None = None
        self._next_safety = 0.0
        self._came_round = clock.monotonic()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def employ(self, hand: Hand) -> None:
        """Has some runs begun by the engine itself; called before ``start``."""
        self.crew.employ(hand)

    def start(self) -> None:
        for each in (self._bell, self.crew.hand):
            if each is not None:
                self._poller.register(each.fileno(), select.POLLIN)
        self._poller.register(self._wake, select.POLLIN)
        self._thread.start()

    def stop_claiming(self) -> None:
        """From now on no run is taken, and no worker gets one that was."""
        self.crew.stop()
        self.wake()

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Commits what was submitted and ends the thread, within STOP_SECONDS if the store is away.

        Waits so long at most, and says whether the thread has ended; may be called again.
        """
        if self._stop_at is None:
            self._stop_at = self._clock.monotonic() + STOP_SECONDS
        self.wake()
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def unwritten(self) -> int:
        """Operations that the store has not taken."""
        return len(self._operations)

    def wake(self) -> None:
        """Makes the engine look at once."""
        self._look = True
        self._nudge()

    def submit(
        self,
        operation: Operation,
        *,
        ends: tuple[int, int] | None = None,
        committed: Callable[[], None] | None = None,
        instead: Operation | None = None,
        batch: int | None = None,
    ) -> None:
        """Adds an operation to the next transaction and returns; it is kept until the store has taken it.

        ``ends``: the (run, attempt) whose end it records; who was at it is free. ``committed`` is called in the
        engine's thread when the store has it. ``instead`` takes the place of an operation that fails for a reason of
        its own. ``batch``: the one that it may end; it comes after what may end none.
        """
        self._operations.add(Submitted(operation, committed, instead, batch, ends is not None))
        if ends is not None:
            self.crew.free(*ends)
        self._nudge()

    def submit_all(self, operations: Sequence[Operation]) -> None:
        """As ``submit``, of some that come together, in their order."""
        for operation in operations:
            self._operations.add(Submitted(operation))
        if operations:
            self._nudge()

    def offer(self, named: Sequence[tuple[int, int]]) -> None:
        """Runs that a broker delivered: those that are still queued are claimed."""
        self._offered.extend(named)
        self._nudge()

    @property
    def alive(self) -> bool:
        """Whether the thread runs and has come round lately, be it to find that the store is away."""
        return self._thread.is_alive() and self._clock.monotonic() < self._came_round + _LONGEST_ROUND

    def wait_for_idle(self, seconds: float) -> int:
        """How many workers are idle and not promised; waits so long at most for one."""
        self.crew.wait(lambda: self.crew.idle > 0 and not self._offered, seconds)
        return self.crew.idle if not self._offered else 0

    @property
    def answers_for(self) -> int:
        """The most runs that the store can have under way here, seen from an operation.

        Those whose end is not written yet count: every other operation may be one.
        """
        return self.crew.outstanding + len(self._operations) - 1

    def _nudge(self) -> None:
        if self._sleeping and self._wake >= 0:
            os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        backoff = _FIRST_BACKOFF
        while not self._over():
            self._came_round = self._clock.monotonic()
            try:
                self._sleep()
                self._turn()
                backoff = _FIRST_BACKOFF
                self._back()
            except Exception as error:
                self._look = True
                self._gone(error)
                threading.Event().wait(backoff)
                backoff = min(backoff * 2, _LONGEST_BACKOFF)
        self._db.close()
        wake, self._wake = self._wake, -1
        os.close(wake)

    def _over(self) -> bool:
        if self._stop_at is None:
            return False
        return not self._operations or self._clock.monotonic() >= self._stop_at

    def _gone(self, error: Exception) -> None:
        if isinstance(error, Collision):
            log.debug("%s", error)
        elif not isinstance(error, StoreUnavailable):
            log.error("fault in the engine; trying again", exc_info=error)
        elif str(error) != self._complaint:
            self._complaint = str(error)
            log.error("%s; trying again", error)

    def _back(self) -> None:
        if self._complaint is not None:
            self._complaint = None
            log.info("the store is back")

    def _sleep(self) -> None:
        self._sleeping = True
        try:
            timeout = self._timeout()
            if timeout > 0 or self.crew.hand is not None:
                self._wait(timeout)
        finally:
            self._sleeping = False
        if self._due(self._clock.now()) or self._clock.monotonic() >= self._next_safety:
            self._look = True

    def _wait(self, timeout: float) -> None:
        ready = {fd for fd, _ in self._poller.poll(timeout * 1000)}
        if self._wake in ready:
            os.eventfd_read(self._wake)
        if self._bell is not None and self._bell.fileno() in ready:
            self._bell.clear()
            self._look = True
        hand = self.crew.hand
        if hand is not None and hand.fileno() in ready:
            self._sleeping = False  # what is collected needs nobody to wake this thread
            self._collect(hand)
            self.crew.hand_on()

    def _collect(self, hand: Hand) -> None:
        """What has ended, and where a commit takes long, what ends in the meantime: they share it."""
        left = hand.collect()
        patience = min(self._commit_takes / 2, _LONGEST_PATIENCE)
        if not left or patience < _SHORTEST_PATIENCE or self.crew.waiting:
            return
        give_up = self._clock.monotonic() + patience
        while left and (pause := give_up - self._clock.monotonic()) > 0:
            if not select.select((hand,), (), (), pause)[0]:
                return
            left = hand.collect()

    def _timeout(self) -> float:
        now = self._clock.monotonic()
        if self._gathers(now):
            return self._written_at + _GATHERING_SECONDS - now
        if self._operations or self._offered or self._look or self._stop_at is not None:
            return 0.0
        ahead = self.crew.ahead
        timeout = max(0.0, (min(self._next_safety, ahead.stuck_at) if ahead else self._next_safety) - now)
        if self._next_due is not None:
            timeout = min(timeout, max(0.0, (self._next_due - self._clock.now()).total_seconds()))
        return timeout

    def _due(self, now: datetime) -> bool:
        return self._next_due is not None and self._next_due <= now

    def _gathers(self, now: float) -> bool:
        """Whether what is to be written may wait a moment, since everybody has enough to do meanwhile."""
        ahead = self.crew.ahead
        enough = self.crew.claiming and self._stop_at is None and self.crew.supplied
        return enough and now < min(self._written_at + _GATHERING_SECONDS, ahead.stuck_at if ahead else inf)

    def _turn(self) -> None:
        self.crew.hand_on()
        now = self._clock.monotonic()
        if self._gathers(now):
            return
        if self.crew.ahead and now >= self.crew.ahead.stuck_at and self.crew.claiming:
            self._put_back()
        look = self._look
        if look:
            self._look = False
        self._regain()
        # Who is idle now has handed in the end of its last run, so that no worker ever holds two in the store. Who does
        # so from here on makes no room, nor do those ends that are more than this transaction takes.
        idle, waiting, handed_in = self.crew.idle, self.crew.waiting, self.crew.handed_in
        taken = self._operations.take()
        idle -= handed_in - self._operations.ends_taken
        room = _Room(max(0, idle), max(0, idle + max(0, MOST_AHEAD - waiting)))
        offered = tuple(islice(self._offered, room.idle if self.crew.claiming else None))
        if look or taken or offered:
            self._write(offered, room, taken=taken, look=look)
        if look:
            self._next_safety = self._clock.monotonic() + SAFETY_SECONDS
            for run_id, attempt, at_once in steer.cancels(self._db, self._server_id) if self.crew.outstanding else ():
                self._on_cancel(run_id, attempt, at_once)
        if self._on_idle is not None and not self.crew.outstanding and not self._operations.fresh:
            self._tell_idle()

    def _regain(self) -> None:
        """A commit whose answer was lost may have been one: what it claimed must not run for nobody."""
        if not self._doubtful:
            return
        held = [run for run in self._doubtful if claim.holds(self._db, run.id, run.attempt, self._server_id)]
        self._doubtful.clear()
        self._hand_over(held, ())

    def _write(self, offered: Sequence[tuple[int, int]], room: _Room, *, taken: bool, look: bool) -> None:
        now = self._clock.now()
        self._tell(pauses.resume_due(self._db, now) if look else (), ())
        if not taken and not offered and not self._anything(now, room.idle):
            self._next_due = claim.next_due(self._db)
            return
        try:
            ready, claimed = self._commit(offered, room, now, look=look)
        except Exception as error:
            if not taken or (away(error) and not isinstance(error, Collision)):
                raise
            self._look = True
            self._tell(self._operations.write_singly(self._db), ())
            return
        self._operations.committed()
        self._look_ahead = self.crew.ahead.goes_on(claimed, room.idle, self._look_ahead)
        self._hand_over(claimed, offered)
        self._tell(ready, claimed)

    def _anything(self, now: datetime, room: int) -> bool:
        # An idle server, or one that is full, is spared its write transactions by one read.
        wanted = self.queues if room > 0 and not self._named_only else ()
        return claim.anything_to_claim(self._db, now, pauses.open_queues(self._db, wanted))

    def _commit(
        self, offered: Sequence[tuple[int, int]], room: _Room, now: datetime, *, look: bool
    ) -> tuple[list[Ready], list[Claimed]]:
        ready, claimed = list[Ready](), list[Claimed]()
        try:
            with self._db.transaction():
                ready += self._operations.write(self._db)
                self._keep_busy()
                if look:
                    ready += claim.promote(self._db, now)
                    ready += claim.expire(self._db, now)
                seen = outlook(self._db, self._server_id, self.queues)
                claimed += self._claim(offered, room, now, seen)
                self._keep_busy()
                self._next_due = seen.next_due
                begun = self._clock.monotonic()
        except BaseException:
            self._doubtful += claimed
            raise
        self._written_at = self._clock.monotonic()
        self._commit_takes += (self._written_at - begun - self._commit_takes) / 8
        return ready, claimed

    def _keep_busy(self) -> None:
        """In the middle of a transaction, which takes longer than short commands do: who has one gets the next."""
        hand = self.crew.hand
        if hand is not None and self.crew.lives_from_hand and select.select((hand,), (), (), 0)[0]:
            hand.collect()
            self.crew.hand_on()

    def _claim(self, offered: Sequence[tuple[int, int]], room: _Room, now: datetime, seen: Outlook) -> list[Claimed]:
        further = self._look_ahead and not self._named_only
        if (room.idle <= 0 and not further) or not self.crew.claiming or (self._named_only and not offered):
            return []
        if not seen.living:
            if self._on_lost is not None:
                self._on_lost()
            return []
        if self._named_only:
            return claim.claim_named(self._db, server_id=self._server_id, wanted=offered, now=now)
        db, server_id, queues = self._db, self._server_id, seen.queues
        if not further:
            return claim.claim(db, server_id=server_id, queues=queues, limit=room.idle, now=now)
        reach = partial(self.crew.reach, room=room.idle)
        return claim.claim_ahead(db, server_id=server_id, queues=queues, limit=room.most, now=now, reach=reach)

    def _hand_over(self, claimed: Sequence[Claimed], offered: Sequence[tuple[int, int]]) -> None:
        for _ in offered:
            self._offered.popleft()
        if under_way := self.crew.hand_over(claimed):
            log.error("the store was set back: %d of the runs under way here were queued; they go on", under_way)

    def _put_back(self) -> None:
        """Nobody comes for what was claimed ahead: it must not wait for something long, and others may have it."""
        runs = self.crew.give_up()
        self._look_ahead = False

        def put_back(db: Database) -> Sequence[Ready]:
            return unclaim(db, runs, server_id=self._server_id, now=self._clock.now())

        self.submit(put_back, committed=lambda: self.crew.let_go(runs))

    def _tell(self, ready: Sequence[Ready], claimed: Sequence[Claimed]) -> None:
        taken = {run.id for run in claimed}
        others = [run for run in ready if run.id not in taken]
        now = self._clock.monotonic()
        if not others or now < self._tell_again:
            return
        try:
            self._announcer.ready(others)
        except (BrokerUnavailable, StoreUnavailable) as error:
            # A broker that does not answer would cost every commit its timeout; what is not told is found.
            self._tell_again = now + _BROKER_PAUSE
            log.debug("%s; %d runs are handed over later", error, len(others))

    def _tell_idle(self) -> None:
        assert self._on_idle is not None
        open_queues = pauses.open_queues(self._db, self.queues)
        if not claim.anything_to_claim(self._db, self._clock.now(), open_queues):
            self._on_idle()
