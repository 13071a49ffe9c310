"""The JSON shape of a simulation; instants and durations as in ``json``. Used by ``simulate --json``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from jobrunner.domain.forecast import Choice, Forecast, JobForecast
from jobrunner.presentation.times import rfc3339


def forecast(value: Forecast) -> dict[str, Any]:
    """The whole of it. ``load`` is by the hour (UTC), ``day`` by the half-hour of the day in ``timezone``."""
    plan = value.plan
    return {
        "from": rfc3339(plan.start),
        "until": rfc3339(plan.end),
        "timezone": plan.timezone,
        "workers": plan.workers,
        "seed": plan.seed,
        "breaks_sla": value.breaks_sla,
        "jobs": [_job(job) for job in value.jobs],
        "peak": {"running": value.peak, "at": rfc3339(value.peak_at)},
        "load": [
            {"at": rfc3339(load.at), "mean": round(load.mean, 6), "peak": load.peak, "starts": load.starts}
            for load in value.load
        ],
        "day": [
            {"time": f"{load.minute // 60:02d}:{load.minute % 60:02d}", "mean": round(load.mean, 6), "peak": load.peak}
            for load in value.day
        ],
        "collisions": [
            {"at": rfc3339(each.at), "runs": each.runs, "jobs": list(each.jobs), "times": each.times}
            for each in value.collisions
        ],
        "idle": [{"from": rfc3339(window.start), "until": rfc3339(window.end)} for window in value.idle],
        "clock_changes": [
            {"at": rfc3339(each.at), "remark": each.remark, "jobs": list(each.jobs)} for each in value.clock_changes
        ],
        "unplayed": [{"key": each.key, "jobs": list(each.jobs)} for each in value.unplayed],
        "suggestion": None
        if value.suggestion is None
        else {
            "job": value.suggestion.job,
            "present": _choice(value.suggestion.present),
            "choices": [_choice(choice) for choice in value.suggestion.choices],
        },
    }


def _job(value: JobForecast) -> dict[str, Any]:
    return {
        "name": value.name,
        "fires": value.fires,
        "starts": value.starts,
        "skips": value.skips,
        "replaced": value.replaced,
        "expired": value.expired,
        "blackouts": value.blackouts,
        "waiting": value.waiting,
        "delay": {
            "median": _seconds(value.delay_median),
            "p95": _seconds(value.delay_p95),
            "max": _seconds(value.delay_max),
        },
        "slowest": _seconds(value.slowest),
        "duration": {
            "median": _seconds(value.estimate.median),
            "p95": _seconds(value.estimate.p95),
            "from": value.estimate.basis.value,
            "runs": value.estimate.runs,
        },
        "sla": {
            "start_within": _seconds(value.start_within),
            "finish_within": _seconds(value.finish_within),
            "late": value.late,
            "overdue": value.overdue,
        },
    }


def _choice(value: Choice) -> dict[str, Any]:
    return {"expression": value.expression, "load": round(value.load, 6)}


def _seconds(value: timedelta | None) -> float | None:
    return None if value is None else value.total_seconds()
