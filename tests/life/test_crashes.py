"""Servers killed in the middle: their runs are taken over at once, nothing runs twice, nothing is lost."""

import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing

import psutil
import pytest
from project import PATIENCE, Project, Server, marked, until

from jobrunner.domain.ahead import MOST_AHEAD

JOBS = """
[jobrunner]
lost_after = "LOST_AFTER"

[jobs.gated]
command = "echo $$ >> started; cat gate >/dev/null"

[jobs.fatal]
command = "echo up; cat gate >/dev/null"
on_lost = "fail"

[jobs.twice]
command = "echo up; cat gate >/dev/null"
max_lost = 2

[jobs.note]
command = "echo $JOBRUNNER_RUN_ID >> done"

[jobs.once]
python = "functions:number"
params.n = { type = "int", required = true }
on_lost = "fail"

[jobs.number]
python = "functions:number"
params.n = { type = "int", required = true }
max_lost = 100
"""

FUNCTIONS = """
def number(n):
    with open("done", "a") as done:
        done.write(f"{n}\\\\n")
    return n
""".replace("\\\\", "\\")

Maker = Callable[[str], Project]


@pytest.fixture
def where(project: Maker) -> Project:
    """A store on which servers of this host are missed at once, for what the heartbeat is never needed."""
    made = project(JOBS.replace("LOST_AFTER", "1h"))
    (made.folder / "functions.py").write_text(FUNCTIONS)
    os.mkfifo(made.folder / "gate")
    return made


def test_another_server_takes_over_at_once(where: Project) -> None:
    with where.server("--name", "first") as first:
        run = where.trigger("gated")
        where.in_state(run, "running")
        with where.server("--name", "second", "--queue", "low", "--queue", "default") as second:
            first.kill()
            until(lambda: where.show(run)["attempt"] == 2, "the second attempt")
            line = second.said(lambda line: "is lost" in line.get("message", ""))
            assert line["level"] == "warning"
            assert "first" in line["message"]
            first.left_nothing()
            (where.folder / "gate").write_text("go")
            shown = where.ended(run)
    assert (shown["state"], shown["server"], shown["max_attempts"]) == ("succeeded", "second", 2)
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["lost", "succeeded"]
    assert shown["attempts"][0]["error"] == "server first died in the middle"
    assert [server["state"] for server in where.json("servers")] == ["lost", "stopped"]
    assert not list(where.folder.glob("*-wake*"))


def test_the_same_server_after_its_restart(where: Project) -> None:
    with where.server() as server:
        run = where.trigger("gated")
        where.in_state(run, "running")
        server.kill()
    with where.server():
        until(lambda: where.show(run)["attempt"] == 2, "the second attempt")
        (where.folder / "gate").write_text("go")
        assert where.ended(run)["state"] == "succeeded"


def test_what_must_not_be_repeated_fails_and_says_so(where: Project) -> None:
    with where.server("--name", "gone") as server:
        run = where.trigger("fatal", "--retries", "5")
        where.in_state(run, "running")
        server.kill()
    with where.server():
        shown = where.ended(run)
    assert (shown["state"], shown["attempt"], shown["error"]) == ("failed", 1, "server gone died in the middle")
    assert [run["id"] for run in where.json("runs", "--dead")] == [run]


def test_a_run_whose_servers_die_under_it_is_given_up(where: Project) -> None:
    run = where.trigger("twice")
    for attempt in (1, 2):
        with where.server() as server:
            until(lambda: where.show(run)["attempt"] == attempt and where.logs(run), "an attempt")  # noqa: B023
            server.kill()
    with where.server():
        shown = where.ended(run)
    assert (shown["state"], shown["attempt"]) == ("failed", 2)
    assert shown["error"].endswith("died in the middle, 2 times")


def test_a_frozen_server_finds_its_runs_elsewhere(project: Maker, new_url: str) -> None:
    where = project(JOBS.replace("LOST_AFTER", "1s").replace("[jobrunner]", f'[jobrunner]\nstore = "{new_url}"'))
    os.mkfifo(where.folder / "gate")
    with where.server("--name", "frozen") as frozen:
        run = where.trigger("gated")
        where.in_state(run, "running")
        with where.server("--name", "awake") as awake:
            _freeze(frozen, new_url)
            awake.said(lambda line: "is lost" in line.get("message", ""))
            until(lambda: where.show(run)["attempt"] == 2, "the second attempt")
            frozen.signal(signal.SIGCONT)
            frozen.said(lambda line: "declared lost" in line.get("message", ""))
            until(lambda: len([line for line in frozen.log() if line.get("message") == "ready"]) == 2, "a new start")
            (where.folder / "gate").write_text("go")
            shown = where.ended(run)
        states = {server["name"]: server["state"] for server in where.json("servers") if server["state"] != "lost"}
        assert states == {"awake": "stopped", "frozen": "running"}
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["lost", "succeeded"]
    assert (shown["server"], shown["state"]) == ("awake", "succeeded")


def _freeze(server: Server, url: str) -> None:
    """Stops it while it does not write: in the middle of that it would hold the lock of a SQLite file, and nobody could
    find it lost."""
    with ExitStack() as held:
        if url.startswith("sqlite:///"):
            file = held.enter_context(closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=PATIENCE)))
            file.execute("BEGIN IMMEDIATE")
        server.signal(signal.SIGSTOP)
        until(lambda: psutil.Process(server.pid).status() == psutil.STATUS_STOPPED, "its standstill")


def test_two_servers_never_run_a_run_twice(where: Project) -> None:
    items = "\n".join(map(str, range(300)))
    where.call("trigger", "number", "--each", "-", input=items)
    notes = [where.trigger("note") for _ in range(20)]
    servers = [where.start("--burst", "--name", name, "--workers", "4") for name in ("a", "b")]
    assert [server.wait() for server in servers] == [0, 0]
    assert where.show("b1")["succeeded"] == 300
    done = [int(line) for line in (where.folder / "done").read_text().split()]
    assert sorted(done) == sorted([*range(300), *notes])


@pytest.mark.parametrize("moment", range(3))
def test_a_kill_during_start_leaves_nothing_behind(where: Project, moment: int) -> None:
    run = where.trigger("note")
    server = where.start()
    if moment:
        until(lambda: len(marked(server.mark)) > moment, "its helpers")
    server.kill()
    server.left_nothing()
    where.burst()
    assert where.show(run)["state"] == "succeeded"


@pytest.mark.parametrize(("job", "most"), [("number", 2 + MOST_AHEAD), ("once", 2)])
def test_only_what_may_be_repeated_is_claimed_ahead_and_after_a_kill_it_is_done_all_the_same(
    where: Project, job: str, most: int
) -> None:
    count = 4000
    where.call("trigger", job, "--each", "-", input="\n".join(map(str, range(count))))
    done, running = where.folder / "done", list[int]()
    with where.server("--workers", "2") as server:
        until(lambda: done.exists() and done.stat().st_size > 200, "some runs")
        server.kill()
        running = [run["id"] for run in where.json("runs", "--state", "running", "--limit", "200")]
        assert where.show("b1")["state"] == "running", "it was killed in the middle"
    where.burst("--workers", "2")
    often = Counter(int(line) for line in done.read_text().split())
    assert len(running) <= most
    assert sum(times - 1 for times in often.values()) <= (len(running) if job == "number" else 0)
    batch = where.show("b1")
    if job == "number":
        assert (batch["succeeded"], len(often)) == (count, count)
    else:
        assert batch["succeeded"] == count - len(running)
        assert max(often.values()) == 1
