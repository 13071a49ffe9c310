"""The JSON shapes of ``why`` and ``verify``; instants and durations as in ``json``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from jobrunner.domain.answer import Answer, Because, Coming, FireAnswer, Value
from jobrunner.domain.clock import from_micros
from jobrunner.domain.decision import Decision
from jobrunner.domain.verification import JobCheck, Listed, Verification
from jobrunner.presentation.answers import sentence
from jobrunner.presentation.json import run
from jobrunner.presentation.times import Times, rfc3339


def answer(value: Answer, times: Times) -> dict[str, Any]:
    """What ``why`` says. ``text`` of a reason is for people; its other keys say the same to programs."""
    return {
        "job": value.job,
        "run": run(value.run) if value.run is not None else None,
        "at": rfc3339(value.at),
        "verdict": value.verdict,
        "headline": sentence(value.headline, times),
        "because": [reason(each, times) for each in value.because],
        "starts_about": rfc3339(value.starts),
        "fire": _fire(value.fire) if value.fire is not None else None,
        "before": rfc3339(value.before),
        "after": rfc3339(value.after),
        "next": _coming(value.next, times) if value.next is not None else None,
    }


def reason(value: Because, times: Times) -> dict[str, Any]:
    """One reason: its code, its sentence, and what the sentence names."""
    given = {name: _value(each) for name, each in value.values.items()}
    return given | {"code": value.code, "text": sentence(value, times)}


def verification(value: Verification) -> dict[str, Any]:
    """What ``verify`` found. Of ``missing``, ``double``, ``unexpected`` and ``pending`` a thousand spans are listed."""
    return {
        "from": rfc3339(value.since),
        "until": rfc3339(value.until),
        "sound": value.sound,
        "known_since": rfc3339(value.known_since),
        "no_server_since": rfc3339(value.unserved_since),
        "jobs": [_check(each) for each in value.jobs],
    }


def _check(value: JobCheck) -> dict[str, Any]:
    return {
        "job": value.job,
        "expected": value.expected,
        "ran": value.ran,
        "skipped": value.skipped,
        "expired": value.expired,
        "decided": dict(sorted(value.decided.items())),
        "pending": _listed(value.pending),
        "missing": _listed(value.missing),
        "double": _listed(value.double),
        "unexpected": _listed(value.unexpected),
    }


def _listed(value: Listed) -> dict[str, Any]:
    return {
        "fires": value.fires,
        "spans": [
            {"first": rfc3339(from_micros(first)), "last": rfc3339(from_micros(last)), "fires": fires}
            for first, last, fires in value.spans
        ],
    }


def _fire(value: FireAnswer) -> dict[str, Any]:
    return {
        "at": rfc3339(value.at),
        "timezone": value.zone,
        "schedule": value.expression,
        "version": value.version,
        "verdict": value.verdict,
        "run": run(value.run) if value.run is not None else None,
        "decision": _decision(value.decision) if value.decision is not None else None,
    }


def _decision(value: Decision) -> dict[str, Any]:
    return {
        "decision": value.why.value,
        "detail": value.detail,
        "first_fire": rfc3339(value.first_fire),
        "last_fire": rfc3339(value.last_fire),
        "fires": value.fires,
        "decided_at": rfc3339(value.decided_at),
    }


def _coming(value: Coming, times: Times) -> dict[str, Any]:
    return {
        "at": rfc3339(value.at),
        "timezone": value.zone,
        "obstacles": [reason(each, times) for each in value.obstacles],
    }


def _value(value: Value) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    return value.total_seconds() if isinstance(value, timedelta) else value
