"""Schedules on a real server: every fire time once, overlap, pauses, catching up after downtime."""

import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from project import Project, until

SECONDS = """
[jobs.cron]
command = "true"
schedule = "* * * * * *"
overlap = "allow"

[jobs.every]
python = "functions:fired"
schedule = "every 1s"

[jobs.both]
command = "true"
schedule = ["* * * * * *", "every 1s"]
overlap = "allow"

[jobs.disabled]
command = "true"
schedule = "* * * * * *"
enabled = false

[jobs.shadowed]
command = "true"
schedule = "* * * * * *"
shadow = true

[jobs.unscheduled]
command = "true"
"""

FUNCTIONS = """
from jobrunner import current_run

def fired():
    run = current_run()
    return [run.trigger, run.fire_time.isoformat()]
"""


def fires(where: Project, job: str) -> list[float]:
    """The fire times of a job's runs, oldest first, as seconds."""
    runs = where.json("runs", "--job", job, "--limit", "0")
    return sorted(datetime.fromisoformat(run["fire_time"]).timestamp() for run in runs)


def consecutive(times: list[float]) -> bool:
    return all(later - earlier == 1 for earlier, later in pairwise(times))


def test_every_second_fires_once_on_one_server_and_on_two(project: Callable[[str], Project]) -> None:
    where = project(SECONDS)
    (where.folder / "functions.py").write_text(FUNCTIONS)
    with where.server("--name", "a"), where.server("--name", "b"):
        until(lambda: len(where.json("runs", "--job", "every", "--state", "succeeded")) >= 3, "three fires")
    for job in ("cron", "every", "both"):
        times = fires(where, job)
        assert len(times) >= 3
        assert consecutive(times), times
        assert all(time == int(time) for time in times)
    for job in ("disabled", "shadowed", "unscheduled"):
        assert fires(where, job) == []
    run = where.json("runs", "--job", "every", "--state", "succeeded")[0]
    assert run["trigger"] == "schedule"
    trigger, fire_time = run["result"]
    assert trigger == "schedule"
    assert datetime.fromisoformat(fire_time) == datetime.fromisoformat(run["fire_time"])


def test_no_scheduler_and_burst_fire_nothing(project: Callable[[str], Project]) -> None:
    where = project(SECONDS)
    with where.server("--no-scheduler"):
        assert where.ended(where.trigger("unscheduled"))["state"] == "succeeded"
    where.burst()
    assert [run["job"] for run in where.json("runs")] == ["unscheduled"]


def test_what_overlap_does(project: Callable[[str], Project]) -> None:
    jobs = "".join(
        f"[jobs.{name}]\ncommand = 'cat gate'\nkill_grace = '0s'\nschedule = 'every 1s'\noverlap = '{name}'\n"
        for name in ("skip", "queue", "replace")
    )
    where = project(jobs)
    os.mkfifo(where.folder / "gate")
    with where.server("--workers", "8") as server:
        until(lambda: len(where.json("runs", "--job", "queue")) >= 4, "four fires")
        until(lambda: len(where.json("runs", "--job", "replace", "--state", "cancelled")) >= 2, "replaced runs")
        skip = where.json("runs", "--job", "skip")[::-1]
        assert [run["state"] for run in skip] == ["running", *["skipped"] * (len(skip) - 1)]
        assert f"run {skip[0]['id']} of this job was still active" in skip[1]["error"]
        queue = where.json("runs", "--job", "queue")[::-1]
        assert [run["state"] for run in queue] == ["running", *["waiting"] * (len(queue) - 1)]
        assert queue[1]["waiting_for"]["reason"] == "overlap"
        replace = where.json("runs", "--job", "replace")[::-1]
        assert {run["state"] for run in replace[:-2]} == {"cancelled"}
        for job in ("skip", "queue", "replace"):
            assert consecutive(fires(where, job)), job
        manual = where.trigger("skip")
        where.in_state(manual, "running")
        where.call("pause", "--all")
        for run in where.json("runs", "--state", "running", "--state", "waiting"):
            where.call("cancel", str(run["id"]), "--now")
        server.stop()


def test_a_queued_fire_starts_when_the_one_before_has_ended(project: Callable[[str], Project]) -> None:
    where = project("[jobs.a]\ncommand = 'cat gate >/dev/null'\nschedule = 'every 1s'\noverlap = 'queue'\n")
    gate = where.folder / "gate"
    os.mkfifo(gate)
    with where.server():
        until(lambda: len(where.json("runs")) >= 2, "two fires")
        first, second = where.json("runs", "--limit", "0")[::-1][:2]
        gate.write_text("go")
        assert where.ended(first["id"])["state"] == "succeeded"
        where.in_state(second["id"], "running")
        where.call("pause", "--all")
        for run in where.json("runs", "--state", "running", "--state", "waiting"):
            where.call("cancel", str(run["id"]), "--now")


