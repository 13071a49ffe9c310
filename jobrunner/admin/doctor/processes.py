"""The processes of this host: what servers may open, what keeps their attempts together, what dead ones have left."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from jobrunner.admin.doctor.patient import Patient
from jobrunner.domain.finding import Finding, fault, note, ok, warning
from jobrunner.domain.server import Server
from jobrunner.execution.leftovers import alive
from jobrunner.store import traces
from jobrunner.store.database import Database

_FILES_OF_SERVER = 100
_FILES_OF_WORKER = 10


def look(patient: Patient, db: Database, there: Sequence[Server]) -> list[Finding]:
    """What is wrong with processes; ``there`` are the servers that live and have said so lately."""
    return [*_open_files(patient, there), *_containments(db, there), *_orphans(patient, db, there)]


def _open_files(patient: Patient, there: Sequence[Server]) -> Iterator[Finding]:
    """Whether the servers of this host may open as many files as their workers need."""
    for server in there:
        if server.host != patient.host:
            continue
        may, needs = open_files(server.pid), _FILES_OF_SERVER + _FILES_OF_WORKER * server.workers
        if may is not None and may < needs:
            detail = f"server {server.name} may open {may} files, and {server.workers} workers need some {needs}"
            yield warning("limits", detail, f"ulimit -n {needs}, or LimitNOFILE={needs} in its unit")


def open_files(pid: int) -> int | None:
    """How many files a process may open; None where the host does not tell, or there is no limit."""
    try:
        text = Path(f"/proc/{pid}/limits").read_text()
    except OSError:
        return None
    found = re.search(r"^Max open files +(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else None


def _containments(db: Database, there: Sequence[Server]) -> Iterator[Finding]:
    """What keeps the processes of attempts together, of servers that live."""
    names = {server.name for server in there}
    by_words = dict[str, list[str]]()
    for name, words in traces.containments(db):
        if name in names:
            by_words.setdefault(words, []).append(name)
    for words, having in by_words.items():
        detail = f"{', '.join(having)}: {words}"
        if words.startswith("no cgroups"):
            yield note("processes", detail, "found by marks all the same; Delegate=yes in a unit gives a cgroup")
        else:
            yield ok("processes", detail)


def _orphans(patient: Patient, db: Database, there: Sequence[Server]) -> Iterator[Finding]:
    """Processes on this host of servers that are gone."""
    living = {server.id for server in there}
    for trace in traces.of_host(db, patient.host):
        # One that is there and silent is told of elsewhere.
        over = trace.server_id not in living and not _is_there(trace.pid)
        left = alive(trace.mark) if over else []
        if left:
            pids = ", ".join(map(str, left[:5])) + ("…" if len(left) > 5 else "")
            processes = "1 process" if len(left) == 1 else f"{len(left)} processes"
            detail = f"{processes} of server {trace.name} (pid {trace.pid}), which is gone: {pids}"
            yield fault("orphans", detail, "start a server on this host: it ends them before it runs anything")


def _is_there(pid: int) -> bool:
    import psutil

    return bool(psutil.pid_exists(pid))
