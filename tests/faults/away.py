"""What a server needs goes away while it works: Redis, PostgreSQL, the lock or room of its file, the file itself."""

import resource
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from figures import Figures
from load import Load, load
from project import until
from services import PostgreSQL, Redis


def redis_killed(*, runs: int, times: int, on_postgresql: bool = False) -> Figures:
    """Redis killed, and started again empty."""
    redis = Redis()
    postgresql = PostgreSQL() if on_postgresql else None
    try:
        store = postgresql.new_store() if postgresql else ""
        with load(store, f"redis://127.0.0.1:{redis.port}/3") as work:

            def kill(_: int) -> None:
                redis.kill()
                says(work, "the broker", "cannot be reached")
                redis.start()
                says(work, "the broker is back")

            return _meanwhile(work, f"Redis killed, on {'PostgreSQL' if store else 'SQLite'}", runs, times, kill)
    finally:
        redis.close()
        if postgresql is not None:
            postgresql.close()


def postgresql_killed(postgresql: PostgreSQL, *, runs: int, times: int) -> Figures:
    """PostgreSQL ended at once, with all its connections, and started again."""
    with load(postgresql.new_store()) as work:

        def kill(_: int) -> None:
            postgresql.kill()
            says(work, "the store", "trying again")
            postgresql.start()
            says(work, "the store is back")

        return _meanwhile(work, "PostgreSQL restarted", runs, times, kill)


def store_held(*, runs: int, seconds: float) -> Figures:
    """Another process holds the lock of the file."""
    with load() as work:

        def hold(_: int) -> None:
            holder = sqlite3.connect(work.folder / "jobrunner.db", isolation_level=None, timeout=30)
            holder.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)  # the fault itself
            holder.close()

        return _meanwhile(work, f"store locked for {seconds:g} s", runs, 1, hold, servers=2)


def no_room(*, runs: int, times: int) -> Figures:
    """The server may not write a byte to any file: what a quota does."""
    with load() as work:

        def fill(_: int) -> None:
            (server,) = work.servers
            kept = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (0, kept[1]))
            says(work, "the store", "trying again")
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, kept)
            says(work, "the store is back")

        return _meanwhile(work, "no room for the store (quota)", runs, times, fill)


def disk_full(*, runs: int, times: int) -> Figures:
    """The disk of the store is full, for servers and for who triggers. Needs the right to mount."""
    with load() as work, _small_disk(work) as disk:

        def fill(_: int) -> None:
            with (disk / "filler").open("wb", buffering=0) as filler:
                _fill(filler.write)
            # What the file had room for already is still written.
            answer = until(lambda: (it := work.more(500)).status and it, "a full file")
            says(work, "the store", "trying again")
            assert (answer.status, answer.out) == (5, ""), answer
            assert "free some room" in answer.err, answer
            assert answer.err.count("\n") == 1, answer
            (disk / "filler").unlink()
            says(work, "the store is back")

        return _meanwhile(work, "disk full", runs, times, fill)


def can_mount() -> bool:
    """Whether ``disk_full`` can have a disk of its own."""
    place = Path("/mnt")
    done = subprocess.run(["mount", "-t", "tmpfs", "none", place], capture_output=True, check=False)
    if done.returncode == 0:
        subprocess.run(["umount", place], check=True)
    return done.returncode == 0


def file_away(*, runs: int, times: int) -> Figures:
    """The file is moved away, and put back."""
    with load() as work:
        store, elsewhere = work.folder / "jobrunner.db", work.folder / "elsewhere"

        def move(_: int) -> None:
            store.rename(elsewhere)
            says(work, "is gone", "put its file back")
            elsewhere.rename(store)
            says(work, "the store is back")

        return _meanwhile(work, "store file moved away", runs, times, move)


def file_damaged(*, runs: int) -> Figures:
    """The file is overwritten with garbage, and a copy of it put in its place."""
    with load() as work:
        store, copy = work.folder / "jobrunner.db", work.folder / "copy"

        def damage(_: int) -> None:
            _copy(store, copy)
            garbage = work.folder / "garbage"
            garbage.write_bytes(b"\xff" * 65536)
            _put(garbage, store)
            says(work, "the store", "trying again")
            answer = work.project.call("runs")
            assert (answer.status, answer.out, answer.err.count("\n")) == (5, "", 1), answer
            _put(copy, store)

        figures = _meanwhile(work, "store file damaged, copy put back", runs, 1, damage)
        # What was done after the copy is not in it, and is done again.
        return figures._replace(twice=0, again=0)


def says(work: Load, *words: str) -> None:
    """Waits until the server has said all these words, since the last time. There is one."""
    lines = work.servers[0].lines
    heard = work.heard

    def found() -> bool:
        return any(all(word in line for word in words) for line in lines[heard:])

    until(found, f"a line with {words}\n{work.said()}")
    work.heard = len(lines)


def _meanwhile(
    work: Load, fault: str, runs: int, times: int, inject: Callable[[int], None], servers: int = 1
) -> Figures:
    work.add(runs)
    work.serve(servers)
    for number in range(times):
        work.progress((number + 1) * runs // (times + 1))
        inject(number)
    work.finish()
    return work.figures(fault, times)


def _fill(write: Callable[[bytes], int]) -> None:
    try:
        while write(b"\0" * 4096):
            pass
    except OSError:
        pass


@contextmanager
def _small_disk(work: Load) -> Iterator[Path]:
    disk = work.folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", disk], check=True)
    try:
        work.move_store(disk)
        yield disk
    finally:
        work.close()
        subprocess.run(["umount", "-l", disk], check=True)


def _copy(store: Path, copy: Path) -> None:
    source, target = sqlite3.connect(store, timeout=30), sqlite3.connect(copy)
    with target:
        source.backup(target)
    source.close()
    target.close()


def _put(file: Path, store: Path) -> None:
    """As a careful person does: nothing of the old store's log may be read into the new one."""
    for name in ("-wal", "-shm"):
        Path(f"{store}{name}").unlink(missing_ok=True)
    file.replace(store)
