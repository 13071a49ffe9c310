"""What became of every fire: a server that is killed, started again, paused, reloaded; then ``verify`` and ``why``."""

import os
import signal
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from project import Project, until

JOBS = """
[jobs.tick]
command = "true"
schedule = "every 2s"
overlap = "allow"
catchup = "none"

[jobs.long]
command = "cat gate"
schedule = "every 2s"
kill_grace = "0s"

[jobs.off]
command = "true"
schedule = "every 2s"
enabled = false
"""
PASSED = timedelta(minutes=3)
INSTANTS = {
    "runs": ("created_at", "run_after", "started_at", "finished_at", "fire_time"),
    "attempts": ("started_at", "finished_at"),
    "servers": ("started_at", "heartbeat_at", "ticked_at", "ended_at"),
    "past_pauses": ("since", "until"),
    "schedules": ("applied_at", "seen_until"),
    "decisions": ("first_fire", "last_fire", "decided_at"),
    "versions": ("applied_at", "replaced_at"),
}


def let_pass(where: Project, time: timedelta) -> None:
    """Makes the store look as if so much time had passed since it was written."""
    micros = time // timedelta(microseconds=1)
    with sqlite3.connect(where.folder / "jobrunner.db") as db:
        for table, columns in INSTANTS.items():
            db.execute(f"UPDATE {table} SET " + ", ".join(f"{column} = {column} - {micros}" for column in columns))
    db.close()


def checks(where: Project) -> dict[str, Any]:
    """What ``verify`` says, by job; whatever it ends with."""
    found = where.call("verify", "--json").json
    return {job["job"]: job for job in found["jobs"]}


def verdicts(where: Project, job: str, *ats: str) -> list[str]:
    return [where.json("why", job, "--at", at)["verdict"] for at in ats]


def of_kind(where: Project, job: str, state: str) -> str | None:
    """The fire time of some run in a state."""
    runs = where.json("runs", "--job", job, "--state", state)
    return str(runs[0]["fire_time"]) if runs else None


def unattended(where: Project) -> str | None:
    """The last fire of ``tick``, when nobody has looked at it."""
    fire = where.json("why", "tick")["fire"]
    return str(fire["at"]) if fire["verdict"] == "pending" else None


def earlier(at: str) -> str:
    return (datetime.fromisoformat(at) - PASSED).isoformat()


def test_every_fire_has_its_answer_whatever_happens(project: Callable[[str], Project]) -> None:
    where = project(JOBS)
    os.mkfifo(where.folder / "gate")
    with where.server("--name", "web1") as server:
        skipped = until(lambda: of_kind(where, "long", "skipped"), "a skipped fire")
        ran = until(lambda: of_kind(where, "tick", "succeeded"), "a fire that ran")
        where.call("pause", "tick", "--reason", "too loud")
        until(lambda: checks(where)["tick"]["decided"].get("paused"), "a paused fire")
        paused = where.json("why", "tick")["fire"]["at"]
        where.call("resume", "tick")
        server.kill()
    missed = until(lambda: unattended(where), "a fire that nobody looked at")
    assert checks(where)["tick"]["pending"]["fires"] > 0
    until(lambda: where.json("why", "tick")["because"][1]["code"] in ("pending", "no_server"), "why that is")

    let_pass(where, PASSED)
    ran, skipped, paused, missed = map(earlier, (ran, skipped, paused, missed))
    with where.server("--name", "web1") as server:
        until(lambda: checks(where)["tick"]["decided"].get("missed"), "missed fires")
        where.write(JOBS.replace('"every 2s"\noverlap', '"every 3s"\noverlap'))
        server.signal(signal.SIGHUP)
        until(lambda: where.json("why", "tick")["fire"]["version"] == 2, "the fire of another definition")
        found = until(lambda: (answer := where.call("verify", "--json")).status == 0 and answer.json, "a sound history")
        assert verdicts(where, "tick", ran, paused, missed) == ["succeeded", "paused", "missed"]
        assert verdicts(where, "long", skipped, missed) == ["skipped", "missed"]
        assert verdicts(where, "off", ran, missed) == ["disabled", "disabled"]
        reasons = {each["code"]: each for each in where.json("why", "tick", "--at", missed)["because"]}
        assert reasons["version"]["now"] == 2
        assert reasons["no_server"]["start"] < reasons["no_server"]["end"]
        assert {each["code"] for each in where.json("why", "tick", "--at", paused)["because"]} >= {"paused", "version"}
        where.call("pause", "--all")
        for run in where.json("runs", "--state", "running"):
            where.call("cancel", str(run["id"]), "--now")
    by_name = {job["job"]: job for job in found["jobs"]}
    assert found["sound"]
    assert by_name["long"]["skipped"] > 0
    assert set(by_name["tick"]["decided"]) == {"paused", "missed"}
    assert set(by_name["off"]["decided"]) == {"disabled"}
