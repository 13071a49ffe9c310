"""docs/schedules.md tells the truth: tables are computed again, commands are run, the crontab becomes the file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import story

from jobrunner.domain.cron import ALIASES, parse_cron
from jobrunner.domain.job import ScheduleSpec
from jobrunner.domain.schedule import Schedule, parse
from jobrunner.domain.traps import traps

PAGE = (Path(__file__).parents[2] / "docs" / "schedules.md").read_text()
MADRID = ZoneInfo("Europe/Madrid")
NOON = datetime(2026, 10, 24, 12, tzinfo=MADRID)
_TOLD = "<!-- on the morning after -->\n"
_BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.replace(f"{_TOLD}```console", "```told"), re.MULTILINE | re.DOTALL)


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    _, _, below = PAGE.partition(f"\n{heading}\n")
    rows = [line for line in below.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


def schedule(cell: str, job: str = "job") -> Schedule:
    return parse(ScheduleSpec(cell.strip("`")), job=job, timezone="Europe/Madrid")


SYNTAX = table("## What you can write")
NIGHTS = table("## The night when the clock changes")
TRAPS = table("## Traps that are older than this program")


@pytest.mark.parametrize("row", SYNTAX, ids=lambda row: row[0])
def test_what_comes_next(row: list[str]) -> None:
    fire = schedule(row[0]).next_after(NOON)
    assert fire is not None
    text = f"{fire.astimezone(MADRID):%Y-%m-%d %H:%M:%S}".removesuffix(":00")
    assert text == row[2]


@pytest.mark.parametrize("row", NIGHTS, ids=lambda row: row[0])
def test_nights_when_the_clock_changes(row: list[str]) -> None:
    for night, cell in ((datetime(2026, 3, 29), row[1]), (datetime(2026, 10, 25), row[2])):
        start = night.replace(minute=30, tzinfo=MADRID).astimezone(UTC)
        end = night.replace(hour=4, minute=30, tzinfo=MADRID).astimezone(UTC)
        fires = [f"{fire.astimezone(MADRID):%H:%M %Z}" for fire in schedule(row[0]).between(start, end)]
        assert (", ".join(fires) or "nothing") == cell


@pytest.mark.parametrize("row", TRAPS, ids=lambda row: row[0])
def test_explain_says_every_trap(row: list[str]) -> None:
    assert [text for text in traps(schedule(row[0]), after=NOON) if "the clock of" not in text]


def test_the_tables_are_there() -> None:
    assert (len(SYNTAX), len(NIGHTS), len(TRAPS)) == (17, 7, 8)
    assert {alias for alias in ALIASES if alias not in PAGE} == set()


def test_each_expression_in_the_text_is_one() -> None:
    said = re.findall(r"`((?:[\dH*@?][^` ]* +){4,5}[^` ]+|every [^`]+|@\w+)`", PAGE)
    refused = {"0 0 30 2 *", "@reboot", "0 0 $ * *", "@every_minute", "@every_second", "@600"}
    for expression in set(said) - refused:
        assert schedule(expression, job="backup").next_after(NOON)
    assert len(set(said)) > 25


def test_h_has_as_many_values_as_it_says() -> None:
    start = datetime(2026, 11, 2, tzinfo=MADRID)
    for expression, count in (("H * * * *", 24), ("H H(1-5) * * *", 1), ("H/15 * * * *", 96)):
        assert f"`{expression}`" in PAGE
        assert len(list(schedule(expression, job="backup").between(start, start + timedelta(days=1)))) == count


def test_a_crontab_becomes_the_file_below_it() -> None:
    place = next(place for place, (language, _) in enumerate(_BLOCKS) if language == "crontab")
    lines = [line for line in _BLOCKS[place][1].splitlines() if re.match(r"[\d*@]", line)]
    times = [line.split()[0] if line[0] == "@" else " ".join(line.split()[:5]) for line in lines]
    jobs = tomllib.loads(_BLOCKS[place + 1][1])["jobs"].values()
    schedules = [each["schedule"] for each in jobs]
    taken = [each["cron"] if isinstance(each, dict) else each for each in schedules]
    assert [parse_cron(text, job="") for text in taken] == [parse_cron(text, job="") for text in times]


def commands(kind: str) -> list[tuple[str, str, str]]:
    """Each command of a kind with what it prints, and the last jobs.toml above it."""
    found, file = list[tuple[str, str, str]](), ""
    for language, text in _BLOCKS:
        if language == "toml":
            file = text
        if language == kind:
            found += [
                (line, output, file) for line, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)
            ]
    return found


@pytest.mark.parametrize(
    ("line", "output", "file"), commands("console"), ids=lambda value: value if "\n" not in value else ""
)
def test_commands_print_what_the_page_says(line: str, output: str, file: str, tmp_path: Path) -> None:
    (tmp_path / "jobs.toml").write_text(file)
    assert printed(line, tmp_path, {"TZ": "Europe/Madrid"}) == output


def test_a_bad_night_is_told_as_the_page_says(tmp_path: Path) -> None:
    told = commands("told")
    assert len(told) == 8
    (tmp_path / "jobs.toml").write_text(told[0][2])
    story.tell(tmp_path)
    said = {line: printed(line, tmp_path, story.environment()) for line, _, _ in told}
    assert said == {line: output for line, output, _ in told}


def printed(line: str, folder: Path, environ: dict[str, str]) -> str:
    """What a command line prints in a folder."""
    bin_folder = folder / "bin"
    bin_folder.mkdir(exist_ok=True)
    (bin_folder / "jobrunner").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m jobrunner "$@"\n')
    (bin_folder / "jobrunner").chmod(0o755)
    unwanted = ("JOBRUNNER", "XDG", "LC_", "COLUMNS", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    environment |= {"PATH": f"{bin_folder}:{os.environ['PATH']}", "LANG": "C.UTF-8"} | environ
    done = subprocess.run(
        ["sh", "-c", f"{line} 2>&1"], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, timeout=120
    )
    return done.stdout
