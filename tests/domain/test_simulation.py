"""The schedule played forward: by hand-made nights, by its invariants, and against a slow simulation in steps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobrunner.domain.estimate import Basis, Estimate
from jobrunner.domain.forecast import Forecast, JobForecast, Plan, PlannedJob
from jobrunner.domain.job import Command, Job, Overlap, ScheduleSpec, Sla
from jobrunner.domain.params import Param
from jobrunner.domain.schedule import jitter_delay
from jobrunner.domain.simulation import simulate

START = datetime(2026, 5, 4, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def job(
    name: str, *schedules: str | ScheduleSpec, takes: float = 1, p95: float | None = None, **more: Any
) -> PlannedJob:
    """A job whose runs take so many minutes."""
    specs = tuple(ScheduleSpec(each) if isinstance(each, str) else each for each in schedules)
    days_off = more.pop("days_off", frozenset())
    values = {"timezone": "UTC", "kind": Command(line="true"), "folder": "/", "definition": ""} | more
    estimate = Estimate(median=takes * MINUTE, p95=(p95 or takes) * MINUTE, basis=Basis.GUESS)
    return PlannedJob(job=Job(name=name, schedules=specs, **values), estimate=estimate, days_off=days_off)


def plan(*jobs: PlannedJob, length: timedelta = DAY, **more: Any) -> Plan:
    values = {"workers": 100, "queues": ("critical", "default", "low"), "start": START, "timezone": "UTC", "seed": 1}
    values |= more
    return Plan(jobs=jobs, end=values["start"] + length, **values)


def play(*jobs: PlannedJob, **more: Any) -> dict[str, JobForecast]:
    return {found.name: found for found in simulate(plan(*jobs, **more)).jobs}


def attempts(*jobs: PlannedJob, **more: Any) -> list[tuple[float, float]]:
    """When attempts started and ended, in minutes from the start."""
    found = list[tuple[int, int]]()
    simulate(plan(*jobs, **more), lambda start, end: found.append((start, end)))
    first = int(START.timestamp()) * 1_000_000
    return sorted(((start - first) / 60e6, (end - first) / 60e6) for start, end in found)


class TestFires:
    def test_a_job_with_room_starts_when_it_is_due(self) -> None:
        found = play(job("hourly", "0 * * * *", takes=5))["hourly"]
        assert (found.fires, found.starts, found.skips, found.waiting) == (24, 24, 0, 0)
        assert found.delay_median == found.delay_p95 == found.delay_max == timedelta(0)
        assert found.slowest == 5 * MINUTE

    def test_the_window_has_its_start_and_not_its_end(self) -> None:
        assert play(job("a", "0 * * * *"), length=HOUR)["a"].fires == 1
        assert play(job("a", "0 * * * *"), length=HOUR + timedelta(microseconds=1))["a"].fires == 2
        assert play(job("a", "0 * * * *"), start=START + timedelta(microseconds=1), length=HOUR)["a"].fires == 1

    def test_schedules_of_one_job_that_fall_due_together_are_one_fire(self) -> None:
        assert play(job("a", "0 * * * *", "0 */2 * * *", "30 3 * * *"))["a"].fires == 25

    def test_each_job_of_a_shared_schedule_fires(self) -> None:
        found = play(job("a", "0 * * * *"), job("b", "@hourly"), job("c", "0 0-23 * * *"))
        assert [each.fires for each in found.values()] == [24, 24, 24]

    def test_bounds_of_a_schedule_hold(self) -> None:
        bounded = ScheduleSpec("0 * * * *", start=START + 2 * HOUR, end=START + 4 * HOUR)
        assert play(job("a", bounded))["a"].fires == 3
        assert play(job("b", ScheduleSpec("at 2026-05-04T12:00:00Z")))["b"].fires == 1

    def test_a_disabled_job_does_not_fire(self) -> None:
        assert play(job("a", "0 * * * *", enabled=False))["a"].fires == 0

    def test_jitter_delays_the_start_and_is_no_delay(self) -> None:
        spec = ScheduleSpec("0 * * * *", jitter=30 * MINUTE)
        late = jitter_delay(spec.jitter, "a") / MINUTE
        assert [start for start, _ in attempts(job("a", spec), length=2 * HOUR)] == pytest.approx([late, 60 + late])
        assert play(job("a", spec))["a"].delay_max == timedelta(0)

    def test_nothing_to_play(self) -> None:
        found = simulate(plan())
        assert (found.jobs, found.peak, found.peak_at, found.collisions) == ((), 0, None, ())
        assert [(window.start, window.end) for window in found.idle] == [(START, START + DAY)]


class TestOverlap:
    """Every 10 minutes a run of 25."""

    def of(self, overlap: Overlap) -> JobForecast:
        return play(job("a", "every 10m", takes=25, overlap=overlap), length=HOUR)["a"]

    def test_skip(self) -> None:
        found = self.of(Overlap.SKIP)
        assert (found.fires, found.starts, found.skips) == (6, 2, 4)

    def test_an_end_makes_room_for_the_fire_of_the_same_instant(self) -> None:
        assert play(job("a", "every 10m", takes=10), length=HOUR)["a"].skips == 0

    def test_allow(self) -> None:
        found = self.of(Overlap.ALLOW)
        assert (found.starts, found.skips) == (6, 0)
        assert simulate(plan(job("a", "every 10m", takes=25, overlap=Overlap.ALLOW), length=HOUR)).peak == 3

    def test_queue_keeps_every_fire_one_after_another(self) -> None:
        found = self.of(Overlap.QUEUE)
        assert (found.starts, found.skips, found.waiting) == (3, 0, 3)
        assert found.delay_max == 30 * MINUTE
        queued = job("a", "every 10m", takes=25, overlap=Overlap.QUEUE)
        assert attempts(queued, length=HOUR) == [(0, 25), (25, 50), (50, 60)]

    def test_replace_ends_what_is_active(self) -> None:
        found = self.of(Overlap.REPLACE)
        assert (found.starts, found.replaced) == (6, 5)
        replacing = job("a", "every 10m", takes=25, overlap=Overlap.REPLACE)
        assert attempts(replacing, length=HOUR) == [(at, at + 10) for at in range(0, 60, 10)]

    def test_replace_withdraws_what_has_not_started(self) -> None:
        blocking = job("long", ScheduleSpec("at 2026-05-04T00:00:00Z"), takes=55, priority=1)
        found = play(blocking, job("a", "every 10m", takes=1, overlap=Overlap.REPLACE), workers=1, length=59 * MINUTE)[
            "a"
        ]
        assert (found.fires, found.starts, found.replaced, found.waiting) == (6, 1, 5, 0)
        assert found.delay_max == 5 * MINUTE


class TestWorkersAndQueues:
    def test_runs_wait_for_a_worker(self) -> None:
        jobs = [job(name, "0 0 * * *", takes=10) for name in "abc"]
        found = play(*jobs, workers=1)
        assert [each.delay_max for each in found.values()] == [timedelta(0), 10 * MINUTE, 20 * MINUTE]
        assert [each.slowest for each in found.values()] == [10 * MINUTE, 20 * MINUTE, 30 * MINUTE]

    def test_queues_come_in_their_order_then_priority_then_due_then_age(self) -> None:
        minutes = {"first": 0, "low": 1, "late": 2, "early": 1, "urgent": 3, "critical": 5}
        more: dict[str, dict[str, Any]] = {
            "first": {"queue": "low", "takes": 7},
            "low": {"queue": "low", "priority": 100},
            "urgent": {"priority": 1},
            "critical": {"queue": "critical"},
        }
        jobs = [job(name, f"{minute} 0 * * *", **more.get(name, {})) for name, minute in minutes.items()]
        found = play(*jobs, workers=1)
        began = {name: minutes[name] * MINUTE + (found[name].delay_max or timedelta(0)) for name in minutes}
        assert sorted(began, key=began.__getitem__) == ["first", "critical", "urgent", "early", "late", "low"]

    def test_a_queue_that_no_file_names_comes_last(self) -> None:
        found = play(job("odd", "0 0 * * *", queue="odd"), job("b", "0 0 * * *"), workers=1)
        assert (found["b"].delay_max, found["odd"].delay_max) == (timedelta(0), MINUTE)

    def test_max_running_of_a_queue_leaves_workers_to_others(self) -> None:
        jobs = [job(f"low{n}", "0 0 * * *", takes=10, queue="low") for n in range(3)]
        found = play(*jobs, job("other", "1 0 * * *"), workers=3, queue_limits={"low": 2})
        assert found["other"].delay_max == timedelta(0)
        assert [found[f"low{n}"].delay_max for n in range(3)] == [timedelta(0), timedelta(0), 10 * MINUTE]

    def test_max_running_of_a_job(self) -> None:
        limited = job("a", "every 10m", takes=25, overlap=Overlap.ALLOW, max_running=2)
        assert attempts(limited, length=HOUR) == [(0, 25), (10, 35), (25, 50), (35, 60), (50, 60)]

    def test_shared_limits_are_for_each_value(self) -> None:
        def tenant(name: str, value: str) -> PlannedJob:
            param = Param(name="tenant", default=value, has_default=True)
            return job(name, "0 0 * * *", takes=10, limits=("db", "tenant:{tenant}", "unknown"), params=(param,))

        jobs = (tenant("a", "x"), tenant("b", "x"), tenant("c", "y"))
        found = play(*jobs, limits={"db": 3, "tenant": 1})
        assert [each.delay_max for each in found.values()] == [timedelta(0), 10 * MINUTE, timedelta(0)]
        found = play(*jobs, limits={"db": 1, "tenant": 1})
        assert [each.delay_max for each in found.values()] == [timedelta(0), 10 * MINUTE, 20 * MINUTE]

    def test_the_best_of_those_that_a_limit_holds_goes_first(self) -> None:
        found = play(
            job("first", "0 0 * * *", takes=10, limits=("db",)),
            job("second", "1 0 * * *", takes=10, limits=("db",)),
            job("urgent", "2 0 * * *", takes=10, limits=("db",), priority=5),
            limits={"db": 1},
        )
        assert found["urgent"].delay_max == 8 * MINUTE
        assert found["second"].delay_max == 19 * MINUTE

    def test_one_that_two_limits_hold_keeps_nobody_else_waiting(self) -> None:
        found = play(
            job("a", "0 0 * * *", takes=10, limits=("one",)),
            job("b", "0 0 * * *", takes=30, limits=("two",)),
            job("both", "1 0 * * *", takes=10, limits=("one", "two"), priority=9),
            job("one", "2 0 * * *", takes=10, limits=("one",)),
            limits={"one": 1, "two": 1},
        )
        assert found["one"].delay_max == 8 * MINUTE
        assert found["both"].delay_max == 29 * MINUTE

    def test_more_work_than_workers_is_told_at_the_end(self) -> None:
        found = play(job("a", "every 10m", takes=25, overlap=Overlap.ALLOW), workers=1, length=DAY)["a"]
        assert found.fires == found.starts + found.waiting == 144
        assert found.waiting > 80


class TestDurations:
    def test_median_and_95th_percentile_are_those_of_the_estimate(self) -> None:
        runs = attempts(job("a", "every 3h", takes=4, p95=20), length=256 * 3 * HOUR, seed=7)
        taken = sorted(end - start for start, end in runs)
        assert taken[127] == pytest.approx(4, rel=0.02)
        assert taken[243] == pytest.approx(20, rel=0.03)
        assert len(set(taken)) > 200

    def test_timeout_is_the_most(self) -> None:
        runs = attempts(job("a", "every 1h", takes=4, p95=20, timeout=6 * MINUTE), length=100 * HOUR)
        assert max(end - start for start, end in runs) == pytest.approx(6)

    def test_equal_estimates_are_what_is_taken(self) -> None:
        assert {round(end - start, 6) for start, end in attempts(job("a", "every 1h", takes=4))} == {4}

    def test_a_duration_of_nothing_ends(self) -> None:
        assert play(job("a", "every 1h", takes=0))["a"].starts == 24

    def test_the_seed_decides_and_nothing_else_does(self) -> None:
        mine = job("a", "every 7m", takes=4, p95=9)
        again = [attempts(mine, seed=seed) for seed in (1, 1, 2)]
        assert again[0] == again[1] != again[2]

    def test_another_job_does_not_change_durations(self) -> None:
        alone = attempts(job("a", "every 1h", takes=4, p95=9))
        beside = attempts(job("b", "30 * * * *", takes=1), job("a", "every 1h", takes=4, p95=9))
        assert set(alone) <= set(beside)


class TestPromises:
    def test_late_and_overdue_are_counted(self) -> None:
        sla = Sla(start_within=5 * MINUTE, finish_within=15 * MINUTE)
        found = play(job("Blocking", "0 0 * * *", takes=10), job("a", "0 0 * * *", takes=10, sla=sla), workers=1)["a"]
        assert (found.late, found.overdue) == (1, 1)
        assert (found.start_within, found.finish_within) == (5 * MINUTE, 15 * MINUTE)

    def test_exactly_in_time_is_kept(self) -> None:
        sla = Sla(start_within=10 * MINUTE, finish_within=20 * MINUTE)
        forecast = simulate(
            plan(job("Blocking", "0 0 * * *", takes=10), job("a", "0 0 * * *", takes=10, sla=sla), workers=1)
        )
        assert not forecast.breaks_sla

    def test_what_never_started_in_the_window_is_late_once_its_time_is_over(self) -> None:
        blocking = job("Blocking", "0 0 * * *", takes=90)
        mine = job("a", "0 0 * * *", sla=Sla(start_within=30 * MINUTE, finish_within=HOUR))
        for length, late, overdue in ((30 * MINUTE, 0, 0), (31 * MINUTE, 1, 0), (61 * MINUTE, 1, 1)):
            found = play(blocking, mine, workers=1, length=length)["a"]
            assert (found.waiting, found.late, found.overdue) == (1, late, overdue)

    def test_what_still_runs_is_overdue_once_its_time_is_over(self) -> None:
        mine = job("a", "0 0 * * *", takes=90, sla=Sla(finish_within=HOUR))
        assert play(mine, length=HOUR)["a"].overdue == 0
        assert play(mine, length=61 * MINUTE)["a"].overdue == 1

    def test_expired_runs_never_start(self) -> None:
        blocking = job("Blocking", "0 0 * * *", takes=30)
        mine = job("a", "0 0 * * *", expires=10 * MINUTE, sla=Sla(start_within=5 * MINUTE))
        found = play(blocking, mine, workers=1)["a"]
        assert (found.fires, found.starts, found.expired, found.late) == (1, 0, 1, 1)
        found = play(blocking, mine._replace(job=mine.job._replace(expires=31 * MINUTE)), workers=1)["a"]
        assert (found.starts, found.expired) == (1, 0)

    def test_an_expired_run_holds_no_fire(self) -> None:
        blocking = job("Blocking", "0 0 * * *", takes=25)
        mine = job("a", "every 20m", expires=10 * MINUTE)
        found = play(blocking, mine, workers=1, length=HOUR)["a"]
        assert (found.fires, found.skips, found.expired, found.starts) == (3, 0, 1, 2)

    def test_a_fire_that_overlap_holds_expires_too(self) -> None:
        mine = job("a", "every 10m", takes=45, overlap=Overlap.QUEUE, expires=12 * MINUTE)
        found = play(mine, length=HOUR)["a"]
        assert (found.fires, found.starts, found.expired, found.waiting) == (6, 2, 3, 1)


class TestBlackouts:
    SUNDAY = datetime(2026, 10, 25, tzinfo=UTC)

    def test_fires_on_days_off_are_left_out(self) -> None:
        found = play(job("a", "0 */6 * * *", days_off=frozenset({date(2026, 5, 5)})), length=3 * DAY)["a"]
        assert (found.fires, found.blackouts, found.starts) == (12, 4, 8)

    def test_days_are_those_of_the_schedule(self) -> None:
        spec = ScheduleSpec("0 */6 * * *", timezone="Asia/Tokyo")
        mine = job("a", spec, takes=1, days_off=frozenset({date(2026, 5, 5)}))
        assert [start / 60 for start, _ in attempts(mine, length=2 * DAY)] == [3, 9, 39, 45]

    def test_defer_starts_at_the_end_of_the_days_off(self) -> None:
        days = frozenset({date(2026, 5, 5), date(2026, 5, 6)})
        mine = job("a", "0 12 5 * *", days_off=days, on_blackout="defer")
        assert attempts(mine, length=9 * DAY) == [(3 * 1440, 3 * 1440 + 1)]


class TestStatistics:
    def test_load_is_by_the_hour(self) -> None:
        found = simulate(plan(job("a", "15 * * * *", takes=60), length=3 * HOUR))
        assert [(load.at, load.starts, load.peak) for load in found.load] == [
            (START + hour * HOUR, 1, 1) for hour in range(3)
        ]
        assert [load.mean for load in found.load] == pytest.approx([0.75, 1, 1])

    def test_a_window_that_begins_within_an_hour(self) -> None:
        begin = START + 50 * MINUTE
        found = simulate(plan(job("a", "every 10m", takes=5), start=begin, length=HOUR))
        assert [load.at for load in found.load] == [START, START + HOUR]
        assert [load.mean for load in found.load] == pytest.approx([0.5, 0.5])
        assert [load.starts for load in found.load] == [1, 5]

    def test_a_run_that_goes_on_is_a_peak_of_every_hour(self) -> None:
        found = simulate(plan(job("a", "0 0 * * *", takes=150), length=3 * HOUR))
        assert [(load.starts, load.peak) for load in found.load] == [(1, 1), (0, 1), (0, 1)]

    def test_the_peak_and_when(self) -> None:
        found = simulate(plan(job("a", "0 * * * *", takes=10), job("b", "5 7 * * *", takes=10)))
        assert (found.peak, found.peak_at) == (2, START + 7 * HOUR + 5 * MINUTE)

    def test_the_day_is_local(self) -> None:
        found = simulate(plan(job("a", "0 0 * * *", takes=15), timezone="Asia/Kathmandu", length=2 * DAY))
        assert [load.minute for load in found.day] == list(range(0, 1440, 30))
        assert {load.minute: load.mean for load in found.day if load.mean} == pytest.approx({330: 0.5})
        assert {load.minute for load in found.day if load.peak} == {330}

    def test_half_hours_that_are_not_in_the_window_are_left_out(self) -> None:
        found = simulate(plan(job("a", "0 0 * * *"), length=HOUR))
        assert [load.minute for load in found.day] == [0, 30]

    def test_collisions_are_by_the_minute_of_the_day(self) -> None:
        names = "abcdefg"
        found = simulate(plan(*(job(name, "0 2 * * *") for name in names), job("h", "0 * * * *"), length=3 * DAY))
        (worst,) = found.collisions
        assert (worst.at, worst.runs, worst.times) == (START + 2 * HOUR, 8, 3)
        assert worst.jobs == ("a", "b", "c", "d", "e")

    def test_idle_windows_are_the_longest_in_order_of_time(self) -> None:
        hours = (1, 4, 5, 6, 9, 13, 14, 20)
        found = simulate(plan(job("a", f"0 {','.join(map(str, hours))} * * *", takes=60), length=DAY))
        gaps = [((window.start - START) / HOUR, (window.end - START) / HOUR) for window in found.idle]
        assert gaps == [(2, 4), (7, 9), (10, 13), (15, 20), (21, 24)]

    def test_a_change_of_the_clock_names_the_jobs_that_notice(self) -> None:
        madrid = {"timezone": "Europe/Madrid"}
        start = datetime(2026, 10, 24, 12, tzinfo=UTC)
        found = simulate(
            plan(
                job("fixed", "30 2 * * *", **madrid),
                job("other", "0 2 * * *", **madrid),
                job("each", "0 * * * *", **madrid),
                job("noon", "0 12 * * *", **madrid),
                job("far", "30 2 * * *"),
                start=start,
            )
        )
        (change,) = found.clock_changes
        assert change.at == datetime(2026, 10, 25, 1, tzinfo=UTC)
        assert change.jobs == ("fixed", "other")
        assert "goes back from 03:00 to 02:00" in change.remark
        assert [each.fires for each in found.jobs] == [24 if each.name == "each" else 1 for each in found.jobs]

    def test_quantiles_of_delays(self) -> None:
        jobs = [job(f"j{n:03d}", "0 0 * * *", takes=1) for n in range(3)]
        many = job("a", "every 1m", takes=0.01, overlap=Overlap.ALLOW)
        found = play(*jobs, many, workers=1, length=100 * MINUTE)["a"]
        assert found.delay_median == timedelta(0)
        assert found.delay_max is not None
        assert found.delay_p95 is not None
        assert timedelta(0) <= found.delay_p95 <= found.delay_max


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A few jobs on a few workers for some hours, all in whole minutes."""
    jobs = [
        job(
            f"job{number}",
            draw(st.sampled_from(["every 5m", "every 7m", "*/10 * * * *", "0 * * * *", "3,33 * * * *", "every 3m"])),
            takes=draw(st.integers(1, 40)),
            overlap=draw(st.sampled_from(list(Overlap))),
            queue=draw(st.sampled_from(["critical", "default", "low"])),
            priority=draw(st.integers(-1, 1)),
            max_running=draw(st.sampled_from([None, None, 1, 2])),
            expires=draw(st.sampled_from([None, None, 9 * MINUTE])),
            limits=draw(st.sampled_from([(), (), ("db",), ("db", "disk")])),
        )
        for number in range(draw(st.integers(1, 5)))
    ]
    queue_limits = draw(st.sampled_from([{}, {"low": 1}, {"default": 2, "critical": 1}]))
    return plan(
        *jobs,
        length=draw(st.integers(60, 400)) * MINUTE,
        workers=draw(st.integers(1, 5)),
        queue_limits=queue_limits,
        limits={"db": 2, "disk": 1},
    )


