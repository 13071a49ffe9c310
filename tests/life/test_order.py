"""Which run is next: queues in the server's order, then priority, due time and id; what holds runs back; bursts."""

from collections.abc import Callable

import pytest
from project import Project

JOBS = """
[jobs.note]
command = "echo $JOBRUNNER_RUN_ID >> order"

[jobs.urgent]
command = "echo $JOBRUNNER_RUN_ID >> order"
queue = "critical"
priority = 5

[jobs.retried]
command = "test $JOBRUNNER_ATTEMPT -ge 2"
retry_delays = ["1h"]

[jobs.fails]
command = "exit 1"

[jobs.one]
command = "test $JOBRUNNER_PARAM_N -lt 3"
params.n = { type = "int" }

[jobs.sum]
command = "echo '[]' > $JOBRUNNER_RESULT_FILE"

[jobs.told]
command = "printf '%s' \\"$JOBRUNNER_PARENT_RESULTS/$JOBRUNNER_TRIGGER/$JOBRUNNER_PARAM_N\\""
params.n = { type = "int" }

[jobs.once]
command = "true"
unique = true
params.n = { default = "1" }

[jobs.once_an_hour]
command = "true"
unique = { by = "params", for = "1h" }
"""


@pytest.fixture
def jobs(project: Callable[[str], Project]) -> Project:
    return project(JOBS)


def order(jobs: Project) -> list[int]:
    return [int(line) for line in (jobs.folder / "order").read_text().split()]


def test_queues_then_priority_then_due_time_then_id(jobs: Project) -> None:
    low = jobs.trigger("note", "--queue", "low", "--priority", "100")
    plain = jobs.trigger("note")
    later = jobs.trigger("note", "--at", "2026-01-02")
    earlier = jobs.trigger("note", "--at", "2026-01-01")
    higher = jobs.trigger("note", "--priority", "1")
    lower = jobs.trigger("note", "--priority", "-1")
    critical = jobs.trigger("urgent", "--priority", "0")
    first = jobs.trigger("urgent")
    jobs.burst("--workers", "1")
    assert order(jobs) == [first, critical, higher, earlier, later, plain, lower, low]


def test_the_server_says_which_queues_and_in_which_order(jobs: Project) -> None:
    runs = {queue: jobs.trigger("note", "--queue", queue) for queue in ("critical", "default", "low")}
    jobs.burst("--workers", "1", "--queue", "low", "--queue", "default")
    assert order(jobs) == [runs["low"], runs["default"]]
    assert jobs.show(runs["critical"])["state"] == "queued"


def test_a_burst_waits_for_nothing_and_ends_with_0(jobs: Project) -> None:
    failed = jobs.trigger("fails")
    later = jobs.trigger("note", "--delay", "1h")
    due = jobs.trigger("note", "--at", "2026-01-01")
    retried = jobs.trigger("retried")
    parent = jobs.trigger("note")
    child = jobs.trigger("note", "--after", str(parent))
    grandchild = jobs.trigger("note", "--after", str(child))
    held = jobs.trigger("note", "--after", str(later))
    jobs.burst()
    runs = (failed, later, due, retried, parent, child, grandchild, held)
    assert [jobs.show(run)["state"] for run in runs] == [
        "failed",
        "scheduled",
        "succeeded",
        "retrying",
        "succeeded",
        "succeeded",
        "succeeded",
        "waiting",
    ]


def test_a_burst_of_nothing(jobs: Project) -> None:
    jobs.burst()
    assert jobs.json("runs") == []


def test_a_paused_job_waits_and_a_paused_queue_stays_queued(jobs: Project) -> None:
    before = jobs.trigger("note")
    jobs.call("pause", "note", "--reason", "why not")
    after = jobs.trigger("note")
    jobs.call("pause", "--queue", "critical")
    queued = jobs.trigger("urgent")
    jobs.burst()
    for run in (before, after):
        shown = jobs.show(run)
        assert (shown["state"], shown["waiting_for"]["reason"]) == ("waiting", "paused")
        assert "why not" in shown["waiting_for"]["detail"]
    assert jobs.show(queued)["state"] == "queued"
    jobs.call("resume", "note")
    jobs.call("resume", "--queue", "critical")
    jobs.call("pause", "--all")
    jobs.burst()
    assert {jobs.show(run)["state"] for run in (before, after, queued)} == {"queued"}
    jobs.call("resume", "--all")
    jobs.burst("--workers", "1")
    assert order(jobs) == [queued, before, after]


def test_a_resumed_server_starts_what_waited(jobs: Project) -> None:
    with jobs.server():
        jobs.call("pause", "--queue", "default")
        run = jobs.trigger("note")
        jobs.call("pause", "note")
        held = jobs.trigger("note")
        jobs.call("resume", "--queue", "default")
        assert jobs.show(held)["state"] == "waiting"
        jobs.call("resume", "note")
        assert {jobs.ended(each)["state"] for each in (run, held)} == {"succeeded"}


