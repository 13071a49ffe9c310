"""A simulation as people read it: a table of the jobs, a plot of the day, remarks. Used by ``simulate``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from jobrunner.domain.duration import format_duration
from jobrunner.domain.estimate import Basis
from jobrunner.domain.forecast import Choice, Collision, Forecast, JobForecast, Suggestion
from jobrunner.presentation import plot
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column, Row, render
from jobrunner.presentation.times import Times, absolute, elapsed

_JOBS = (
    Column(title="JOB", minimum=12),
    Column(title="FIRES", right=True),
    Column(title="STARTS", right=True, leaves=5),
    Column(title="SKIPPED", right=True),
    Column(title="DELAY", right=True, leaves=4),
    Column(title="95%", right=True, leaves=3),
    Column(title="MAX", right=True),
    Column(title="TAKES", right=True),
    Column(title="SLA"),
    Column(title="FROM", leaves=1),
    Column(title="NOTE", minimum=12, leaves=2),
)
_CHOICES = (Column(title="SCHEDULE", minimum=12), Column(title="BESIDE", right=True), Column(title="NOTE"))
_HALF_HOURS = 48
_NAMED = 5
_CROWD = 3
"""From so many runs at one instant on, it is worth a remark."""


def forecast(value: Forecast, screen: Screen, times: Times) -> Iterator[str]:
    """What is expected of every job, the load over the day, and what is worth a look."""
    plan = value.plan
    yield (
        f"{format_duration(plan.end - plan.start)} from {absolute(plan.start, times.zone)}, "
        f"{_count(plan.workers, 'worker')}, seed {plan.seed}"
    )
    yield ""
    yield from render(_JOBS, [_job(job) for job in value.jobs], screen)
    yield ""
    yield from _day(value, screen)
    yield ""
    if value.suggestion is not None:
        yield from _suggestion(value.suggestion, screen)
        yield ""
    for job in value.jobs:
        yield from (screen.paint(f"sla: {plain(text)}", "bold red") for text in _broken(job))
    yield from (screen.paint(f"note: {plain(text)}", "yellow") for text in _remarks(value, times))


def _job(value: JobForecast) -> Row:
    broken = value.late + value.overdue
    promises = value.start_within is not None or value.finish_within is not None
    return (
        value.name,
        str(value.fires),
        str(value.starts),
        Cell(str(value.skips), "yellow" if value.skips else ""),
        *(_elapsed(delay) for delay in (value.delay_median, value.delay_p95, value.delay_max)),
        _elapsed(value.estimate.median),
        Cell(f"broken {broken}", "bold red") if broken else "kept" if promises else "-",
        value.estimate.basis.value,
        ", ".join(_others(value)),
    )


def _others(value: JobForecast) -> Iterator[str]:
    for count, words in (
        (value.replaced, "replaced"),
        (value.expired, "expired"),
        (value.blackouts, "in a blackout"),
        (value.waiting, "waiting at the end"),
    ):
        if count:
            yield f"{count} {words}"


def _day(value: Forecast, screen: Screen) -> Iterator[str]:
    title = f"running at once over the day, {value.plan.timezone}: mean, and {plot.light(screen)} the most"
    yield screen.paint(title, "bold")
    known = {load.minute: (load.mean, float(load.peak)) for load in value.day}
    labels = "".join(f"{hour:02d}    " for hour in range(0, 24, 3)).rstrip()
    yield from plot.columns([known.get(half * 30) for half in range(_HALF_HOURS)], screen, labels=labels)


def _suggestion(value: Suggestion, screen: Screen) -> Iterator[str]:
    yield screen.paint(f"how many others run beside {value.job}", "bold")
    rows = [_choice(value.present, "now"), *(_choice(choice, "") for choice in value.choices)]
    yield from render(_CHOICES, rows, screen)
    if not value.choices:
        yield "no minute is quieter"


def _choice(value: Choice, note: str) -> Row:
    return value.expression, f"{value.load:.2f}", note


def _broken(job: JobForecast) -> Iterator[str]:
    for count, within, word, worst in (
        (job.late, job.start_within, "started", job.delay_max),
        (job.overdue, job.finish_within, "finished", job.slowest),
    ):
        if count and within is not None:
            most = f", at worst after {_elapsed(worst)}" if worst is not None and worst > within else ""
            yield f"{job.name}: {_count(count, 'run')} not {word} within {format_duration(within)}{most}"


def _remarks(value: Forecast, times: Times) -> Iterator[str]:
    workers = _count(value.plan.workers, "worker")
    if value.peak_at is not None:
        yield f"at most {value.peak} of {workers} busy, first at {absolute(value.peak_at, times.zone)}"
    if silent := [job.name for job in value.jobs if not job.fires]:
        yield f"no fire in this window: {_names(silent)}"
    if left := [job for job in value.jobs if job.waiting]:
        runs = _count(sum(job.waiting for job in left), "run")
        yield f"not started when the window ends: {runs} of {_names([job.name for job in left])}"
    for crowd in value.collisions:
        if crowd.runs >= _CROWD:
            often = f", {crowd.times} times" if crowd.times > 1 else ""
            yield f"{crowd.runs} runs are due at once at {absolute(crowd.at, times.zone)}{often}: {_some(crowd)}"
    if value.idle:
        longest = max(value.idle, key=lambda window: window.end - window.start)
        length = _elapsed(longest.end - longest.start)
        yield f"longest time without a run: {length} from {absolute(longest.start, times.zone)}"
    yield from (f"{change.remark}: {_names(change.jobs)}" for change in value.clock_changes)
    yield from _bases(value.jobs)
    yield from (f"{each.key} is not played: {_names(each.jobs)}" for each in value.unplayed)


def _bases(jobs: Sequence[JobForecast]) -> Iterator[str]:
    timed = [job.name for job in jobs if job.estimate.basis is Basis.TIMEOUT]
    guessed = [job for job in jobs if job.estimate.basis is Basis.GUESS]
    if timed:
        yield f"no history, taken to last their timeout: {_names(timed)}"
    if guessed:
        median = format_duration(guessed[0].estimate.median)
        yield f"no history and no timeout, guessed at {median}: {_names([job.name for job in guessed])}"


def _some(crowd: Collision) -> str:
    return ", ".join(crowd.jobs) + (", …" if crowd.runs > len(crowd.jobs) else "")


def _names(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _elapsed(value: timedelta | None) -> str:
    return elapsed(None if value is None else value.total_seconds())
