from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from random import Random

import pytest
from expressions import vixie
from hypothesis import given, settings
from hypothesis import strategies as st

from jobrunner.domain.words import describe, explain
from jobrunner.errors import ScheduleError

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("*/5 * * * *", "Every 5 minutes"),
        ("0 2 * * *", "At 02:00"),
        ("0 2 * * Monday-FRIDAY", "At 02:00, Monday through Friday"),
        ("30 2 1,15 * 5", "At 02:30, on day 1 and 15 of the month, or on Friday"),
        ("0 0 L * *", "At 00:00, on the last day of the month"),
        ("0 0 * * fridayL", "At 00:00, on the last Friday of the month"),
        ("0 0 * * 5#3", "At 00:00, on the third Friday of the month"),
        ("@daily", "At 00:00"),
        ("*/10 * * * * *", "Every 10 seconds"),
        ("0 30 2 * * *", "At 02:30"),
        ("*/90 * * * *", "Every hour"),
        ("*/45 * * * *", "At 0 and 45 minutes past the hour"),
        ("0 */10 * * *", "At 00:00, 10:00 and 20:00"),
        ("0 0 * * 1/2", "At 00:00, only on Sunday, Monday, Wednesday, and Friday"),
        ("0 0 L-3,15W,LW,1 * *", "At 00:00, on day 1, the weekday nearest day 15, 3 days before the last day "
         "and the last weekday of the month"),
        ("0 0 1,15,L feb,march *", "At 00:00, on days 1, 15 and the last day of the month, only in February and March"),
        ("0 0 1 * mon,5L", "At 00:00, on day 1 of the month, or on Monday and the last Friday of the month"),
        ("0 0 13 * */5", "At 00:00, on day 13 of the month, only if that is Sunday or Friday"),
        ("0 0 * * 1#1,1#3", "At 00:00, on the first Monday of the month and the third Monday of the month"),
        ("every 15m", "Every 15 minutes"),
        ("every 1h", "Every hour"),
        ("EVERY  1h30m", "Every 1 hour and 30 minutes"),
        ("at 2026-12-01T06:00:00Z", "Once, at 2026-12-01T06:00:00Z"),
    ],
)  # fmt: skip
def test_words(expression: str, words: str) -> None:
    assert describe(expression) == words


def test_a_hash_is_told_as_the_value_it_has() -> None:
    assert describe("H H * * *", job="backup") != describe("H H * * *", job="invoice")
    assert describe("H H * * *", job="backup").startswith("At ")


@pytest.mark.parametrize(
    ("expression", "remark"),
    [
        ("*/7 * * * *", "minute */7 begins anew each hour: after 56 comes 0; 'every 7m' is even"),
        ("*/90 * * * *", "minute */90 is only minute 0: a step does not leave its hour; 'every 90m' is even"),
        ("0 */5 * * *", "hour */5 begins anew each day: after 20 comes 0; 'every 5h' is even"),
        ("0 0 */2 * *", "day */2 begins anew each month: after 31 comes 1"),
        ("* 2 * * *", "minute * is every minute of hour 2; for once in each, write 0 for the minute"),
        ("* */2 * * *", "minute * is every minute of hour */2; for once in each, write 0 for the minute"),
        ("0 0 31 * *", "day 31 is left out in February, April, June, September, November; "
         "L is the last day of every month"),
        ("0 0 30W * *", "day 30 is left out in February; L is the last day of every month"),
        ("0 0 29 2 *", "day 29 is left out in February, except in leap years"),
        ("0 0 1 * 1", "day and weekday are both given: a day that matches either is enough"),
        ("0 0 13 * */5", "weekday */5 begins with a star: a day must match both day and weekday"),
        ("0 0 * * fri/2", "weekday fri/2 goes on to 7, which is Sunday again"),
        ("0 0 9 ? * 6L", "weekday 6 is Saturday, as in cron; in Quartz, which also writes ?, it is Friday: "
         "write the name"),
        ("0 9 ? * 1-5", "weekday 1 is Monday, as in cron; in Quartz, which also writes ?, it is Sunday: "
         "write the name"),
        ("0 0 * * 1#5", "months without a fifth Monday are left out"),
        ("30 2 * * *", "2027-03-28: the clock of Europe/Madrid goes from 02:00 to 03:00; "
         "what is due in between runs once, at 03:00"),
        ("30 2 * * *", "2027-10-31: the clock of Europe/Madrid goes back from 03:00 to 02:00; "
         "what is due in between runs the first time only"),
        ("*/10 2 * * *", "2027-03-28: the clock of Europe/Madrid goes from 02:00 to 03:00; nothing runs in between"),
        ("*/10 2 * * *", "2027-10-31: the clock of Europe/Madrid goes back from 03:00 to 02:00; "
         "what is due in between runs both times"),
        ("every 7h", "7h does not divide a day: the times of day differ from day to day"),
        ("every 1d", "every 1d counts from 1970-01-01T00:00Z, not from midnight in Europe/Madrid"),
        ("H 2 * * *", "H stands for a value that is hashed from the job's name: "
         "each job has its own times, these are of none"),
    ],
)  # fmt: skip
def test_traps_are_told(expression: str, remark: str) -> None:
    assert remark in explain(expression, timezone="Europe/Madrid", after=NOW, n=0).notes


