"""Several servers fire the same schedules, each by its own clock, with pauses of their own and restarts: once each."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from pending import Pending
from samples import NOW, at_once, serve
from turned import Turned

from jobrunner import jobfile
from jobrunner.domain.clock import to_micros
from jobrunner.domain.jobfile import Jobfile
from jobrunner.domain.server import ServerState
from jobrunner.domain.version import Origin
from jobrunner.server.scheduler import FireSchedule, ServerOf
from jobrunner.store import Database, servers

JOBS = """
[jobs.seconds]
command = "true"
schedule = "*/20 * * * * *"
overlap = "allow"
catchup = "all"

[jobs.latest]
command = "true"
schedule = ["every 30s", "* * * * *"]
overlap = "queue"

[jobs.none]
command = "true"
schedule = "every 1m"
catchup = "none"

[jobs.off]
command = "true"
schedule = "every 10s"
enabled = false
"""
MINUTES = 20


class Singly(Pending):
    """Commits each operation by itself: what an engine does again when two transactions waited for each other."""

    def commit(self) -> None:
        waiting, self.waiting = self.waiting, []
        for operation, committed in waiting:
            with self.db.transaction():
                operation(self.db)
            if committed is not None:
                committed()


def begin(db: Database, clock: Turned, name: str) -> tuple[Pending, FireSchedule]:
    engine = Singly(db)
    server = serve(db, name, started_at=clock.now())
    return engine, FireSchedule(
        engine, clock, server_id=server, server=ServerOf("ana", "web1", name), expect=lambda: None
    )  # type: ignore[arg-type]


def work(db: Database, file: Jobfile, number: int, met: threading.Barrier) -> None:
    """A server that looks now and then, is suspended, has its clock stepped back, and starts again."""
    random, clock, name = Random(number), Turned(), f"server{number}"
    engine, fires = begin(db, clock, name)
    fires.apply(file, Origin.START)
    engine.commit()
    met.wait(60)
    while clock.now() < NOW + timedelta(minutes=MINUTES):
        clock.turn(random.choice((0.5, 7, 20, 45, 90, 200)))
        if random.random() < 0.1:
            clock.step(-random.choice((30, 90)))
        while fires.tick() == 0.0 and engine.waiting:
            engine.commit()
        engine.commit()
        if random.random() < 0.1:
            with db.transaction():
                for (server,) in db.execute("SELECT id FROM servers WHERE name = ?", (name,)).fetchall():
                    servers.set_state(db, server, ServerState.STOPPED, clock.now())
            engine, fires = begin(db, clock, name)
            fires.apply(file, Origin.START)
            engine.commit()


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.faults) for seed in range(1, 20))])
def test_every_fire_has_one_answer(store_url: str, db: Database, tmp_path: Path, seed: int) -> None:
    path = tmp_path / "jobs.toml"
    path.write_text('[jobrunner]\ntimezone = "UTC"\n' + JOBS)
    path.chmod(0o600)
    file, count = jobfile.read(path), 3 if db.dialect == "postgresql" else 2
    met = threading.Barrier(count)
    at_once(store_url, count, lambda mine, number: work(mine, file, 10 * seed + number, met))
    for job, step in {"seconds": 20, "latest": 30, "none": 60, "off": 10}.items():
        due = [to_micros(NOW) + second * 1_000_000 for second in range(step, MINUTES * 60 + 1, step)]
        assert {at: answers(db, job, at) for at in due if answers(db, job, at) != 1} == {}, job


def answers(db: Database, job: str, at: int) -> int:
    """How many runs and decisions a fire has."""
    (runs,) = db.execute("SELECT count(*) FROM runs WHERE job = ? AND fire_time = ?", (job, at)).fetchone()
    sql = "SELECT count(*) FROM decisions WHERE job = ? AND first_fire <= ? AND last_fire >= ?"
    (decided,) = db.execute(sql, (job, at, at)).fetchone()
    return int(runs) + int(decided)
