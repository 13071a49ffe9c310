"""A store that goes away under a running server: it says so, hears signals, loses nothing, and comes back by itself."""

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from project import Project, Server, until

JOBS = """
[jobrunner]
shutdown_timeout = "50ms"

[jobs.gated]
command = "echo up; cat gate >/dev/null; echo through"

[jobs.waits]
command = "echo up; until [ -e opened ]; do sleep 0.05; done"

[jobs.hello]
command = "echo hello"
"""


@pytest.fixture
def where(project: Callable[[str], Project]) -> Project:
    return project(JOBS)


@contextmanager
def held(where: Project) -> Iterator[sqlite3.Connection]:
    """Somebody else writes to the store for a long time."""
    holder = sqlite3.connect(where.folder / "jobrunner.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield holder
    finally:
        holder.close()


def complaint(server: Server, words: str) -> None:
    server.said(lambda line: words in line.get("message", ""))


def sockets(where: Project) -> list[Path]:
    return list(where.folder.glob("jobrunner.db-wake.*"))


def test_a_server_whose_store_is_held_ends_all_the_same(where: Project) -> None:
    with where.server() as server:
        with held(where):
            server.signal(signal.SIGHUP)
            server.said(lambda line: "reloaded" in line.get("message", ""))
            server.signal(signal.SIGTERM)
            server.said(lambda line: "draining" in line.get("message", ""))
            server.signal(signal.SIGTERM)
            assert server.wait() == 5
        (line,) = [line["text"] for line in server.log() if "text" in line]
        assert line.startswith("jobrunner: the store was away at the end: ")
        server.left_nothing()
    assert sockets(where) == []


def test_what_was_not_written_is_repeated_by_the_next_server(where: Project) -> None:
    os.mkfifo(where.folder / "gate")
    with where.server("--workers", "1") as server:
        run = where.trigger("gated")
        until(lambda: "up" in where.logs(run), "the run")
        with held(where):
            (where.folder / "gate").write_text("go")
            server.said(lambda line: line.get("run") == run and line.get("message") == "succeeded")
            server.signal(signal.SIGTERM)
            server.said(lambda line: "draining" in line.get("message", ""))
            server.signal(signal.SIGTERM)
            assert server.wait() == 5
    assert where.show(run)["state"] == "running"
    with where.server():
        where.in_state(run, "running")
        until(lambda: where.show(run)["attempt"] == 2, "the second attempt")
        (where.folder / "gate").write_text("go")
        shown = where.ended(run)
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["lost", "succeeded"]


def test_a_file_that_is_away_for_a_while(where: Project) -> None:
    with where.server() as server:
        assert where.ended(where.trigger("hello"))["state"] == "succeeded"
        store = where.folder / "jobrunner.db"
        store.rename(where.folder / "elsewhere")
        complaint(server, "is gone: No such file or directory; put its file back; trying again")
        (where.folder / "elsewhere").rename(store)
        complaint(server, "the store is back")
        assert where.ended(where.trigger("hello"))["state"] == "succeeded"
        assert not any("ERROR" in line.get("level", "") and "fault" in line["message"] for line in server.log())
        assert [server["state"] for server in where.json("servers")] == ["running"]


def test_a_store_that_was_deleted_is_begun_anew(where: Project) -> None:
    with where.server() as server:
        where.ended(where.trigger("hello"))
        for path in where.folder.glob("jobrunner.db*"):
            if "wake" not in path.name:
                path.unlink()
        complaint(server, "is gone")
        run = where.trigger("hello")
        assert run == 1
        complaint(server, "this server was declared lost")
        assert where.ended(run)["state"] == "succeeded"
        assert [one["state"] for one in where.json("servers")] == ["running"]
        server.stop()


def test_a_broken_file_does_not_keep_it_from_beginning_anew(where: Project) -> None:
    with where.server() as server:
        run = where.ended(where.trigger("hello"))["id"]
        where.write(JOBS + "[jobs.broken]\ncommnd = 'true'\n")
        for path in where.folder.glob("jobrunner.db*"):
            if "wake" not in path.name:
                path.unlink()
        assert where.trigger("hello") == run
        complaint(server, "the file is not valid; the last good one stays in force: ")
        assert where.ended(run)["state"] == "succeeded"
        server.stop()


def test_sockets_of_killed_servers_are_cleared_away(where: Project) -> None:
    with where.server() as server:
        server.kill()
        server.left_nothing()
    assert len(sockets(where)) == 1
    with where.server("--name", "second"):
        assert len(sockets(where)) == 1
    assert sockets(where) == []


def test_two_signals_at_once_do_not_wait(where: Project) -> None:
    where.write(JOBS.replace("50ms", "1h"))
    os.mkfifo(where.folder / "gate")
    with where.server() as server:
        run = where.trigger("gated")
        until(lambda: "up" in where.logs(run), "the run")
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
            server.signal(number)
        assert server.wait() == 0
    assert where.show(run)["state"] == "queued"


def test_servers_that_could_not_write_do_not_declare_each_other_lost(where: Project) -> None:
    where.write(JOBS.replace("50ms", "1m").replace("[jobrunner]", '[jobrunner]\nlost_after = "1s"'))
    with where.server("--name", "one", "--workers", "1"), where.server("--name", "other", "--workers", "1"):
        runs = [where.trigger("waits") for _ in range(2)]
        for run in runs:
            until(lambda: "up" in where.logs(run), "the run")  # noqa: B023
        before = {server["name"]: server["heartbeat_age"] for server in where.json("servers")}
        assert set(before) == {"one", "other"}
        with held(where):
            until(lambda: min(one["heartbeat_age"] for one in where.json("servers")) > 3, "three seconds of silence")
        until(lambda: max(one["heartbeat_age"] for one in where.json("servers")) < 1, "heartbeats again")
        (where.folder / "opened").touch()
        ended = [where.ended(run) for run in runs]
        assert {server["state"] for server in where.json("servers")} == {"running"}
    assert [(shown["state"], shown["attempt"]) for shown in ended] == [("succeeded", 1)] * 2


def test_a_store_that_was_set_back_to_a_copy(where: Project) -> None:
    where.write(JOBS.replace("[jobrunner]", '[jobrunner]\nlost_after = "1s"'))
    store, copy = where.folder / "jobrunner.db", where.folder / "copy"
    with where.server() as server:
        run = where.trigger("waits")
        until(lambda: "up" in where.logs(run), "the run")
        with sqlite3.connect(store) as source, sqlite3.connect(copy) as target:
            source.backup(target)
        source.close()
        target.close()
        (where.folder / "opened").touch()
        assert where.ended(run)["state"] == "succeeded"
        for name in ("-wal", "-shm"):
            Path(f"{store}{name}").unlink()
        copy.rename(store)
        complaint(server, "the store was set back: 1 of its runs")
        shown = where.ended(run)
        until(lambda: "running" in {one["state"] for one in where.json("servers")}, "the new start")
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["lost", "succeeded"]


@pytest.mark.faults
def test_a_server_that_is_lost_while_its_store_is_held_starts_over(where: Project) -> None:
    where.write(JOBS.replace("[jobrunner]", '[jobrunner]\nlost_after = "1s"'))
    with where.server() as server:
        with held(where) as holder:
            holder.execute("UPDATE servers SET state = 'lost'")
            holder.execute("COMMIT")
            complaint(server, "this server was declared lost")
            holder.execute("BEGIN IMMEDIATE")
            server.said(lambda line: line.get("message") == "stopped")
        assert where.ended(where.trigger("hello"))["state"] == "succeeded"
