from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise, takewhile
from random import Random
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from cronsim import CronSim
from debian_cron import Entry, Night
from expressions import often, vixie
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jobrunner.domain.job import ScheduleSpec
from jobrunner.domain.schedule import Schedule, jitter_delay, parse
from jobrunner.domain.zone import timeline
from jobrunner.errors import ScheduleError

ZONES = (
    "America/New_York", "Europe/Madrid", "Europe/Dublin", "Australia/Lord_Howe", "Pacific/Chatham", "Asia/Kathmandu",
    "Africa/Casablanca", "Pacific/Apia", "America/Sao_Paulo", "America/St_Johns", "Antarctica/Troll", "Africa/Cairo",
    "Asia/Gaza", "Asia/Tehran", "Asia/Beirut", "America/Havana", "America/Asuncion", "Asia/Pyongyang",
    "America/Caracas", "Antarctica/Casey", "Europe/London", "America/Santiago", "Pacific/Easter", "Asia/Amman",
    "Australia/Sydney", "America/Nuuk", "Europe/Chisinau", "Pacific/Norfolk", "Africa/El_Aaiun", "America/Scoresbysund",
)  # fmt: skip


def schedule(expression: str, zone: str = "UTC", job: str = "job", **bounds: datetime) -> Schedule:
    return parse(ScheduleSpec(expression=expression, **bounds), job=job, timezone=zone)


