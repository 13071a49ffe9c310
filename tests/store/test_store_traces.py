"""What the store knows of how to find the processes of a server."""

from __future__ import annotations

import pytest
from samples import NOW, serve

from jobrunner.domain.server import ServerState
from jobrunner.store import Database, servers, traces
from jobrunner.store.traces import Trace


def leave(db: Database, name: str, **more: str) -> int:
    server_id = serve(db, name, host="here", **more)
    traces.leave(db, server_id, mark=f"mark of {name}", cgroup=None, containment=f"words of {name}")
    return server_id


def test_servers_leave_traces_until_they_stop_or_somebody_has_cleared_up(db: Database) -> None:
    stopped, lost, living = (leave(db, name) for name in ("stopped", "lost", "living"))
    serve(db, "silent", host="here")
    elsewhere = serve(db, "elsewhere", host="there")
    traces.leave(db, elsewhere, mark="another", cgroup="/sys/fs/cgroup/x", containment="words of elsewhere")
    servers.set_state(db, stopped, ServerState.STOPPED, NOW)
    servers.set_state(db, lost, ServerState.LOST, NOW)
    assert [trace.name for trace in traces.of_host(db, "here")] == ["lost", "living"]
    assert traces.of_host(db, "there") == [
        Trace(elsewhere, "elsewhere", 4711, "boot/elsewhere", "another", "/sys/fs/cgroup/x")
    ]
    traces.forget(db, lost)
    assert [trace.server_id for trace in traces.of_host(db, "here")] == [living]
    assert traces.containments(db) == [("elsewhere", "words of elsewhere"), ("living", "words of living")]


@pytest.mark.parametrize("question", ["SELECT id, name, pid, identity, mark, cgroup FROM servers WHERE host = ?"])
def test_it_is_asked_every_second_and_finds_few(sqlite_db: Database, question: str) -> None:
    plan = sqlite_db.execute(f"EXPLAIN QUERY PLAN {question} AND mark IS NOT NULL", ("here",)).fetchall()
    assert "servers_marked" in plan[0][3]
