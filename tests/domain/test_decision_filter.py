"""Which decisions a filter asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.decision_filter import decision_test, one_job, since, whys
from jobrunner.domain.filter import Term
from jobrunner.domain.filter_text import DECISIONS, parse
from jobrunner.errors import UsageError

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MADE = Decision("etl-load", NOW, NOW, 1, Why.NOT_UNIQUE, "run 7 has the key", NOW - timedelta(hours=3))


def terms(text: str) -> tuple[Term, ...]:
    return parse(text, subject=DECISIONS, now=NOW, zone=ZoneInfo("UTC"))


@pytest.mark.parametrize(
    "text",
    ["", "LOAD", "state:not-unique,missed", "!state:missed", "job:etl*", "/run \\d/", "unique", "since:4h", "until:2h"],
)
def test_what_is_asked_for(text: str) -> None:
    assert decision_test(terms(text))(MADE)


@pytest.mark.parametrize("text", ["nightly", "state:missed", "!job:etl*", "/run [a-z]/", "since:2h", "until:4h", "!7"])
def test_what_is_not(text: str) -> None:
    assert not decision_test(terms(text))(MADE)


def test_what_the_store_needs_not_be_asked() -> None:
    assert whys(terms("load")) == tuple(Why)
    assert whys(terms("state:missed,paused !state:paused")) == (Why.MISSED,)
    assert since(terms("since:2h since:1h")) == NOW - timedelta(hours=1)
    assert since(terms("!since:2h")) is None
    assert [one_job(terms(text)) for text in ("job:a", "job:a,b", "job:a*", "!job:a", "a")] == ["a", *[None] * 4]


def test_states_are_those_of_decisions() -> None:
    with pytest.raises(UsageError, match="no state 'failed'"):
        terms("state:failed")
