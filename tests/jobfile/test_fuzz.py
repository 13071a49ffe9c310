"""Whatever the bytes of a file are: a result, or faults of one line each. Never a traceback, never long."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobrunner import jobfile
from jobrunner.errors import JobrunnerError
from jobrunner.jobfile.job_keys import JOB
from jobrunner.jobfile.keys import JOBRUNNER, TOP

WHOLE = Path(__file__).with_name("whole.toml").read_bytes()
BRIEF = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))


def _survives(path: Path) -> None:
    result = jobfile.check(path)
    for problem in (*result.problems, *result.warnings):
        assert str(problem).isprintable(), problem
        assert len(str(problem)) < 2000
    for job in jobfile.job_names(path)[:3]:
        try:
            jobfile.read_job(path, job)
        except JobrunnerError:
            assert not result.valid
    try:
        jobfile.read_settings(path)
    except JobrunnerError:
        assert not result.valid
    if result.valid:
        for name, job in jobfile.read(path).jobs.items():
            assert jobfile.job_from_definition(name, job.definition) == job
            assert jobfile.read_job(path, name)[1] == job
        assert jobfile.read_settings_alone(path) == jobfile.read_settings(path)[0]


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    raw = bytearray(WHOLE)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        length = draw(st.integers(0, 30))
        other = draw(st.integers(0, len(raw)))
        piece = draw(
            st.binary(max_size=4) | st.just(bytes(raw[other : other + length])) | st.text(max_size=6).map(str.encode)
        )
        raw[at : at + length] = piece
    return bytes(raw)


_leaves = (
    st.none().map(lambda _: "")
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["1h", "10MiB", "@daily", "every 1s", "a:b", "default", "${X}", "{x}", "UTC", "100/1m", "fail"])
    | st.dates()
    | st.datetimes()
    | st.times()
)
_inner = st.sampled_from(
    ["x", "cron", "every", "start", "type", "default", "jobs", "url", "for", "exit_codes", "choices"]
)
_flat = _leaves | st.lists(_leaves, max_size=3) | st.dictionaries(_inner, _leaves, max_size=3)
_values = _flat | st.lists(_flat, max_size=3) | st.dictionaries(_inner, _flat, max_size=3)
_job = st.dictionaries(st.sampled_from(sorted(JOB.keys)) | st.text(max_size=5), _values, max_size=6)
_tree = st.fixed_dictionaries(
    {},
    optional={
        "jobs": st.dictionaries(
            st.sampled_from(["a", "b", "c", "7"]) | st.text(max_size=5), _job | _values, max_size=3
        ),
        "defaults": _job,
        "jobrunner": st.dictionaries(st.sampled_from(sorted(JOBRUNNER.keys)), _values, max_size=3),
        **{
            name: st.dictionaries(st.sampled_from(["a", "low", "b c"]), st.dictionaries(_inner, _values) | _values)
            for name in sorted(set(TOP) - {"jobs", "defaults", "jobrunner"})
        },
    },
)


@BRIEF
@given(raw=_mutated())
def test_mutated_files(raw, write) -> None:
    _survives(write(raw))


@BRIEF
@given(raw=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_random_bytes(raw, write) -> None:
    _survives(write(raw))


@BRIEF
@given(tree=_tree)
def test_random_values_in_known_keys(tree, write) -> None:
    _survives(write(tomlkit.dumps(tree)))


@pytest.mark.faults
@LONG
@given(raw=_mutated())
def test_mutated_files_at_length(raw, write) -> None:
    _survives(write(raw))


@pytest.mark.faults
@LONG
@given(tree=_tree)
def test_random_values_at_length(tree, write) -> None:
    _survives(write(tomlkit.dumps(tree)))
