"""How all jobs stand, kept from one look to the next: only what is new is asked again."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from jobrunner.domain.board import OUTCOMES, Board, Ended, JobLine, JobRow, Order, Stand, share_ok
from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.state import RunState

if TYPE_CHECKING:
    from jobrunner.admin.context import Context
    from jobrunner.admin.jobs import AtHand
    from jobrunner.domain.filter import Term
    from jobrunner.domain.filter_completion import Known
    from jobrunner.domain.job import Job
    from jobrunner.domain.job_filter import Searched
    from jobrunner.domain.queue import Pause

_KEPT_SECONDS = 10.0
_STATES_SECONDS = 1.0
_MOST_KEPT = 2_000
_NEVER = 2**63


class Recents(NamedTuple):
    """The last runs of a job, the newest first, as of ``newest`` and until ``good_until``; ``active``: one goes on."""

    newest: int | None
    active: bool
    runs: tuple[Ended, ...]
    good_until: float


class Standings:
    """What has been read. Thread-safe."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._names: tuple[object, tuple[str, ...]] = (None, ())
        self._calm = dict[str, JobLine]()
        self._disabled = frozenset[str]()
        self._recents = dict[str, Recents]()
        self._last: dict[str, int] | None = None
        self._newest = 0
        self._measures: dict[str, tuple[int, float, float]] = {}
        self._states: tuple[float, dict[str, str]] = (-_STATES_SECONDS, {})
        self._known: tuple[object, Known | None] = (None, None)
        self._searched: tuple[str | None, Searched | None] = (None, None)

    def line(self, name: str) -> JobLine:
        """One job and what stands out about it."""
        with self._lock:
            self._look_at_names()
            return self._stands()[0].get(name, JobLine(name, Stand.CALM))

    def board(self, order: Order, *, reverse: bool, terms: Sequence[Term]) -> Board:
        """The jobs that are asked for, in order."""
        from jobrunner.domain.board import by_attention, counted

        file = self._context.memory.file()
        with self._lock:
            reading = self._look_at_names()
            stands, said = self._stands()
            lines = by_attention(self._calm, stands)
            counts = counted(self._calm, stands)
            if order is not Order.ATTENTION:
                lines = self._sorted([stands.get(name, line) for name, line in self._calm.items()], order)
            if terms:
                lines = self._matching(lines, terms, said)
        return Board(tuple(reversed(lines)) if reverse else tuple(lines), counts, reading, _problem(file))

    def known(self) -> Known:
        """The names that a filter of jobs can be completed with, as far as the file has been read."""
        from jobrunner.domain.filter_completion import Known

        file = self._context.memory.file()
        queues = self._context.settings.queues
        if file.whole is None:
            with self._lock:
                return Known(jobs=self._names[1], queues=queues)
        key, found = self._known
        if found is None or key != file.whole.config_hash:
            jobs = file.whole.jobs
            tags = tuple(sorted({tag for job in jobs.values() for tag in job.tags}))
            found = Known(jobs=tuple(sorted(jobs)), tags=tags, queues=queues)
            self._known = (file.whole.config_hash, found)
        return found

    def rows(self, names: Sequence[str]) -> tuple[JobRow, ...]:
        """The details of some jobs."""
        from jobrunner.store import pauses

        context = self._context
        jobs, _ = context.memory.definitions(names)
        now = context.clock.now()
        with self._lock, context.db.snapshot():
            held = pauses.everything(context.db)
            return tuple(_row(name, jobs.get(name), self._recent(name), held, now) for name in names)

    def _stands(self) -> tuple[dict[str, JobLine], Mapping[str, Collection[str]]]:
        """The jobs of which something stands out; and those of which the name of a state is true."""
        from jobrunner.admin.attending import facts_of
        from jobrunner.domain.attention import attention
        from jobrunner.domain.board import late, special
        from jobrunner.store.runs import exceptions

        facts, _ = facts_of(self._context, 1000, letters=False)
        paused = frozenset(pause.name for pause in facts.pauses if pause.scope == "job")
        running = {each.run.job: each.run.id for each in facts.running}
        dead, needs = exceptions.jobs_with_letters(self._context.db), attention(facts)
        stands = special(dead, needs, running, paused, self._disabled)
        said = {"paused": paused, "late": late(needs), "failed": dead, "running": running, "disabled": self._disabled}
        return stands, said

    def _look_at_names(self) -> bool:
        file = self._context.memory.file()
        if file.whole is not None:
            if self._names[0] != file.whole.config_hash:
                jobs = file.whole.jobs
                self._keep_names(file.whole.config_hash, sorted(jobs))
                self._disabled = frozenset(name for name, job in jobs.items() if not job.enabled)
        else:
            from jobrunner.store import versions

            self._keep_names(None, versions.names(self._context.db))
        return file.reading

    def _keep_names(self, key: object, names: Iterable[str]) -> None:
        found = tuple(names)
        if found != self._names[1]:
            self._calm = {name: JobLine(name, Stand.CALM) for name in found}
        self._names = (key, found)

    def _matching(
        self, lines: Sequence[JobLine], terms: Sequence[Term], said: Mapping[str, Collection[str]]
    ) -> list[JobLine]:
        """Those that a filter asks for; ``said`` are the jobs of which the name of a state is true, beside that their
        newest run stands so."""
        from jobrunner.domain.filter import Field

        wanted = {str(value) for term in terms if term.field is Field.STATE for value in term.values}
        last = self._last_states() if wanted.intersection(RunState) else {}
        having = [(state, said[state]) for state in wanted if said.get(state)]

        def states(name: str) -> frozenset[str]:
            return frozenset((last.get(name, ""), *(state for state, names in having if name in names)))

        fitting = frozenset(self._searchable().fitting((line.name for line in lines), terms, states))
        return [line for line in lines if line.name in fitting]

    def _searchable(self) -> Searched:
        from jobrunner.domain.job_filter import Searched

        whole = self._context.memory.file().whole
        key, found = self._searched
        if found is None or whole is None or key != whole.config_hash:
            found = Searched(whole.jobs if whole is not None else {})
            self._searched = (whole.config_hash if whole is not None else None, found)
        return found

    def _last_states(self) -> Mapping[str, str]:
        """How the newest run of each job stands, read at most once a second."""
        from jobrunner.store.runs import of_jobs

        now = self._context.clock.monotonic()
        if now >= self._states[0] + _STATES_SECONDS:
            self._states = (now, of_jobs.states(self._context.db))
        return self._states[1]

    def _recent(self, name: str) -> Recents:
        """Read again only where there is a newer run, one was active, or some time has passed."""
        from jobrunner.store.runs import of_jobs

        now, known = self._context.clock.monotonic(), self._recents.get(name)
        newest, active = of_jobs.mark(self._context.db, name)
        if known is not None and not active and not known.active and known.newest == newest and now < known.good_until:
            return known
        at = to_micros(self._context.clock.now())
        rows = of_jobs.last(self._context.db, name, OUTCOMES) if newest is not None else []
        found = Recents(newest, active, tuple(_ended(row, at) for row in rows), now + _KEPT_SECONDS)
        if len(self._recents) >= _MOST_KEPT:
            self._recents.clear()
        self._recents[name] = found
        return found

    def _sorted(self, lines: list[JobLine], order: Order) -> list[JobLine]:
        if order is Order.NAME:
            return lines
        if order is Order.NEXT:
            return self._by_next(lines)
        last = self._last_runs()
        if order is Order.LAST:
            return sorted(lines, key=lambda line: -last.get(line.name, 0))
        measures = self._measured(last)
        if order is Order.DURATION:
            return sorted(lines, key=lambda line: -measures.get(line.name, (0, -1.0, 2.0))[1])
        return sorted(lines, key=lambda line: measures.get(line.name, (0, -1.0, 2.0))[2])

    def _by_next(self, lines: list[JobLine]) -> list[JobLine]:
        from jobrunner.store import pauses

        known = self._context.memory.ahead().value
        if known is None:
            return lines
        with known.lock:
            firsts = known.ahead.firsts(self._context.clock.now())
        for pause in pauses.everything(self._context.db):
            if pause.scope == "job" and pause.name in firsts:
                end = _NEVER if pause.until is None else to_micros(pause.until)
                firsts[pause.name] = max(firsts[pause.name], end)
        return sorted(lines, key=lambda line: firsts.get(line.name, _NEVER))

    def _last_runs(self) -> Mapping[str, int]:
        """The newest run of each job; but for the first time only what is new is read."""
        from jobrunner.store.runs import of_jobs
        from jobrunner.store.runs.pages import extent

        db = self._context.db
        with db.snapshot():
            _, newest = extent(db)
            if self._last is None or newest < self._newest:
                self._last = of_jobs.newest(db)
            elif newest > self._newest:
                self._last |= of_jobs.newer(db, self._newest, newest)
        self._newest = newest
        return self._last

    def _measured(self, last: Mapping[str, int]) -> Mapping[str, tuple[int, float, float]]:
        """Of each job: the run that was its newest when it was looked at (negative: it had not ended), how long the
        last one took that had ended, and the part of the last ones that was ok. Jobs with news are looked at anew."""
        from jobrunner.store.runs import of_jobs

        db = self._context.db
        old = [name for name, run_id in last.items() if self._measures.get(name, (0, 0.0, 0.0))[0] != run_id]
        with db.snapshot():
            for name in old:
                self._measures[name] = _measure(last[name], of_jobs.last(db, name, OUTCOMES))
        return self._measures


