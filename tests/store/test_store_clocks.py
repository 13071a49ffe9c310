"""What heartbeats and a caller say about the clocks of hosts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from samples import serve

from jobrunner.domain.clock import SystemClock
from jobrunner.domain.server import ServerState
from jobrunner.store import Database, clocks, servers


class Shifted(SystemClock):
    """The clock of a host that is wrong."""

    def __init__(self, seconds: float) -> None:
        self._by = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._by


def test_a_clock_that_is_wrong_shows_at_the_next_heartbeat(db: Database) -> None:
    wrong = {name: Shifted(by) for name, by in (("behind", -3600), ("fast", 90), ("right", 0), ("stopped", 7))}
    host = "host of {}" if db.dialect == "postgresql" else "the only one"
    ids = {name: serve(db, name, host=host.format(name)) for name in wrong}
    assert clocks.of_servers(db) == []
    for name, clock in wrong.items():
        assert servers.heartbeat(db, ids[name], busy=0, now=clock.now())
    servers.set_state(db, ids["stopped"], ServerState.STOPPED, datetime.now(UTC))
    found = clocks.of_servers(db)
    if db.dialect == "sqlite":
        assert found == []
        return
    assert [(one.name, one.host) for one in found] == [
        (name, f"host of {name}") for name in ("behind", "fast", "right")
    ]
    assert [one.ahead for one in found] == pytest.approx([-3600, 90, 0], abs=60)


def test_the_clock_of_who_asks(db: Database) -> None:
    if db.dialect == "sqlite":
        assert clocks.ahead(db, SystemClock()) is None
    else:
        assert clocks.ahead(db, Shifted(-7200)) == pytest.approx(-7200, abs=60)
        assert clocks.ahead(db, Shifted(7200)) == pytest.approx(7200, abs=60)
