"""Huey's consumer made ours: signals, heartbeat, peers, drain and reload around Huey's workers.

The main thread sleeps until a signal or another thread wakes it, and does the housekeeping of each second. It never
waits for the store to be written: a server whose store is gone still hears signals, feeds its watchdog, and ends.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from huey import Huey
from huey.consumer import Consumer, Scheduler

from jobrunner.domain.clock import Clock
from jobrunner.domain.run import Claimed
from jobrunner.domain.server import ServerState
from jobrunner.domain.state import Ready
from jobrunner.errors import StoreUnavailable
from jobrunner.execution.attempt import StopReason
from jobrunner.queue.engine import Engine
from jobrunner.queue.redis import RedisFeed
from jobrunner.server.executor import Executor
from jobrunner.server.quick import QuickCalls
from jobrunner.server.reloader import Reloader
from jobrunner.server.rescuer import Rescuer
from jobrunner.server.scheduler import FireSchedule
from jobrunner.server.signals import Signals
from jobrunner.server.systemd import Systemd
from jobrunner.store import servers, traces
from jobrunner.store.database import Database
from jobrunner.store.runs.unclaim import unclaim

log = logging.getLogger("jobrunner.server")

_TICK_SECONDS = 1.0
_TIDY_SECONDS = 60.0


class SchedulerThread(Scheduler):  # type: ignore[misc]
    """The thread that Huey keeps for schedules. Huey's own schedule is never read: fires are ours."""

    fires: FireSchedule | None = None

    def loop(self, now: Any = None) -> None:
        """Fires what is due and sleeps until the next fire, or the stop flag."""
        try:
            wait = self.fires.tick() if self.fires is not None else _TICK_SECONDS
        except Exception:
            log.exception("fault in the scheduler")
            wait = _TICK_SECONDS
        self.stop_flag.wait(wait)


