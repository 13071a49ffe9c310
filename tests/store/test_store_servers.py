"""Servers in the store: who lives, heartbeats, states, whose queues are served, and hosts that may not share a file."""

from __future__ import annotations

from datetime import timedelta

import pytest
from samples import NOW, later, put, run_to, serve, start

from jobrunner.domain.server import ServerState
from jobrunner.domain.state import RunState
from jobrunner.errors import Refused
from jobrunner.store import Database, listeners, servers


def test_a_server_introduces_itself(db: Database) -> None:
    server_id = serve(db, "blue", queues=("high", "löw"), workers=8, pid=99, config_hash="c0ffee", version="1.2")
    (server,) = servers.find(db, later(3))
    assert (server.id, server.name, server.host, server.pid) == (server_id, "blue", "here", 99)
    assert (server.state, server.started_at, server.heartbeat_age) == (ServerState.STARTING, NOW, 3.0)
    assert (server.workers, server.busy, server.queues) == (8, 0, ("high", "löw"))
    assert (server.config_hash, server.version) == ("c0ffee", "1.2")


def test_heartbeats_are_counted(db: Database) -> None:
    server = serve(db)
    assert [peer.heartbeat for peer in servers.peers(db)] == [0]
    assert servers.heartbeat(db, server, busy=3, now=later(5))
    assert servers.heartbeat(db, server, busy=2, now=later(10))
    assert [peer.heartbeat for peer in servers.peers(db)] == [2]
    (found,) = servers.find(db, later(11))
    assert (found.busy, found.heartbeat_age) == (2, 1.0)


@pytest.mark.parametrize("ended", [ServerState.LOST, ServerState.STOPPED])
def test_one_that_has_ended_stays_so(db: Database, ended: ServerState) -> None:
    server = serve(db)
    servers.heartbeat(db, server, busy=3, now=NOW)
    assert servers.set_state(db, server, ServerState.RUNNING, NOW)
    assert servers.set_state(db, server, ended, later(5))
    assert not servers.heartbeat(db, server, busy=3, now=later(6))
    assert not servers.set_state(db, server, ServerState.RUNNING, later(6))
    assert servers.peers(db) == []
    (found,) = servers.find(db, later(8))
    assert (found.state, found.busy, found.heartbeat_age) == (ended, 0, 3.0)


def test_they_are_listed_by_name_and_the_ended_for_a_day(db: Database) -> None:
    ids = {name: serve(db, name) for name in ("Zoë", "bob", "ana", "bob")}
    assert [server.name for server in servers.find(db, NOW)] == ["Zoë", "ana", "bob", "bob"]
    servers.set_state(db, ids["ana"], ServerState.STOPPED, NOW)
    assert "ana" in [server.name for server in servers.find(db, NOW + timedelta(hours=23))]
    assert "ana" not in [server.name for server in servers.find(db, NOW + timedelta(hours=25))]


def test_what_is_in_the_hands_of_a_server(db: Database) -> None:
    server, other = serve(db), serve(db, "two")
    first, second, third = put(db), put(db), put(db)
    run_to(db, first, server, RunState.QUEUED)
    start(db, first, server)
    start(db, second, other)
    run_to(db, third, server)
    assert servers.running_runs(db, server) == [(first, 2, 1)]


def test_a_new_configuration_is_noted(db: Database) -> None:
    server = serve(db)
    servers.set_config(db, server, "new")
    assert servers.find(db, NOW)[0].config_hash == "new"


def test_who_wants_to_be_woken(db: Database) -> None:
    serve(db, wake="/tmp/one")
    gone = serve(db, wake="/tmp/two")
    serve(db)
    servers.set_state(db, gone, ServerState.STOPPED, NOW)
    assert listeners.wakes(db) == ["/tmp/one"]


def test_whether_a_queue_is_served_by_somebody_who_was_heard_of(db: Database) -> None:
    server = serve(db, queues=("high", "default"))
    assert listeners.serving(db, "high", fresh_after=later(-30))
    assert not listeners.serving(db, "low", fresh_after=later(-30))
    assert not listeners.serving(db, "high", fresh_after=later(30))
    servers.set_state(db, server, ServerState.STOPPED, NOW)
    assert not listeners.serving(db, "high", fresh_after=later(-30))


def test_two_hosts_may_share_a_postgresql_store_and_not_a_file(db: Database) -> None:
    first = serve(db, "blue", host="here")
    if db.dialect == "postgresql":
        assert serve(db, host="there") > first
        return
    there = {"host": "there", "identity": "another boot/one"}
    with pytest.raises(Refused) as refused:
        serve(db, **there)
    assert str(refused.value) == (
        "server blue of host here uses this SQLite store, and SQLite cannot be shared by two hosts;"
        ' use a PostgreSQL store ("postgresql://…") for several hosts; if that server is gone, try again in 30s'
    )
    with pytest.raises(Refused):
        serve(db, host="there", identity="")
    second = serve(db, **there, started_at=later(31))
    servers.set_state(db, second, ServerState.STOPPED, later(31))
    servers.set_state(db, first, ServerState.STOPPED, NOW)
    assert serve(db, **there) > second


def test_containers_of_one_host_have_names_of_their_own_and_may_share_a_file(sqlite_db: Database) -> None:
    first = serve(sqlite_db, host="3f2a9c", identity="boot/pid:[1]:7:1")
    assert serve(sqlite_db, host="77d01e", identity="boot/pid:[2]:7:1") > first


def test_hosts_that_cannot_tell_who_they_are_go_by_their_names(sqlite_db: Database) -> None:
    first = serve(sqlite_db, host="here", identity="")
    with pytest.raises(Refused):
        serve(sqlite_db, host="there", identity="")
    assert serve(sqlite_db, host="here", identity="") > first