def local(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def fires(expression: str, zone: str, after: str, until: str) -> list[str]:
    """The fires between two local times, with their offsets where an hour is repeated."""
    found = schedule(expression, zone).between(local(after, zone), local(until, zone))
    return [f"{fire.astimezone(ZoneInfo(zone)):%d %H:%M%z}" for fire in found]


def next_fires(expression: str, zone: str, after: str, count: int) -> list[str]:
    found = schedule(expression, zone).between(local(after, zone), datetime(9990, 1, 1, tzinfo=UTC))
    return [f"{fire.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" for fire in islice(found, count)]


NY_GAP = ("America/New_York", "2026-03-08 00:40", "2026-03-08 05:00")
LORD_HOWE_GAP = ("Australia/Lord_Howe", "2026-10-04 01:00", "2026-10-04 05:00")
CHATHAM_OVERLAP = ("Pacific/Chatham", "2026-04-05 00:00", "2026-04-05 07:00")
NY_OVERLAP = ("America/New_York", "2026-11-01 00:40", "2026-11-01 04:00")

REAL_HOURS = ["01 01:00-0400", "01 01:00-0500", "01 02:00-0500", "01 03:00-0500", "01 04:00-0500"]


@pytest.mark.parametrize(
    ("expression", "window", "expected"),
    [
        ("30 2 * * *", NY_GAP, ["08 03:00-0400"]),
        ("15 1,2,3 * * *", NY_GAP, ["08 01:15-0500", "08 03:00-0400", "08 03:15-0400"]),
        ("30 */2 * * *", NY_GAP, ["08 04:30-0400"]),
        ("0 * * * *", NY_GAP, ["08 01:00-0500", "08 03:00-0400", "08 04:00-0400", "08 05:00-0400"]),
        ("0 0-23 * * *", NY_GAP, ["08 01:00-0500", "08 03:00-0400", "08 04:00-0400", "08 05:00-0400"]),
        ("5-5/5 3 * * *", NY_GAP, ["08 03:05-0400"]),
        ("*/20 2 * * *", NY_GAP, []),
        ("0 30 2 * * *", NY_GAP, ["08 03:00-0400"]),
        ("* 30 2 * * *", NY_GAP, []),
        ("59 59 1 * * *", NY_GAP, ["08 01:59-0500"]),
        ("30 1 * * *", NY_OVERLAP, ["01 01:30-0400"]),
        ("15 1,2,3 * * *", NY_OVERLAP, ["01 01:15-0400", "01 02:15-0500", "01 03:15-0500"]),
        ("0 * * * *", NY_OVERLAP, REAL_HOURS),
        ("0 0-23 * * *", NY_OVERLAP, ["01 01:00-0400", "01 02:00-0500", "01 03:00-0500", "01 04:00-0500"]),
        ("0 1-3 * * *", NY_OVERLAP, ["01 01:00-0400", "01 02:00-0500", "01 03:00-0500"]),
        ("*/30 1 * * *", NY_OVERLAP, ["01 01:00-0400", "01 01:30-0400", "01 01:00-0500", "01 01:30-0500"]),
        ("0 30 1 * * *", NY_OVERLAP, ["01 01:30-0400"]),
        ("every 1h", NY_OVERLAP, REAL_HOURS),
        ("15 1,2 * * *", ("Europe/Dublin", "2026-10-25 00:20", "2026-10-25 03:00"), ["25 01:15+0100", "25 02:15+0000"]),
        ("45 1 * * *", ("Australia/Lord_Howe", "2026-04-05 00:00", "2026-04-05 04:00"), ["05 01:45+1100"]),
        ("54 * * * *", LORD_HOWE_GAP, ["04 01:54+1030", "04 02:54+1100", "04 03:54+1100", "04 04:54+1100"]),
        ("15 2 * * *", LORD_HOWE_GAP, ["04 02:30+1100"]),
        ("*/20 4 * * *", LORD_HOWE_GAP, ["04 04:00+1100", "04 04:20+1100", "04 04:40+1100"]),
        ("50 */3 * * *", CHATHAM_OVERLAP, ["05 00:50+1345", "05 03:50+1245", "05 06:50+1245"]),
        ("0 3 * * *", CHATHAM_OVERLAP, ["05 03:00+1345"]),
        ("0 3 * * *", ("Pacific/Chatham", "2026-09-27 00:00", "2026-09-27 07:00"), ["27 03:45+1345"]),
        ("30 2 * * *", ("Africa/Casablanca", "2026-02-15 00:00", "2026-02-15 05:00"), ["15 02:30+0100"]),
        ("30 2 * * *", ("Africa/Casablanca", "2026-03-22 00:00", "2026-03-22 05:00"), ["22 03:00+0100"]),
        ("0 0 * * *", ("America/Sao_Paulo", "2018-11-03 12:00", "2018-11-04 12:00"), ["04 01:00-0200"]),
        ("0 2 * * *", ("Asia/Kathmandu", "2026-03-29 00:00", "2026-03-30 12:00"), ["29 02:00+0545", "30 02:00+0545"]),
        ("0 12 * * *", ("Pacific/Apia", "2011-12-29 00:00", "2011-12-31 23:00"), ["29 12:00-1000", "31 12:00+1400"]),
        ("0 0 * * *", ("Pacific/Apia", "2011-12-29 12:00", "2012-01-01 12:00"), ["31 00:00+1400", "01 00:00+1400"]),
        ("30 1 * * *", ("Antarctica/Troll", "2026-03-29 00:00", "2026-03-29 05:00"), ["29 03:00+0200"]),
    ],
)  # fmt: skip
def test_daylight_saving(expression: str, window: tuple[str, str, str], expected: list[str]) -> None:
    assert fires(expression, *window) == expected


@pytest.mark.parametrize("minute", [0, 10, 29, 30, 31, 59])
def test_asked_in_the_repeated_hour_a_fixed_job_waits_for_the_next_day(minute: int) -> None:
    second_pass = datetime(2026, 11, 1, 6, minute, 30, tzinfo=UTC)
    assert schedule("30 1 * * *", "America/New_York").next_after(second_pass) == datetime(
        2026, 11, 2, 6, 30, tzinfo=UTC
    )
    assert schedule("15 1,2 * * *", "America/New_York").next_after(second_pass) == datetime(
        2026, 11, 1, 7, 15, tzinfo=UTC
    )


def test_a_fire_of_next_year_in_a_repeated_hour_is_the_first_of_the_two() -> None:
    found = schedule("30 2 25 10 *", "Europe/Madrid").next_after(datetime(2025, 10, 25, 12, tzinfo=UTC))
    assert found == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("0 0 29 2 *", "2026-01-01", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("0 0 29 2 *", "2096-03-01", ["2104-02-29 00:00"]),
        ("0 0 29 2 */7", "2026-01-01", ["2032-02-29 00:00", "2060-02-29 00:00"]),
        ("0 0 29 2 */7", "2089-01-01", ["2128-02-29 00:00"]),
        ("59 23 31 12 *", "2026-12-31 23:58", ["2026-12-31 23:59", "2027-12-31 23:59"]),
        ("0 0 1 1 *", "2026-12-31 23:59:59", ["2027-01-01 00:00"]),
        ("0 0 31 * *", "2026-01-31", ["2026-03-31 00:00", "2026-05-31 00:00"]),
        ("0 0 L * *", "2028-01-31", ["2028-02-29 00:00", "2028-03-31 00:00"]),
        ("0 0 L-3 * *", "2026-02-01", ["2026-02-25 00:00", "2026-03-28 00:00"]),
        ("0 0 L-30 * *", "2026-01-01 12:00", ["2026-03-01 00:00"]),
        ("0 0 LW * *", "2026-01-01", ["2026-01-30 00:00", "2026-02-27 00:00"]),
        ("0 0 15W * *", "2026-08-01", ["2026-08-14 00:00", "2026-09-15 00:00"]),
        ("0 0 15W 11 *", "2026-01-01", ["2026-11-16 00:00"]),
        ("0 0 1W 8 *", "2026-01-01", ["2026-08-03 00:00"]),
        ("0 0 31W * *", "2026-02-01", ["2026-03-31 00:00", "2026-05-29 00:00"]),
        ("0 0 * * 5L", "2026-01-01", ["2026-01-30 00:00", "2026-02-27 00:00"]),
        ("0 0 * * fri#3", "2026-01-01", ["2026-01-16 00:00", "2026-02-20 00:00"]),
        ("0 0 * * 1#5", "2026-01-01", ["2026-03-30 00:00", "2026-06-29 00:00"]),
        ("0 0 1,15 * fri", "2026-01-01", ["2026-01-02 00:00", "2026-01-09 00:00", "2026-01-15 00:00"]),
        ("0 0 */2 * mon", "2026-01-01", ["2026-01-05 00:00", "2026-01-19 00:00"]),
        ("0 0 13 * */5", "2026-01-01", ["2026-02-13 00:00", "2026-03-13 00:00"]),
        ("0 0 ? * mon", "2026-01-01", ["2026-01-05 00:00", "2026-01-12 00:00"]),
        ("0 0 1 * ?", "2026-01-01", ["2026-02-01 00:00", "2026-03-01 00:00"]),
        ("5/15 * * * *", "2026-01-01", ["2026-01-01 00:05", "2026-01-01 00:20", "2026-01-01 00:35"]),
        ("*/40 * * * *", "2026-01-01", ["2026-01-01 00:40", "2026-01-01 01:00"]),
        ("1-1 * * * *", "2026-01-01", ["2026-01-01 00:01", "2026-01-01 01:01"]),
        ("0 5-5 * * *", "2026-01-01", ["2026-01-01 05:00", "2026-01-02 05:00"]),
        ("0 0 * * 5/2", "2026-01-01", ["2026-01-02 00:00", "2026-01-04 00:00", "2026-01-09 00:00"]),
        ("@weekly", "2026-01-01", ["2026-01-04 00:00"]),
        ("@Monthly", "2026-01-01", ["2026-02-01 00:00"]),
        ("@annually", "2026-01-01", ["2027-01-01 00:00"]),
    ],
)
def test_days(expression: str, after: str, expected: list[str]) -> None:
    assert next_fires(expression, "UTC", after, len(expected)) == expected