@pytest.mark.parametrize(
    "expression",
    ["0 12 * * *", "*/15 * * * *", "0 * * * *", "0 9-17 * * 1-5", "@monthly", "every 15m", "every 90s", "0 0 1 * ?",
     "*/5 * * * * *", "0 0 L * *", "at 2026-12-01T06:00:00Z"],
)  # fmt: skip
def test_plain_schedules_have_no_remarks(expression: str) -> None:
    assert explain(expression, timezone="Europe/Madrid", after=NOW, n=1).notes == ()


def test_a_zone_without_changes_has_no_remarks_on_its_clock() -> None:
    assert explain("30 2 * * *", timezone="Asia/Kathmandu", after=NOW, n=1).notes == ()


def test_explain_gives_the_next_fires_in_the_zone() -> None:
    found = explain("30 2 * * *", timezone="Europe/Madrid", after=datetime(2027, 3, 27, 12, tzinfo=UTC), n=2)
    assert [fire.isoformat() for fire in found.next] == ["2027-03-28T03:00:00+02:00", "2027-03-29T02:30:00+02:00"]
    assert found.timezone == "Europe/Madrid"
    assert found.expression == "30 2 * * *"


def test_explain_gives_what_there_is() -> None:
    assert len(explain("at 2026-12-01T06:00:00Z", timezone="UTC", after=NOW, n=5).next) == 1
    assert explain("* * * * *", timezone="UTC", after=NOW, n=0).next == ()


@pytest.mark.parametrize("expression", ["0 0 30 2 *", "61 * * * *", "every 5", "at noon"])
def test_explain_refuses(expression: str) -> None:
    with pytest.raises(ScheduleError):
        explain(expression, timezone="UTC", after=NOW, n=1)


_FIELDS = st.tuples(
    st.sampled_from(["0", "*", "*/7", "5,30", "H"]),
    st.sampled_from(["0", "*", "?", "*/7", "5-5", "0-59/20", "H/10", "1,2,3-9/2", "50/5", "*/61"]),
    st.sampled_from(["2", "*", "*/5", "0-23", "9-17/2", "H(0-5)", "3/4"]),
    st.sampled_from(["*", "?", "1", "*/2", "L", "L-3", "LW", "15W", "1,L", "H", "29-31", "1W,LW,L-2"]),
    st.sampled_from(["*", "jan", "*/3", "MARCH,dec", "1/3", "H", "2-2"]),
    st.sampled_from(
        ["*", "?", "mon", "*/2", "5L", "fri#3", "7", "sun,6L", "tueL", "1-5", "Monday-friday/2", "H", "2/3"]
    ),
)


@given(_FIELDS.map(" ".join), st.sampled_from(["", "backup"]))
@settings(deadline=None)
def test_every_schedule_has_words(expression: str, job: str) -> None:
    try:
        found = explain(expression, timezone="Europe/Madrid", job=job, after=NOW, n=1)
    except ScheduleError as error:
        assert "never fires" in error.message  # noqa: PT017
        return
    assert found.description[0].isupper()
    assert "At the times of" not in found.description
    assert all(note.isprintable() for note in found.notes)


def test_every_schedule_of_vixies_cron_has_words() -> None:
    random = Random(7)
    for _ in range(150):
        assert "At the times of" not in describe(vixie(random))


def test_schedules_load_neither_cron_library_nor_zones_before_they_are_needed() -> None:
    program = (
        "import sys, jobrunner.domain.schedule, jobrunner.domain.timepoint, jobrunner.domain.retry\n"
        "heavy = {'croniter', 'cronsim', 'cron_descriptor', 'zoneinfo', 'hashlib', 'difflib'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
