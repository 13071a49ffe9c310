"""What counts as a change of the files, and that a file which is still being written does not."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobrunner.server.watch import FileWatch, Watched, settled, signature

PATIENCE = 60.0


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    folder = tmp_path / "jobs.d"
    folder.mkdir()
    (folder / "one.toml").write_text("# one\n")
    (tmp_path / "days.ics").write_text("# days\n")
    path = tmp_path / "jobs.toml"
    path.write_text("# main\n")
    return Watched(path, ("jobs.d/*.toml", "absent.toml"), (str(tmp_path / "days.ics"),))


def _touch_back(folder: Path) -> None:
    """Other words of the same length, by a program that keeps the time of modification."""
    path = folder / "jobs.toml"
    before = path.stat()
    path.write_text("# niam\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _next_tick(folder: Path) -> None:
    """Until the kernel notes another time than that of what is there: it counts by ticks."""
    latest = max(path.stat().st_ctime_ns for path in folder.rglob("*"))
    with tempfile.TemporaryFile(dir=folder) as file:
        while os.fstat(file.fileno()).st_ctime_ns <= latest:
            os.fchmod(file.fileno(), 0o600)


CHANGES: dict[str, Callable[[Path], object]] = {
    "written in place": lambda folder: (folder / "jobs.toml").write_text("# other words\n"),
    "replaced": lambda folder: (folder / "jobs.d" / "one.toml").rename(folder / "jobs.toml"),
    "with its old time": _touch_back,
    "removed": lambda folder: (folder / "jobs.toml").unlink(),
    "mode": lambda folder: (folder / "jobs.toml").chmod(0o666),
    "a new include": lambda folder: (folder / "jobs.d" / "two.toml").touch(),
    "an include gone": lambda folder: (folder / "jobs.d" / "one.toml").unlink(),
    "an include that was awaited": lambda folder: (folder / "absent.toml").touch(),
    "days of a calendar": lambda folder: (folder / "days.ics").write_text("# none\n"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_a_change(watched: Watched, name: str) -> None:
    before = signature(watched)
    assert signature(watched) == before
    _next_tick(watched.path.parent)
    CHANGES[name](watched.path.parent)
    assert signature(watched) != before


def test_what_is_none(watched: Watched) -> None:
    before = signature(watched)
    for name in (".jobs.toml.swp", "jobs.toml~", "jobs.d/notes.txt", "jobrunner.db-wal"):
        (watched.path.parent / name).write_text("x")
    (watched.path.parent / "jobs.d" / "more.toml").mkdir()
    assert signature(watched) == before


def test_the_folder_behind_a_symbolic_link_is_swapped(tmp_path: Path) -> None:
    """As Kubernetes puts a changed ConfigMap in place."""
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "jobs.toml").write_text("# same\n")
    (tmp_path / "data").symlink_to("1")
    (tmp_path / "jobs.toml").symlink_to("data/jobs.toml")
    watched = Watched(tmp_path / "jobs.toml")
    before = signature(watched)
    (tmp_path / "fresh").symlink_to("2")
    (tmp_path / "fresh").rename(tmp_path / "data")
    assert signature(watched) != before


class Noted:
    """A watch that notes what the main file held at each change."""

    def __init__(self, watched: Watched, since: datetime) -> None:
        self.path = watched.path
        self.held: list[str] = []
        self.told = threading.Event()
        self.watch = FileWatch(watched, self.changed, since=since)

    def changed(self) -> None:
        self.held.append(self.path.read_text())
        self.told.set()


@pytest.fixture
def watching(watched: Watched) -> Iterator[Noted]:
    noted = Noted(watched, datetime.now(UTC) + timedelta(days=1))
    noted.watch.start()
    yield noted
    noted.watch.stop()


def test_a_file_has_settled_when_it_is_whole(watched: Watched) -> None:
    pieces = ["", "[jobs.x]\n", "[jobs.x]\n", "", "# the end\n"]
    waits = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        if pieces:
            with watched.path.open("a") as file:
                file.write(pieces.pop(0) or "# slow\n")
        return False

    watched.path.write_text("")
    found = settled(watched, signature(watched), wait)
    assert not pieces
    assert len(waits) == 6
    assert found == signature(watched)


def test_an_emptied_file_is_about_to_be_written(watched: Watched) -> None:
    watched.path.write_text("")
    waits = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 4:
            watched.path.write_text("# anew\n")
        return False

    settled(watched, signature(watched), wait)
    assert len(waits) == 5


def test_a_file_that_never_settles_is_told_of_all_the_same(watched: Watched) -> None:
    watched.path.write_text("")
    waits = []
    settled(watched, signature(watched), lambda seconds: bool(waits.append(seconds)))  # type: ignore[func-returns-value]
    assert sum(waits) == 5.0
    assert settled(watched, (), lambda _: True) == ()


def test_a_change_is_told_once_it_has_settled(watching: Noted) -> None:
    watching.path.write_text("# other\n")
    assert watching.told.wait(PATIENCE)
    assert watching.held[-1] == "# other\n"


def test_what_was_written_while_the_file_was_read_is_told(watched: Watched) -> None:
    noted = Noted(watched, datetime.now(UTC))
    noted.watch.start()
    assert noted.told.wait(PATIENCE)
    noted.watch.stop()


def test_other_files_can_be_watched(watching: Noted) -> None:
    other = watching.path.parent / "other.toml"
    other.touch()
    watching.watch.watch(Watched(watching.path, ("other.toml",)))
    assert watching.told.wait(PATIENCE)