def test_six_fields_put_seconds_first() -> None:
    found = schedule("*/20 30 2 * * *").between(local("2026-01-01", "UTC"), local("2026-01-02", "UTC"))
    assert [f"{fire:%H:%M:%S}" for fire in found] == ["02:30:00", "02:30:20", "02:30:40"]


def test_an_interval_counts_from_the_epoch_or_from_its_start() -> None:
    after = datetime(2026, 1, 1, tzinfo=UTC)
    assert schedule("every 90s").next_after(after) == datetime(2026, 1, 1, 0, 1, 30, tzinfo=UTC)
    assert schedule("EVERY 7h").next_after(after) == datetime(2026, 1, 1, 7, tzinfo=UTC)
    start = datetime(2026, 1, 1, 0, 0, 10, 500_000, tzinfo=UTC)
    rule = schedule("every 1.5s", start=start)
    assert rule.next_after(after) == start
    assert rule.next_after(start) == start + timedelta(seconds=1.5)


def test_a_date_fires_once() -> None:
    rule = schedule("at 2026-12-01T06:00:00+01:00")
    due = datetime(2026, 12, 1, 5, tzinfo=UTC)
    assert rule.kind == "at"
    assert rule.next_after(due - timedelta(microseconds=1)) == due
    assert rule.next_after(due) is None
    assert schedule("at 2026-12-01 06:00", "Europe/Madrid").next_after(due - timedelta(days=1)) == due


