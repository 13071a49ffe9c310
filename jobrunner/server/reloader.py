"""Reading the file again: when it has changed, or somebody asks. All of it is put in force, or nothing.

Called by the consumer, in the main thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from jobrunner import jobfile
from jobrunner.domain.clock import Clock
from jobrunner.domain.jobfile import Jobfile
from jobrunner.domain.state import Ready
from jobrunner.domain.version import Origin
from jobrunner.errors import ConfigError, StoreUnavailable
from jobrunner.execution import Execution
from jobrunner.queue.engine import Engine
from jobrunner.server.definitions import Definitions
from jobrunner.server.memory import made_for_good
from jobrunner.server.scheduler import FireSchedule
from jobrunner.server.watch import FileWatch, Watched
from jobrunner.store import reloads, servers
from jobrunner.store.database import Database

log = logging.getLogger("jobrunner.server")

NOT_VALID = "the file is not valid; the last good one stays in force: %s"


class Reloader:
    """The configuration in force on one server; ``file`` began to be read at ``since``.

    ``loaded`` is told of each one that is put in force, ``wake`` ends the wait of the thread that calls ``look``."""

    def __init__(
        self,
        path: Path,
        file: Jobfile,
        *,
        since: datetime,
        clock: Clock,
        server_id: int,
        engine: Engine,
        in_force: Definitions,
        fires: FireSchedule | None,
        execution: Execution,
        loaded: Callable[[Jobfile], None],
        wake: Callable[[], None],
    ) -> None:
        self._path = path
        self._file = file
        self._since = since
        self._clock = clock
        self._server_id = server_id
        self._engine = engine
        self._in_force = in_force
        self._fires = fires
        self._execution = execution
        self._loaded = loaded
        self._wake = wake
        self._stirred = threading.Event()
        self._request: int | None = None
        self._broken = False
        self._watch: FileWatch | None = None

    @made_for_good()
    def start(self) -> None:
        """Puts the first file in force, and watches it unless it says otherwise."""
        if self._fires is not None:
            self._fires.apply(self._file, Origin.START)
        self._keep_watch(self._file, self._since)

    def stop(self) -> None:
        if self._watch is not None:
            self._watch.stop()

    def wanted(self, db: Database) -> bool:
        """Whether the file has changed, or somebody has asked that it be read."""
        try:
            self._request = reloads.asked(db, self._server_id)
        except StoreUnavailable:
            self._request = None
        return self._request is not None or self._stirred.is_set()

    @made_for_good()
    def reload(self, *, forced: bool) -> None:
        """Reads the file again. One that is not valid changes nothing, and the log and the store say so.

        ``forced``: also one that means the same is put in force, for the code that Python jobs import.
        """
        request, self._request = self._request, None
        self._stirred.clear()
        since = self._clock.now()
        try:
            file = jobfile.read(self._path)
        except ConfigError as error:
            refused, self._broken = str(error.problems[0]), True
            log.error(NOT_VALID, refused)
            self._submit(lambda db: servers.set_config_error(db, self._server_id, refused), request)
            return
        if forced or request is not None or file.config_hash != self._file.config_hash:
            self._put_in_force(file, since)
        elif self._broken:
            log.info("the file is valid again, and means what is in force")
        self._broken = False
        self._submit(lambda db: servers.set_config(db, self._server_id, file.config_hash), request)

    def _put_in_force(self, file: Jobfile, since: datetime) -> None:
        self._file = file
        self._loaded(file)
        self._in_force.apply(file)
        if self._fires is not None:
            self._fires.apply(file, Origin.RELOAD)
        self._execution.recycle()
        self._keep_watch(file, since)
        log.info("reloaded: %d jobs", len(file.jobs))

    def _submit(self, note: Callable[[Database], None], request: int | None) -> None:
        def operation(db: Database) -> Sequence[Ready]:
            note(db)
            if request is not None:
                reloads.answered(db, self._server_id, request)
            return ()

        self._engine.submit(operation)

    def _keep_watch(self, file: Jobfile, since: datetime) -> None:
        settings = file.settings
        others = tuple(sorted({one.file for one in file.calendars.values() if one.file is not None}))
        watched = Watched(self._path, settings.include, others)
        if settings.reload != "auto":
            self.stop()
            self._watch = None
        elif self._watch is None:
            self._watch = FileWatch(watched, self._stir, since=since)
            self._watch.start()
        else:
            self._watch.watch(watched)

    def _stir(self) -> None:
        self._stirred.set()
        self._wake()
