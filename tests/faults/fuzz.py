"""Random texts where a person writes one: what comes back is a value or an error of one line, and soon."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jobrunner.domain.duration import parse_duration
from jobrunner.domain.job import ScheduleSpec
from jobrunner.domain.params import Checker, Param, ParamType
from jobrunner.domain.schedule import parse
from jobrunner.domain.timepoint import parse_since, parse_time
from jobrunner.domain.words import explain
from jobrunner.errors import JobrunnerError

SLOWEST = 1.0
"""Seconds of processor time that one text may take."""

NOW = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
_ZONES = ("UTC", "Europe/Madrid", "Pacific/Chatham", "Australia/Lord_Howe", "America/New_York", "Asia/Kathmandu")

_names = st.sampled_from(
    ["*", "?", "L", "LW", "H", "mon", "fri-mon", "jan", "sunday", "15W", "5L", "5#3", "L-3", "H/15", "H(0-5)", "a", "7"]
)
_number = st.integers(0, 70).map(str)
_piece = st.one_of(
    _names,
    _number,
    st.builds("{}-{}".format, _number, _number),
    st.builds("{}/{}".format, st.sampled_from(["*", "0", "5", "1-9"]), _number),
)
_field = st.lists(_piece, min_size=1, max_size=3).map(",".join)
_texts = st.text(max_size=30) | st.text(alphabet="0123456789*/,-?LW#H @:.+-dhmsTZ ", max_size=30)
cron_texts = st.one_of(
    st.lists(_field, min_size=4, max_size=7).map(" ".join),
    st.builds("every {}".format, _texts | st.builds("{}{}".format, _number, st.sampled_from("wdhms"))),
    st.sampled_from(["@daily", "@yearly", "@hourly", "@never", "0 0 31 2 *", "0 0 30 2 mon"]),
    _texts,
)
duration_texts = st.one_of(
    st.lists(
        st.builds("{}{}".format, st.integers(-1, 10**20), st.sampled_from(["w", "d", "h", "m", "s", "ms", ""])),
        max_size=4,
    ).map("".join),
    _texts,
)
time_texts = st.one_of(
    st.datetimes().map(str), st.builds("+{}".format, duration_texts), st.sampled_from(["now", "tomorrow 06:00"]), _texts
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def cron(expression: str, zone: str) -> None:
    """The rule, its next fires, and its words."""
    schedule = parse(ScheduleSpec(expression), job="job", timezone=zone)
    at: datetime | None = NOW
    for _ in range(3):
        at = schedule.next_after(at) if at is not None else None
    explain(expression, timezone=zone, after=NOW, n=3)


def parameter(param_type: ParamType, value: Any) -> None:
    """A value as a program gives it, and as a person types it."""
    checker = Checker((Param("p", param_type),), job="job")
    checker.values({"p": value})
    checker.texts({"p": str(value)})


FUZZED: dict[str, tuple[Callable[..., object], tuple[st.SearchStrategy[Any], ...]]] = {
    "cron expressions": (cron, (cron_texts, st.sampled_from(_ZONES))),
    "durations": (parse_duration, (duration_texts,)),
    "times": (lambda text: parse_time(text, now=NOW, zone=ZoneInfo("Europe/Madrid")), (time_texts,)),
    "times past": (lambda text: parse_since(text, now=NOW, zone=ZoneInfo("Europe/Madrid")), (time_texts,)),
    "parameters": (parameter, (st.sampled_from(ParamType), _values)),
}


def fuzz(what: str, examples: int) -> float:
    """Tries so many texts of one kind; gives the processor time of the slowest.

    Raises:
        AssertionError: one that is answered with something else than an error of one line.
    """
    read, strategies = FUZZED[what]
    slowest = 0.0

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(st.tuples(*strategies))
    def one(values: tuple[Any, ...]) -> None:
        nonlocal slowest
        before = time.thread_time()
        said = ""
        try:
            read(*values)
        except JobrunnerError as error:
            said = str(error)
        assert not said or (said.isprintable() and len(said) < 2000), said
        slowest = max(slowest, time.thread_time() - before)

    one()
    return slowest