def test_start_and_end_are_inclusive() -> None:
    day = datetime(2026, 1, 5, tzinfo=UTC)
    rule = schedule("0 0 * * *", start=day, end=day + timedelta(days=2))
    assert list(rule.between(day - timedelta(days=9), day + timedelta(days=9))) == [
        day + timedelta(days=n) for n in range(3)
    ]
    assert rule.next_after(day + timedelta(days=2)) is None


def test_naive_bounds_are_on_the_clock_of_the_schedule() -> None:
    rule = schedule("0 * * * *", "Europe/Madrid", start=datetime(2026, 7, 1, 12))
    assert rule.next_after(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2026, 7, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "bounds", "words"),
    [
        ("0 0 1 1 *", {"start": datetime(2026, 2, 1), "end": datetime(2026, 3, 1)}, "never fires between"),
        ("0 0 * * *", {"start": datetime(2026, 2, 1), "end": datetime(2026, 1, 1)}, "end is before its start"),
        ("at 2026-12-01T06:00:00Z", {"start": datetime(2027, 1, 1), "end": datetime(2028, 1, 1)}, "never fires"),
        ("every 500ms", {}, "at least '1s'"),
        ("every", {}, "write it like"),
        ("every 5 minutes", {}, "no interval"),
        ("at noon", {}, "write it like 'at 2026"),
        ("at 2026-02-30T00:00:00Z", {}, "no such time"),
    ],
)
def test_refused(expression: str, bounds: dict[str, datetime], words: str) -> None:
    with pytest.raises(ScheduleError, match=words):
        schedule(expression, **bounds)


@pytest.mark.parametrize("zone", ["Europe/Madird", "", "America", "../../etc/passwd", "right/UTC", "x" * 500, "\0"])
def test_a_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(ScheduleError, match="no such time zone") as caught:
        schedule("0 0 * * *", zone)
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_zone_is_guessed() -> None:
    with pytest.raises(ScheduleError, match=r"did you mean 'Europe/Madrid'\?"):
        schedule("0 0 * * *", "europe/madird")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0 0 * * 0", "@weekly"),
        ("0 0 * * 7", "00 00 * * Sunday"),
        ("*/15 * * * *", "0,15,30,45 * ? * *"),
        ("0 9 * * 1-5", "0\t9 * *   MON,tue,wed-FRI"),
        ("0 0 9 * * 1-5", "0 9 * * 1-5"),
        ("every 60s", "every 1m"),
        ("at 2026-12-01T06:00:00+01:00", "at 2026-12-01T05:00:00Z"),
    ],
)
def test_the_same_times_share_a_key(one: str, other: str) -> None:
    assert schedule(one).key == schedule(other).key


def test_other_times_have_another_key() -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    rules = [
        schedule("0 0 * * *"), schedule("0 0 * * *", "Europe/Madrid"), schedule("0 0 * * *", start=day),
        schedule("0 0 * * *", end=day), schedule("0 0 1 * 1"), schedule("0 0 1 * */1"), schedule("every 1d"),
        schedule("every 1d", start=day + timedelta(hours=1)), schedule("* 0 * * *"), schedule("0-59 0 * * *"),
    ]  # fmt: skip
    assert len({rule.key for rule in rules}) == len(rules)


