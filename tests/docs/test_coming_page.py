"""docs/coming-from-cron.md tells the truth: its crontab and its units give what stands below them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "coming-from-cron.md").read_text()
_BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [
    found
    for language, text in _BLOCKS
    if language == "console"
    for found in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)
]


def printed(line: str, folder: Path) -> str:
    """What a command of the page prints, in a folder with the page's files."""
    for language, text in _BLOCKS:
        if language == "crontab":
            (folder / "crontab.txt").write_text(text)
        if language == "ini":
            (folder / text.partition("\n")[0].removeprefix("# ")).write_text(text)
    unwanted = ("JOBRUNNER", "XDG", "LC_", "COLUMNS", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    command = f"{sys.executable} -m {line} 2>&1"
    return subprocess.run(["sh", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True).stdout


@pytest.mark.parametrize(("line", "output"), COMMANDS, ids=lambda value: value if "\n" not in value else "")
def test_commands_print_what_the_page_says(line: str, output: str, tmp_path: Path) -> None:
    assert printed(line, tmp_path) == output


def test_both_commands_are_shown() -> None:
    assert [line.split()[1] for line, _ in COMMANDS] == ["import-crontab", "import-systemd"]
