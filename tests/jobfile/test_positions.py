"""Where things stand is the same whether the tables of a text are read when they are asked for, or all at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli

from jobrunner.jobfile.positions import Positions

WHOLE = Path(__file__).with_name("whole.toml").read_text()
SPREAD = """
x.y = 1 # of the top
[jobs.a]
params.month.type = "string" # spelled before its own table
env = { A = "1", "B.c" = [1, { d = 2 }] }
[jobs.a.params.day]
type = "date"
[[jobs.a.list]]
n = 1
[[jobs.a.list]]
n = 2
  [jobs.a.list.of]
  z = 3
[jobs."b.c"]
command = "true"
"""


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _paths(inner, (*path, index))


@pytest.mark.parametrize("text", [WHOLE, SPREAD], ids=["whole", "spread"])
def test_read_when_asked_for_or_at_once(text: str) -> None:
    at_once = Positions(text, wholly=True)
    paths = [*_paths(tomli.loads(text)), ("jobs", "none"), ("jobs", "a", "none", 3)]
    for path in paths:
        for key in (False, True):
            assert Positions(text).of(path, key=key) == at_once.of(path, key=key), path
    again = Positions(text)
    for path in reversed(paths):
        assert again.of(path) == at_once.of(path), path


def test_positions() -> None:
    found = Positions(SPREAD)
    assert found.of(("jobs", "a", "list", 1, "of", "z")) == (13, 7)
    assert found.of(("jobs", "a", "env", "B.c", 1, "d"), key=True) == (5, 32)
    assert found.of(("jobs", "a", "params"), key=True) == (4, 1)
    assert found.of(("jobs", "a", "params", "day", "none")) == (6, 16)
