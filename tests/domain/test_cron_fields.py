from __future__ import annotations

import pytest

from jobrunner.domain.cron import bits, hashed, parse_cron, split_fields, uses_hash
from jobrunner.domain.walker import ever_fires, month_days
from jobrunner.errors import ScheduleError


def minutes(text: str) -> list[int]:
    return bits(parse_cron(f"{text} * * * *", job="job").minutes)


def weekdays(text: str) -> list[int]:
    return bits(parse_cron(f"0 0 * * {text}", job="job").days.weekdays)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5", [5]),
        ("05", [5]),
        ("1-3", [1, 2, 3]),
        ("5-5", [5]),
        ("5-5/5", [5]),
        ("10-20/4", [10, 14, 18]),
        ("*/25", [0, 25, 50]),
        ("?/25", [0, 25, 50]),
        ("50/5", [50, 55]),
        ("*/90", [0]),
        ("1,3-5,3,59", [1, 3, 4, 5, 59]),
        ("0-59/60", [0]),
    ],
)
def test_values(text: str, values: list[int]) -> None:
    assert minutes(text) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0", [0]),
        ("7", [0]),
        ("5-7", [0, 5, 6]),
        ("0-7", list(range(7))),
        ("*/2", [0, 2, 4, 6]),
        ("*/7", [0]),
        ("Mon,wednesday,FRI", [1, 3, 5]),
        ("mon-FRIDAY/2", [1, 3, 5]),
        ("1/2", [0, 1, 3, 5]),
        ("sun-sat", list(range(7))),
    ],
)
def test_weekdays(text: str, values: list[int]) -> None:
    assert weekdays(text) == values


def test_months() -> None:
    assert bits(parse_cron("0 0 1 jan,MARCH,sep-Nov/2,12 *", job="job").months) == [1, 3, 9, 11, 12]


def test_six_fields_begin_with_seconds() -> None:
    assert parse_cron("30 1 2 3 4 5", job="") == parse_cron("1 2 3 4 5", job="")._replace(seconds=1 << 30)
    assert split_fields("@daily") == ("0", "0", "0", "*", "*", "*")


@pytest.mark.parametrize(
    ("expression", "fixed"),
    [
        ("0 2 * * *", True),
        ("0 0-23 * * *", True),
        ("H H * * *", True),
        ("5,* 2 * * *", True),
        ("*/5 2 * * *", False),
        ("0 */2 * * *", False),
        ("? 2 * * *", False),
        ("0 0 2 * * *", True),
        ("* 0 2 * * *", False),
        ("@hourly", False),
        ("@daily", True),
    ],
)
def test_a_star_in_front_makes_a_wildcard_job(expression: str, fixed: bool) -> None:
    assert parse_cron(expression, job="job").fixed is fixed


@pytest.mark.parametrize(
    ("days", "either"),
    [("1 * 1", True), ("* * 1", False), ("1 * *", False), ("*/2 * 1", False), ("1 * */2", False), ("? * 1", False),
     ("1-31 * 1", True), ("L * 5#1", True), ("1,* * 1", True)],
)  # fmt: skip
def test_the_day_rule(days: str, either: bool) -> None:
    assert parse_cron(f"0 0 {days}", job="").days.either is either


# November 2026 begins on a Sunday and has 30 days.
@pytest.mark.parametrize(
    ("days", "matching"),
    [
        ("L * *", [30]), ("L-1,L-29 * *", [1, 29]), ("LW * *", [30]), ("1W * *", [2]), ("7W,8W * *", [6, 9]),
        ("14w,15w * *", [13, 16]), ("30W,31W * *", [30]), ("* * 0L", [29]), ("* * 7L,sunL", [29]), ("* * monL", [30]),
        ("* * 1#5", [30]), ("* * 2#5", []), ("* * 0#1,sun#5", [1, 29]), ("1 * 1#1", [1, 2]), ("31 * *", []),
        ("*/10 * *", [1, 11, 21]), ("*/10 * mon-sat", [11, 21]), ("l * fri", [6, 13, 20, 27, 30]),
    ],
)  # fmt: skip
def test_days_of_a_month(days: str, matching: list[int]) -> None:
    assert bits(month_days(parse_cron(f"0 0 {days}", job="").days, 0, 30)) == matching


@pytest.mark.parametrize(
    "expression", ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 L-30 2,4 *", "0 0 31W 4 *", "0 0 1W * */6,7"]
)
def test_what_never_fires_is_known(expression: str) -> None:
    assert not ever_fires(parse_cron(expression, job=""))