def test_a_continuation_sees_its_parent(jobs: Project) -> None:
    parent = jobs.trigger("sum")
    model = jobs.trigger("one", "-p", "n=2")
    child = jobs.trigger("told", "--after", str(parent), "--after", str(model))
    jobs.burst()
    assert jobs.show(child)["parent_ids"] == [parent, model]
    assert jobs.logs(child) == '{"sum":[],"one":null}/manual/2'


def test_a_child_of_a_failure_is_skipped_until_the_parent_is_retried(jobs: Project) -> None:
    parent = jobs.trigger("one", "-p", "n=3")
    child = jobs.trigger("note", "--after", str(parent))
    grandchild = jobs.trigger("note", "--after", str(child))
    jobs.burst()
    assert [jobs.show(run)["state"] for run in (parent, child, grandchild)] == ["failed", "skipped", "skipped"]
    jobs.write(JOBS.replace("-lt 3", "-lt 4"))
    assert jobs.call("retry", str(parent)).status == 0
    assert jobs.show(child)["state"] == "waiting"
    jobs.burst()
    assert [jobs.show(run)["state"] for run in (parent, child, grandchild)] == ["succeeded"] * 3


def test_a_batch_and_its_continuations(jobs: Project) -> None:
    answer = jobs.json(
        "trigger", "one", "--each", "-", "--then", "sum", "--then-on-failure", "note", input='1\n\n{"n": 2}\n3\n'
    )
    assert answer == {"batch_id": "b1", "runs": 3}
    assert jobs.show("b1")["state"] == "running"
    jobs.burst()
    batch = jobs.show("b1")
    assert (batch["state"], batch["succeeded"], batch["failed"], batch["total"]) == ("failed", 2, 1, 3)
    (noted,) = jobs.json("runs", "--job", "note")
    assert (noted["state"], noted["trigger"]) == ("succeeded", "after")
    assert jobs.json("runs", "--job", "sum")[0]["state"] == "skipped"
    jobs.write(JOBS.replace("-lt 3", "-lt 4"))
    assert [run["params"] for run in jobs.json("retry", "b1")] == [{"n": 3}]
    jobs.burst()
    assert jobs.show("b1")["state"] == "succeeded"
    assert [run["state"] for run in jobs.json("runs", "--job", "sum")] == ["succeeded"]
    assert len(jobs.json("runs", "--job", "note")) == 1


def test_unique_runs(jobs: Project) -> None:
    first = jobs.json("trigger", "once")
    again = jobs.json("trigger", "once")
    assert (again["id"], again["existing"]) == (first["id"], True)
    assert "existing" not in first
    other = jobs.json("trigger", "once", "-p", "n=2")
    assert other["id"] != first["id"]
    windowed = jobs.trigger("once_an_hour")
    jobs.burst()
    assert jobs.trigger("once") not in (first["id"], other["id"])
    assert jobs.trigger("once_an_hour") == windowed


def test_a_retry_that_would_break_uniqueness_is_refused(jobs: Project) -> None:
    cancelled = jobs.trigger("once")
    jobs.call("cancel", str(cancelled))
    holder = jobs.trigger("once")
    answer = jobs.call("retry", str(cancelled))
    assert answer.status == 6
    assert f"run {holder}" in answer.err


def test_a_batch_after_a_run(jobs: Project) -> None:
    parent = jobs.trigger("one", "-p", "n=2")
    jobs.call("trigger", "note", "--each", "-", "--after", str(parent), "--then", "sum", input="{}\n{}\n")
    members = [run["id"] for run in jobs.json("runs", "--job", "note")]
    assert {jobs.show(run)["state"] for run in members} == {"waiting"}
    assert [jobs.show(run)["parent_ids"] for run in members] == [[parent], [parent]]
    jobs.burst()
    assert jobs.show("b1")["succeeded"] == 2
    assert [run["state"] for run in jobs.json("runs", "--job", "sum")] == ["succeeded"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_batch_after_a_run_that_fails(jobs: Project, when: str) -> None:
    parent = jobs.trigger("one", "-p", "n=3")
    if when == "after":
        jobs.burst()
    options = ["--after", str(parent), "--then", "sum", "--then-on-failure", "told"]
    jobs.call("trigger", "note", "--each", "-", *options, input="{}\n{}\n")
    jobs.burst()
    batch = jobs.show("b1")
    assert (batch["state"], batch["other"]) == ("failed", 2)
    assert batch["finished_at"]
    assert jobs.json("runs", "--job", "sum")[0]["state"] == "skipped"
    assert jobs.json("runs", "--job", "told")[0]["state"] == "succeeded"
    jobs.write(JOBS.replace("-lt 3", "-lt 4"))
    jobs.call("retry", str(parent))
    assert jobs.show("b1")["state"] == "running"
    jobs.burst()
    assert jobs.show("b1")["state"] == "succeeded"
    assert jobs.json("runs", "--job", "sum")[0]["state"] == "succeeded"
