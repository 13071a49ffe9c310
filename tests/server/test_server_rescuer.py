"""Who counts as lost, and what becomes of the runs of a server that is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from samples import put, serve, start, states
from turned import Turned

from jobrunner.domain.job import Command, Job, OnLost
from jobrunner.domain.jobfile import Jobfile
from jobrunner.domain.server import ServerState
from jobrunner.server import rescuer as module
from jobrunner.server.definitions import Definitions
from jobrunner.server.identity import host, identity
from jobrunner.server.rescuer import Rescuer
from jobrunner.store import Database, servers
from jobrunner.store.runs import read

LOST_AFTER = 30.0


class Watch:
    """A rescuer, the store it watches, and the clock it counts by."""

    def __init__(self, db: Database, **policy: Any) -> None:
        self.db = db
        self.clock = Turned()
        self.me = serve(db, "me", host=host())
        job = Job(name="job", kind=Command(argv=("true",)), folder="/", timezone="UTC", definition="{}", **policy)
        in_force = Definitions(_file(job), lambda number: None)
        self.rescuer = Rescuer(
            server_id=self.me, lost_after=timedelta(seconds=LOST_AFTER), in_force=in_force, clock=self.clock
        )

    def look(self, seconds: float = 0.0) -> list[str]:
        self.clock.turn(seconds)
        self.dead = self.rescuer.look(self.db)
        return [peer.name for peer in self.dead]

    def rescue(self) -> list[int]:
        with self.db.transaction():
            return [ready.id for ready in self.rescuer.rescue(self.db, self.dead)]


def _file(job: Job) -> Jobfile:
    class File:
        jobs = {job.name: job}  # noqa: RUF012

    return File()  # type: ignore[return-value]


def test_what_this_process_was_before_it_started_over_is_lost_at_once(sqlite_db: Database) -> None:
    serve(sqlite_db, "before", host=host(), identity="boot/me")
    serve(sqlite_db, "unknown", host=host(), identity="")
    watch = Watch(sqlite_db)
    assert watch.look() == ["before"]


def test_silence_is_counted_by_this_servers_own_clock(sqlite_db: Database) -> None:
    watch = Watch(sqlite_db)
    serve(sqlite_db, "peer", host=host())
    assert watch.look() == []
    assert watch.look(LOST_AFTER - 1) == []
    assert watch.look(1) == ["peer"]


def test_a_heartbeat_ends_the_silence(sqlite_db: Database) -> None:
    watch = Watch(sqlite_db)
    peer = serve(sqlite_db, "peer", host=host())
    watch.look()
    watch.clock.turn(LOST_AFTER)
    servers.heartbeat(sqlite_db, peer, busy=0, now=watch.clock.now())
    assert watch.look() == []
    assert watch.look(LOST_AFTER - 1) == []


def test_silence_counts_anew_when_the_store_was_away(sqlite_db: Database) -> None:
    watch = Watch(sqlite_db)
    serve(sqlite_db, "peer", host=host())
    watch.look()
    watch.clock.turn(LOST_AFTER * 2)
    watch.rescuer.forget()
    assert watch.look() == []
    assert watch.look(LOST_AFTER - 1) == []
    assert watch.look(1) == ["peer"]


def test_a_server_that_is_heard_of_before_the_rescue_is_left_alone(sqlite_db: Database) -> None:
    watch = Watch(sqlite_db)
    peer = serve(sqlite_db, "peer", host=host())
    run = start(sqlite_db, put(sqlite_db), peer)
    watch.look()
    assert watch.look(LOST_AFTER) == ["peer"]
    servers.heartbeat(sqlite_db, peer, busy=1, now=watch.clock.now())
    assert watch.rescue() == []
    assert states(sqlite_db, run.id) == ["running"]
    assert servers.hold(sqlite_db, peer)


@pytest.mark.parametrize("state", [ServerState.STOPPED, ServerState.LOST])
def test_what_an_ended_server_left_behind_is_given_back(sqlite_db: Database, state: ServerState) -> None:
    watch = Watch(sqlite_db)
    peer = serve(sqlite_db, "peer", host=host())
    run = start(sqlite_db, put(sqlite_db), peer)
    servers.set_state(sqlite_db, peer, state, watch.clock.now())
    assert watch.look() == ["peer"]
    assert watch.rescue() == [run.id]
    assert watch.look() == []
    assert [server.state for server in servers.find(sqlite_db, watch.clock.now()) if server.name == "peer"] == [state]


def test_a_socket_that_cannot_be_removed_holds_no_run_up(sqlite_db: Database, tmp_path: Any) -> None:
    watch = Watch(sqlite_db)
    peer = serve(sqlite_db, "peer", host=host(), identity=_identity_of_nobody(), wake=str(tmp_path))
    run = start(sqlite_db, put(sqlite_db), peer)
    assert watch.look() == ["peer"]
    assert watch.rescue() == [run.id]


def test_it_gives_up_after_max_lost(sqlite_db: Database) -> None:
    watch = Watch(sqlite_db, max_lost=2)
    run = put(sqlite_db)
    for expected in ("queued", "failed"):
        peer = serve(sqlite_db, "peer", host=host(), identity=_identity_of_nobody())
        start(sqlite_db, run, peer)
        watch.look()
        watch.rescue()
        assert states(sqlite_db, run) == [expected]
    shown = read.get(sqlite_db, run)
    assert (shown.error, shown.dead, shown.attempt, shown.max_attempts) == (
        "server peer died in the middle, 2 times",
        True,
        2,
        2,
    )


def test_on_lost_fail_gives_up_at_once(sqlite_db: Database) -> None:
    watch = Watch(sqlite_db, on_lost=OnLost.FAIL)
    peer = serve(sqlite_db, "peer", host=host(), identity=_identity_of_nobody())
    run = start(sqlite_db, put(sqlite_db), peer)
    watch.look()
    assert watch.rescue() == []
    assert states(sqlite_db, run.id) == ["failed"]


def _identity_of_nobody() -> str:
    place, _, _ = identity(1).rpartition(":")
    boot, _, _ = place.rpartition(":")
    assert module.gone(f"{boot}:4194304:1")
    return f"{boot}:4194304:1"
