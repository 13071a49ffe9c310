"""Calendars: days in the file, and days in a file of their own."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from jobrunner.domain.jobfile import Jobfile
from jobrunner.errors import ConfigError
from jobrunner.jobfile.reader import read_job

TEXT = """[calendars.holidays]
dates = ["2026-12-26"]
file = "days.txt"

[jobs.a]
command = "true"
blackout = "holidays"
"""

Read = Callable[[str], Jobfile]


@pytest.fixture
def days(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Writes the file of days."""

    def write(text: str | bytes) -> Path:
        path = tmp_path / "days.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(0o644)
        return path

    return write


def test_the_days_of_both_are_the_calendar(read: Read, days: Callable[[str], Path]) -> None:
    days("# of Spain\n\n2026-12-25 Christmas, a Friday\n  2027-01-06\t# Epiphany\n2026-12-26\n")
    found = read(TEXT).calendars["holidays"].dates
    assert found == (date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 6))
    days(b"")
    assert read(TEXT).calendars["holidays"].dates == (date(2026, 12, 26),)


def test_other_days_are_another_configuration(read: Read, days: Callable[[str], Path]) -> None:
    days("2026-12-25\n")
    first = read(TEXT).config_hash
    assert read(TEXT).config_hash == first
    days("2026-12-24\n")
    assert read(TEXT).config_hash != first


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("2026-12-25\nChristmas\n", 'line 2: must begin with a date like 2026-12-25, not with "Christmas"'),
        ("2026-02-30\n", 'line 1: must begin with a date like 2026-12-25, not with "2026-02-30"'),
        ("25.12.2026\n", 'line 1: must begin with a date like 2026-12-25, not with "25.12.2026"'),
        (b"\xff\n", "is not UTF-8 (byte 1)"),
    ],
)
def test_what_is_wrong_with_it_is_a_fault_of_the_key(
    read: Read, days: Callable[[str | bytes], Path], text: str | bytes, complaint: str
) -> None:
    days(text)
    with pytest.raises(ConfigError) as caught:
        read(TEXT)
    (problem,) = caught.value.problems
    assert (problem.line, problem.message) == (3, f'calendars.holidays.file "days.txt" {complaint}')


def test_one_that_is_not_there_or_not_safe_is_a_fault(read: Read, days: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        read(TEXT)
    path = days("2026-12-25\n")
    path.chmod(0o666)
    with pytest.raises(ConfigError, match="everybody can write it"):
        read(TEXT)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="is not a regular file"):
        read(TEXT)


def test_a_trigger_needs_no_calendar(write: Callable[[str], Path]) -> None:
    assert read_job(write(TEXT), "a")[1].name == "a"