def test_equal_schedules_are_one_object_and_a_hash_is_of_its_job() -> None:
    assert schedule("0 3 * * *", job="a") is schedule("0 3 * * *", job="b")
    assert schedule("H 3 * * *", job="a").key != schedule("H 3 * * *", job="b").key


def test_a_hash_is_the_same_for_ever() -> None:
    after = datetime(2026, 1, 1, tzinfo=UTC)
    found = [schedule("H H H * *", job=job).next_after(after) for job in ("backup", "invoice", "é")]
    assert [f"{fire:%d %H:%M}" for fire in found] == GOLDEN_HASHES


GOLDEN_HASHES = ["21 08:09", "03 00:42", "09 23:11"]


def test_jitter_is_a_stable_part() -> None:
    hour = timedelta(hours=1)
    assert jitter_delay(None, "backup") == timedelta(0)
    assert jitter_delay(hour, "backup") == jitter_delay(hour, "backup")
    spread = [jitter_delay(hour, f"job-{n}") for n in range(1_000)]
    assert all(timedelta(0) <= delay < hour for delay in spread)
    assert all(
        any(timedelta(minutes=n) <= delay < timedelta(minutes=n + 6) for delay in spread) for n in range(0, 60, 6)
    )


def test_nothing_is_due_beyond_the_calendar() -> None:
    assert schedule("0 0 * * *").next_after(datetime(9999, 12, 31, tzinfo=UTC)) is None
    assert schedule("every 1d").next_after(datetime(9999, 12, 31, tzinfo=UTC)) is None
    assert schedule("0 0 * * *").next_after(datetime(1, 1, 1, tzinfo=UTC)) == datetime(2, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 29 2 */7",
        "59 59 23 31 12 */7",
        "* * 29 2 1#5",
        "*/59 23 29W 2 *",
        "0 0 L-28 2 *",
        "0 0 31 2 *",
        "0 0 30W 2 *",
    ],
)
def test_a_search_takes_a_bounded_number_of_steps(expression: str) -> None:
    """Counts calls of Python functions, from parsing to the fire after the longest wait that the calendar knows."""
    calls = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event == "call"

    timeline("Asia/Beirut").stretch(0)
    sys.setprofile(count)
    try:
        schedule(expression, "Asia/Beirut").next_after(datetime(2088, 3, 1, tzinfo=UTC))
    except ScheduleError:
        pass
    finally:
        sys.setprofile(None)
    assert calls < 5_000


def test_utc_agrees_with_cronsim() -> None:
    random = Random(1)
    for _ in range(1_200):
        expression = vixie(random)
        compare(expression, CronSim(expression, start := random_start(random)), start)


@pytest.mark.parametrize(
    "special", ["L * *", "LW * *", "* * 5L", "* * 1#3", "* * 0#5,2", "L * 3", "1,L * *", "LW,3 6 4L"]
)
def test_special_days_agree_with_cronsim(special: str) -> None:
    random = Random(2)
    for _ in range(10):
        expression = f"{random.randrange(60)} {random.randrange(24)} {special}"
        compare(expression, CronSim(expression, start := random_start(random)), start)


def test_seconds_agree_with_cronsim() -> None:
    random = Random(3)
    for _ in range(200):
        expression = f"{random.randrange(60)},{random.randrange(60)} {vixie(random)}"
        compare(expression, CronSim(expression, start := random_start(random)), start)


def test_days_without_a_change_agree_with_cronsim_in_any_zone() -> None:
    random = Random(7)
    for zone in ZONES:
        compare_quiet_days(zone, [vixie(random) for _ in range(2)], 2026 + random.randrange(10), 1)


@pytest.mark.faults
@pytest.mark.parametrize("zone", ZONES)
def test_ten_years_agree_with_cronsim(zone: str) -> None:
    random = Random(8)
    compare_quiet_days(zone, [vixie(random) for _ in range(120)], 2026, 10)


