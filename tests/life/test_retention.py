"""Servers remove what is kept no longer: one of them at a time, and by changed rules at once."""

import sqlite3
from collections.abc import Callable
from typing import Any

from project import Project, Server, until

JOBS = """
[retention]
succeeded = "2h"

[jobs.hello]
command = "echo hello"

[jobs.fails]
command = "exit 3"
"""
HOURS = 3 * 3600 * 1_000_000


def rows(where: Project, sql: str) -> list[Any]:
    with sqlite3.connect(where.folder / "jobrunner.db") as db:
        found = db.execute(sql).fetchall()
    db.close()
    return found


def aged(where: Project, table: str) -> list[Any]:
    return rows(where, f"SELECT DISTINCT run_id FROM {table} ORDER BY run_id")


def said_removed(server: Server) -> list[dict[str, Any]]:
    return [line for line in server.log() if line.get("message") == "removed what is kept no longer"]


def test_servers_remove_what_is_kept_no_longer(project: Callable[[str], Project]) -> None:
    where = project(JOBS)
    runs = [where.trigger(job) for job in ("hello", "fails", "hello", "fails")]
    where.burst()
    assert said_removed(where.servers[0]) == []
    rows(where, f"UPDATE runs SET created_at = created_at - {HOURS}, finished_at = finished_at - {HOURS}")
    assert rows(where, f"SELECT count(*) FROM output WHERE run_id = {runs[0]}") == [(1,)]
    with where.server() as first, where.server("--name", "second") as second:
        until(lambda: said_removed(first) or said_removed(second), "what was removed")
        said = said_removed(first) + said_removed(second)
        assert [(line["runs"], line["succeeded"], line["batches"]) for line in said] == [(1, 1, 0)]
        assert rows(where, "SELECT id FROM runs ORDER BY id") == [(run,) for run in runs[1:]]
        assert runs[0] not in [run for (run,) in aged(where, "output") + aged(where, "attempts")]
        assert where.call("show", str(runs[0])).status == 3
        # Nobody has gone on with it for a while.
        rows(where, "UPDATE properties SET value = value - 180000000 WHERE name = 'retention'")
        where.write(JOBS.replace('"2h"', '"2h"\nfailed = "2h"'))
        until(lambda: len(said_removed(first) + said_removed(second)) == 2, "what was removed by the changed file")
    assert rows(where, "SELECT id FROM runs ORDER BY id") == [(run,) for run in runs[2:]]
    assert sorted(line["runs"] for line in said_removed(first) + said_removed(second)) == [1, 1]
