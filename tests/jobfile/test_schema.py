"""The JSON Schema: it is one, it holds for every valid file, and it says of every key what it is."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tomlkit

from jobrunner import jobfile
from jobrunner.jobfile.job_keys import JOB
from jobrunner.jobfile.json_schema import documented
from jobrunner.jobfile.shapes import INVALID
from jobrunner.jobfile.source import Source

WHOLE = Path(__file__).with_name("whole.toml").read_text()
SCHEMA = jobfile.schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

KEYS = [
    pytest.param(path, key, id=f"{path}.{key.name}")
    for path, table in documented().items()
    for key in table.keys.values()
]


def _as_json(text: str) -> Any:
    return json.loads(json.dumps(tomllib.loads(text), default=lambda value: value.isoformat()))


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("text", [WHOLE, jobfile.starter(), ""], ids=["whole", "starter", "empty"])
def test_it_holds_for_good_files(text) -> None:
    VALIDATOR.validate(_as_json(text))


@pytest.mark.parametrize(
    "text",
    [
        "[job.a]",
        "[jobs.1042]\ncommand = 'x'",
        "[jobs.b7]\ncommand = 'x'",
        "[jobs.a]\ncommand = 'x'\npython = 'a:b'",
        "[jobs.a]\ncommand = []",
        "[jobs.a]\nretrys = 1",
        "[jobs.a]\ntimeout = 60",
        "[jobs.a]\noverlap = 'wait'",
        "[jobs.a]\nhttp = { method = 'GET' }",
        "[jobs.a]\nparams.Month = {}",
        "[jobs.a]\nschedule = { moon = 'full' }",
        "[jobs.a]\npriority = 101",
        "[jobs.a]\nmax_output = '10M'",
        "[jobrunner]\nworkers = 0",
        "[retention]\nrunning = '1d'",
        "[limits.a]",
        "[calendars.a]",
        "[notify.a]\non = ['failed']",
    ],
)
def test_editors_see_plain_mistakes(text) -> None:
    assert not VALIDATOR.is_valid(_as_json(text))
    assert tomllib.loads(text)


@pytest.mark.parametrize(("path", "key"), KEYS)
def test_every_key_is_described_with_an_example(path, key) -> None:
    assert key.description.endswith(".")
    assert len(key.description) > 10
    if isinstance(key.shape.schema().get("type"), str) and key.shape.schema()["type"] == "boolean":
        assert key.default in (True, False)
    assert key.default is not None or key.examples or key.name == "description"


@pytest.mark.parametrize(("path", "key"), KEYS)
def test_defaults_and_examples_are_valid_and_fit_the_schema(path, key) -> None:
    for value in (*((key.default,) if key.default is not None else ()), *key.examples):
        source = Source("example")
        written = tomllib.loads(tomlkit.dumps({"x": value}))["x"]
        assert key.shape.read(written, ("x",), source) is not INVALID, list(source.messages())
        jsonschema.validate(value, key.shape.schema(), jsonschema.Draft202012Validator)


def test_every_field_of_a_job_has_a_key() -> None:
    example = set(tomllib.loads(WHOLE)["jobs"]["backup"]) | set(tomllib.loads(WHOLE)["jobs"]["invoice"])
    example |= set(tomllib.loads(WHOLE)["jobs"]["ledger"]) | set(tomllib.loads(WHOLE)["jobs"]["ping"])
    assert example == set(JOB.keys), "whole.toml shows every key"
