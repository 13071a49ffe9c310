"""What a change of jobs.toml means, for people and as JSON; and versions of jobs. Used by the verbs that edit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from jobrunner.domain.change import FireChange, InForce, JobChange, KeyChange, Meaning, Ran, shown
from jobrunner.domain.duration import format_duration
from jobrunner.domain.run import Run
from jobrunner.domain.server import Reloaded
from jobrunner.domain.version import Version
from jobrunner.presentation.json import submitted
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell, Column, render
from jobrunner.presentation.times import Times, absolute, rfc3339

_MOST_NAMES = 20
_WIDEST = 60
Affected = Mapping[str, Mapping[str, int]]


def meaning(value: Meaning, affected: Affected, screen: Screen, times: Times) -> Iterator[str]:
    """Jobs added, removed, renamed and changed, with keys, schedules in words, fires, and the runs concerned."""
    if value.nothing:
        yield "no change of meaning"
        return
    for change in value.added:
        yield screen.paint(f"+ {plain(change.job)}", "green") + "  added"
        yield from _fires(change.fires, screen, times)
    for change in value.removed:
        yield screen.paint(f"- {plain(change.job)}", "red") + "  removed"
        yield from _fires(change.fires, screen, times)
        yield from _runs(affected.get(change.job), "they keep the definition that they carry")
    for change in value.renamed:
        arrow = _arrow(screen)
        yield screen.paint(f"~ {plain(change.was or '')} {arrow} {plain(change.job)}", "yellow") + "  renamed"
        yield from (f"    {_key(one, screen)}" for one in change.keys)
        yield from _fires(change.fires, screen, times)
        yield from _runs(affected.get(change.was or ""), "they keep their name and the definition that they carry")
    for keys, changes in _alike(value.changed):
        names = [change.job for change in changes]
        shown = ", ".join(map(plain, names[:_MOST_NAMES])) + (
            f" and {len(names) - _MOST_NAMES} more" * (len(names) > _MOST_NAMES)
        )
        yield screen.paint(f"~ {shown}", "yellow")
        yield from (f"    {_key(one, screen)}" for one in keys)
        for change in changes[:_MOST_NAMES]:
            yield from _fires(change.fires, screen, times, of=change.job if len(changes) > 1 else None)
            yield from _runs(affected.get(change.job), "those that start from now on follow the new definition")
    if value.settings:
        yield screen.paint("~ settings", "yellow")
        for one in value.settings:
            late = "  (servers read it when they start)" if one.key in value.restart else ""
            yield f"    {_setting(one, screen)}{late}"


def meaning_json(value: Meaning, affected: Affected | None = None) -> dict[str, Any]:
    """The same: jobs by what becomes of them, each with its keys and fires; and settings."""
    runs = affected or {}
    return {
        "changed": not value.nothing,
        "added": [_job_json(one, runs) for one in value.added],
        "removed": [_job_json(one, runs) for one in value.removed],
        "renamed": [{"from": one.was, **_job_json(one, runs)} for one in value.renamed],
        "jobs": [_job_json(one, runs) for one in value.changed],
        "settings": [_setting_json(one) for one in value.settings],
        "restart_needed": list(value.restart),
    }


def history(found: Sequence[InForce], screen: Screen, times: Times) -> Iterator[str]:
    """Versions, newest first, each with what it changed."""
    columns = [
        Column(title="job", minimum=8),
        Column(title="version", right=True),
        Column(title="in force since"),
        Column(title="by", minimum=6),
        Column(title="from", leaves=1),
        Column(title="change", minimum=12),
    ]
    rows = [
        (
            one.job,
            str(one.version),
            times.when(one.applied_at),
            f"{one.who}@{one.host}",
            one.origin.value,
            Cell(summary(one, keys, renamed, screen), "green" if one.replaced_at is None and one.definition else ""),
        )
        for one, keys, renamed in found
    ]
    yield from render(columns, rows, screen)


def history_json(found: Sequence[InForce]) -> list[dict[str, Any]]:
    """Versions as JSON; ``definition`` is the job's table with [defaults] in it, secrets masked."""
    return [
        {
            "job": one.job,
            "version": one.version,
            "applied_at": rfc3339(one.applied_at),
            "replaced_at": rfc3339(one.replaced_at),
            "who": one.who,
            "host": one.host,
            "server": one.server,
            "origin": one.origin.value,
            "removed": one.definition is None,
            "renamed_from": renamed if one.definition else None,
            "renamed_to": None if one.definition else renamed,
            "keys": [key._asdict() for key in keys],
            "definition": shown(one.definition) if one.definition else None,
        }
        for one, keys, renamed in found
    ]


def version_run(run: Run, ran: Ran) -> str | None:
    """Which version of its job a run ran; nothing for one that has not begun, or of no job in a file."""
    if run.started_at is None or submitted(run):
        return None
    return str(ran.version) if ran.version is not None else "that which the run carries"


def since_success(ran: Ran, screen: Screen) -> Iterator[str]:
    """What was another when the job last succeeded; nothing where it never had."""
    if ran.keys is None:
        return
    yield from ("", screen.paint(f"changed since the last success, run {ran.success}", "bold"))
    yield from (f"  {_key(one, screen)}" for one in ran.keys)
    if not ran.keys:
        yield "  nothing"


