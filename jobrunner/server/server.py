"""One server: its parts put together, started in order, and taken down again. Called by wiring."""

from __future__ import annotations

import logging
import os
import signal
import stat
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, TypeVar

from jobrunner import jobfile
from jobrunner.domain.clock import Clock
from jobrunner.domain.jobfile import Jobfile
from jobrunner.domain.retention import Retention
from jobrunner.domain.settings import Settings
from jobrunner.errors import ConfigError, Refused, StoreUnavailable, UsageError
from jobrunner.execution import Execution, Launcher
from jobrunner.queue.announce import Announcer
from jobrunner.queue.bell import Bell
from jobrunner.queue.engine import STOP_SECONDS, Engine
from jobrunner.queue.listener import Listener
from jobrunner.queue.redis import RedisFeed, RedisQueues
from jobrunner.queue.tasks import RunHuey
from jobrunner.server.consumer import RunConsumer
from jobrunner.server.definitions import Definitions
from jobrunner.server.executor import Executor
from jobrunner.server.identity import host, identity
from jobrunner.server.memory import made_for_good
from jobrunner.server.options import ServerOptions
from jobrunner.server.quick import QuickCalls
from jobrunner.server.recorder import Recorders
from jobrunner.server.reloader import NOT_VALID, Reloader
from jobrunner.server.rescuer import Rescuer
from jobrunner.server.retention import RetentionThread
from jobrunner.server.scheduler import FireSchedule, ServerOf
from jobrunner.server.signals import Signals
from jobrunner.server.systemd import Systemd
from jobrunner.store import definitions, open_store, servers, traces
from jobrunner.store.database import Database
from jobrunner.store.servers import NewServer
from jobrunner.version import __version__

log = logging.getLogger("jobrunner.server")

_STORE_PAUSE = 2.0

T = TypeVar("T")
BrokerMaker = Callable[[Settings, Database], RedisQueues | None]


class _Ground(NamedTuple):
    """What a server stands on: it is there before the parts, and outlives them."""

    file: Jobfile
    db: Database
    bell: Bell | Listener | None
    broker: RedisQueues | None
    launcher: Launcher
    name: str
    workers: int
    queues: tuple[str, ...]


class _Parts(NamedTuple):
    server_id: int
    in_force: Definitions
    engine: Engine
    executor: Executor
    quick: QuickCalls
    recorders: Recorders
    execution: Execution
    fires: FireSchedule | None
    retention: RetentionThread
    reloader: Reloader


