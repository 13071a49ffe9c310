"""[jobrunner], [retention] and [queues.*] to Settings: zones, absolute URLs, all queues. Used by ``reader``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from jobrunner.domain.job import DEFAULT_QUEUES
from jobrunner.domain.settings import Settings
from jobrunner.jobfile import zones
from jobrunner.jobfile.keys import DEFAULT_RETENTION, JOBRUNNER, QUEUE, RETENTION
from jobrunner.jobfile.references import ReferenceFailed, resolve
from jobrunner.jobfile.shapes import INVALID, NAME_PATTERN
from jobrunner.jobfile.source import Source
from jobrunner.jobfile.tables import Named
from jobrunner.jobfile.words import meant, quoted

_QUEUES = Named(QUEUE, pattern=NAME_PATTERN, like="a queue")
_BROKERS = ("redis://", "rediss://", "unix://")
_POSTGRES = ("postgresql://", "postgres://")


def read_settings_of(
    main: Source, sources: Iterable[Source], *, path: str, environ: Mapping[str, str]
) -> Settings | None:
    """The settings of the file with its includes; None after noting faults in the sources."""
    sources = list(sources)
    before = sum(source.fault_count for source in sources)
    folder = os.path.dirname(os.path.abspath(path))
    found = JOBRUNNER.read(main.tree.get("jobrunner", {}), ("jobrunner",), main)
    kept = RETENTION.read(main.tree.get("retention", {}), ("retention",), main)
    limits = _queue_limits(sources)
    if found is INVALID or kept is INVALID:
        return None
    urls = {"store": _store(found, folder, main, environ), "broker": _broker(found, folder, main, environ)}
    queues = found.pop("queues", None) or _named_queues(sources)
    if "queues" in main.tree.get("jobrunner", {}):
        _check_queue_tables(sources, queues)
    if sum(source.fault_count for source in sources) > before:
        return None
    found.setdefault("timezone", None)
    found["timezone"] = found["timezone"] or zones.host_zone(environ)
    found.setdefault("workers", 2 * _cores())
    return Settings(
        **{**found, **urls},
        path=os.path.abspath(path),
        folder=folder,
        queues=queues,
        retention={**DEFAULT_RETENTION, **kept},
        queue_limits=limits,
    )


def _store(found: Mapping[str, Any], folder: str, main: Source, environ: Mapping[str, str]) -> str:
    at = ("jobrunner", "store")
    url = _resolved(found.get("store", "sqlite:///jobrunner.db"), folder, main, at, environ)
    if url is None or url.startswith(_POSTGRES):
        return (url or "").replace("postgres://", "postgresql://", 1)
    if not url.startswith("sqlite://"):
        main.fault(at, 'must begin with "sqlite:///" or "postgresql://"')
        return ""
    path = url.removeprefix("sqlite:///")
    if path == url or not path.strip("/") or path.endswith("/"):
        main.fault(at, 'must name a file: "sqlite:///jobrunner.db" beside this one, "sqlite:////srv/jobrunner.db"')
    elif path == ":memory:" or "?" in path or "\0" in path:
        main.fault(at, "must name a file on disk, without options")
    elif path.startswith("~"):
        main.fault(at, 'does not know "~"; write "sqlite:///${HOME}/..."')
    # In the URL a percent sign begins an escape; in the folder's own name it is none.
    return f"sqlite:///{os.path.normpath(os.path.join(folder.replace('%', '%25'), path))}"


def _broker(found: Mapping[str, Any], folder: str, main: Source, environ: Mapping[str, str]) -> str | None:
    if "broker" not in found:
        return None
    at = ("jobrunner", "broker")
    url = _resolved(found["broker"], folder, main, at, environ)
    if url is not None and not url.startswith(_BROKERS):
        main.fault(at, 'must be a Redis URL like "redis://localhost:6379/0"; leave it out for the store itself')
    return url


def _resolved(written: str, folder: str, main: Source, at: tuple[str, str], environ: Mapping[str, str]) -> str | None:
    try:
        return resolve(written, environ=environ, where=".".join(at), folder=folder)[0]
    except ReferenceFailed as error:
        main.fault_as(at, error.message, on_key=False)
        return None


def _queue_limits(sources: Iterable[Source]) -> dict[str, int]:
    limits: dict[str, int] = {}
    for source in sources:
        tables = _QUEUES.read(source.tree.get("queues", {}), ("queues",), source)
        if tables is not INVALID:
            limits.update({name: table["max_running"] for name, table in tables.items() if "max_running" in table})
    return limits


def _named_queues(sources: Iterable[Source]) -> tuple[str, ...]:
    """The default queues, then those that jobs name, then those that have a table of their own."""
    queues = dict.fromkeys(DEFAULT_QUEUES)
    for source in sources:
        defaults, jobs = source.tree.get("defaults"), source.tree.get("jobs")
        tables = [defaults, *(jobs.values() if isinstance(jobs, dict) else ())]
        for table in tables:
            queue = table.get("queue") if isinstance(table, dict) else None
            if isinstance(queue, str):
                queues[queue] = None
    for source in sources:
        own = source.tree.get("queues")
        queues.update(dict.fromkeys(own if isinstance(own, dict) else ()))
    return tuple(queues)


def _check_queue_tables(sources: Iterable[Source], queues: tuple[str, ...]) -> None:
    for source in sources:
        own = source.tree.get("queues")
        for name in own if isinstance(own, dict) else ():
            if name not in queues:
                message = f"there is no queue {quoted(name)} in [jobrunner] queues; {meant(name, queues)}"
                source.fault_as(("queues", name), message)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
