"""Joins the rooms: from a configuration to use cases, or to a running server. The only place that constructs."""

from __future__ import annotations

import os
import pwd
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jobrunner import jobfile
from jobrunner.domain.clock import Clock, SystemClock
from jobrunner.domain.settings import Settings
from jobrunner.domain.state import Trigger
from jobrunner.errors import ConfigError, Problem
from jobrunner.queue.announce import Announcer
from jobrunner.store import PERSON_SECONDS, PROGRAM_SECONDS, open_store
from jobrunner.store.database import Database

if TYPE_CHECKING:
    from pathlib import Path

    from jobrunner.admin import Admin, Context
    from jobrunner.admin.editing import Editor
    from jobrunner.domain.finding import Finding
    from jobrunner.queue.redis import RedisQueues
    from jobrunner.server.options import ServerOptions


@contextmanager
def open_admin(
    config: str | os.PathLike[str] | None, *, source: Trigger = Trigger.MANUAL, warn: bool = True
) -> Iterator[Admin]:
    """The use cases on the configuration that is named or found; the store is opened when it is first needed.

    ``warn``: what is wrong in the rest of the file becomes a remark; a trigger, which is typed all day, does without.

    Raises:
        ConfigError: there is none, or its ``[jobrunner]`` is invalid.
    """
    admin = make_admin(config, source=source, warn=warn)
    try:
        yield admin
    finally:
        admin.close()


def make_admin(
    config: str | os.PathLike[str] | None, *, source: Trigger, warn: bool, clock: Clock | None = None
) -> Admin:
    """The same, to be kept as long as the process lives; ``clock`` in the place of the machine's."""
    from jobrunner.admin import Admin

    path = jobfile.locate(config, os.environ)
    settings, warnings = jobfile.read_settings(path) if warn else (jobfile.read_settings_alone(path), ())
    return Admin(_context(path, settings, warnings, source, clock or SystemClock()))


@contextmanager
def open_editor(config: str | os.PathLike[str] | None, *, clock: Clock | None = None) -> Iterator[Editor]:
    """Edits the configuration that is named or found, which may be broken; ``clock`` in the place of the machine's.

    Raises:
        ConfigError: there is none.
    """
    from jobrunner.admin.editing import Editor

    path = jobfile.locate(config, os.environ)
    opened: list[Context] = []
    clock = clock or SystemClock()

    def open_context() -> Context:
        if not opened:
            settings = jobfile.read_settings_alone(path)
            opened.append(_context(path, settings, (), Trigger.MANUAL, clock))
        return opened[0]

    try:
        yield Editor(path, open_context, clock)
    finally:
        for context in opened:
            context.close()


def diagnose(config: str | os.PathLike[str] | None) -> list[Finding]:
    """What ``doctor`` finds: also where there is no file, or none that can be used."""
    from jobrunner.admin import doctor
    from jobrunner.store import peek

    path, settings, problems = None, None, tuple[Problem, ...]()
    try:
        path = jobfile.locate(config, os.environ)
        settings = jobfile.read_settings_alone(path)
    except ConfigError as error:
        problems = error.problems

    def open_store() -> Database:
        assert settings is not None
        return peek(settings.store, durability=settings.durability)

    def open_broker(db: Database) -> RedisQueues | None:
        assert settings is not None
        return _broker(settings, db)

    return doctor.examine(
        doctor.Patient(
            path=path,
            settings=settings,
            problems=problems,
            open_store=open_store,
            open_broker=open_broker,
            clock=SystemClock(),
            host=socket.gethostname() or "localhost",
            environ=os.environ,
        )
    )


def run_server(config: str | os.PathLike[str] | None, options: ServerOptions) -> int:
    """Runs a server until it is told to stop; gives the exit status.

    Raises:
        ConfigError: the file is not valid.
        UsageError: it names a queue that does not exist.
        StoreUnavailable, Refused: the store cannot be used, or not from this host; or it was away at the end.
    """
    import logging

    from jobrunner.server import log
    from jobrunner.server.server import Server
    from jobrunner.server.signals import Signals
    from jobrunner.server.systemd import Systemd

    path = jobfile.locate(config, os.environ)
    log.configure(options.log_format, sys.stderr, logging.getLevelNamesMapping()[options.log_level.upper()])
    systemd, signals = Systemd.from_environment(os.environ), Signals()
    signals.listen()
    server = Server(
        path,
        options,
        broker=_broker,
        systemd=systemd,
        signals=signals,
        clock=SystemClock(),
        environ=os.environ,
        who=_user(),
    )
    while not server.run():
        pass  # it was declared lost, and starts over
    return 0


def _context(path: Path, settings: Settings, warnings: Sequence[str], source: Trigger, clock: Clock) -> Context:
    from jobrunner.admin import Actor, Context
    from jobrunner.admin.jobs import Jobs

    patience = PERSON_SECONDS if source is Trigger.MANUAL else PROGRAM_SECONDS
    return Context(
        settings=settings,
        jobs=Jobs(path, clock),
        open_store=lambda: open_store(settings.store, durability=settings.durability, patience=patience),
        announcer=lambda db: Announcer(db, _broker(settings, db)),
        actor=Actor(_user(), socket.gethostname() or "localhost"),
        clock=clock,
        trigger=source,
        warnings=warnings,
    )


def _broker(settings: Settings, db: Database) -> RedisQueues | None:
    if settings.broker is None:
        return None
    from jobrunner.queue.redis import RedisQueues
    from jobrunner.store.migrations import store_id

    return RedisQueues(settings.broker, namespace=store_id(db))


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
