"""How the runs of a stretch of ids ended, by the minute."""

from __future__ import annotations

from samples import end, later, put, serve, start

from jobrunner.domain.clock import to_micros
from jobrunner.domain.state import RunState
from jobrunner.store import Database
from jobrunner.store.runs import recent

SECOND = 1_000_000


def test_successes_come_by_the_minute_and_the_others_each_by_itself(db: Database) -> None:
    server = serve(db)
    before = put(db)

    def ran(state: RunState, seconds: float) -> int:
        claimed = start(db, put(db), server)
        end(db, claimed, server, state, at=later(seconds))
        return claimed.id

    for seconds in (2, 5, 70, -1):
        ran(RunState.SUCCEEDED, seconds)
    failed, waits = ran(RunState.FAILED, 3), put(db)
    beyond = ran(RunState.SUCCEEDED, 9)

    found = {minute: sorted(took) for minute, took in recent.succeeded(db, before, beyond - 1)}
    expected = dict[int, list[int]]()
    for seconds in (-1, 2, 5, 70):
        expected.setdefault(to_micros(later(seconds)) // (60 * SECOND), []).append(max(seconds, 0) * SECOND)
    assert found == expected
    assert list(recent.others(db, before, beyond - 1)) == [
        (failed, "failed", to_micros(later(0)), to_micros(later(3))),
        (waits, "queued", None, None),
    ]
