"""Quieter times for a job that runs at a fixed time of the day. Called by admin for ``simulate --suggest``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from jobrunner.domain.clock import to_micros
from jobrunner.domain.cron import Cron, bits, split_fields
from jobrunner.domain.forecast import Choice, Plan, PlannedJob, Suggestion
from jobrunner.domain.schedule import CronRule, Schedule, parse
from jobrunner.domain.simulation import simulate
from jobrunner.domain.zone import Timeline
from jobrunner.errors import NotFound, UsageError

_MINUTE, _DAY = 60, 86_400
_MARGIN = 5
"""Minutes on either side that should be quiet, too, where there is a choice."""

_HOURS_SHOWN = 3


def suggest(plan: Plan, job: str) -> Suggestion:
    """Plays a plan without the job, and gives the quietest minute of its own hour and of the three quietest hours.

    Only the time of day is another; of a job that runs at several hours, only the minute. How quiet is judged on the
    days on which the job runs, for as long as 95 of 100 of its runs take. What is not quieter than now is left out.

    Raises:
        NotFound: the plan has no such job.
        UsageError: it has no schedule at a fixed minute, or several, or does not fire in the window.
    """
    planned = next((each for each in plan.jobs if each.job.name == job), None)
    if planned is None:
        raise NotFound(f"no job {job!r}", hint="`jobrunner jobs` lists them")
    schedule, cron, line = _fixed_time(planned)
    midnights = _midnights(schedule, line, plan)
    if not midnights:
        raise UsageError(f"job {job!r} does not fire in the window", hint="play a longer one with --for")
    traffic = _Traffic(plan)
    simulate(plan._replace(jobs=tuple(each for each in plan.jobs if each is not planned)), traffic.add)
    length = max(-(-planned.estimate.p95.total_seconds() // _MINUTE), 1)
    return _ranked(job, schedule.expression, cron, _Quiet(traffic, midnights, int(length)))


def _fixed_time(planned: PlannedJob) -> tuple[Schedule, Cron, Timeline]:
    job = planned.job
    rules = [parse(spec, job=job.name, timezone=job.timezone) for spec in job.schedules]
    match [(schedule, schedule.rule) for schedule in rules]:
        case [(schedule, CronRule(cron, line))] if cron.fixed and len(bits(cron.minutes)) == 1:
            return schedule, cron, line
        case []:
            raise UsageError(f"job {job.name!r} has no schedule", hint="name one that has")
        case [_]:
            hint = "a suggestion is for a schedule such as '0 2 * * *'"
            raise UsageError(f"job {job.name!r} does not run at a fixed minute", hint=hint)
    raise UsageError(f"job {job.name!r} has several schedules", hint="a suggestion is for a job with one")


def _midnights(schedule: Schedule, line: Timeline, plan: Plan) -> Sequence[int]:
    """Where the days on which a schedule fires begin, in minutes since 1970-01-01T00:00Z."""
    found = dict[int, None]()
    micros, until = to_micros(plan.start) - 1, to_micros(plan.end)
    while (fire := schedule.rule.next_after(max(micros, schedule.first - 1))) is not None and fire < until:
        micros = fire
        if fire > schedule.last:
            break
        second = fire // 1_000_000
        offset = line.stretch(second).offset
        found[((second + offset) // _DAY * _DAY - offset) // _MINUTE] = None
    return list(found)


class _Traffic:
    """How many attempts run in each minute of the window."""

    def __init__(self, plan: Plan) -> None:
        self.first = to_micros(plan.start) // 60_000_000
        self._steps = [0] * (to_micros(plan.end) // 60_000_000 - self.first + 2)

    def add(self, start: int, end: int) -> None:
        """An attempt ran from start to end, in microseconds."""
        self._steps[start // 60_000_000 - self.first] += 1
        self._steps[end // 60_000_000 - self.first + 1] -= 1

    def summed(self) -> Sequence[int]:
        """Attempts running in all minutes before each minute of the window, and before its end."""
        return [0, *accumulate(accumulate(self._steps[:-1]))]


class _Quiet:
    """How many attempts run beside a job that starts at given minutes of its days, and runs ``length`` minutes."""

    def __init__(self, traffic: _Traffic, midnights: Sequence[int], length: int) -> None:
        self._summed = traffic.summed()
        self._days = [midnight - traffic.first for midnight in midnights]
        self._length = length

    def load(self, minutes: Iterable[int], margin: int = 0) -> float | None:
        """The mean over its runs; None where none of them is in the window."""
        length = self._length + 2 * margin
        most = len(self._summed) - 1 - length
        starts = [day + minute - margin for minute in minutes for day in self._days]
        loads = [self._summed[start + length] - self._summed[start] for start in starts if 0 <= start <= most]
        return sum(loads) / len(loads) / length if loads else None


def _ranked(job: str, expression: str, cron: Cron, quiet: _Quiet) -> Suggestion:
    hours, (minute,) = bits(cron.hours), bits(cron.minutes)
    one = len(hours) == 1
    own = hours[0] * 60 + minute if one else minute
    now = quiet.load(hour * 60 + minute for hour in hours) or 0.0
    ranks = dict[int, tuple[float, float, int]]()
    for candidate in range(1440 if one else 60):
        minutes = [candidate] if one else [hour * 60 + candidate for hour in hours]
        load = quiet.load(minutes)
        if load is not None and load < now:
            around = quiet.load(minutes, _MARGIN)
            ranks[candidate] = (round(load, 2), round(load if around is None else around, 2), abs(candidate - own))
    chosen = _best_of_hours(ranks, own // 60)
    return Suggestion(
        job=job,
        present=Choice(expression=expression, load=now),
        choices=tuple(Choice(expression=_at(expression, minute, one=one), load=ranks[minute][0]) for minute in chosen),
    )


def _best_of_hours(ranks: dict[int, tuple[float, float, int]], own: int) -> Iterator[int]:
    """The best minutes of the best hours, and of the own hour where that is none of them, best first."""
    best = dict[int, int]()
    for minute in sorted(ranks, key=ranks.__getitem__):
        best.setdefault(minute // 60, minute)
    hours = list(best)
    yield from (best[hour] for hour in hours[:_HOURS_SHOWN])
    if own in hours[_HOURS_SHOWN:]:
        yield best[own]


def _at(expression: str, minute: int, *, one: bool) -> str:
    """The expression with another minute, and hour where it has one; a left-out second stays left out."""
    second, _, hour, *days = split_fields(expression)
    fields = [str(minute % 60), str(minute // 60) if one else hour, *days]
    return " ".join(fields if second == "0" else [second, *fields])