class RunConsumer(Consumer):  # type: ignore[misc]
    """One server, from its first heartbeat to its last.

    ``fires`` is None for a server that fires nothing. ``begin`` is called once the engine runs,
    ``tidy`` every minute.
    """

    scheduler_class = SchedulerThread

    def __init__(
        self,
        huey: Huey,
        *,
        db: Database,
        engine: Engine,
        executor: Executor,
        quick: QuickCalls,
        rescuer: Rescuer,
        systemd: Systemd,
        signals: Signals,
        server_id: int,
        workers: int,
        clock: Clock,
        lost_after: timedelta,
        drain_for: timedelta,
        fires: FireSchedule | None,
        begin: Callable[[], None],
        tidy: Callable[[], None],
        reloader: Reloader,
        feed: RedisFeed | None,
    ) -> None:
        self._fires = fires
        super().__init__(
            huey, workers=workers, periodic=False, graceful_signal="TERM", health_check_interval=1, worker_type="thread"
        )
        self._db = db
        self._engine = engine
        self._executor = executor
        self._quick = quick
        self._rescuer = rescuer
        self._systemd = systemd
        self._signals = signals
        self._server_id = server_id
        self._clock = clock
        self._drain_for = drain_for
        self._begin = begin
        self._tidy = tidy
        self._next_tidy = 0.0
        self._reloader = reloader
        self._feed = feed
        self._beat_every = min(5.0, lost_after.total_seconds() / 4)
        self._trusted_for = lost_after.total_seconds() / 2
        self._next_beat = 0.0
        self._beaten_at = clock.monotonic()
        self._fenced = threading.Event()
        self._said_ready = threading.Event()
        self._burst_done = False

    def run(self) -> bool:
        """Works until it is told to stop, and drains. False when this server was declared dead meanwhile."""
        # Before anything else is looked at: what a dead server left is work, also for a burst.
        self._rescue()
        self._engine.start()
        self._begin()
        if self._feed is not None:
            self._feed.start()
        self._start_threads()
        self._engine.submit(self._beat)
        self._engine.submit(lambda db: self._enter(db, ServerState.RUNNING), committed=self._ready)
        while self._step():
            pass
        self._drain()
        return not self._fenced.is_set()

    def burst_done(self) -> None:
        """Nothing is left to do now: a server that was told to work off what is there ends. Called by the engine."""
        self._burst_done = True
        self._signals.wake()

    def lost(self) -> None:
        """This server was declared dead by others: it ends, and starts over. Called by the engine."""
        if not self._fenced.is_set():
            self._fenced.set()
            self._signals.wake()

    def _create_scheduler(self) -> SchedulerThread:
        scheduler: SchedulerThread = super()._create_scheduler()
        scheduler.fires = self._fires
        return scheduler

    def _start_threads(self) -> None:
        self.scheduler.start()
        for _, thread in self.worker_threads:
            thread.start()

    def _ready(self) -> None:
        self._systemd.ready()
        self._said_ready.set()
        log.info("ready", extra={"workers": self.workers, "queues": ",".join(self._engine.queues)})

    def _step(self) -> bool:
        """One sleep and its housekeeping; False when it is time to stop."""
        word = self._signals.wait(min(_TICK_SECONDS, self._beat_every))
        if word is not None and word is not signal.SIGHUP:
            log.info("received %s, draining", word.name)
            return False
        if word is signal.SIGHUP or self._reloader.wanted(self._db):
            self._read_again(forced=word is signal.SIGHUP)
        self._housekeeping()
        return not (self._fenced.is_set() or self._burst_done)

    def _read_again(self, *, forced: bool) -> None:
        tells = self._said_ready.is_set()  # before that a READY would say that the server takes runs
        if tells:
            self._systemd.reloading(self._clock.monotonic())
        try:
            self._reloader.reload(forced=forced)
        except Exception:
            log.exception("fault while reloading")
        if tells:
            self._systemd.ready()

    def _housekeeping(self) -> None:
        self._keep_beating()
        try:
            self._rescue()
            self.check_worker_health()
            if self._clock.monotonic() >= self._next_tidy:
                self._next_tidy = self._clock.monotonic() + _TIDY_SECONDS
                self._tidy()
        except Exception:
            log.exception("fault in the housekeeping")

    def _keep_beating(self) -> None:
        if self._engine.alive:
            self._systemd.watchdog()
        if self._clock.monotonic() >= self._next_beat:
            self._next_beat = self._clock.monotonic() + self._beat_every
            self._engine.submit(self._beat)

    def _beat(self, db: Database) -> Sequence[Ready]:
        surplus = len(servers.running_runs(db, self._server_id)) - self._engine.answers_for
        if surplus > 0:
            log.error("the store was set back: %d of its runs here are not under way; starting over", surplus)
            self.lost()
        ticked = self._fires.last_tick if self._fires is not None else None
        if not servers.heartbeat(
            db, self._server_id, busy=self._engine.crew.busy, now=self._clock.now(), ticked=ticked
        ):
            self.lost()
        self._beaten_at = self._clock.monotonic()
        return ()

    def _rescue(self) -> None:
        """Has the runs of dead servers given back."""
        if self._clock.monotonic() > self._beaten_at + self._trusted_for:
            # While this server cannot write to the store, nor can the others: that they are silent says nothing.
            self._rescuer.forget()
        try:
            dead = self._rescuer.look(self._db)
            # Before the runs are given back: what is left of them may still be at work.
            cleared = self._rescuer.clear_up(self._db)
        except StoreUnavailable:
            return  # the engine says so, and goes on trying
        if cleared:
            self._engine.submit(lambda db: _forget(db, cleared))
        if dead:
            self._engine.submit(lambda db: self._rescuer.rescue(db, dead))

    def _enter(self, db: Database, state: ServerState) -> Sequence[Ready]:
        if not servers.set_state(db, self._server_id, state, self._clock.now()):
            self.lost()
        return ()

    def _drain(self) -> None:
        self._systemd.stopping()
        self._engine.stop_claiming()
        if self._feed is not None:
            self._feed.stop()
        self._let_runs_end()
        self._join()
        self._give_back_unstarted()
        self._engine.submit(lambda db: self._enter(db, ServerState.STOPPED))

    def _let_runs_end(self) -> None:
        if self._fenced.is_set():
            log.error("this server was declared lost; it kills what it still runs")
            self._executor.stop_all(StopReason.FENCED, at_once=True)
            self._quick.leave_all()  # before the workers are told to end
        else:
            self._engine.submit(lambda db: self._enter(db, ServerState.DRAINING))
            self._wait_for_runs()

    def _wait_for_runs(self) -> None:
        """Waits for what is under way as long as it may; then, or on a second signal, interrupts it."""
        deadline = self._clock.monotonic() + self._drain_for.total_seconds()
        interrupted = False
        while self._engine.crew.under_way:
            left = deadline - self._clock.monotonic()
            word = self._signals.wait(0.1 if interrupted else min(0.1, max(left, 0.0)))
            impatient = word is not None and word is not signal.SIGHUP
            if impatient or (left <= 0 and not interrupted):
                left_over = self._engine.crew.under_way
                log.warning("interrupting %s", "1 run" if left_over == 1 else f"{left_over} runs")
                self._executor.stop_all(StopReason.INTERRUPTED, at_once=impatient)
                interrupted = True
            self._keep_beating()

    def _join(self) -> None:
        self.stop_flag.set()
        self._engine.crew.release(len(self.worker_threads))
        for _, thread in self.worker_threads:
            thread.join()
        self.scheduler.join()
        if self._feed is not None:
            self._feed.join()

    def _give_back_unstarted(self) -> None:
        unstarted = list[Claimed]()

        def give_back(db: Database) -> Sequence[Ready]:
            # In the engine's thread no claim is under way, so none is missed.
            unstarted.extend(self._engine.crew.unstarted())
            return unclaim(db, unstarted, server_id=self._server_id, now=self._clock.now())

        self._engine.submit(give_back)


def _forget(db: Database, cleared: Sequence[int]) -> Sequence[Ready]:
    for server_id in cleared:
        traces.forget(db, server_id)
    return ()