class Server:
    """A server on the configuration at ``path``. ``run`` is called again when it has to start over.

    ``who`` is the OS user that it runs as.
    """

    def __init__(
        self,
        path: Path,
        options: ServerOptions,
        *,
        broker: BrokerMaker,
        systemd: Systemd,
        signals: Signals,
        clock: Clock,
        environ: Mapping[str, str],
        who: str,
    ) -> None:
        self._systemd = systemd
        self._who = who
        self._signals = signals
        self._last_good: Jobfile | None = None
        self._again = False
        self._refused: str | None = None
        self._read_at = clock.now()
        self._path = path
        self._options = options
        self._make_broker = broker
        self._clock = clock
        self._environ = environ

    def run(self) -> bool:
        """Works until it is told to stop. False when it was declared dead by others and has to start over.

        Raises:
            ConfigError, UsageError, StoreUnavailable, Refused: it cannot start.
            StoreUnavailable: the store was away when it ended, and has not taken what its last runs came to.
        """
        self._again = self._last_good is not None
        with made_for_good():
            file = self._last_good = self._read()
        queues = self._queues(file.settings)
        with ExitStack() as stack:
            # The guard and the launcher come first: they must not inherit threads, connections or locks.
            launcher = Launcher.start()
            stack.callback(launcher.close)
            settings = file.settings
            db = self._patiently(lambda: open_store(settings.store, durability=settings.durability))
            stack.callback(db.close)
            _refuse_everybodys(db.path)
            broker = self._patiently(lambda: self._make_broker(settings, db))
            if broker is not None:
                stack.callback(broker.close)
            bell = Bell.beside(db.path) if db.path is not None else Listener(db)
            if bell is not None:
                stack.callback(bell.close)
            ground = _Ground(
                file=file,
                db=db,
                bell=bell,
                broker=broker,
                launcher=launcher,
                name=self._options.name or host(),
                workers=self._options.workers or file.settings.workers,
                queues=queues,
            )
            return self._serve(ground)

    def _read(self) -> Jobfile:
        self._read_at = self._clock.now()
        try:
            file = jobfile.read(self._path, warn=True)
        except ConfigError as error:
            if self._last_good is None:
                raise
            log.error(NOT_VALID, error.problems[0])
            self._refused = str(error.problems[0])
            return self._last_good
        self._refused = None
        for warning in file.warnings:
            log.warning("%s", warning)
        return file

    def _patiently(self, step: Callable[[], T]) -> T:
        """A server that starts over has been told by nobody to end: it waits for its store, or for a signal."""
        complained = False
        while True:
            try:
                done = step()
            except StoreUnavailable as error:
                if not self._again:
                    raise
                complained = True
                log.error("%s; trying again", error)
                word = self._signals.wait(_STORE_PAUSE)
                if word is not None and word is not signal.SIGHUP:
                    raise
            else:
                if complained:
                    log.info("the store is back")
                return done

    def _serve(self, ground: _Ground) -> bool:
        consumer: RunConsumer | None = None

        def idle() -> None:
            if consumer is not None:
                consumer.burst_done()

        def lost() -> None:
            if consumer is not None:
                consumer.lost()

        parts = self._parts(ground, idle if self._options.burst else None, lost)
        consumer = self._consumer(ground, parts)
        try:
            went_on = consumer.run()
        finally:
            parts.reloader.stop()
            parts.retention.stop()
            parts.recorders.stop()
            parts.execution.close()
            told = self._stop(parts.engine)
            parts.quick.stop()
        unwritten = parts.engine.unwritten
        # What a server that was declared lost has not written is not its to write any more: it starts over.
        if unwritten and (went_on or told):
            raise StoreUnavailable(
                f"the store was away at the end: {unwritten} records are not written",
                hint="the runs that they are about are given back by the next server that starts",
            )
        log.info("stopped")
        return went_on

    def _parts(self, ground: _Ground, idle: Callable[[], None] | None, lost: Callable[[], None]) -> _Parts:
        db, bell, clock = ground.db, ground.bell, self._clock
        server_id = self._patiently(lambda: self._register(ground))
        in_force = Definitions(ground.file, lambda number: definitions.body(db, number))
        engine = Engine(
            db,
            server_id=server_id,
            queues=ground.queues,
            workers=ground.workers,
            clock=clock,
            announcer=Announcer(db, ground.broker, own=bell.address if bell is not None else None),
            bell=bell,
            named_only=ground.broker is not None,
            on_cancel=lambda run, attempt, at_once: executor.stop(run, attempt, at_once),
            on_idle=idle,
            on_lost=lost,
        )
        execution = Execution(ground.launcher, clock)
        recorders = Recorders(engine, server_id, clock)
        executor = Executor(
            engine=engine,
            execution=execution,
            recorders=recorders,
            definitions=in_force,
            server_id=server_id,
            server_name=ground.name,
            clock=clock,
            environ=self._environ,
        )
        quick = QuickCalls(executor, clock)
        engine.employ(quick)
        fires = None
        if self._options.scheduler and not self._options.burst:
            server = ServerOf(self._who, host(), ground.name)
            fires = FireSchedule(engine, clock, server_id=server_id, server=server, expect=execution.expect)
        retention = RetentionThread(db, engine, Retention.of(ground.file), clock)

        def loaded(file: Jobfile) -> None:
            self._last_good = file
            retention.apply(Retention.of(file))

        return _Parts(
            server_id=server_id,
            in_force=in_force,
            engine=engine,
            executor=executor,
            quick=quick,
            recorders=recorders,
            execution=execution,
            fires=fires,
            retention=retention,
            reloader=Reloader(
                self._path,
                ground.file,
                since=self._read_at,
                clock=clock,
                server_id=server_id,
                engine=engine,
                in_force=in_force,
                fires=fires,
                execution=execution,
                loaded=loaded,
                wake=self._signals.wake,
            ),
        )

    def _consumer(self, ground: _Ground, parts: _Parts) -> RunConsumer:
        settings, clock, engine = ground.file.settings, self._clock, parts.engine
        rescuer = Rescuer(
            server_id=parts.server_id, lost_after=settings.lost_after, in_force=parts.in_force, clock=clock
        )
        feed = None
        if ground.broker is not None:
            feed = RedisFeed(ground.broker, engine, ground.db, monotonic=clock.monotonic)
        return RunConsumer(
            RunHuey(engine.crew.inbox, parts.executor.execute),
            db=ground.db,
            engine=engine,
            executor=parts.executor,
            quick=parts.quick,
            rescuer=rescuer,
            systemd=self._systemd,
            signals=self._signals,
            server_id=parts.server_id,
            workers=ground.workers,
            clock=clock,
            lost_after=settings.lost_after,
            drain_for=settings.shutdown_timeout,
            fires=parts.fires,
            begin=lambda: self._begin(parts, ground.file),
            tidy=parts.execution.tidy,
            reloader=parts.reloader,
            feed=feed,
        )

    def _stop(self, engine: Engine) -> bool:
        """Has the last records written, unless the store is away for too long. True: a person did not want to wait."""
        deadline = self._clock.monotonic() + STOP_SECONDS
        while not engine.stop(0.1) and self._clock.monotonic() < deadline:
            word = self._signals.wait(0)
            if word is not None and word is not signal.SIGHUP:
                return True
        return False

    def _queues(self, settings: Settings) -> tuple[str, ...]:
        for queue in self._options.queues:
            if queue not in settings.queues:
                raise UsageError(f"no queue {queue!r}", hint=f"there are {', '.join(settings.queues)}")
        return tuple(dict.fromkeys(self._options.queues)) or settings.queues

    def _register(self, ground: _Ground) -> int:
        pid = os.getpid()
        new = NewServer(
            name=ground.name,
            host=host(),
            identity=identity(pid),
            pid=pid,
            started_at=self._clock.now(),
            workers=ground.workers,
            queues=ground.queues,
            config_hash=ground.file.config_hash,
            version=__version__,
            wake=ground.bell.address if isinstance(ground.bell, Bell) else None,
            config_error=self._refused,
        )
        server_id = servers.register(ground.db, new, lost_after=ground.file.settings.lost_after)
        place = ground.launcher.place
        traces.leave(ground.db, server_id, mark=ground.launcher.mark, cgroup=place.folder, containment=place.words)
        return server_id

    def _begin(self, parts: _Parts, file: Jobfile) -> None:
        parts.recorders.start()
        parts.quick.start()
        parts.execution.prepare(file.jobs.values())
        parts.reloader.start()
        if not self._options.burst:
            parts.retention.start()


def _refuse_everybodys(path: Path | None) -> None:
    """Whoever can write the store can have anything run as this user, as with jobs.toml."""
    if path is not None and path.stat().st_mode & stat.S_IWOTH:
        raise Refused(f"everybody can write the store {path}, and so have jobs run", hint=f"chmod o-w {path}")
