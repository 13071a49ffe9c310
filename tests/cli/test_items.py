"""What ``--each`` and ``-p`` make of what they are given."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobrunner.cli import items
from jobrunner.errors import JobrunnerError, UsageError


def test_a_value_may_hold_further_equals_signs() -> None:
    assert items.params(["query=a=b", "empty="]) == {"query": "a=b", "empty": ""}


def test_lines_are_objects_or_texts_and_empty_ones_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "items"
    path.write_bytes(b'\xef\xbb\xbfone\r\n\n  \n{"id": 7}\n {"id": [1]}\n7\n[1, 2]\n"text"\nlast')
    assert items.each(str(path)) == ["one", {"id": 7}, {"id": [1]}, "7", "[1, 2]", '"text"', "last"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no items"),
        (b"\n \n", "has no items"),
        (b"ok\n\xff\n", "line 2: not UTF-8"),
        (b'ok\n\n{"id": 7', "line 3: not a JSON object"),
        (b'{"id": 7} {"id": 8}', "line 1: not a JSON object"),
        (b'{"id": 7, "id": 8}', "a name is there twice"),
        (b'{"id": NaN}', "NaN is not JSON"),
        (b'{"a":' * 100_000, "not a JSON object"),
    ],
)
def test_what_cannot_be_an_item_is_named_with_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "items"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        items.each(str(path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary())
def test_any_file_gives_items_or_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "items"
    path.write_bytes(content)
    message = ""
    try:
        assert items.each(str(path))
    except JobrunnerError as error:
        message = str(error)
    assert "\n" not in message