def decisions(where: Project) -> list[tuple[str, str]]:
    """What was decided of each fire that has no run, and why."""
    with sqlite3.connect(where.folder / "jobrunner.db") as db:
        found = db.execute("SELECT decision, detail, fires FROM decisions ORDER BY first_fire").fetchall()
    db.close()
    return [(decision, detail) for decision, detail, fires in found for _ in range(fires)]


@pytest.mark.parametrize("what", [["a"], ["--all"]])
def test_a_paused_job_does_not_fire_and_a_decision_says_so(project: Callable[[str], Project], what: list[str]) -> None:
    where = project("[jobs.a]\ncommand = 'true'\nschedule = 'every 1s'\n")
    where.call("pause", *what, "--reason", "too loud")
    with where.server():
        until(lambda: len(decisions(where)) >= 2, "two decisions")
        assert where.json("runs") == []
        where.call("resume", *what)
        until(lambda: where.json("runs"), "a fire")
    kinds = {decision for decision, _ in decisions(where)}
    assert kinds == {"paused"}
    assert all("too loud" in detail for _, detail in decisions(where))
    assert all(run["trigger"] == "schedule" for run in where.json("runs"))


def test_a_pause_ends_by_itself(project: Callable[[str], Project]) -> None:
    where = project("[jobs.a]\ncommand = 'true'\n")
    where.call("pause", "a", "--for", "300ms")
    run = where.trigger("a")
    assert where.show(run)["state"] == "waiting"
    with where.server():
        assert where.ended(run)["state"] == "succeeded"
    assert where.show("a")["paused"] is False


def test_what_is_to_come_says_what_a_pause_keeps_from_firing(project: Callable[[str], Project]) -> None:
    where = project("[jobs.a]\ncommand = 'true'\nschedule = '@daily'\n")
    assert [fire["note"] for fire in where.json("next", "-n", "3")] == [None] * 3
    for what in (["a"], ["--all"]):
        where.call("pause", *what, "--for", "36h")
        assert [fire["note"] for fire in where.json("next", "-n", "3")] in (
            ["paused", None, None],
            ["paused"] * 2 + [None],
        )
        fires = where.json("next", "-n", "3")
        after_pause = next(fire["at"] for fire in fires if fire["note"] is None)
        assert where.show("a")["next_fire"] == after_pause
        where.call("resume", *what)
    where.call("pause", "a", "--for", "1h")
    where.call("pause", "--all")
    assert {fire["note"] for fire in where.json("next", "-n", "3")} == {"paused"}
    assert where.show("a")["next_fire"] is None


CATCHUP = """
[jobs.latest]
command = "true"
schedule = "every 10m"

[jobs.all]
command = "true"
schedule = "every 10m"
catchup = "all"

[jobs.none]
command = "true"
schedule = "every 10m"
catchup = "none"

[jobs.short]
command = "true"
schedule = "every 10m"
catchup = "all"
catchup_window = "20m"

[jobs.fresh]
command = "true"
schedule = "every 10m"
"""


def catchup() -> str:
    """Every ten minutes, and not within minutes of now: what is due while the test runs is no part of it."""
    minute = (datetime.now(UTC).minute + 5) % 10
    return CATCHUP.replace("every 10m", f"{minute}/10 * * * *")


def test_fires_missed_while_no_server_ran(project: Callable[[str], Project]) -> None:
    where = project(catchup())
    with where.server():
        pass
    hour_ago = "seen_until - 3600000000"
    with sqlite3.connect(where.folder / "jobrunner.db") as db:
        db.execute(f"UPDATE schedules SET seen_until = {hour_ago}, applied_at = {hour_ago} WHERE job <> 'fresh'")
    db.close()
    with where.server():
        until(lambda: len(where.json("runs", "--job", "all", "--state", "succeeded")) >= 5, "what is caught up")
    counts = {job: len(fires(where, job)) for job in ("latest", "all", "none", "short", "fresh")}
    assert counts["latest"] == 1
    assert counts["all"] in (5, 6)
    assert counts["none"] == counts["fresh"] == 0
    assert counts["short"] in (1, 2)
    assert {run["trigger"] for run in where.json("runs", "--job", "all")} == {"catchup"}
    starts = [run["started_at"] for run in sorted(where.json("runs", "--job", "all"), key=lambda run: run["fire_time"])]
    assert starts == sorted(starts)
    assert {decision for decision, _ in decisions(where)} == {"missed"}


def test_a_pause_is_not_caught_up(project: Callable[[str], Project]) -> None:
    where = project(catchup())
    with where.server():
        where.call("pause", "--all")
    hour_ago = "seen_until - 3600000000"
    with sqlite3.connect(where.folder / "jobrunner.db") as db:
        db.execute(f"UPDATE schedules SET seen_until = {hour_ago}, applied_at = {hour_ago}")
        db.execute("UPDATE pauses SET since = since - 7200000000")
    db.close()
    with where.server():
        until(lambda: len(decisions(where)) >= 5, "the decisions")
        where.call("resume", "--all")
        assert where.json("runs") == []
