"""How jobs stand: a line for each of thousands, in an order that a person picks, and details of those shown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from jobrunner.domain.attention import Attention, Concern
from jobrunner.domain.decision import Decision
from jobrunner.domain.queue import Pause
from jobrunner.domain.run import Run
from jobrunner.domain.state import RunState

if TYPE_CHECKING:
    from jobrunner.domain.estimate import Estimate

OUTCOMES = 14
"""Of how many of its last runs it is shown how they ended."""


class Stand(StrEnum):
    """What stands out about a job, in the order of attention: a dead letter; a start that is late or was missed, an end
    that is; a run that takes longer than usual; a pause; a run that is under way; nothing; that it is disabled."""

    FAILED = "failed"
    LATE = "late"
    SLOW = "slow"
    PAUSED = "paused"
    RUNNING = "running"
    CALM = "calm"
    OFF = "off"


_RANK = {stand: place for place, stand in enumerate(Stand)}
_STANDS = {
    Concern.LATE: Stand.LATE,
    Concern.MISSED: Stand.LATE,
    Concern.OVERDUE: Stand.LATE,
    Concern.SLOW: Stand.SLOW,
}


class Order(StrEnum):
    """By what the jobs are sorted, then by name. ``last``: the newest run first; ``next``: the nearest fire;
    ``duration``: the longest last run; ``ok``: the smallest part of the last runs that succeeded."""

    ATTENTION = "attention"
    NAME = "name"
    LAST = "last"
    NEXT = "next"
    DURATION = "duration"
    OK = "ok"


class JobLine(NamedTuple):
    """A job and what stands out; ``run_id`` is the run that makes it so, where there is one."""

    name: str
    stand: Stand
    run_id: int | None = None


class Board(NamedTuple):
    """The jobs that a filter asks for, in order. ``reading``: the file is being read, until then they are those that
    servers have in force, and no more is known of them than their names; ``problem`` is why it cannot be used.

    ``counts`` says how many of all jobs stand how, in the order of ``Stand``.
    """

    lines: tuple[JobLine, ...]
    counts: tuple[int, ...]
    reading: bool
    problem: str = ""


class Ended(NamedTuple):
    """A recent run of a job in short. ``took`` is of its last attempt: so far, where it is running."""

    id: int
    state: RunState
    at: datetime
    took: timedelta | None


class JobRow(NamedTuple):
    """What is shown of one job in a list. ``schedule`` is as written, several joined by ``; ``, empty without any.

    ``last`` is its newest run, ``outcomes`` how its last runs stand, the newest last. ``ok`` is the part of its recent
    runs that ended which succeeded, ``p50`` and ``p95`` so long or shorter did a half and 95 of 100 of those take; None
    without any. ``next_fire`` is None without a schedule, while disabled or paused, and as long as nothing is known of
    the definition (``known``).
    """

    name: str
    known: bool
    description: str
    kind: str
    schedule: str
    queue: str
    tags: tuple[str, ...]
    enabled: bool
    confirm: bool
    pause: Pause | None
    next_fire: datetime | None
    last: Ended | None
    outcomes: tuple[RunState, ...]
    ok: float | None
    p50: timedelta | None
    p95: timedelta | None


class ScheduleFacts(NamedTuple):
    """One schedule of a job: as written, in words, its zone, and remarks on what may surprise."""

    expression: str
    words: str
    zone: str
    notes: tuple[str, ...]


class ComingFire(NamedTuple):
    """A coming fire; ``mark`` says which change of the clock lies before it, empty where none does since the last."""

    at: datetime
    zone: str
    mark: str


class JobFacts(NamedTuple):
    """One job, whole. ``definition`` has its keys with their values as the file writes them, secrets masked.

    ``durations`` are of the last successful runs, the oldest first; ``usual`` what they say, None without any.
    ``runs`` and ``decisions`` are the newest of it. ``versions`` counts what servers have had in force. ``parents`` are
    the jobs that it follows, ``children`` those that follow it. ``in_file`` is False of a job that has left it.
    """

    row: JobRow
    in_file: bool
    definition: tuple[tuple[str, object], ...]
    schedules: tuple[ScheduleFacts, ...]
    fires: tuple[ComingFire, ...]
    durations: tuple[timedelta, ...]
    usual: Estimate | None
    runs: tuple[Run, ...]
    decisions: tuple[Decision, ...]
    versions: int
    parents: tuple[str, ...]
    children: tuple[str, ...]
    timeout: timedelta | None


def special(
    dead: Mapping[str, int],
    needs: Iterable[Attention],
    running: Mapping[str, int],
    paused: Iterable[str],
    disabled: Iterable[str],
) -> dict[str, JobLine]:
    """The jobs of which something stands out; of several things the most urgent."""
    found = {name: JobLine(name, Stand.OFF) for name in disabled}
    found |= {name: JobLine(name, Stand.RUNNING, run_id) for name, run_id in running.items()}
    found |= {name: JobLine(name, Stand.PAUSED) for name in paused}
    for item in needs:
        stand, name = _STANDS.get(item.concern), str(item.subject.id)
        if stand is None or item.subject.kind != "job":
            continue
        known = found.get(name)
        if known is None or _RANK[stand] < _RANK[known.stand]:
            found[name] = JobLine(name, stand, item.run_id)
    found |= {name: JobLine(name, Stand.FAILED, run_id) for name, run_id in dead.items()}
    return found


def by_attention(calm: Mapping[str, JobLine], stands: Mapping[str, JobLine]) -> list[JobLine]:
    """All jobs, those first that need a person; ``calm`` has a line for each job, by name."""
    out = sorted((line for name, line in stands.items() if name in calm), key=lambda line: (_RANK[line.stand], line))
    before = [line for line in out if line.stand is not Stand.OFF]
    return [*before, *(line for name, line in calm.items() if name not in stands), *out[len(before) :]]


def late(needs: Iterable[Attention]) -> frozenset[str]:
    """The jobs with a start that is late or was missed, or an end that is."""
    return frozenset(str(item.subject.id) for item in needs if _STANDS.get(item.concern) is Stand.LATE)


def counted(calm: Mapping[str, JobLine], stands: Mapping[str, JobLine]) -> tuple[int, ...]:
    """How many of all jobs stand how."""
    counts = dict.fromkeys(Stand, 0)
    for name, line in stands.items():
        if name in calm:
            counts[line.stand] += 1
    counts[Stand.CALM] = len(calm) - sum(counts.values())
    return tuple(counts.values())


def share_ok(states: Iterable[RunState]) -> float | None:
    """The part of those that succeeded or did not, which did."""
    ended = [state for state in states if state in (RunState.SUCCEEDED, RunState.FAILED, RunState.EXPIRED)]
    return ended.count(RunState.SUCCEEDED) / len(ended) if ended else None
