"""What a due fire is to become: a run under its job's policies, or what the file decides. Called by ``scheduler``.

Pure: what the store has to say (pauses, other servers, runs that are active) is asked in the transaction that decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby

from jobrunner.domain.blackout import DayOff
from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.decision import LATE, Why
from jobrunner.domain.duration import format_duration
from jobrunner.domain.job import Catchup, Job
from jobrunner.domain.params import Checker, split_secrets
from jobrunner.domain.request import new_run
from jobrunner.domain.state import Trigger
from jobrunner.domain.timetable import Timed
from jobrunner.store.gaps import Gap, Part
from jobrunner.store.schedules import Fire

_DISABLED = "enabled = false"


def fire_at(timed: Timed, at: datetime, trigger: Trigger, now: datetime, *, one_by_one: bool = False) -> Fire:
    """One due fire of a job."""
    job, off = timed.job, timed.off(at)
    defers = job.on_blackout == "defer"
    public, secret = split_secrets(job.params, Checker(job.params, job=job.name).values({}) if job.params else {})
    run = new_run(
        job,
        params=public,
        secret_params=secret,
        trigger=trigger,
        now=now,
        run_after=(from_micros(off.end) if off is not None and defers else at) + timed.jitter(at),
        fire_time=at,
    )
    return Fire(
        run=run,
        schedule=timed.number,
        overlap=job.overlap,
        one_by_one=one_by_one,
        instead=_instead(job, None if defers else off),
        shadow=job.shadow,
        delayed=bool(timed.days_off and defers) or any(jitter for _, jitter in timed.rules),
        fires=timed.fires,
    )


def missed(
    timed: Timed,
    fires: Sequence[int],
    now: datetime,
    *,
    fresh: bool,
    slept: tuple[datetime, datetime] | None,
    server_id: int,
) -> Gap:
    """Fires that were found late, of which ``catchup`` may still make runs; ``fresh``: one falls due now, too."""

    def catch(candidates: Sequence[int]) -> Sequence[int]:
        return _caught_up(timed.job, candidates, fresh=fresh, now=now)

    return _gap(timed, fires, now, _policy(timed.job, now), catch, slept, server_id)


def lost(
    timed: Timed,
    fires: Sequence[int],
    now: datetime,
    *,
    ended: str | None = None,
    slept: tuple[datetime, datetime] | None,
    server_id: int,
) -> Gap:
    """Fires of which nothing is caught up any more: too many came since, or, as ``ended`` says, their schedule went."""
    policy = _policy(timed.job, now) if ended is None else lambda _: ended
    return _gap(timed, fires, now, policy, None, slept, server_id)


def _gap(
    timed: Timed,
    fires: Sequence[int],
    now: datetime,
    policy: Callable[[int], str],
    catch: Callable[[Sequence[int]], Sequence[int]] | None,
    slept: tuple[datetime, datetime] | None,
    server_id: int,
) -> Gap:
    def fire(micros: int, several: bool) -> Fire:
        return fire_at(timed, from_micros(micros), Trigger.CATCHUP, now, one_by_one=several)

    return Gap(
        job=timed.job.name,
        schedule=timed.number,
        parts=_parts(timed, fires),
        catch=catch,
        fire=fire,
        policy=policy,
        slept=slept,
        server_id=server_id,
        every=timed.fires,
    )


def _parts(timed: Timed, fires: Sequence[int]) -> list[Part]:
    if not timed.job.enabled:
        return [Part(fires, Why.DISABLED, _DISABLED)]
    if not timed.days_off or timed.job.on_blackout == "defer":
        return [Part(fires, Why.MISSED)]
    labelled = ((_instead(timed.job, timed.off(from_micros(at))) or (Why.MISSED, ""), at) for at in fires)
    return [Part([at for _, at in some], *label) for label, some in groupby(labelled, key=_label)]


def _label(labelled: tuple[tuple[Why, str], int]) -> tuple[Why, str]:
    return labelled[0]


def _instead(job: Job, off: DayOff | None) -> tuple[Why, str] | None:
    if not job.enabled:
        return Why.DISABLED, _DISABLED
    return None if off is None else (Why.BLACKOUT, f"{off.day} is in calendar {off.calendar}")


def _caught_up(job: Job, missed: Sequence[int], *, fresh: bool, now: datetime) -> Sequence[int]:
    window = to_micros(now - job.catchup_window)
    within = [at for at in missed if at >= window]
    match job.catchup:
        case Catchup.NONE:
            return []
        case Catchup.LATEST:
            return [] if fresh else within[-1:]
        case Catchup.ALL:
            return within


def _policy(job: Job, now: datetime) -> Callable[[int], str]:
    window = to_micros(now - job.catchup_window)

    def words(at: int) -> str:
        if job.catchup is Catchup.NONE:
            return 'catchup is "none"'
        if at < window:
            return f"catchup_window is {format_duration(job.catchup_window)}"
        return "only the latest is caught up" if job.catchup is Catchup.LATEST else "too many to catch up"

    return words


def is_late(fire: datetime, now: datetime) -> bool:
    """Whether a fire counts as missed when it is found now."""
    return now - fire > LATE