def _problem(file: AtHand) -> str:
    """Why the file cannot be used, in one line that begins with its name, not its folder."""
    from jobrunner.admin.attending import file_error

    first = file.error.problems[0].file if file.error is not None and file.error.problems else ""
    return (file_error(file) or "").replace(first, os.path.basename(first), 1) if first else file_error(file) or ""


def _measure(newest: int, rows: Sequence[tuple[int, str, int, int | None, int | None]]) -> tuple[int, float, float]:
    took = next((end - start for _, _, _, start, end in rows if start is not None and end is not None), -1)
    ended = all(RunState(row[1]).final for row in rows[:1])
    ok = share_ok(RunState(row[1]) for row in rows)
    return newest if ended else -newest, float(took), 2.0 if ok is None else ok


def _ended(row: tuple[int, str, int, int | None, int | None], now: int) -> Ended:
    number, state, created, started, finished = row
    end = now if state == "running" else finished
    took = None if started is None or end is None else timedelta(microseconds=max(end - started, 0))
    return Ended(number, RunState(state), from_micros(created if started is None else started), took)


def _row(name: str, job: Job | None, recents: Recents, held: Sequence[Pause], now: datetime) -> JobRow:
    from jobrunner.admin.looking import next_fire_of, pause_of

    pause, runs = pause_of(name, held), recents.runs
    took = sorted(each.took for each in runs if each.state is RunState.SUCCEEDED and each.took is not None)
    return JobRow(
        name=name,
        known=job is not None,
        description=job.description if job else "",
        kind=job.kind_name if job else "",
        schedule="; ".join(spec.expression for spec in job.schedules) if job else "",
        queue=job.queue if job else "",
        tags=job.tags if job else (),
        enabled=job.enabled if job else True,
        confirm=job.confirm if job else False,
        pause=pause,
        next_fire=next_fire_of(job, pause, now) if job else None,
        last=runs[0] if runs else None,
        outcomes=tuple(each.state for each in reversed(runs)),
        ok=share_ok(each.state for each in runs),
        p50=took[-(-len(took) // 2) - 1] if took else None,
        p95=took[-(-len(took) * 95 // 100) - 1] if took else None,
    )
