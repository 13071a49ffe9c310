"""Where things are kept: who may open the store's files, on which disk they are, and how full it is."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jobrunner.admin.disk import disk
from jobrunner.admin.doctor.patient import Patient
from jobrunner.domain.finding import Finding, fault, warning
from jobrunner.queue.bell import deserted
from jobrunner.store import file_of
from jobrunner.store.filesystem import network_filesystem


def look(patient: Patient) -> list[Finding]:
    """What is wrong with files, folders and disks."""
    assert patient.settings is not None
    file = file_of(patient.settings.store)
    found = list(_store_files(file)) if file is not None else []
    places = {"temporary files": Path(tempfile.gettempdir())}
    if file is not None:
        places = {"the store": file.parent, **places}
    return found + [finding for what, folder in places.items() if folder.exists() for finding in disk(what, folder)]


def _store_files(file: Path) -> Iterator[Finding]:
    kind = network_filesystem(file)
    if kind is not None:
        hint = "move it to a local disk, or use a PostgreSQL store: SQLite's locks do not hold there"
        yield fault("store", f"{file} is on a network file system ({kind})", hint)
    for path in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        yield from _private(path)
    yield from _folder(file.parent)
    left = deserted(file)
    if left:
        some = "1 wake-up socket" if len(left) == 1 else f"{len(left)} wake-up sockets"
        hint = "the next server that starts removes them"
        yield warning("orphans", f"{some} of servers that are gone beside the store: {left[0]}", hint)


def _private(path: Path) -> Iterator[Finding]:
    try:
        found = path.stat()
    except OSError:
        return
    if found.st_mode & stat.S_IWOTH:
        yield fault("files", f"everybody can write {path}, and so have jobs run", f"chmod go= {path}")
    elif found.st_mode & (stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH):
        who = "everybody" if found.st_mode & stat.S_IROTH else "its group"
        can = "write" if found.st_mode & stat.S_IWGRP and who != "everybody" else "read"
        hint = f"unless that is meant: chmod go= {path}"
        yield warning("files", f"{who} can {can} {path}, which holds output, results and secret parameters", hint)
    if found.st_uid not in (0, os.geteuid()) and os.geteuid() != 0:
        yield fault("files", f"{path} belongs to another user (id {found.st_uid})", "work as the user of the server")


def _folder(folder: Path) -> Iterator[Finding]:
    try:
        mode = folder.stat().st_mode
    except OSError as error:
        yield fault("files", f"the folder of the store, {folder}: {error.strerror}", "make it, or name another")
        return
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        hint = f"chmod o-w {folder}"
        yield fault("files", f"everybody can write {folder}, and so put another store in the place of this one", hint)
    if not os.access(folder, os.W_OK | os.X_OK):
        yield fault("files", f"you cannot write {folder}, where SQLite keeps its log", "work as the user of the server")
