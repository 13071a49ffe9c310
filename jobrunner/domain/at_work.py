"""What is under way: runs with how far they are and about when they end, batches, servers. Pure.

An honest estimate is None where nobody can tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from jobrunner.domain.batch import Batch, BatchState
from jobrunner.domain.run import Run
from jobrunner.domain.server import Server
from jobrunner.domain.state import RunState

if TYPE_CHECKING:
    from jobrunner.domain.chain import Link
    from jobrunner.domain.estimate import Estimate

ENOUGH = 5
"""Measured attempts from which on history says how long a run usually takes."""

_LONGER = 1.5
_BEYOND = timedelta(seconds=10)
_TELLING_SHARE = 0.02
"""From which part on progress says more than history does."""


class AtWork(NamedTuple):
    """A running run. ``ends`` is about when it will end, ``share`` (0 to 1) how far it is, by itself or by its median.

    ``usual`` is how long runs of its job take, None without history; ``slow``: it takes longer than usual.
    """

    run: Run
    usual: Estimate | None
    share: float | None
    ends: datetime | None
    slow: bool


class ServerAtWork(NamedTuple):
    """A server and what runs on it."""

    server: Server
    runs: tuple[AtWork, ...]


class BatchAtWork(NamedTuple):
    """A batch; ``done`` of its members have ended, ``ends`` is about when all will have at the pace so far."""

    batch: Batch
    done: int
    ends: datetime | None


class BatchFacts(NamedTuple):
    """One batch, whole. ``counts`` says how many members stand how, of those states that there are.

    ``pace`` is how many have ended in a minute so far, None before the first. ``following`` are the runs and batches
    that start, each in its way, when all members have ended.
    """

    batch: Batch
    done: int
    ends: datetime | None
    pace: float | None
    counts: tuple[tuple[RunState, int], ...]
    following: tuple[Link, ...]


class Standing(NamedTuple):
    """A queued run, its place in the line of its queue from 1 on, and about when it starts."""

    run: Run
    position: int
    starts: datetime | None


def at_work(run: Run, usual: Estimate | None, now: datetime) -> AtWork:
    """How far a running run is."""
    known = usual if usual is not None and usual.runs >= ENOUGH else None
    said = _said(run)
    return AtWork(
        run=run,
        usual=known,
        share=said if said is not None else _by_history(run, known, now),
        ends=_ends(run, known, said, now),
        slow=slow(run, known, now),
    )


def slow(run: Run, usual: Estimate | None, now: datetime) -> bool:
    """Whether a running run takes clearly longer than 95 of 100 of its job did."""
    if usual is None or usual.runs < ENOUGH or run.started_at is None:
        return False
    took = now - run.started_at
    return took > usual.p95 * _LONGER and took > usual.p95 + _BEYOND


def batch_at_work(batch: Batch, now: datetime) -> BatchAtWork:
    """How far a batch is."""
    done = batch.succeeded + batch.failed + batch.other
    ends = None
    if batch.state is BatchState.RUNNING and 0 < done < batch.total:
        ends = now + (now - batch.created_at) / done * (batch.total - done)
    return BatchAtWork(batch=batch, done=done, ends=ends)


def batch_facts(batch: Batch, counts: Mapping[RunState, int], following: Sequence[Link], now: datetime) -> BatchFacts:
    """All that a screen says of one batch."""
    at = batch_at_work(batch, now)
    minutes = ((batch.finished_at or now) - batch.created_at) / timedelta(minutes=1)
    return BatchFacts(
        batch=batch,
        done=at.done,
        ends=at.ends,
        pace=at.done / minutes if at.done and minutes > 0 else None,
        counts=tuple((state, counts[state]) for state in RunState if counts.get(state)),
        following=tuple(following),
    )


def by_server(servers: Sequence[Server], runs: Sequence[AtWork]) -> tuple[ServerAtWork, ...]:
    """The servers, each with what runs on it; a name that two have is that of the living one."""
    found: Mapping[str, list[AtWork]] = {server.name: [] for server in servers}
    for each in runs:
        if each.run.server is not None and each.run.server in found:
            found[each.run.server].append(each)
    last = {server.name: server.id for server in sorted(servers, key=lambda server: (server.live, server.id))}
    return tuple(
        ServerAtWork(server=server, runs=tuple(found[server.name]) if last[server.name] == server.id else ())
        for server in servers
    )


def _said(run: Run) -> float | None:
    progress = run.progress
    if progress is None or not progress.total or progress.total <= 0:
        return None
    return min(max(progress.done / progress.total, 0.0), 1.0)


def _by_history(run: Run, usual: Estimate | None, now: datetime) -> float | None:
    if usual is None or run.started_at is None or not usual.median:
        return None
    return min(max((now - run.started_at) / usual.median, 0.0), 0.99)


def _ends(run: Run, usual: Estimate | None, said: float | None, now: datetime) -> datetime | None:
    if run.started_at is None:
        return None
    if said is not None and said >= _TELLING_SHARE:
        return run.started_at + (now - run.started_at) / said
    if usual is None:
        return None
    median, latest = run.started_at + usual.median, run.started_at + usual.p95
    return median if median > now else latest if latest > now else None
