"""The schedule played forward: a discrete-event simulation of fires, queues and workers. Called by admin.

What is played: schedules with jitter and blackouts, ``overlap``, ``expires``, queues in their order, priorities,
``max_running`` of jobs and queues, shared limits, and the workers. It begins with nothing queued or running. Every run
succeeds; it takes as long as its job's estimate says, but never longer than ``timeout``. A run that ``replace`` cancels
ends at once.

Durations are 256 quantiles of the lognormal distribution that has the estimate's median and 95th percentile, in an
order that a generator seeded with the plan's seed and the job's name has shuffled; after the last comes the first. So a
plan has one answer on every host, and a further job changes nobody else's durations.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from jobrunner.domain.blackout import DaysOff
from jobrunner.domain.clock import from_micros, to_micros
from jobrunner.domain.forecast import ClockChange, Forecast, JobForecast, Plan
from jobrunner.domain.job import Overlap
from jobrunner.domain.players import QUANTILES, Entry, Limits, Line, Player, Run
from jobrunner.domain.schedule import CronRule, Schedule
from jobrunner.domain.tally import Collisions, Idle, LoadCurve
from jobrunner.domain.traps import clock_remark
from jobrunner.domain.zone import timeline

_DUE, _EXPIRE, _FIRE = range(3)
"""Kinds of events, in the order in which those of one instant happen, after what ends then has made room."""

_NEVER = 2**63

Observer = Callable[[int, int], None]

_Event = tuple[int, int, int, Any]
"""Instant, kind, number, and what it is about: an Entry that falls due, a Run that expires, a Line that fires."""


def simulate(plan: Plan, observe: Observer | None = None) -> Forecast:
    """Plays a plan; ``observe`` is told start and end of every attempt, in microseconds, as far as the window goes.

    Raises:
        ScheduleError: a schedule of a job cannot be read.
    """
    return _Play(plan, observe).play()


class _Play:
    """One simulation under way.

    Ends of attempts have a heap of their own: as long as nothing waits for them, they are looked at only when
    something else happens. For the same reason an attempt is accounted for when it begins, unless it may be replaced.
    """

    def __init__(self, plan: Plan, observe: Observer | None) -> None:
        self._plan = plan
        self._start, self._until = to_micros(plan.start), to_micros(plan.end)
        self._line = timeline(plan.timezone)
        self._load = LoadCurve(self._start, self._until)
        self._observe = observe
        self._idle = Idle(self._start)
        self._collisions = Collisions(self._line)
        self._workers = self._free = plan.workers
        self._waiting = 0
        queues = {name: place for place, name in enumerate(_queues(plan))}
        limits = Limits(plan)
        self._players = [
            Player(planned, place=place, seed=plan.seed, queue=queues[planned.job.queue], limits=limits.of(planned))
            for place, planned in enumerate(sorted(plan.jobs, key=lambda planned: planned.job.name))
        ]
        self._room = limits.room
        self._held = dict[int, list[Entry]]()
        self._queue = list[Entry]()
        self._ready = list[Entry]()
        self._ends = list[tuple[int, int, Player, Run | None]]()
        self._schedules = [(player, list(player.schedules())) for player in self._players]
        self._events: list[_Event] = list(self._first_fires())
        heapq.heapify(self._events)

    def play(self) -> Forecast:
        events, ends = self._events, self._ends
        while True:
            at = events[0][0] if events else _NEVER
            if ends and (self._queue or self._held or self._waiting) and ends[0][0] < at:
                at = ends[0][0]
            if at >= self._until:
                break
            self._end_until(at)
            while events and events[0][0] == at:
                self._happen(at)
            if self._ready or self._queue or self._held:
                self._dispatch(at)
        self._close()
        return self._forecast()

    def _first_fires(self) -> Iterator[_Event]:
        lines = dict[object, Line]()
        for player, schedules in self._schedules:
            for schedule, jitter in schedules:
                line = lines.get(schedule.key)
                if line is None:
                    line = lines[schedule.key] = Line(schedule)
                    first = line.next_after(max(self._start, schedule.first) - 1)
                    if first is not None:
                        yield first, _FIRE, len(lines), line
                line.subscribe(player, jitter, schedule.zone)

    def _happen(self, at: int) -> None:
        _, kind, number, what = self._events[0]
        if kind != _FIRE:
            heapq.heappop(self._events)
            if kind == _EXPIRE:
                self._expire(what, at)
            else:
                self._go_on(what, at)
            return
        following = what.next_after(at)
        if following is None:
            heapq.heappop(self._events)
        else:
            heapq.heapreplace(self._events, (following, _FIRE, number, what))
        for player, jitter, days_off in what.subscribers:
            if player.last_fire != at:
                self._fire(player, at, jitter, days_off)

    def _fire(self, player: Player, at: int, jitter: int, days_off: DaysOff | None) -> None:
        player.last_fire = at
        player.fires += 1
        due = at + jitter
        if days_off is not None and (off := days_off.at(at)) is not None:
            if not player.defers:
                player.blackouts += 1
                return
            due = off.end + jitter
        active = player.busy or player.waiting
        if active and player.overlap is Overlap.SKIP:
            player.skips += 1
            return
        number = (at - self._start) * len(self._players) + player.place
        entry = (player.rank, due, number, player, self._run(player, due, number) if player.revocable else None)
        if active and player.overlap is Overlap.QUEUE:
            player.waiting.append(entry)
            self._waiting += 1
            return
        if active and player.overlap is Overlap.REPLACE:
            self._replace(player, at)
        self._go_on(entry, at)

    def _run(self, player: Player, due: int, number: int) -> Run:
        run = Run(player, number, due)
        if player.expires is not None:
            heapq.heappush(self._events, (due + player.expires, _EXPIRE, number, run))
        return run

    def _go_on(self, entry: Entry, at: int) -> None:
        """Nothing holds a run but its time, and then the workers."""
        _, due, number, player, run = entry
        if due > at:
            heapq.heappush(self._events, (due, _DUE, number, entry))
            return
        player.busy += 1
        self._ready.append(entry)
        if run is not None:
            player.current[number] = run

    def _end_until(self, at: int) -> None:
        """Attempts that end at an instant or before it make room."""
        ends, workers = self._ends, self._workers
        while ends and ends[0][0] <= at:
            end, _, player, run = heapq.heappop(ends)
            if run is not None:
                if run.over:
                    continue
                self._account(run, end)
            player.busy -= 1
            self._free += 1
            if self._free == workers:
                self._idle.begin(end)
            for limit in player.limits:
                self._room[limit] += 1
            if player.waiting and not player.busy:
                self._release(player, end)

    def _release(self, player: Player, at: int) -> None:
        """The next fire that ``overlap`` held goes on."""
        self._waiting -= 1
        self._go_on(player.waiting.popleft(), at)

    def _account(self, run: Run, end: int) -> None:
        run.over = True
        del run.player.current[run.number]
        run.player.took(end - run.due)
        self._ran(run.start, end)

    def _ran(self, start: int, end: int) -> None:
        self._load.ran(start, end)
        if self._observe is not None:
            self._observe(start, end)

    def _expire(self, run: Run, at: int) -> None:
        if run.start >= 0 or run.over:
            return
        run.over = True
        player = run.player
        player.expired += 1
        player.late += player.start_within is not None and at - run.due > player.start_within
        held = next((entry for entry in player.waiting if entry[4] is run), None)
        if held is not None:
            player.waiting.remove(held)
            self._waiting -= 1
            return
        self._withdraw(run)
        if player.waiting and not player.busy:
            self._release(player, at)

    def _withdraw(self, run: Run) -> None:
        run.player.busy -= 1
        del run.player.current[run.number]

    def _replace(self, player: Player, at: int) -> None:
        for run in list(player.current.values()):
            player.replaced += 1
            if run.start < 0:
                run.over = True
                self._withdraw(run)
                continue
            self._account(run, at)
            player.busy -= 1
            self._free += 1
            if self._free == self._workers:
                self._idle.begin(at)
            for limit in player.limits:
                self._room[limit] += 1

    def _dispatch(self, at: int) -> None:
        """Everything of this instant has happened: workers take what is ready, in its order."""
        ready = self._ready
        if len(ready) > 1:
            self._collisions.add(at, len(ready), (entry[3].name for entry in ready))
        if not (self._queue or self._held or self._room) and len(ready) <= self._free:
            self._begin([entry for entry in ready if entry[4] is None or not entry[4].over], at)
        else:
            for entry in ready:
                heapq.heappush(self._queue, entry)
            if self._free:
                self._begin(list(self._take(self._free)), at)
        ready.clear()

    def _wake(self, limit: int, count: int) -> None:
        """The best of those that a limit holds go back to the queue, for as many as it may have room for."""
        held = self._held.get(limit)
        while held and count > 0:
            entry = heapq.heappop(held)
            if entry[4] is None or not entry[4].over:
                heapq.heappush(self._queue, entry)
                count -= 1
        if held is not None and not held:
            del self._held[limit]

    def _take(self, count: int) -> Iterator[Entry]:
        """Up to ``count`` runs that may start, which have room in their limits from now on."""
        for limit in list(self._held):
            self._wake(limit, self._room[limit])
        while self._queue and count:
            entry = heapq.heappop(self._queue)
            limits, run = entry[3].limits, entry[4]
            full = next((limit for limit in limits if self._room[limit] <= 0), None) if limits else None
            if full is not None:
                heapq.heappush(self._held.setdefault(full, []), entry)
            if full is not None or (run is not None and run.over):
                for limit in limits:  # what has no use for its place leaves it to the next
                    self._wake(limit, min(self._room[limit], 1))
                continue
            for limit in limits:
                self._room[limit] -= 1
            count -= 1
            yield entry

    def _begin(self, entries: Sequence[Entry], at: int) -> None:
        if not entries:
            return
        if self._free == self._workers:
            self._idle.end(at)
        self._free -= len(entries)
        self._load.started(at, len(entries), self._workers - self._free)
        ends, until, ran, push = self._ends, self._until, self._ran, heapq.heappush
        for _, due, number, player, run in entries:
            player.starts = starts = player.starts + 1
            if at > due:
                player.delayed(at - due)
            end = at + player.durations[starts % QUANTILES]
            push(ends, (end, number, player, run))
            if run is not None:
                run.start = at
            else:
                if end > until:
                    end = until
                player.took(end - due)
                ran(at, end)

    def _close(self) -> None:
        """The window ends: what runs counts as far as it came."""
        until = self._until
        self._end_until(until)
        if self._free == self._workers:
            self._idle.end(until)
        for _, _, _, run in self._ends:
            if run is not None and not run.over:
                self._account(run, until)
        for entry in self._unstarted():
            if entry[4] is None or not entry[4].over:
                entry[3].unstarted(until - entry[1])

    def _unstarted(self) -> Iterator[Entry]:
        yield from self._ready
        yield from self._queue
        for held in self._held.values():
            yield from held
        for player in self._players:
            yield from player.waiting
        yield from (what for _, kind, _, what in self._events if kind == _DUE)

    def _forecast(self) -> Forecast:
        load = self._load
        return Forecast(
            plan=self._plan,
            jobs=tuple(map(_job_forecast, self._players)),
            peak=load.peak,
            peak_at=from_micros(load.peak_at) if load.peak else None,
            load=load.hours(),
            day=load.day(self._line),
            collisions=self._collisions.most(),
            idle=self._idle.windows(),
            clock_changes=_clock_changes(self._schedules, self._plan),
        )


def _queues(plan: Plan) -> Sequence[str]:
    return list(dict.fromkeys((*plan.queues, *sorted(planned.job.queue for planned in plan.jobs))))


def _job_forecast(player: Player) -> JobForecast:
    starts, delays, sla = player.starts, player.delays, player.planned.job.sla
    quantiles = [delays.quantile(part, starts) if delays else 0 for part in (0.5, 0.95)]
    longest = delays.longest if delays else 0
    median, p95, most = (timedelta(microseconds=value) if starts else None for value in (*quantiles, longest))
    return JobForecast(
        name=player.name,
        estimate=player.planned.estimate,
        fires=player.fires,
        starts=starts,
        skips=player.skips,
        replaced=player.replaced,
        expired=player.expired,
        blackouts=player.blackouts,
        waiting=player.left,
        delay_median=median,
        delay_p95=p95,
        delay_max=most,
        slowest=timedelta(microseconds=player.slowest) if player.slowest >= 0 else None,
        start_within=sla.start_within if sla else None,
        finish_within=sla.finish_within if sla else None,
        late=player.late,
        overdue=player.overdue,
    )


def _clock_changes(
    played: Sequence[tuple[Player, Sequence[tuple[Schedule, int]]]], plan: Plan
) -> tuple[ClockChange, ...]:
    """The changes that a schedule notices, each with the jobs for which it means the same."""
    names = dict[tuple[int, str], set[str]]()
    known = dict[object, list[tuple[int, str]]]()
    for player, schedules in played:
        for schedule, _ in schedules:
            if schedule.key not in known:
                known[schedule.key] = list(_changes(schedule, plan))
            for change in known[schedule.key]:
                names.setdefault(change, set()).add(player.name)
    return tuple(
        ClockChange(at=from_micros(at * 1_000_000), remark=remark, jobs=tuple(sorted(names[at, remark])))
        for at, remark in sorted(names)
    )


def _changes(schedule: Schedule, plan: Plan) -> Iterator[tuple[int, str]]:
    if isinstance(schedule.rule, CronRule):
        start, end = int(plan.start.timestamp()) - 1, int(plan.end.timestamp()) - 1
        for change in schedule.rule.timeline.changes(start, end):
            remark = clock_remark(schedule.rule, change)
            if remark is not None:
                yield change.start, remark
