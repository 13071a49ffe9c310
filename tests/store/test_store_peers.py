"""Servers about each other: who lives, who left runs behind, and who counts as lost."""

from __future__ import annotations

from samples import NOW, put, run_to, serve, start

from jobrunner.domain.server import ServerState
from jobrunner.store import Database, servers


def test_peers_are_the_living_and_those_that_left_runs_behind(db: Database) -> None:
    living, clean, careless = serve(db, "living"), serve(db, "clean"), serve(db, "careless")
    run_to(db, put(db), clean)
    run = put(db, "left")
    start(db, run, careless)
    for server in (clean, careless):
        servers.set_state(db, server, ServerState.STOPPED, NOW)
    assert [(peer.id, bool(peer.ended)) for peer in servers.peers(db)] == [(living, False), (careless, True)]


def test_a_server_is_lost_only_if_it_stayed_silent(db: Database) -> None:
    server = serve(db)
    (seen,) = servers.peers(db)
    assert servers.hold(db, server)
    servers.heartbeat(db, server, busy=0, now=NOW)
    assert not servers.declare_lost(db, seen, NOW)
    (seen,) = servers.peers(db)
    assert servers.declare_lost(db, seen, NOW)
    assert not servers.hold(db, server)
    assert not servers.declare_lost(db, seen, NOW)
