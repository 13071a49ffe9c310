"""Gaps: consecutive fires that no server attended to in time, decided at once. Called by the scheduler.

Of each it is said whether it fell in a pause or in a blackout, whether no server ran and from when to when, and what
``catchup`` makes of it. A gap of years of seconds is a few rows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.state import Ready
from jobrunner.store import decisions, pauses, schedules
from jobrunner.store.database import Database
from jobrunner.store.decisions import Fires
from jobrunner.store.schedules import Fire

_RUNS = "SELECT fire_time FROM runs WHERE job = ? AND fire_time BETWEEN ? AND ? AND fire_time IS NOT NULL"
_SERVED = (
    "SELECT started_at, CASE WHEN id = ? THEN ? WHEN state = 'stopped' THEN ended_at ELSE heartbeat_at END AS until"
    " FROM servers WHERE (ticked_at IS NOT NULL OR id = ?) AND started_at <= ? ORDER BY started_at"
)


class Part(NamedTuple):
    """Consecutive fires, rising, in microseconds since the epoch, and why they have no run; None: they have one."""

    fires: Sequence[int]
    why: Why | None
    detail: str = ""


class Gap(NamedTuple):
    """Consecutive fires of a job, in parts as the file decides them; those that were only missed are ``Why.MISSED``.

    ``catch`` gives those to be caught up, of candidates in order, None where none is; ``fire`` is what each becomes
    then, its second argument says whether there are several. ``policy`` ends the sentence on those that are not.
    ``slept`` is when this server itself did not look, from and to. ``server_id`` is the one that decides.
    ``every`` gives the fires of the schedule.
    """

    job: str
    schedule: int
    parts: Sequence[Part]
    catch: Callable[[Sequence[int]], Sequence[int]] | None
    fire: Callable[[int, bool], Fire]
    policy: Callable[[int], str]
    slept: tuple[datetime, datetime] | None
    server_id: int
    every: Fires = lambda since, until: ()


def decide(db: Database, gap: Gap, now: datetime) -> list[Ready]:
    """Decides the fires of a gap, but for those that another server has decided; gives the runs that may be taken."""
    first, last = gap.parts[0].fires[0], gap.parts[-1].fires[-1]
    with db.transaction():
        schedules.alone(db, gap.job)
        mark = schedules.mark(db, gap.job, gap.schedule)
        parts = _without_paused(db, gap, list(gap.parts), first, last)
        parts = _without_answered(db, gap, parts, (first, last), now)
        caught = list[int]()
        if gap.catch is not None and pauses.over_job(db, gap.job) is None:
            caught = list(gap.catch([at for part in parts if part.why is Why.MISSED for at in part.fires]))
            parts = _cut(parts, [(at, at + 1, None, "caught up") for at in caught], Why.MISSED)
        parts = _cut(parts, _outages(db, gap, first, now), Why.MISSED)
        made = list[Ready]()
        for part in parts:
            if part.why is not None:
                _write(db, gap, part, mark, now)
            elif part.detail == "caught up":
                made += schedules.start(db, gap.fire(part.fires[0], len(caught) > 1), now)
            mark = part.fires[-1]
        schedules.attended(db, gap.job, gap.schedule, from_micros(last))
        return made


_Window = tuple[int, int, Why | None, str]
"""From, to (exclusive), and what is said of the fires between."""


def _cut(parts: Sequence[Part], windows: Iterable[_Window], of: Why | None = None) -> list[Part]:
    """The parts, those inside of windows as parts of their own; with ``of`` only parts for that reason are cut."""
    for start, end, why, detail in windows:
        found = list[Part]()
        for part in parts:
            low, high = bisect_left(part.fires, start), bisect_left(part.fires, end)
            if low >= high or (of is not None and part.why is not of):
                found.append(part)
                continue
            pieces = (part.fires[:low], part.fires[low:high], part.fires[high:])
            changed = (part, part._replace(why=why, detail=detail), part)
            found += [kind._replace(fires=fires) for kind, fires in zip(changed, pieces, strict=True) if fires]
        parts = found
    return list(parts)


def _without_paused(db: Database, gap: Gap, parts: list[Part], first: int, last: int) -> list[Part]:
    found = pauses.of_job(db, gap.job, from_micros(first), from_micros(last))
    windows: list[_Window] = [
        (
            to_micros(pause.since),
            last + 1 if pause.until is None else to_micros(pause.until),
            Why.PAUSED,
            schedules.words_of(pause),
        )
        for pause in found
    ]
    for why in (Why.MISSED, Why.BLACKOUT):
        parts = _cut(parts, windows, why)
    return parts


def _without_answered(db: Database, gap: Gap, parts: list[Part], bounds: tuple[int, int], now: datetime) -> list[Part]:
    windows: list[_Window] = [(at, at + 1, None, "") for (at,) in db.execute(_RUNS, (gap.job, *bounds))]
    decisions.forget(db, gap.job, gap.schedule, *bounds, now, gap.every)
    windows += [(start, end + 1, None, "") for start, end in decisions.spans(db, gap.job, gap.schedule, *bounds)]
    return _cut(parts, windows)


def _outages(db: Database, gap: Gap, first: int, now: datetime) -> list[_Window]:
    """When no server looked, each as a window of which the words say so."""
    at, served = to_micros(now), list[tuple[int, int]]()
    for start, end in db.execute(_SERVED, (gap.server_id, at, gap.server_id, at)).fetchall():
        if served and start <= served[-1][1]:
            served[-1] = (served[-1][0], max(end, served[-1][1]))
        else:
            served.append((start, end))
    windows: list[_Window] = []
    for (_, ended), (began, _) in pairwise(served):
        if began > first:
            windows.append((ended, began, Why.MISSED, f"no server ran from {_text(ended)} to {_text(began)}"))
    if gap.slept is not None:
        began, ended = (to_micros(when) for when in gap.slept)
        words = f"no server looked from {_text(began)} to {_text(ended)}: the machine slept, or its clock was put on"
        windows.append((began, ended + 1, Why.MISSED, words))
    return windows


def _write(db: Database, gap: Gap, part: Part, mark: int | None, now: datetime) -> None:
    assert part.why is not None
    for fires, detail in _worded(gap, part):
        first, last = from_micros(fires[0]), from_micros(fires[-1])
        decision = Decision(gap.job, first, last, len(fires), part.why, detail, now)
        decisions.write(db, decision, gap.schedule, mark=mark)
        mark = fires[-1]


def _worded(gap: Gap, part: Part) -> Iterable[tuple[Sequence[int], str]]:
    """What was missed, with what ``catchup`` says of it, which may be another thing of the last than of the first."""
    if part.why is not Why.MISSED:
        return [(part.fires, part.detail)]
    detail = part.detail or "no server looked in time"
    low, high = 0, len(part.fires)
    before = gap.policy(part.fires[0])
    if before == gap.policy(part.fires[-1]):
        return [(part.fires, f"{detail}; {before}")]
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if gap.policy(part.fires[middle]) == before else (low, middle)
    rest = f"{detail}; {gap.policy(part.fires[-1])}"
    return [(part.fires[:low], f"{detail}; {before}"), (part.fires[low:], rest)]


def _text(micros: int) -> str:
    return from_micros(micros).isoformat(timespec="seconds")
