"""A server whose clock is put an hour on, and back."""

import time
from pathlib import Path

import libfaketime
from figures import Figures
from load import load
from project import until

from jobrunner.store import open_store

JOBS = """
[jobs.tick]
command = "sh notes.sh $JOBRUNNER_RUN_ID $JOBRUNNER_ATTEMPT"
schedule = "every 10m"
overlap = "queue"  # within a minute after a multiple of ten the last fire is on time, and the others run
catchup = "all"
catchup_window = "3h"
"""

_HOUR_OF_FIRES = 6


def stepped(times: int) -> Figures:
    """The clock goes an hour on and an hour back, so often: what the hour held fires once, and only the first time."""
    with load(lost_after="1s") as work:
        project, told = work.project, work.folder / "clock"
        project.write(project.file.read_text() + JOBS)
        told.write_text("+0")
        environ = {
            "LD_PRELOAD": str(Path(libfaketime.__file__).parent / "vendor/libfaketime/src/libfaketime.so.1"),
            "FAKETIME_TIMESTAMP_FILE": str(told),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        with project.server("--name", "stepped", **environ) as server:
            for _ in range(times):
                for word in ("+3600", "+0"):
                    told.write_text(word)
                    _beats(work.url, ahead=word != "+0")
                    until(lambda: _fired(work.url) >= _HOUR_OF_FIRES, "the fires of an hour")
            server.stop()
        fired = _fired(work.url)
        figures = work.figures("clock an hour on, and back", 2 * times)
        # One more when a real multiple of ten minutes went by.
        wrong = () if fired in (_HOUR_OF_FIRES, _HOUR_OF_FIRES + 1) else (f"{fired} fires",)
        return figures._replace(wrong=figures.wrong + wrong)


def _beats(url: str, *, ahead: bool) -> None:
    """Waits for three heartbeats by the clock as it now is."""
    for _ in range(3):
        before = _heartbeat(url)
        until(lambda: _heartbeat(url) > before, "a heartbeat")  # noqa: B023
    until(lambda: _ahead(url) == ahead, "a heartbeat by the new time")


def _heartbeat(url: str) -> int:
    return _one(url, "SELECT heartbeat FROM servers")


def _ahead(url: str) -> bool:
    return _one(url, "SELECT heartbeat_at FROM servers") / 1e6 > time.time() + 1800


def _fired(url: str) -> int:
    return _one(url, "SELECT count(DISTINCT fire_time) FROM runs WHERE state = 'succeeded'")


def _one(url: str, sql: str) -> int:
    db = open_store(url)
    try:
        return int(db.execute(sql).fetchone()[0])
    finally:
        db.close()
