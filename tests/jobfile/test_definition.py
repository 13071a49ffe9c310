"""A run carries its job's definition: the text rebuilds the very same job, and equal jobs have equal texts."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobrunner import jobfile
from jobrunner.domain.job import Command
from jobrunner.domain.params import fill
from jobrunner.domain.settings import Settings
from jobrunner.errors import JobrunnerError, UsageError

WHOLE = Path(__file__).with_name("whole.toml").read_text()


def _plain(value: object) -> bool:
    return not re.search(r"[{][a-z_]|[$][{]", json.dumps(value, ensure_ascii=False))


_texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)
_words = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,9}", fullmatch=True)
_durations = st.integers(1, 10_000).map("{}s".format) | st.sampled_from(["1h30m", "2d", "1.5h", "10ms"])
_flags = st.booleans()
_json = st.recursive(
    _flags | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=5,
)
_instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(microsecond=0))
_zoned = st.builds(
    lambda at, hours: at.replace(tzinfo=timezone(timedelta(hours=hours))), _instants, st.integers(-11, 11)
)
_dates = st.dates(date(2000, 1, 1), date(2100, 1, 1))
_starts = _instants | _zoned | _dates
_one_schedule = (
    st.sampled_from(["@daily", "0 2 * * *", "every 15m", "*/5 8-18 * * mon-fri", "H 4 * * *"])
    | _starts
    | st.fixed_dictionaries(
        {"cron": st.just("5 4 * * *")}, optional={"start": _starts, "timezone": st.just("Asia/Kathmandu")}
    )
    | st.fixed_dictionaries({"every": st.just("90s")}, optional={"end": _starts, "jitter": _durations})
    | st.fixed_dictionaries({"at": _starts})
)
_param = (
    st.fixed_dictionaries({}, optional={"default": _texts, "secret": _flags, "description": _texts})
    | st.fixed_dictionaries({"type": st.just("int"), "default": st.integers(-9, 9)})
    | st.fixed_dictionaries({"type": st.just("date"), "default": _dates})
    | st.fixed_dictionaries({"type": st.just("datetime"), "default": _instants | _zoned})
    | st.fixed_dictionaries({"type": st.just("json"), "default": _json})
    | st.fixed_dictionaries({"choices": st.lists(_texts, min_size=1, unique=True)})
)
_kinds = (
    st.fixed_dictionaries({"command": _texts.filter(lambda line: "{" not in line)})
    | st.fixed_dictionaries(
        {"command": st.lists(_texts.map(lambda text: text.replace("{", "{{").replace("}", "}}")), min_size=1)}
    )
    | st.fixed_dictionaries({"python": st.sampled_from(["a:b", "a.b.c:D.e"])})
    | st.fixed_dictionaries(
        {
            "http": st.fixed_dictionaries(
                {"url": st.just("https://h/x")},
                optional={
                    "json": _json.filter(_plain),
                    "expect": st.integers(200, 299),
                },
            )
        }
    )
)
_rest = st.fixed_dictionaries(
    {},
    optional={
        "schedule": _one_schedule | st.lists(_one_schedule, max_size=3),
        "params": st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True), _param, max_size=3),
        "description": _texts,
        "tags": st.lists(_words, unique=True),
        "env": st.dictionaries(_words, _texts.filter(lambda text: "${" not in text), max_size=3),
        "timeout": _durations,
        "retries": st.integers(0, 9),
        "retry_delays": st.lists(_durations, min_size=1),
        "retry_on": st.lists(st.integers(1, 255), min_size=1) | st.just({"exceptions": ["OSError"]}),
        "unique": _flags | st.just({"for": "1m"}),
        "rate_limit": st.just("100/1m"),
        "umask": st.sampled_from(["022", 0o22]),
        "max_output": st.sampled_from(["10MiB", 2048]),
        "enabled": _flags,
        "priority": st.integers(-100, 100),
        "overlap": st.sampled_from(["skip", "queue", "allow", "replace"]),
        "sla": st.just({"start_within": "1m"}),
    },
)
_tables = st.builds(lambda kind, rest: {**rest, **kind}, _kinds, _rest)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=_tables)
def test_definition_to_job_to_definition(table, write) -> None:
    path = write(tomlkit.dumps({"jobrunner": {"timezone": "Europe/Madrid"}, "jobs": {"a": table}}))
    job = jobfile.read(path).jobs["a"]
    rebuilt = jobfile.job_from_definition("a", job.definition)
    assert rebuilt == job
    assert rebuilt.definition == job.definition
    assert json.loads(job.definition)["folder"] == str(path.parent)


def test_the_whole_example(read) -> None:
    found = read(WHOLE)
    assert len(found.jobs) == 4
    for name, job in found.jobs.items():
        assert jobfile.job_from_definition(name, job.definition) == job


def test_layout_and_inheritance_do_not_change_a_definition(read) -> None:
    first = read('[jobs.a]\ncommand = "true"\ntimeout = "1h"\nenv = { A = "1", B = "2" }').jobs["a"]
    second = read('[defaults]\ntimeout = "1h"\nenv.B = "2"\n[jobs.a]\nenv.A = "1"\n"command" = \'true\' # same').jobs[
        "a"
    ]
    assert first == second


def test_parameters_keep_their_order(read) -> None:
    job = read('[jobs.a]\ncommand = "true"\nparams.z = {}\nparams.a = {}').jobs["a"]
    assert [param.name for param in job.params] == ["z", "a"]
    assert jobfile.job_from_definition("a", job.definition) == job


def test_a_schedule_that_is_no_longer_read_is_left_out() -> None:
    text = '{"folder":"/x","job":{"command":"true","schedule":[{"moon":"full"}]},"timezone":"UTC"}'
    assert jobfile.job_from_definition("a", text).schedules == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "{}",
        "[",
        "[" * 5000,
        '{"job":{"params":7}}',
        '{"folder":"/","job":7,"timezone":"UTC"}',
        '{"folder":"/","job":{},"timezone":"UTC"}',
        '{"folder":"/","job":{"command":"x","news":1},"timezone":"UTC"}',
    ],
)
def test_no_definition(text) -> None:
    with pytest.raises(JobrunnerError, match="a run of a carries cannot be read"):
        jobfile.job_from_definition("a", text)


SETTINGS = Settings(path="/srv/jobs.toml", folder="/srv", timezone="UTC", store="sqlite:////srv/x.db")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1))
def test_an_adhoc_command_is_run_as_given(argv) -> None:
    argv = ["prog", *argv]
    job = jobfile.adhoc("submit:prog", argv, settings=SETTINGS, cwd="/tmp", options={})
    assert isinstance(job.kind, Command)
    assert [fill(element, {}) for element in job.kind.argv or ()] == argv
    assert jobfile.job_from_definition(job.name, job.definition) == job


def test_adhoc_options() -> None:
    options = {"timeout": timedelta(minutes=90), "retries": 2, "queue": "low", "tags": ["x"]}
    job = jobfile.adhoc("submit:tar", ["tar", "{a}"], settings=SETTINGS, cwd="/data", options=options)
    assert (job.name, job.folder, job.cwd, job.timezone) == ("submit:tar", "/srv", "/data", "UTC")
    assert (job.timeout, job.retry.retries, job.queue, job.tags) == (timedelta(minutes=90), 2, "low", ("x",))


@pytest.mark.parametrize(
    ("argv", "options", "message"),
    [
        ([], {}, "command must not be empty"),
        (["x"], {"queue": "lwo"}, 'there is no queue "lwo"; did you mean "low"'),
        (["x"], {"retries": -1}, "retries must be from 0"),
        (["x"], {"nonsense": 1}, 'unknown key "nonsense"'),
        (["a\0b"], {}, "NUL"),
    ],
)
def test_adhoc_mistakes(argv, options, message) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        jobfile.adhoc("submit:x", argv, settings=SETTINGS, cwd="/", options=options)
    assert "\n" not in str(caught.value)


def test_start_and_end_without_offset_are_in_the_zone_of_the_schedule(read) -> None:
    schedule = '{ cron = "@daily", timezone = "Asia/Tokyo", start = 2026-12-01T09:00:00 }'
    text = f'[jobs.a]\ncommand = "true"\nschedule = {schedule}'
    (spec,) = read(text).jobs["a"].schedules
    assert spec.start == datetime(2026, 12, 1, tzinfo=UTC)
