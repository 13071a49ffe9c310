"""Servers, queues and runs: who does the work, whether all agree on what it is, and what is left lying."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from jobrunner import jobfile
from jobrunner.admin.doctor import processes
from jobrunner.admin.doctor.patient import Patient
from jobrunner.domain import health
from jobrunner.domain.duration import format_duration
from jobrunner.domain.finding import Finding, Severity, fault, note, ok, warning
from jobrunner.domain.queue import QueueStatus
from jobrunner.domain.server import Server, ServerState, configurations
from jobrunner.errors import ConfigError
from jobrunner.store import clocks, pauses, queues, servers
from jobrunner.store.database import Database
from jobrunner.store.runs import read

_LONG_WAIT = timedelta(hours=1)
_SKEW = 1.0


def look(patient: Patient, db: Database) -> list[Finding]:
    """What is wrong with those who work and with what they work on."""
    settings, now = patient.settings, patient.clock.now()
    assert settings is not None
    with db.snapshot():
        known = servers.find(db, now)
        statuses = queues.statuses(db, settings.queues, settings.queue_limits, now)
        scheduled = servers.have_schedules(db)
        left = servers.stranded(db, now - settings.lost_after)
        dead, held = read.dead_count(db), pauses.everything(db)
    there = health.heard(known, settings.lost_after)
    found = health.of_servers(known, scheduled=scheduled, lost_after=settings.lost_after)
    found += health.of_queues(statuses, known, settings.lost_after)
    found += [*_servers(known, there, db), *_same(patient, there), *_stranded(left), *_clocks(patient, db)]
    found += [*_waits(statuses, found), *processes.look(patient, db, there)]
    if dead:
        letters = "1 dead letter" if dead == 1 else f"{dead} dead letters"
        found.append(note("runs", letters, "see them: jobrunner runs --dead; then retry or discard them"))
    for pause in held:
        what = f"{pause.scope} {pause.name}".strip() if pause.name else "everything"
        since = pause.since.isoformat(" ", "minutes").removesuffix("+00:00")
        found.append(note("pauses", f"{what} is paused by {pause.who} since {since} UTC", "jobrunner resume ends it"))
    return found


def _servers(known: Sequence[Server], there: Sequence[Server], db: Database) -> Iterator[Finding]:
    if there:
        names = ", ".join(f"{server.name} ({server.busy}/{server.workers} busy)" for server in there[:4])
        more = f" and {len(there) - 4} more" if len(there) > 4 else ""
        yield ok("servers", f"{len(there)} live: {names}{more}")
    lost = [server for server in known if server.state is ServerState.LOST]
    if lost:
        names = ", ".join(dict.fromkeys(server.name for server in lost))
        yield note("servers", f"lost within a day: {names}", "see why: the system's log, memory; jobrunner servers")
    hosts = sorted({server.host for server in there})
    if db.dialect == "sqlite" and len(hosts) > 1:
        hint = "use a PostgreSQL store for several hosts"
        yield fault("servers", f"servers of several hosts share a SQLite store: {', '.join(hosts)}", hint)
    versions = sorted({server.version for server in there})
    if len(versions) > 1:
        yield warning("servers", f"they run different versions: {', '.join(versions)}", "update all to the newest")


def _same(patient: Patient, there: Sequence[Server]) -> Iterator[Finding]:
    """Whether all servers have the file that lies here."""
    assert patient.path is not None
    by_hash = {digest: [server.name for server in having] for digest, having in configurations(there).items()}
    if len(by_hash) > 1:
        groups = "; ".join(f"{', '.join(names)}: {digest}" for digest, names in by_hash.items())
        hint = "give all the same file, and have it loaded: jobrunner reload"
        yield warning("configuration", f"servers have different configurations in force ({groups})", hint)
    try:
        here = jobfile.read(patient.path).config_hash
    except ConfigError:
        return  # has been said
    others = [name for digest, names in by_hash.items() if digest != here for name in names]
    if others:
        detail = f"{', '.join(others)}: another configuration is in force than in this file ({here})"
        yield warning("configuration", detail, "have it loaded: jobrunner reload")


def _stranded(left: Sequence[tuple[int, str]]) -> Iterator[Finding]:
    if left:
        ids = ", ".join(str(run) for run, _ in left[:5]) + ("…" if len(left) > 5 else "")
        runs = "1 run is" if len(left) == 1 else f"{len(left)} runs are"
        names = ", ".join(dict.fromkeys(name for _, name in left))
        hint = "a living server gives them back within moments; start one if none runs"
        yield warning("runs", f"{runs} in the hands of a server that is gone ({names}): {ids}", hint)


def _clocks(patient: Patient, db: Database) -> Iterator[Finding]:
    own = clocks.ahead(db, patient.clock)
    known = {clock.host: clock.ahead for clock in clocks.of_servers(db)}
    if own is not None:
        known.setdefault(patient.host, own)
    for host, ahead in sorted(known.items()):
        if abs(ahead) > _SKEW:
            where = "ahead of" if ahead > 0 else "behind"
            hint = "keep it in step (NTP): what is due is judged by each host's own clock"
            yield warning("clock", f"the clock of {host} is {abs(ahead):.1f} s {where} the store's", hint)


def _waits(statuses: Sequence[QueueStatus], found: Sequence[Finding]) -> Iterator[Finding]:
    """Long queues, where nothing worse has been said of queues."""
    if any(finding.name in ("queues", "servers") and finding.status is Severity.FAULT for finding in found):
        return
    for queue in statuses:
        waited = timedelta(seconds=round(queue.oldest_wait or 0))
        if queue.queued and not queue.paused and waited > _LONG_WAIT:
            detail = f"{queue.queued} runs wait in queue {queue.name}, for up to {format_duration(waited)}"
            yield warning("queues", detail, "more workers, or another server, would take them sooner")
