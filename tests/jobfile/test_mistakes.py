"""Every kind of mistake gets a message of one line at the right place, and all of a file are told at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jobrunner import jobfile
from jobrunner.errors import ConfigError

_FILE = Path(__file__).with_name("mistakes.txt")


def _cases() -> list[tuple[str, list[tuple[str, str]], str]]:
    parts = re.split(r"^=== (.*)\n", _FILE.read_text(), flags=re.MULTILINE)[1:]
    cases = []
    for name, rest in zip(parts[::2], parts[1::2], strict=True):
        lines = rest.splitlines(keepends=True)
        expected = [line[4:].rstrip("\n").split(" ", 1) for line in lines if line.startswith("--> ")]
        text = "".join(line for line in lines if not line.startswith("--> "))
        cases.append((name, [(place, fragment) for place, fragment in expected], text))
    return cases


CASES = _cases()


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 150
    assert len({name for name, _, _ in CASES}) == len(CASES)


@pytest.mark.parametrize(("expected", "text"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_mistake(expected: list[tuple[str, str]], text: str, write) -> None:
    write(text)
    result = jobfile.check("jobs.toml")
    assert not result.valid
    assert [f"{problem.line}:{problem.column}" for problem in result.problems] == [place for place, _ in expected]
    for problem, (_, fragment) in zip(result.problems, expected, strict=True):
        assert fragment in problem.message
        assert problem.file == "jobs.toml"
        assert len(str(problem).splitlines()) == 1
        assert str(problem).isprintable()


@pytest.mark.parametrize("text", [case[2] for case in CASES], ids=[case[0] for case in CASES])
def test_read_raises_what_check_tells(text: str, write) -> None:
    write(text)
    with pytest.raises(ConfigError) as caught:
        jobfile.read("jobs.toml")
    assert caught.value.problems == jobfile.check("jobs.toml").problems
    assert caught.value.exit_status == 78
