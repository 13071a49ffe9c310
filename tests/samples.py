"""Runs, servers and endings for tests of the store and of what stands on it, with defaults that a test may change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from jobrunner.domain.clock import to_micros
from jobrunner.domain.decision import Why
from jobrunner.domain.request import NewRun
from jobrunner.domain.run import Claimed
from jobrunner.domain.state import Outcome, Ready, RunState, Trigger
from jobrunner.store import Database, gaps, open_store, servers
from jobrunner.store.gaps import Gap, Part
from jobrunner.store.runs import add, claim, finish, read
from jobrunner.store.runs.finish import Ending, Finished
from jobrunner.store.servers import NewServer

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

T = TypeVar("T")

_OUTCOMES = {
    RunState.SUCCEEDED: Outcome.SUCCEEDED,
    RunState.FAILED: Outcome.FAILED,
    RunState.RETRYING: Outcome.FAILED,
    RunState.CANCELLED: Outcome.CANCELLED,
    RunState.QUEUED: Outcome.LOST,
}


def later(seconds: float) -> datetime:
    """So many seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


def new(job: str = "job", **changes: Any) -> NewRun:
    """A run that is due at once."""
    values: dict[str, Any] = {
        "job": job,
        "definition": f'{{"name":"{job}"}}',
        "queue": "default",
        "priority": 0,
        "trigger": Trigger.MANUAL,
        "params": "{}",
        "secret_params": None,
        "max_attempts": 1,
        "created_at": NOW,
    }
    values.update(changes)
    values.setdefault("run_after", values["created_at"])
    return NewRun(**values)


def missed(db: Database, *fires: datetime, now: datetime = NOW, schedule: int = 1, policy: str = "too late") -> None:
    """Decides that consecutive fires of the job have been missed and are not caught up."""

    def never(*_: Any) -> Any:
        raise AssertionError("nothing is caught up")

    parts = [Part([to_micros(at) for at in fires], Why.MISSED)]
    gaps.decide(db, Gap("job", schedule, parts, None, never, lambda _: policy, None, 0), now)


def put(db: Database, job: str = "job", **changes: Any) -> int:
    """Adds a run; gives its id."""
    return add.add(db, new(job, **changes)).id


def serve(db: Database, name: str = "one", **changes: Any) -> int:
    """Registers a server; gives its id."""
    values: dict[str, Any] = {
        "name": name,
        "host": "here",
        "identity": f"boot/{name}",
        "pid": 4711,
        "started_at": NOW,
        "workers": 4,
        "queues": ("default",),
        "config_hash": "abc",
        "version": "1.0",
        "wake": None,
    }
    values.update(changes)
    return servers.register(db, NewServer(**values), lost_after=timedelta(seconds=30))


def take(
    db: Database, server_id: int, *, queues: Sequence[str] = ("default",), limit: int = 100, now: datetime = NOW
) -> list[Claimed]:
    """Claims what a server may have."""
    return claim.claim(db, server_id=server_id, queues=queues, limit=limit, now=now)


def start(db: Database, run_id: int, server_id: int, now: datetime = NOW) -> Claimed:
    """Claims one run, whatever else is queued."""
    attempt = read.get(db, run_id).attempt
    (claimed,) = claim.claim_named(db, server_id=server_id, wanted=[(run_id, attempt)], now=now)
    return claimed


def end(
    db: Database, claimed: Claimed, server_id: int, state: RunState = RunState.SUCCEEDED, **changes: Any
) -> Finished | None:
    """Records the end of an attempt."""
    return finish.finish(db, ending(claimed, server_id, state, **changes))


def ending(claimed: Claimed, server_id: int, state: RunState = RunState.SUCCEEDED, **changes: Any) -> Ending:
    """How an attempt ended."""
    values: dict[str, Any] = {
        "run_id": claimed.id,
        "job": claimed.job,
        "attempt": claimed.attempt,
        "server_id": server_id,
        "outcome": _OUTCOMES[state],
        "state": state,
        "at": later(1),
        "dead": state is RunState.FAILED,
    }
    values.update(changes)
    return Ending(**values)


def run_to(
    db: Database, run_id: int, server_id: int, state: RunState = RunState.SUCCEEDED, **changes: Any
) -> list[Ready]:
    """Starts a queued run and ends it; gives what that set free."""
    finished = end(db, start(db, run_id, server_id), server_id, state, **changes)
    assert finished is not None
    return finished.ready


def at_once(url: str, count: int, work: Callable[[Database, int], T]) -> list[T]:
    """Does the same in so many threads at once, each with a connection of its own and its number."""
    together = threading.Barrier(count, timeout=30)

    def one(number: int) -> T:
        try:
            mine = open_store(url, durability="normal")
        except BaseException:
            together.abort()
            raise
        try:
            together.wait()
            return work(mine, number)
        finally:
            mine.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def states(db: Database, *run_ids: int) -> list[str]:
    """Where these runs stand."""
    return [read.state(db, run_id).value for run_id in run_ids]
