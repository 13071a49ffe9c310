"""Declared parameters: what is accepted, in which form it is kept, what is refused and how it says so."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrunner.domain.params import (
    Checker,
    Param,
    ParamType,
    escape,
    fill,
    lone_braces,
    placeholders,
    split_secrets,
    to_text,
)
from jobrunner.errors import ParameterError


def _texts(params, texts, *, job=""):
    return Checker(params, job=job).texts(texts)


def _values(params, values, *, job=""):
    return Checker(params, job=job).values(values)


def _one(kind: str, **more) -> list[Param]:
    return [Param(name="x", type=ParamType(kind), **more)]


@pytest.mark.parametrize(
    ("kind", "text", "stored"),
    [
        ("string", "", ""),
        ("string", "a=b c", "a=b c"),
        ("int", "7", 7),
        ("int", "-9223372036854775808", -(2**63)),
        ("int", "+007", 7),
        ("float", "1", 1.0),
        ("float", "-1.5e3", -1500.0),
        ("float", ".5", 0.5),
        ("bool", "true", True),
        ("bool", "No", False),
        ("bool", "1", True),
        ("date", "2026-10-31", "2026-10-31"),
        ("datetime", "2026-10-31T06:00:00Z", "2026-10-31T06:00:00+00:00"),
        ("datetime", "2026-10-31 06:00", "2026-10-31T06:00:00"),
        ("datetime", "2026-10-31", "2026-10-31T00:00:00"),
        ("datetime", "2026-10-31T06:00:00.5+01:00", "2026-10-31T06:00:00.500000+01:00"),
        ("json", '{"a": [1, null]}', {"a": [1, None]}),
        ("json", "null", None),
    ],
)
def test_texts(kind, text, stored) -> None:
    found = _texts(_one(kind), {"x": text})
    assert found == {"x": stored}
    assert type(found["x"]) is type(stored)
    assert _texts(_one(kind), {"x": to_text(stored)}) == found


@pytest.mark.parametrize(
    ("kind", "text", "complaint"),
    [
        ("string", "a\0b", "NUL"),
        ("string", "a\udcffb", "not valid UTF-8"),
        ("int", "", "whole number"),
        ("int", "1.0", "whole number"),
        ("int", "1_000", "whole number"),
        ("int", "٣", "whole number"),
        ("int", "9223372036854775808", "64 bits"),
        ("int", "9" * 10_000, "whole number"),
        ("float", "nan", "must be a number"),
        ("float", "1e999", "finite"),
        ("bool", "maybe", "true or false"),
        ("date", "2026-02-30", "calendar"),
        ("date", "20261031", "must be a date"),
        ("date", "2026-W44-6", "must be a date"),
        ("datetime", "2026-10-31T25:00", "calendar"),
        ("datetime", "tomorrow", "must be an instant"),
        ("json", "{", "must be JSON"),
        ("json", "NaN", "has no NaN"),
        ("json", '"\\ud800"', "broken characters"),
        ("json", "[" * 100_000, "nested too deeply"),
    ],
)
def test_wrong_texts(kind, text, complaint) -> None:
    with pytest.raises(ParameterError, match=complaint) as caught:
        _texts(_one(kind), {"x": text}, job="report")
    assert str(caught.value).startswith("parameter 'x' of job report ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("int", 7, 7),
        ("float", 7, 7.0),
        ("date", date(2026, 10, 31), "2026-10-31"),
        ("date", "2026-10-31", "2026-10-31"),
        ("datetime", datetime(2026, 10, 31, 6, tzinfo=UTC), "2026-10-31T06:00:00+00:00"),
        ("json", (1, {"a": (2,)}), [1, {"a": [2]}]),
    ],
)
def test_values(kind, value, stored) -> None:
    assert _values(_one(kind), {"x": value}) == {"x": stored}


@pytest.mark.parametrize(
    ("kind", "value", "complaint"),
    [
        ("string", 7, "must be a text: 7"),
        ("string", None, "must be a text: None"),
        ("int", "7", "whole number"),
        ("int", True, "whole number"),
        ("int", 7.0, "whole number"),
        ("float", True, "must be a number"),
        ("float", float("inf"), "finite"),
        ("float", 10**400, "finite"),
        ("bool", 1, "true or false"),
        ("date", datetime(2026, 10, 31), "must be a date"),
        ("datetime", date(2026, 10, 31), "must be an instant"),
        ("json", {1, 2}, "Object of type set is not JSON serializable"),
        ("json", float("nan"), "without NaN"),
        ("json", {"deep": object()}, "type object"),
        ("json", "x" * 2_000_000, "1 MiB"),
    ],
)
def test_wrong_values(kind, value, complaint) -> None:
    with pytest.raises(ParameterError, match=complaint):
        _values(_one(kind), {"x": value})


def test_a_cycle_is_no_json() -> None:
    ring: list = []
    ring.append(ring)
    with pytest.raises(ParameterError, match="cycles"):
        _values(_one("json"), {"x": ring})


PARAMS = [
    Param(name="month", required=True),
    Param(name="year", type=ParamType.INT, default=2026, has_default=True),
    Param(name="note"),
    Param(name="token", secret=True, default="t0ken", has_default=True),
]


def test_defaults_are_filled_in_and_the_order_is_the_declared_one() -> None:
    found = Checker(PARAMS, job="report").texts({"token": "s", "month": "10"})
    assert list(found.items()) == [("month", "10"), ("year", 2026), ("token", "s")]


def test_missing_and_unknown() -> None:
    checker = Checker(PARAMS, job="report")
    with pytest.raises(ParameterError, match=r"^parameter 'month' of job report is required$"):
        checker.values({})
    with pytest.raises(ParameterError, match=r"^unknown parameter 'mnoth' of job report; did you mean 'month'\?$"):
        checker.values({"mnoth": "1"})
    with pytest.raises(ParameterError, match=r"it has month, year, note, token$"):
        checker.values({"zzz": "1"})
    with pytest.raises(ParameterError, match="unknown parameter 'a': job report has no parameters"):
        Checker([], job="report").values({"a": 1})


def test_choices() -> None:
    params = _one("int", choices=(1, 2))
    assert _texts(params, {"x": "2"}) == {"x": 2}
    with pytest.raises(ParameterError, match="is not one of its choices; one of: 1, 2"):
        _texts(params, {"x": "3"})


def test_secrets_are_apart_and_in_no_message() -> None:
    values = Checker(PARAMS).values({"month": "10", "token": "s3cret"})
    assert split_secrets(PARAMS, values) == ({"month": "10", "year": 2026, "token": "***"}, {"token": "s3cret"})
    assert split_secrets(PARAMS[:1], {"month": "1"}) == ({"month": "1"}, {})
    with pytest.raises(ParameterError) as caught:
        _values(_one("int", secret=True), {"x": "s3cret"})
    assert "s3cret" not in str(caught.value)


def test_defaults_of_one_call_are_not_those_of_the_next() -> None:
    checker = Checker(_one("json", default={"a": []}, has_default=True))
    checker.values({})["x"]["a"].append(1)
    assert checker.values({}) == {"x": {"a": []}}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", "plain"),
        ("{n}", "7"),
        ("a{n}b{n}", "a7b7"),
        ("{{n}}", "{n}"),
        ("{{{n}}}", "{7}"),
        ("${n} ${HOME}", "${n} ${HOME}"),
        ("{} { } {N} {n.x} {0}", "{} { } {N} {n.x} {0}"),
        ("{flag} {list}", 'true [1,"ä"]'),
        ("}} {{", "} {"),
    ],
)
def test_fill(template, expected) -> None:
    assert fill(template, {"n": 7, "flag": True, "list": [1, "ä"]}) == expected


def test_fill_with_what_is_absent() -> None:
    assert fill("<{x}>", {}, declared={"x"}) == "<>"
    with pytest.raises(ParameterError, match=r"\{x\} is not a parameter with a value; write \{\{x\}\} for the text"):
        fill("<{x}>", {})


def test_a_value_is_not_a_template() -> None:
    assert fill("{a}{b}", {"a": "{b}", "b": "{{"}) == "{b}{{"


@given(st.text())
def test_escape_is_undone_by_fill(text) -> None:
    assert fill(escape(text), {}) == text


@given(st.text("ab{}$_1 "))
def test_placeholders_are_what_fill_asks_for(template) -> None:
    names = placeholders(template)
    fill(template, dict.fromkeys(names, "v"))
    for name in names:
        with pytest.raises(ParameterError):
            fill(template, {other: "v" for other in names if other != name})


def test_lone_braces() -> None:
    assert lone_braces('{"a":{"b":1}}')
    assert not lone_braces("{a} {{b}} ${c}")
    assert not lone_braces("{} {")


@given(st.dictionaries(st.text(max_size=3), st.integers() | st.text() | st.none(), max_size=3))
def test_json_texts_come_back(value) -> None:
    try:
        stored = _values(_one("json"), {"x": value})["x"]
    except ParameterError:
        return
    assert json.loads(to_text(stored)) == stored
    assert _texts(_one("json"), {"x": to_text(stored)}) == {"x": stored}


@given(st.sampled_from(list(ParamType)), st.text())
def test_any_text_gives_a_value_or_one_line(kind, text) -> None:
    try:
        stored = _texts(_one(kind), {"x": text})["x"]
    except ParameterError as refused:
        assert "\n" not in str(refused)  # noqa: PT017
    else:
        json.dumps(stored, allow_nan=False).encode()