def ran_json(ran: Ran) -> dict[str, Any]:
    """The same; ``changed_since_success`` is null where the job had never succeeded."""
    keys = None if ran.keys is None else [one._asdict() for one in ran.keys]
    return {"version": ran.version, "success_before": ran.success, "changed_since_success": keys}


def reloaded(found: Sequence[Reloaded]) -> Iterator[str]:
    """What each server made of the file."""
    if not found:
        yield "no server is running; the next one that starts loads it"
    for one in found:
        yield f"{plain(one.name)} ({plain(one.host)}): {plain(_answer(one))}"
    hashes = {one.config_hash for one in found if one.done and one.error is None}
    if len(hashes) > 1:
        yield "warning: these servers have read different files (jobrunner servers); give all the same"


def reloaded_json(found: Sequence[Reloaded]) -> list[dict[str, Any]]:
    """The same; ``loaded`` says whether the server has the file in force."""
    return [
        {
            "server": one.name,
            "host": one.host,
            "loaded": one.done and one.error is None,
            "answered": one.done,
            "config_hash": one.config_hash,
            "error": one.error,
        }
        for one in found
    ]


def _answer(one: Reloaded) -> str:
    if one.done:
        return f"keeps its last good file: {one.error}" if one.error else "loaded"
    return "has not answered yet" if one.live else "is gone"


def _alike(changes: Sequence[JobChange]) -> list[tuple[tuple[KeyChange, ...], list[JobChange]]]:
    """Jobs in which the same keys changed in the same way together: a change of [defaults] is one thing."""
    found = dict[str, tuple[tuple[KeyChange, ...], list[JobChange]]]()
    for change in changes:
        found.setdefault(repr(change.keys), (change.keys, []))[1].append(change)
    return list(found.values())


def _key(one: KeyChange, screen: Screen) -> str:
    if one.before == one.after:
        return f"{plain(one.key)}: another value, which is not shown"
    before, after = ("(none)" if value is None else _short(value) for value in (one.before, one.after))
    return f"{plain(one.key)}: {before} {_arrow(screen)} {after}"


def _setting(one: KeyChange, screen: Screen) -> str:
    if "." in one.key:
        what = "changed" if one.before and one.after else "added" if one.after else "removed"
        return f"[{plain(one.key)}] {what}"
    return _key(KeyChange(one.key, *map(_written, one[1:])), screen)


def _short(value: Any) -> str:
    text = plain(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _written(value: Any) -> Any:
    """A setting as the file writes it."""
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, Mapping):
        return {key: _written(inner) for key, inner in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _fires(change: FireChange | None, screen: Screen, times: Times, of: str | None = None) -> Iterator[str]:
    if change is None:
        return
    name = f"{plain(of)}: " if of else ""
    if change.before != change.after:
        if change.before:
            yield f"    {name}was: {plain('; '.join(change.before))}"
        if change.after:
            yield f"    {name}is:  {plain('; '.join(change.after))}"
    counts = [_count(change.gained, "gained", change.first_gained, change.counted, times)]
    counts.append(_count(change.lost, "lost", change.first_lost, change.counted, times))
    label = f"    {name}coming week: "
    for text in filter(None, counts) if any(counts) else ("no other fires",):
        yield f"{label}{text}"
        label = " " * len(label)


def _count(number: int, word: str, first: Sequence[datetime], counted: bool, times: Times) -> str:
    if not number:
        return ""
    least = "" if counted else "at least "
    return f"{least}{number} fire{'s' * (number != 1)} {word} (first {absolute(first[0], times.zone)})"


def _runs(counts: Mapping[str, int] | None, note: str) -> Iterator[str]:
    if counts:
        yield f"    runs: {', '.join(f'{number} {state}' for state, number in sorted(counts.items()))}; {note}"


def summary(one: Version, keys: Sequence[KeyChange], renamed: str | None, screen: Screen) -> str:
    """What a version changed, in one line."""
    """What a version changed, in one line."""
    if one.definition is None:
        return f"renamed to {renamed}" if renamed else "taken out"
    if renamed:
        return f"renamed, was {renamed}"
    if not keys:
        return "first" if one.version == 1 else "as the one before, or put back"
    return "; ".join(_key(key, screen) for key in keys)


def _arrow(screen: Screen) -> str:
    return "→" if screen.unicode else "->"


def _job_json(one: JobChange, runs: Affected) -> dict[str, Any]:
    fires = one.fires
    return {
        "job": one.job,
        "keys": [key._asdict() for key in one.keys],
        "schedule": None
        if fires is None
        else {
            "before": list(fires.before),
            "after": list(fires.after),
            "gained": fires.gained,
            "lost": fires.lost,
            "counted": fires.counted,
            "first_gained": [rfc3339(at) for at in fires.first_gained],
            "first_lost": [rfc3339(at) for at in fires.first_lost],
        },
        "runs": dict(runs.get(one.was or one.job, {})),
    }


def _setting_json(one: KeyChange) -> dict[str, Any]:
    return {"key": one.key, "before": _written(one.before), "after": _written(one.after)}
