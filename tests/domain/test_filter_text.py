"""The grammar of filters: what terms mean, what is said of those that mean nothing, and how they are written back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrunner.domain.filter import Field, Length, RunFilter, Term
from jobrunner.domain.filter_completion import Known, complete
from jobrunner.domain.filter_text import JOBS, RUNS, command, parse, to_text
from jobrunner.domain.job import Job, PythonCall
from jobrunner.domain.job_filter import Searched
from jobrunner.domain.state import RunState
from jobrunner.errors import UsageError

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MADRID = ZoneInfo("Europe/Madrid")


def read(text: str, **how) -> tuple[Term, ...]:
    return parse(text, now=NOW, zone=MADRID, **how)


TERMS = {
    "": (),
    "  ": (),
    "mail": (Term(Field.TEXT, ("mail",)),),
    "!mail": (Term(Field.TEXT, ("mail",), True),),
    '"a b"': (Term(Field.TEXT, ("a b",)),),
    '!"a b"': (Term(Field.TEXT, ("a b",), True),),
    '"dead"': (Term(Field.TEXT, ("dead",)),),
    '"a:b"': (Term(Field.TEXT, ("a:b",)),),
    "dead": (Term(Field.DEAD),),
    "!dead": (Term(Field.DEAD, (), True),),
    "state:failed": (Term(Field.STATE, ("failed",)),),
    "State:Failed,running": (Term(Field.STATE, ("failed", "running")),),
    "!state:failed": (Term(Field.STATE, ("failed",), True),),
    "job:etl*,mail": (Term(Field.JOB, ("etl*", "mail")),),
    'tag:"a b",c': (Term(Field.TAG, ("a b", "c")),),
    'tag:"a,b"': (Term(Field.TAG, ("a,b",)),),
    "queue:low trigger:api server:web1": (
        Term(Field.QUEUE, ("low",)),
        Term(Field.TRIGGER, ("api",)),
        Term(Field.SERVER, ("web1",)),
    ),
    "since:2h": (Term(Field.SINCE, (NOW - timedelta(hours=2),)),),
    'since:"2026-05-04 06:00"': (Term(Field.SINCE, (datetime(2026, 5, 4, 4, tzinfo=UTC),)),),
    "until:1d": (Term(Field.UNTIL, (NOW - timedelta(days=1),)),),
    "dur:>60s dur:<1h": (
        Term(Field.DURATION, (Length(True, timedelta(seconds=60)),)),
        Term(Field.DURATION, (Length(False, timedelta(hours=1)),)),
    ),
    "exit:3,-9": (Term(Field.EXIT, (3, -9)),),
    "batch:b7": (Term(Field.BATCH, (7,)),),
    "batch:7": (Term(Field.BATCH, (7,)),),
    r"/time.*out/": (Term(Field.PATTERN, ("time.*out",)),),
    r"!/a b\/c/ x": (Term(Field.PATTERN, (r"a b\/c",), True), Term(Field.TEXT, ("x",))),
    "a/b": (Term(Field.TEXT, ("a/b",)),),
}


@pytest.mark.parametrize("text", TERMS)
def test_what_is_written_is_read(text: str) -> None:
    assert read(text) == TERMS[text]
    assert read(to_text(TERMS[text])) == TERMS[text]


MISTAKES = {
    "stat:failed": "no field 'stat'; did you mean state:?",
    "state:fialed": "no state 'fialed'; did you mean failed?",
    "state:": "state: needs a value; for example state:failed,running",
    "state:failed,": "state: needs a value; for example state:failed,running",
    "trigger:me": "no trigger 'me'; there are schedule, manual, api, after, batch, catchup, backfill, event",
    "kind:python": "kind: does not apply to runs; there are state:, job:, tag:, queue:, trigger:, server:, since:,"
    " until:, dur:, exit:, batch:",
    "http://x": "no field 'http'; there are state:, job:, tag:, queue:, trigger:, server:, since:, until:, dur:, exit:,"
    ' batch:; a text is quoted: "http://x"',
    'x "open': 'a quote is not closed: "open',
    "dur:60s": 'not a bound of a duration: \'60s\'; write it like "dur:>60s" or "dur:<1s"',
    "dur:>x": 'not a duration: \'x\'; write it like "90s", "1h30m" or "2d"',
    "exit:x": "exit: needs a number: 'x'; exit:3",
    "batch:x": "batch: needs a number: 'x'; batch:b7",
    "since:noon": "not a time: 'noon'; write it like '2026-12-01 06:00', '2026-12-01T06:00:00Z', 'now',"
    " 'tomorrow 06:00' or '+2h'",
    "/(/": "not a pattern: /(/: missing ), unterminated subpattern",
    "/(a+)+b/": "/(a+)+b/ repeats what repeats, which can take for ever; repeat it once",
    "x" * 501: "the filter is too long: 501 characters; at most 500",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistakes_are_told_in_one_line(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert str(caught.value) == MISTAKES[text]


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        terms = read(text)
    except UsageError:
        return
    assert read(to_text(terms)) == terms


NAMES = st.lists(st.text("ab*? ,:", min_size=1, max_size=5), min_size=1, max_size=3, unique=True).map(tuple)
TERM = st.one_of(
    st.builds(Term, st.sampled_from([Field.JOB, Field.TAG, Field.QUEUE, Field.SERVER]), NAMES, st.booleans()),
    st.builds(Term, st.just(Field.TEXT), st.tuples(st.text("ab!:/ ,", min_size=1, max_size=8)), st.booleans()),
    st.builds(Term, st.just(Field.EXIT), st.tuples(st.integers(-255, 255)), st.booleans()),
    st.builds(
        Term,
        st.just(Field.SINCE),
        st.tuples(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))),
        st.booleans(),
    ),
)


@given(st.lists(TERM, max_size=4).map(tuple))
def test_terms_survive_being_written(terms: tuple[Term, ...]) -> None:
    assert read(to_text(terms)) == terms


def test_the_command_says_the_same() -> None:
    wanted = RunFilter(jobs=("etl*",), states=(RunState.FAILED,), limit=7, dead=True, terms=read('!"a b" dur:>1m'))
    said = command(wanted)
    assert said == "jobrunner runs 'job:etl*' state:failed dead '!\"a b\"' 'dur:>1m' --limit 7"


KNOWN = Known(jobs=("etl-a", "mail", "metl"), tags=("night",), queues=("default", "low"), servers=("web1",))

COMPLETED = {
    "st": ["state:"],
    "sta": ["state:"],
    "fail": ["state:failed"],
    "d": ["dur:", "dead"],
    "state:r": ["state:running", "state:retrying", "state:expired"],
    "state:failed,ru": ["state:failed,running"],
    "!job:etl": ["!job:etl-a", "!job:metl"],
    "queue:": ["queue:default", "queue:low"],
    "tag:n": ["tag:night"],
    "server:w": ["server:web1"],
    "nothing:": [],
    "queue:low": [],
}


@pytest.mark.parametrize("text", COMPLETED)
def test_how_a_word_goes_on(text: str) -> None:
    assert [found.word for found in complete(text, len(text), KNOWN)] == COMPLETED[text]


def test_a_suggestion_leaves_the_rest_of_the_filter_alone() -> None:
    (found, *_) = complete("mail st dead", 7, KNOWN)
    assert found == ("state:", "mail state: dead", 11)
    (found, *_) = complete("x queue:l", 9, KNOWN)
    assert found == ("queue:low", "x queue:low ", 12)


def job(name: str = "etl-a", **given) -> Job:
    values = {"kind": PythonCall("a:b"), "folder": "/", "timezone": "UTC", "definition": "{}", **given}
    return Job(name=name, **values)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("", True),
        ("ETL", True),
        ("nightly", True),
        ("nightly db", True),
        ("other", False),
        ("!other", True),
        ("state:failed", True),
        ("state:paused,disabled", True),
        ("state:disabled", False),
        ("tag:db", True),
        ("tag:d?,x", True),
        ("!tag:db", False),
        ("queue:low kind:python", True),
        ("kind:http", False),
        ("job:etl*", True),
        ("job:[e]tl*", False),
        ("/^etl.a/", True),
        ("/zz/", False),
    ],
)
def test_jobs_that_fit(text: str, fits: bool) -> None:
    one = job(tags=("db",), queue="low", description="Nightly load")
    searched, terms = Searched({one.name: one}), read(text, subject=JOBS)
    for _ in range(2):
        found = searched.fitting([one.name], terms, lambda _: frozenset({"failed", "paused"}))
        assert found == ([one.name] if fits else [])


def test_of_a_job_that_is_in_no_file_only_the_name_is_known() -> None:
    searched = Searched({})
    assert searched.fitting(["etl-a", "mail"], read("ETL", subject=JOBS)) == ["etl-a"]
    assert searched.fitting(["etl-a", "mail"], read("!kind:command job:m*", subject=JOBS)) == ["mail"]
    assert searched.fitting(["etl-a", "mail"], read("queue:default", subject=JOBS)) == []


def test_fields_of_runs_are_none_of_jobs() -> None:
    with pytest.raises(UsageError, match="since: does not apply to jobs"):
        read("since:2h", subject=JOBS)
    assert read("dead", subject=JOBS) == (Term(Field.TEXT, ("dead",)),)
    assert read("dead", subject=RUNS) == (Term(Field.DEAD),)