def compare_quiet_days(zone: str, expressions: list[str], first: int, years: int) -> None:
    """All fires of some years, but for those of days on which the clock changes: Debian's loop is asked about these.

    The window is walked in pieces between changes: cronsim loses its way behind some of them.
    """
    begin, end = (datetime(year, 1, 1, tzinfo=UTC) for year in (first, first + years))
    day = timedelta(days=1)
    edges = [begin - day, *(at for at in changes_between(zone, begin, end)), end + day]
    for expression in expressions:
        try:
            rule = schedule(expression, zone)
        except ScheduleError:
            continue
        for before, after in pairwise(edges):
            start, stop = before + day, after - day
            oracle = CronSim(expression, start.astimezone(ZoneInfo(zone)))
            theirs = takewhile(lambda fire, stop=stop: fire <= stop, (fire.astimezone(UTC) for fire in oracle))
            assert list(islice(rule.between(start, stop), MOST)) == list(islice(theirs, MOST)), (
                expression,
                zone,
                start,
            )


def changes_between(zone: str, begin: datetime, end: datetime) -> list[datetime]:
    found = timeline(zone).changes(int(begin.timestamp()), int(end.timestamp()))
    return [datetime.fromtimestamp(change.start, UTC) for change in found]


MOST = 60
"""Fires between two changes that are compared: those of one that is often due are all alike."""


def test_utc_agrees_with_croniter() -> None:
    """But for ranges of a single value, which it takes for the whole field."""
    random = Random(4)
    for _ in range(400):
        expression = vixie(random)
        start = random_start(random)
        compare(expression, croniter(expression, start, ret_type=datetime, implement_cron_bug=True), start)


def compare(expression: str, oracle: CronSim | croniter, start: datetime) -> None:
    try:
        rule = schedule(expression)
    except ScheduleError:
        with pytest.raises((StopIteration, ValueError)):
            next(oracle)
        return
    ours = list(islice(rule.between(start, datetime(9990, 1, 1, tzinfo=UTC)), 4))
    assert ours == [next(oracle) for _ in ours], expression


def random_start(random: Random) -> datetime:
    return datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=random.randrange(45 * 31_557_600))


@pytest.mark.parametrize("day", range(1, 32))
def test_the_nearest_weekday_is_in_the_same_month(day: int) -> None:
    found = schedule(f"0 0 {day}W * *").between(
        datetime(2026, 1, 1, tzinfo=UTC) - timedelta(days=1), datetime(2031, 1, 1, tzinfo=UTC)
    )
    expected = []
    for month in range(60):
        first = datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        days = [d for n in range(31) if (d := first + timedelta(days=n)).month == first.month]
        if day <= len(days):
            working = [d for d in days if d.isoweekday() < 6]
            expected.append(min(working, key=lambda d: abs(d.day - day)))
    assert [fire for fire in found if fire.year < 2031] == expected


def test_clock_changes_agree_with_debians_loop() -> None:
    random = Random(5)
    for zone in ZONES:
        for night in nights(zone, random.choices(changes(zone, 2005, 2037), k=2)):
            for _ in range(8):
                agree(often(random), zone, night)


@pytest.mark.faults
@pytest.mark.parametrize("zone", ZONES)
def test_all_clock_changes_of_ten_years_agree_with_debians_loop(zone: str) -> None:
    random = Random(6)
    expressions = [often(random) for _ in range(2_000)]
    for night in nights(zone, changes(zone, *OLD.get(zone, (2026, 2036)))):
        for expression in expressions:
            agree(expression, zone, night)


OLD = {
    "Pacific/Apia": (2008, 2018), "America/Sao_Paulo": (2010, 2020), "America/St_Johns": (2003, 2013),
    "Asia/Tehran": (2013, 2023), "Asia/Pyongyang": (2010, 2020), "America/Caracas": (2007, 2017),
    "Asia/Kathmandu": (1980, 1990), "Antarctica/Casey": (2014, 2024), "Asia/Amman": (2013, 2023),
    "America/Asuncion": (2014, 2024), "Asia/Gaza": (2008, 2018),
}  # fmt: skip


