"""One server: its parts put together, started in order, and taken down again. Called by wiring."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from jobrunner import jobfile
from jobrunner.domain.clock import Clock
from jobrunner.domain.jobfile import Jobfile
from jobrunner.domain.settings import Settings
from jobrunner.domain.state import Ready
from jobrunner.errors import ConfigError, UsageError
from jobrunner.execution import Execution, Launcher
from jobrunner.queue.announce import Announcer
from jobrunner.queue.bell import Bell
from jobrunner.queue.engine import Engine
from jobrunner.queue.redis import RedisFeed, RedisQueues
from jobrunner.queue.tasks import RunHuey
from jobrunner.server.consumer import RunConsumer
from jobrunner.server.definitions import Definitions
from jobrunner.server.executor import Executor
from jobrunner.server.identity import host, identity
from jobrunner.server.options import ServerOptions
from jobrunner.server.recorder import Recorders
from jobrunner.server.rescuer import Rescuer
from jobrunner.server.scheduler import FireSchedule
from jobrunner.server.systemd import Systemd
from jobrunner.store import definitions, open_store, servers
from jobrunner.store.database import Database
from jobrunner.store.servers import NewServer
from jobrunner.version import __version__

log = logging.getLogger("jobrunner.server")

BrokerMaker = Callable[[Settings, Database], RedisQueues | None]


@dataclass(frozen=True, slots=True)
class _Parts:
    engine: Engine
    executor: Executor
    recorders: Recorders
    execution: Execution
    fires: FireSchedule | None


class Server:
    """A server on the configuration at ``path``. ``run`` may be called once."""

    def __init__(
        self,
        path: Path,
        options: ServerOptions,
        *,
        broker: BrokerMaker,
        systemd: Systemd,
        clock: Clock,
        environ: Mapping[str, str],
    ) -> None:
        self._systemd = systemd
        self._path = path
        self._options = options
        self._make_broker = broker
        self._clock = clock
        self._environ = environ

    def run(self) -> bool:
        """Works until it is told to stop. False when it was declared dead by others and has to start over.

        Raises:
            ConfigError, UsageError, StoreUnavailable, Refused: it cannot start.
        """
        file = jobfile.read(self._path)
        for warning in file.warnings:
            log.warning("%s", warning)
        queues = self._queues(file.settings)
        with ExitStack() as stack:
            # The guard and the launcher come first: they must not inherit threads, connections or locks.
            launcher = Launcher.start()
            stack.callback(launcher.close)
            db = open_store(file.settings.store, durability=file.settings.durability)
            stack.callback(db.close)
            bell = Bell(db.path) if db.path is not None else None
            if bell is not None:
                stack.callback(bell.close)
            return self._serve(file, db, bell, launcher, queues)

    def _serve(
        self, file: Jobfile, db: Database, bell: Bell | None, launcher: Launcher, queues: tuple[str, ...]
    ) -> bool:
        settings, workers = file.settings, self._options.workers or file.settings.workers
        name = self._options.name or host()
        server_id = self._register(db, file, name, workers, queues, bell)
        in_force = Definitions(file, lambda number: definitions.body(db, number))
        broker = self._make_broker(settings, db)
        consumer: RunConsumer | None = None

        def idle() -> None:
            if consumer is not None:
                consumer.burst_done()

        engine = Engine(
            db,
            server_id=server_id,
            queues=queues,
            workers=workers,
            clock=self._clock,
            announcer=Announcer(db, broker, own=bell.address if bell is not None else None),
            bell=bell,
            named_only=broker is not None,
            on_cancel=lambda run, attempt, at_once: executor.stop(run, attempt, at_once),
            on_idle=idle if self._options.burst else None,
        )
        execution = Execution(launcher, self._clock)
        recorders = Recorders(engine, server_id, self._clock)
        executor = Executor(
            engine=engine,
            execution=execution,
            recorders=recorders,
            definitions=in_force,
            server_id=server_id,
            server_name=name,
            clock=self._clock,
            environ=self._environ,
        )
        fires = FireSchedule(engine, self._clock) if self._options.scheduler and not self._options.burst else None
        parts = _Parts(engine, executor, recorders, execution, fires)
        consumer = RunConsumer(
            RunHuey(engine.inbox, executor.execute),
            db=db,
            engine=engine,
            executor=executor,
            rescuer=Rescuer(server_id=server_id, lost_after=settings.lost_after, in_force=in_force, clock=self._clock),
            systemd=self._systemd,
            server_id=server_id,
            workers=workers,
            clock=self._clock,
            lost_after=settings.lost_after,
            drain_for=settings.shutdown_timeout,
            fires=fires,
            begin=lambda: self._begin(parts, file),
            tidy=execution.tidy,
            reload=lambda: self._reload(parts, in_force, server_id),
            feed=self._feed(db, broker, engine),
        )
        try:
            return consumer.run()
        finally:
            recorders.stop()
            execution.close()
            engine.stop()
            if broker is not None:
                broker.close()

    def _queues(self, settings: Settings) -> tuple[str, ...]:
        for queue in self._options.queues:
            if queue not in settings.queues:
                raise UsageError(f"no queue {queue!r}", hint=f"there are {', '.join(settings.queues)}")
        return tuple(dict.fromkeys(self._options.queues)) or settings.queues

    def _register(
        self, db: Database, file: Jobfile, name: str, workers: int, queues: tuple[str, ...], bell: Bell | None
    ) -> int:
        pid = os.getpid()
        new = NewServer(
            name=name,
            host=host(),
            identity=identity(pid),
            pid=pid,
            started_at=self._clock.now(),
            workers=workers,
            queues=queues,
            config_hash=file.config_hash,
            version=__version__,
            wake=bell.address if bell is not None else None,
        )
        return servers.register(db, new, lost_after=file.settings.lost_after)

    def _feed(self, db: Database, broker: RedisQueues | None, engine: Engine) -> RedisFeed | None:
        if broker is None:
            return None
        return RedisFeed(broker, engine, db, monotonic=self._clock.monotonic)

    def _begin(self, parts: _Parts, file: Jobfile) -> None:
        parts.recorders.start()
        parts.execution.prepare(file.jobs.values())
        if parts.fires is not None:
            parts.fires.apply(file)

    def _reload(self, parts: _Parts, in_force: Definitions, server_id: int) -> None:
        """All or nothing: a file that is not valid changes nothing, and the log says so."""
        try:
            file = jobfile.read(self._path)
        except ConfigError as error:
            log.error("the file is not valid; the last good one stays in force: %s", error.problems[0])
            return
        in_force.apply(file)
        if parts.fires is not None:
            parts.fires.apply(file)
        parts.execution.recycle()
        parts.engine.submit(lambda db: _note_config(db, server_id, file.config_hash))
        log.info("reloaded: %d jobs", len(file.jobs))


def _note_config(db: Database, server_id: int, config_hash: str) -> Sequence[Ready]:
    servers.set_config(db, server_id, config_hash)
    return ()
