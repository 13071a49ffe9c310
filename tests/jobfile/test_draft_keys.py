"""A job as keys that are filled in: what is shown comes back as it was, and what is typed changes one value."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_edit_properties import BRIEF, tables

from jobrunner.errors import Refused
from jobrunner.jobfile.draft_keys import job_in, keys_of, put, read, rename, typed
from jobrunner.jobfile.layout import Layout

TYPED = ["", "7", "-1", "1h", "true", "0 3 * * *", '["x", "y"]', '{ cron = "@daily" }', "[ -f x ] && y", "é", '"q"']


def values(text: str, job: str = "a") -> Any:
    return tomllib.loads(text)["jobs"][job]


@BRIEF
@given(tables("a"), st.booleans(), st.sampled_from(TYPED) | st.text(max_size=8), st.data())
def test_what_is_typed_for_a_key_changes_its_value_and_no_other_byte(
    text: str, windows: bool, given_text: str, data: st.DataObject
) -> None:
    text = text.replace("\n", "\r\n") if windows else text
    key = data.draw(st.sampled_from(keys_of(text, "a", {})))
    try:
        after = put(text, "a", key.path, given_text)
    except Refused:
        return
    pair = Layout(text).pair(("jobs", "a", *key.path))
    if given_text == "":
        assert key.path[-1] not in (values(after) if len(key.path) == 1 else values(after).get(key.path[0], {}))
    elif pair is not None:
        raw, (start, end) = text.encode(), pair.value
        assert after.encode().startswith(raw[:start])
        assert after.encode().endswith(raw[end:])
    elif after != text and f"{key.path[0]} = {{" not in text:
        kept = iter(after.splitlines())
        assert all(line in kept for line in text.splitlines()), "a line is added, and every other stays"


@BRIEF
@given(tables("a"))
def test_what_is_shown_is_read_as_what_the_file_has(text: str) -> None:
    for key in keys_of(text, "a", {}):
        value: Any = values(text)
        for name in key.path:
            value = value.get(name) if value is not None else None
        assert value is None or read(key.path, key.shown) == value, key.name
        assert put(text, "a", key.path, key.shown) == text or value is None


@BRIEF
@given(st.text() | st.integers() | st.booleans() | st.lists(st.text(max_size=3), max_size=3))
def test_any_value_is_typed_so_that_it_is_read_again(value: Any) -> None:
    for path in (("command",), ("queue",), ("env", "A")):
        shown = typed(path, value)
        assert shown != "" or value is None
        assert "\n" not in shown
        if isinstance(value, str):
            assert read(path, shown) == value


def test_a_text_that_looks_like_a_number_stays_a_text() -> None:
    text = '[jobs.a]\ncommand = "true"  # keep\numask = "022"\nretries = 1\n'
    assert put(text, "a", ("command",), "false") == text.replace('"true"', '"false"')
    assert put(text, "a", ("umask",), "027") == text.replace('"022"', '"027"')
    assert put(text, "a", ("retries",), "5") == text.replace("= 1", "= 5")


def test_all_keys_are_there_and_those_of_other_kinds_of_job_are_not() -> None:
    found = {key.name: key for key in keys_of('[jobs.a]\nhttp.url = "http://x"\n', "a", {"queue": "low"})}
    assert "http.url" in found
    assert "command" not in found
    assert found["queue"].otherwise == "[defaults] has low"
    assert found["overlap"].choices == ("", "skip", "queue", "allow", "replace")
    assert found["overlap"].otherwise == "default skip"


@pytest.mark.parametrize(
    ("text", "name"),
    [("[jobs.a]\n[jobs.b]", "a"), ("[jobs.b]", "b"), ("[jobs.b]\n[jobs.c]", None), ("[jobs", None), ("jobs = 1", None)],
)
def test_the_job_of_some_lines_is_told_by_its_name_or_because_it_is_alone(text: str, name: str | None) -> None:
    assert job_in(text, "a") == name


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ('[jobs.a]\ncommand = "b"\n', '[jobs.c]\ncommand = "b"\n'),
        ('[jobs.a]  # one]\n\n[jobs.a.env]\nA = "1"\n', '[jobs.c]  # one]\n\n[jobs.c.env]\nA = "1"\n'),
        ("[jobs.'a']\ncommand = \"b\"\n", '[jobs.c]\ncommand = "b"\n'),
    ],
)
def test_a_job_is_renamed_in_its_headers(text: str, renamed: str) -> None:
    assert rename(text, "a", "c") == renamed


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[jobs.a]\ncommand = "b"\n', "12"),
        ('[jobs.a]\ncommand = "b"\n', "no name"),
        ('[jobs.a]\ncommand = "b"\n\n[jobs.c]\ncommand = "d"\n', "c"),
        ('jobs.a.command = "b"\n', "c"),
    ],
)
def test_what_cannot_be_renamed_is_refused(text: str, name: str) -> None:
    with pytest.raises(Refused):
        rename(text, "a", name)