@pytest.mark.parametrize("expression", ["0 0 29 2 *", "0 0 29 2 */7", "0 0 * 2 0#5", "0 0 L-30 * *", "0 0 31W 12 *"])
def test_what_fires_seldom_is_no_fault(expression: str) -> None:
    assert ever_fires(parse_cron(expression, job=""))


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "0 fields; write five"),
        (" \t ", "0 fields; write five"),
        ("0 2 * *", "4 fields; write five"),
        ("daily", "or 'every 15m'"),
        ("0 0 0 1 1 * 2026", "no field for years"),
        ("@never", "no '@never'; write"),
        ("@reboot", "no time"),
        ("@every 5m", "write 'every 5m'"),
        ("60 * * * *", "no minute '60'; values go from 0 to 59"),
        ("0 24 * * *", "values go from 0 to 23"),
        ("0 0 0 * *", "values go from 1 to 31"),
        ("0 0 * 13 *", "1 to 12, or jan to dec"),
        ("0 0 * * 8", "0 to 7, or sun to sat"),
        ("60 0 0 * * *", "no second '60'"),
        ("*/0 * * * *", "step of 0"),
        ("1,,2 * * * *", "comma too many"),
        ("1, * * * *", "comma too many"),
        ("*5 * * * *", "write '*/5'"),
        ("/5 * * * *", "write '*/5'"),
        ("5/ * * * *", "after the slash"),
        ("-5 * * * *", "values go from"),
        ("1.5 * * * *", "values go from"),
        ("٣ * * * *", "values go from"),
        ("0 0 * * fri-mon", "write 'fri,sat,sun,mon'"),
        ("0 0 * * Friday-Mon", "write 'fri,sat,sun,mon'"),
        ("0 0 * * sat-sun", "write 'sat,sun'"),
        ("0 0 * * 5-1", "write '5,6,0,1'"),
        ("0 22-2 * * *", "write '22,23,0,1,2'"),
        ("0 23-3/2 * * *", "write '23,1,3'"),
        ("50-10 * * * *", "write '50-59,0-10'"),
        ("0 0 1 nov-feb *", "write 'nov,dec,jan,feb'"),
        ("0 0 25-5/3 * *", "write '25,28,31,3'"),
        ("0 0 * * L5", "write '5L'"),
        ("0 0 * * L", "write 'sat'"),
        ("0 0 * * 15W", "belongs to the field for the day of the month"),
        ("0 0 W15 * *", "write '15W'"),
        ("0 0 15-L * *", "write '15-31'"),
        ("0 0 L-2W * *", "write 'LW'"),
        ("0 0 L/2 * *", "take no step"),
        ("0 0 1-15W * *", "take no range"),
        ("0 0 L-31 * *", "L-n goes from 1 to 30"),
        ("0 0 32W * *", "no day '32'"),
        ("0 0 5#2 * *", "weekdays stand in the last field"),
        ("0 0 mon * *", "weekdays stand in the last field"),
        ("0 0 * * mon#6", "goes from 1 to 5"),
        ("0 0 * * mon#0", "goes from 1 to 5"),
        ("0 0 * * foo", "sun to sat"),
        ("0 0 * foo *", "jan to dec"),
        ("0 L * * *", "fields for days"),
        ("0 mon * * *", "months and weekdays"),
        ("0~30 * * * *", "write 'H(0-30)'"),
        ("0~59/10 * * * *", "write 'H'"),
        ("0 9 * * mon..fri", "write 'mon-fri'"),
        ("0 9..17 * * *", "write '9-17'"),
        ("R * * * *", "write 'H'"),
        ("H(5) * * * *", "write it like 'H(0-29)'"),
        ("H(20-10) * * * *", "write H(10-20)"),
        ("H(0-60) * * * *", "no minute '60'"),
        ("0\n0 * * * *", "cannot be read"),
        ("0\u00a00 * * * *", "values go from"),
        ("9" * 240 + " * * * *", "no minute"),
        ("0 " * 129, "at most 256"),
    ],
)
def test_mistakes_are_told_with_what_to_write(expression: str, words: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse_cron(expression, job="job")
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_hash_lies_in_its_range_and_keeps_its_step() -> None:
    for number in range(300):
        cron = parse_cron("H/20 H(2-5) H H *", job=f"job-{number}")
        first, *rest = bits(cron.minutes)
        assert first < 20
        assert rest == [first + 20, first + 40]
        assert set(bits(cron.hours)) <= {2, 3, 4, 5}
        assert 1 <= bits(cron.days.days)[0] <= 28
        assert 1 <= bits(cron.months)[0] <= 12
        assert bits(parse_cron("H(10-14)/9 * * * *", job=f"job-{number}").minutes)[0] in range(10, 15)
        assert weekdays("H")[0] in range(7)


def test_hashes_of_two_fields_are_independent() -> None:
    pairs = {(cron.minutes, cron.hours) for cron in (parse_cron("H H * * *", job=f"job-{n}") for n in range(10_000))}
    assert len(pairs) > 1_400


def test_hashes_spread_evenly() -> None:
    counts = [0] * 60
    for number in range(6_000):
        counts[bits(parse_cron("H * * * *", job=f"job-{number}").minutes)[0]] += 1
    assert min(counts) > 50
    assert max(counts) < 150


def test_a_hash_is_a_number_of_64_bits_from_name_and_purpose() -> None:
    assert hashed("backup", "minute") == hashed("backup", "minute") != hashed("backup", "hour")
    assert 0 <= hashed("\ud800é", "minute") < 2**64


@pytest.mark.parametrize(
    ("expression", "used"),
    [("H * * * *", True), ("0 h/5 * * *", True), ("0 H(0-3) * * *", True), ("@hourly", False), ("every 1h", False),
     ("0 0 * march thu", False), ("0 0 * * 4,h", True)],
)  # fmt: skip
def test_what_depends_on_the_name(expression: str, used: bool) -> None:
    assert uses_hash(expression) is used


def test_fields_are_equal_however_they_are_written() -> None:
    assert parse_cron("0,30 9 1,2,3 * *", job="") == parse_cron("00,30-30 9 3,1-2 JAN-dec ?", job="")
