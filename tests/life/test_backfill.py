"""``backfill`` on the command line and on a server: what is created, in what order, and what is refused."""

import json
import os
from collections.abc import Callable

import pytest
from project import Project

JOBS = """
[jobrunner]
timezone = "Europe/Madrid"
workers = 4

[jobs.report]
command = "echo $JOBRUNNER_TRIGGER $JOBRUNNER_FIRE_TIME >> order"
schedule = ["0 2 * * *", "0 0,2 25 10 *"]
overlap = "allow"
unique = true
expires = "1s"
enabled = false
params.kind = { type = "string", default = "daily" }

[jobs.unscheduled]
command = "true"

[jobs.second]
command = "true"
schedule = "every 1s"
"""
WINDOW = ("--from", "2025-10-24", "--to", "2025-10-27 02:00")
FIRES = ["2025-10-24T00:00:00Z", "2025-10-24T22:00:00Z", "2025-10-25T00:00:00Z", "2025-10-26T00:00:00Z"]
"""Of two schedules, on the night of a clock change, without the last one: the window ends before it."""


def test_a_window_becomes_a_batch_that_runs_in_order(project: Callable[[str], Project]) -> None:
    where = project(JOBS)
    dry = where.call("backfill", "report", *WINDOW, "--dry-run")
    assert dry.status == 0
    assert dry.out.count("to create") == 4
    assert "2025-10-26 02:00:00 CEST" in dry.out
    assert "4 fire times: 4 to create" in dry.err
    assert where.json("runs") == []
    made = where.call("backfill", "report", *WINDOW)
    assert (made.status, made.out) == (0, "b1\n")
    assert "4 fire times: 4 created" in made.err
    assert "no server serves the queue" in made.err
    where.burst()
    lines = (where.folder / "order").read_text().split("\n")[:-1]
    assert lines == [f"backfill {at.replace('Z', '.000000Z')}" for at in FIRES]
    batch = where.show("b1")
    assert (batch["state"], batch["total"], batch["name"]) == ("succeeded", 4, "backfill of report")
    assert [run["params"] for run in where.json("runs")] == [{"kind": "daily"}] * 4
    (entry,) = where.json("audit")
    assert (entry["action"], entry["target"], entry["outcome"]) == ("backfill", "report", "done")
    assert entry["detail"].startswith("batch b1 of 4 runs from 2025-10-23T22:00:00+00:00")


def test_what_has_a_run_is_not_created_again(project: Callable[[str], Project]) -> None:
    where = project(JOBS)
    first = where.json("backfill", "report", "--from", "2025-10-25 00:00", "--to", "2025-10-26")
    assert (first["batch_id"], first["runs"], len(first["missing"]), first["answered"]) == ("b1", 2, 2, [])
    where.call("cancel", "1")
    answer = where.call("backfill", "report", *WINDOW, "--json")
    assert "4 fire times: 2 created, 2 with a run already (1 cancelled, 1 queued)" in answer.err
    whole = answer.json
    assert (whole["batch_id"], whole["runs"]) == ("b2", 2)
    assert [one["run_id"] for one in whole["answered"]] == [1, 2]
    assert [one["state"] for one in whole["answered"]] == ["cancelled", "queued"]
    assert whole["missing"] == [FIRES[0].replace("Z", ".000000Z"), FIRES[3].replace("Z", ".000000Z")]
    again = where.call("backfill", "report", *WINDOW)
    assert (again.status, again.out) == (0, "")
    assert "4 fire times: 0 to create, 4 with a run already" in again.err
    assert len(where.json("batches")) == 2
    dry = where.call("backfill", "report", *WINDOW, "--dry-run")
    assert [line.split()[3:] for line in dry.out.splitlines()[1:]] == [
        ["3", "waiting"], ["1", "cancelled"], ["2", "queued"], ["4", "waiting"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (("nope", *WINDOW), 3, "no job 'nope'"),
        (("unscheduled", *WINDOW), 2, "has no schedule; `jobrunner trigger`"),
        (("report", "--from", "2025-10-24", "--to", "2999-01-01"), 2, "ends in the future; what is to come fires"),
        (("report", "--from", "2025-10-24", "--to", "2025-10-24"), 2, "ends before it begins"),
        (("report", "--from", "2025-10-24"), 2, "missing option '--to'"),
        (("report", "--to", "now"), 2, "missing option '--from'"),
        (("report", "--from", "lately", "--to", "now"), 2, "--from: "),
        (("second", "--from", "2025-10-24", "--to", "now"), 2, "end before 2025-10-24T00:46:40+00:00: make it several"),
    ],
)
def test_refused(project: Callable[[str], Project], args: tuple[str, ...], status: int, words: str) -> None:
    where = project(JOBS)
    answer = where.call("backfill", *args)
    assert (answer.status, answer.out) == (status, "")
    assert words in answer.err
    assert where.call("audit", "--json").json == []


def test_as_many_as_are_allowed_and_a_window_of_none(project: Callable[[str], Project]) -> None:
    where = project(JOBS)
    answer = where.call("backfill", "second", "--from", "2025-10-24", "--to", "2025-10-24T00:46:40Z", "--json")
    assert answer.json["runs"] == 10_000
    none = where.call("backfill", "report", "--from", "2025-10-24 03:00", "--to", "2025-10-24 04:00")
    assert (none.status, none.out) == (0, "")
    assert "report has no fire time in this window" in none.err
    assert json.loads(where.call("show", "b1", "--json").out)["total"] == 10_000


def test_a_paused_job_is_backfilled_when_it_is_resumed(project: Callable[[str], Project]) -> None:
    where = project(JOBS)
    where.call("pause", "report")
    where.call("backfill", "report", *WINDOW)
    assert [run["state"] for run in where.json("runs")] == ["waiting"] * 4
    where.burst()
    assert not os.path.exists(where.folder / "order")
    where.call("resume", "report")
    where.burst()
    assert len((where.folder / "order").read_text().splitlines()) == 4