def changes(zone: str, first: int, last: int) -> list[datetime]:
    """The changes of a zone's clock between two years, or else since 1972."""
    years = [int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1972, first, last)]
    found = timeline(zone).changes(*years[1:]) or timeline(zone).changes(years[0], years[2])
    return [datetime.fromtimestamp(change.start, UTC) for change in found]


def nights(zone: str, instants: list[datetime]) -> list[Night]:
    """The hours around changes of a zone's clock."""
    hours = timedelta(hours=5)
    return [Night(ZoneInfo(zone), at - hours, at + hours) for at in instants]


def agree(expression: str, zone: str, night: Night) -> None:
    ours = list(schedule(expression, zone).between(night.start, night.end))
    assert ours == night.fires(entry(expression)), (expression, zone, night.start)


@lru_cache(maxsize=4_096)
def entry(expression: str) -> Entry:
    return Entry(expression)


instants = st.datetimes(datetime(1975, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))
seeds = st.integers(0, 2**32)


@given(seeds, st.sampled_from(ZONES), instants, st.fractions(0, 1, max_denominator=1000))
@settings(deadline=None)
def test_the_answer_does_not_depend_on_who_asks_when(seed: int, zone: str, after: datetime, part: float) -> None:
    """From any instant before a fire, that fire is the next: what a server that starts in between sees."""
    rule = schedule(often(Random(seed)), zone)
    first = rule.next_after(after)
    assert first is not None
    assert first > after
    between = after + (first - after) * float(part)
    assume(between < first)
    assert rule.next_after(between) == first


@given(seeds, st.sampled_from(ZONES), instants)
@settings(deadline=None)
def test_a_fire_shows_its_fields_on_the_clock(seed: int, zone: str, after: datetime) -> None:
    """Or is the first instant after a gap, for a job at a fixed time."""
    expression = often(Random(seed))
    oracle = entry(expression)
    for fire in islice(schedule(expression, zone).between(after, after + timedelta(days=400)), 20):
        shown = fire.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
        if not oracle.matches(int(shown.timestamp()) // 60):
            assert not oracle.wild
            assert timeline(zone).stretch(int(fire.timestamp())).start == int(fire.timestamp())


@given(st.text(st.characters(), max_size=300))
@settings(deadline=None)
def test_any_text_is_a_schedule_or_an_error_of_one_line(text: str) -> None:
    readable_or_refused(text)


_PIECES = [
    "*",
    "?",
    "/",
    "-",
    ",",
    "0",
    "1",
    "5",
    "31",
    "59",
    "60",
    "7",
    "L",
    "W",
    "#",
    "H",
    "H(",
    ")",
    "mon",
    "FRIDAY",
    "feb",
]
_WORDS = ["LW", " ", " ", " ", "\t", "@daily", "@", "every ", "at ", "1h", "2026-12-01", "T06:00:00Z", "~", "R", "é"]


@given(st.lists(st.sampled_from(_PIECES + _WORDS), max_size=40).map("".join))
@settings(deadline=None, max_examples=300)
def test_any_heap_of_pieces_is_a_schedule_or_an_error_of_one_line(text: str) -> None:
    readable_or_refused(text)


_FIELD = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=4).map("".join)


@given(st.lists(_FIELD, min_size=5, max_size=6).map(" ".join))
@settings(deadline=None, max_examples=300)
def test_any_fields_are_a_schedule_or_an_error_of_one_line(text: str) -> None:
    readable_or_refused(text)


def readable_or_refused(text: str) -> None:
    after = datetime(2026, 1, 1, tzinfo=UTC)
    try:
        found = schedule(text, "Europe/Madrid")
    except ScheduleError as error:
        message, hint = str(error), error.hint
    else:
        fire = found.next_after(after)
        assert fire is None or fire > after
        return
    assert message.isprintable()
    assert hint
    assert len(message) < 300
