"""The morning of docs/schedules.md: what happened since the evening before, as servers would have written it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import libfaketime

from jobrunner import jobfile
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.queue import Pause
from jobrunner.domain.request import new_run
from jobrunner.domain.server import ServerState
from jobrunner.domain.state import Outcome, RunState, Trigger
from jobrunner.domain.version import Applied, Origin
from jobrunner.store import Database, decisions, open_store, pauses, schedules, servers, versions
from jobrunner.store.runs import add, claim, finish
from jobrunner.store.servers import NewServer
from jobrunner.store.versions import Content

MADRID = ZoneInfo("Europe/Madrid")
MORNING = datetime(2026, 10, 27, 9, 3, tzinfo=MADRID)
"""When somebody asks."""


def clock(text: str) -> datetime:
    """An instant of that day, in Madrid."""
    hour, minute = map(int, text.split(":"))
    return MORNING.replace(hour=hour, minute=minute).astimezone(UTC)


def environment() -> dict[str, str]:
    """What makes a program believe that it is that morning."""
    library = Path(libfaketime.__file__).parent / "vendor/libfaketime/src/libfaketime.so.1"
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{MORNING:%Y-%m-%d %H:%M:%S}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": "Europe/Madrid",
    }


def tell(folder: Path) -> None:
    """Writes the store of the jobs.toml in a folder."""
    db = open_store(f"sqlite:///{folder / 'jobrunner.db'}", durability="normal")
    try:
        _Night(db, folder).tell()
    finally:
        db.close()


def edit(folder: Path, *texts: str) -> None:
    """Puts the jobs of one text after the other in force, a day each until that morning, as a server would have."""
    db = open_store(f"sqlite:///{folder / 'jobrunner.db'}", durability="normal")
    try:
        at = clock("9:00") - timedelta(days=len(texts))
        for place, text in enumerate(texts):
            file = jobfile.read(folder / "jobs.toml", {str(folder / "jobs.toml"): text})
            contents = {name: Content(job.definition) for name, job in file.jobs.items()}
            who, origin = ("ana", Origin.EDIT) if place else ("shop", Origin.START)
            versions.apply(db, contents, Applied(who, "web1", "web1", origin), at + timedelta(days=place))
    finally:
        db.close()


class _Night:
    """A server that was killed at 1:41 and started again at 3:15, a pause from six to seven, a run that takes long."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.db = db
        self.file = jobfile.read(folder / "jobs.toml")

    def tell(self) -> None:
        begin = clock("0:00") - timedelta(days=3)
        contents = {name: Content(job.definition) for name, job in self.file.jobs.items()}
        versions.apply(self.db, contents, Applied("shop", "web1", "web1", Origin.START), begin)
        schedules.apply(self.db, dict.fromkeys(contents, 1), begin)
        self._serve(begin, clock("1:41"), ends=True)
        server = self._serve(clock("3:15"), MORNING.astimezone(UTC), ends=False)
        pauses.pause(self.db, Pause(scope="all", name="", who="ana", since=clock("6:00"), until=None, reason="moving"))
        pauses.resume(self.db, "all", "", clock("7:00"))
        self._backup()
        self._etl(server)
        full = Pause(scope="job", name="backup", who="ben", since=clock("8:45"), until=None, reason="the disk is full")
        pauses.pause(self.db, full)
        self.db.execute("UPDATE schedules SET seen_until = ?", (round(MORNING.timestamp()) * 1_000_000,))

    def _serve(self, start: datetime, end: datetime, *, ends: bool) -> int:
        new = NewServer(
            name="web1",
            host="web1",
            identity=f"boot/{start}",
            pid=4711,
            started_at=start,
            workers=4,
            queues=self.file.settings.queues,
            config_hash=self.file.config_hash,
            version="0.1.0",
            wake=None,
        )
        number = servers.register(self.db, new, lost_after=timedelta(seconds=30))
        servers.heartbeat(self.db, number, busy=1, now=end, ticked=end)
        servers.set_state(self.db, number, ServerState.LOST if ends else ServerState.RUNNING, end)
        return number

    def _backup(self) -> None:
        for days in (2, 1):
            at = clock("2:00") - timedelta(days=days)
            self._run("backup", 1, at, at, timedelta(minutes=41))
        self._decide("backup", clock("2:00"), 1, Why.MISSED, 'no server ran; catchup is "none"')

    def _etl(self, server: int) -> None:
        at = clock("9:00") - timedelta(days=1)
        while at < MORNING:
            if clock("1:41") < at < clock("3:15") or clock("6:00") <= at < clock("7:00"):
                pass  # a decision says why
            elif at in (clock("8:20"), clock("8:30")):
                self._skip(at)
            else:
                long = timedelta(minutes=25) if at == clock("8:10") else timedelta(minutes=4)
                self._run("etl", server, at, at, long)
            at += timedelta(minutes=10)
        gap = "no server ran; only the latest is caught up"
        self._decide("etl", clock("1:50"), 8, Why.MISSED, gap)
        self._run("etl", server, clock("3:10"), clock("3:15"), timedelta(minutes=4), Trigger.CATCHUP)
        self._decide("etl", clock("6:00"), 6, Why.PAUSED, "all paused by ana")

    def _decide(self, job: str, first: datetime, fires: int, why: Why, detail: str) -> None:
        last = first + timedelta(minutes=10) * (fires - 1)
        decisions.write(self.db, Decision(job, first, last, fires, why, detail, last), 1, mark=None)

    def _run(
        self,
        job: str,
        server: int,
        fire: datetime,
        start: datetime,
        takes: timedelta,
        trigger: Trigger = Trigger.SCHEDULE,
    ) -> int:
        new = new_run(self.file.jobs[job], params={}, secret_params={}, trigger=trigger, now=fire, fire_time=fire)
        run = add.add(self.db, new).id
        (claimed,) = claim.claim_named(self.db, server_id=server, wanted=[(run, 0)], now=start)
        if start + takes < MORNING:
            finish.finish(
                self.db,
                finish.Ending(
                    run_id=run,
                    job=job,
                    attempt=claimed.attempt,
                    server_id=server,
                    outcome=Outcome.SUCCEEDED,
                    state=RunState.SUCCEEDED,
                    at=start + takes,
                    exit_code=0,
                ),
            )
        return run

    def _skip(self, at: datetime) -> None:
        new = new_run(
            self.file.jobs["etl"], params={}, secret_params={}, trigger=Trigger.SCHEDULE, now=at, fire_time=at
        )
        run = add.add(self.db, new).id
        (active,) = self.db.execute("SELECT max(id) FROM runs WHERE job = 'etl' AND id < ?", (run,)).fetchone()
        sql = "UPDATE runs SET state = 'skipped', finished_at = ?, error = ? WHERE id = ?"
        error = f"run {active} of this job was still active"
        self.db.execute(sql, (round(at.timestamp()) * 1_000_000, error, run))