@settings(max_examples=150, deadline=None)
@given(plans())
def test_against_a_slow_simulation_minute_by_minute(given: Plan) -> None:
    observed = list[tuple[int, int]]()
    found = simulate(given, lambda start, end: observed.append((start, end)))
    expected = Slow(given).play()
    for each in found.jobs:
        counted = expected.counts[each.name]
        assert {key: getattr(each, key) for key in counted} == counted, each.name
    origin = int(given.start.timestamp())
    minutes = sorted(((start // 10**6 - origin) // 60, (end // 10**6 - origin) // 60) for start, end in observed)
    assert minutes == sorted(expected.attempts)
    assert found.peak == expected.peak
    busy = sum(end - start for start, end in expected.attempts)
    hours = [min(load.at + HOUR, given.end) - max(load.at, given.start) for load in found.load]
    means = [load.mean * (hour / MINUTE) for load, hour in zip(found.load, hours, strict=True)]
    assert sum(means) == pytest.approx(busy)
    assert sum(load.starts for load in found.load) == sum(each.starts for each in found.jobs)


@settings(max_examples=50, deadline=None)
@given(plans())
def test_equal_plans_have_equal_answers(given: Plan) -> None:
    def answer(found: Forecast) -> Forecast:
        return found._replace(plan=given)

    assert answer(simulate(given)) == answer(simulate(given._replace(jobs=given.jobs)))


class Slow:
    """The rules of the store and of a server's workers, minute by minute, in plain lists."""

    def __init__(self, given: Plan) -> None:
        self.plan = given
        self.counts = {
            each.job.name: dict.fromkeys(("fires", "starts", "skips", "replaced", "expired", "waiting"), 0)
            for each in given.jobs
        }
        self.runs = list[dict[str, Any]]()
        self.attempts = list[tuple[int, int]]()
        self.peak = 0

    def play(self) -> Slow:
        length = round((self.plan.end - self.plan.start) / MINUTE)
        for now in range(length):
            self.minute(now)
        for run in self.active():
            if run["state"] == "running":
                self.attempts.append((run["start"], length))
            else:
                self.counts[run["job"].name]["waiting"] += 1
        return self

    def minute(self, now: int) -> None:
        for run in self.active("running"):
            if run["end"] == now:
                self.end(run, now)
        for run in self.active("queued", "held"):
            expires = run["job"].expires
            if expires is not None and now >= run["due"] + expires / MINUTE:
                run["state"] = "expired"
                self.counts[run["job"].name]["expired"] += 1
                self.release(run["job"].name)
        for each in self.plan.jobs:
            if self.fires(each.job.schedules[0].expression, now):
                self.fire(each, now)
        self.start(now)
        self.peak = max(self.peak, len(self.active("running")))

    def fires(self, expression: str, now: int) -> bool:
        if expression.startswith("every "):
            return (int(START.timestamp()) // 60 + now) % int(expression[6:-1]) == 0
        field = expression.split()[0]
        if field.startswith("*/"):
            return now % 60 % int(field[2:]) == 0
        return now % 60 in map(int, field.split(","))

    def fire(self, each: PlannedJob, now: int) -> None:
        counts, mine = self.counts[each.job.name], [run for run in self.active() if run["job"] is each.job]
        counts["fires"] += 1
        run = {"job": each.job, "due": now, "state": "queued", "takes": each.estimate.median / MINUTE}
        run["number"] = len(self.runs)
        match each.job.overlap:
            case Overlap.SKIP if mine:
                counts["skips"] += 1
                return
            case Overlap.QUEUE if mine:
                run["state"] = "held"
            case Overlap.REPLACE:
                for other in mine:
                    counts["replaced"] += 1
                    if other["state"] == "running":
                        self.attempts.append((other["start"], now))
                    other["state"] = "cancelled"
        self.runs.append(run)

    def start(self, now: int) -> None:
        order = {queue: place for place, queue in enumerate(self.plan.queues)}

        def rank(run: dict[str, Any]) -> tuple[int, ...]:
            return order[run["job"].queue], -run["job"].priority, run["due"], run["number"]

        for run in sorted(self.active("queued"), key=rank):
            if len(self.active("running")) < self.plan.workers and self.room(run["job"]):
                run |= {"state": "running", "start": now, "end": now + run["takes"]}
                self.counts[run["job"].name]["starts"] += 1

    def room(self, wanted: Job) -> bool:
        running = [run["job"] for run in self.active("running")]
        if wanted.max_running is not None and sum(each is wanted for each in running) >= wanted.max_running:
            return False
        most = self.plan.queue_limits.get(wanted.queue)
        if most is not None and sum(each.queue == wanted.queue for each in running) >= most:
            return False
        return all(sum(name in each.limits for each in running) < self.plan.limits[name] for name in wanted.limits)

    def end(self, run: dict[str, Any], now: int) -> None:
        run["state"] = "succeeded"
        self.attempts.append((run["start"], now))
        self.release(run["job"].name)

    def release(self, name: str) -> None:
        mine = [run for run in self.active() if run["job"].name == name]
        if mine and all(run["state"] == "held" for run in mine):
            mine[0]["state"] = "queued"

    def active(self, *states: str) -> list[dict[str, Any]]:
        wanted = states or ("queued", "held", "running")
        return [run for run in self.runs if run["state"] in wanted]
