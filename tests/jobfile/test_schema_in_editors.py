"""What editors make of the schema: Taplo (Even Better TOML) and Tombi check files with it, offline."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
from corpus import CRONTABS, UNITS

from jobrunner import jobfile

TOP = Path(__file__).parents[2]
FENCED = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]
FILES = [
    TOP / "jobs.toml",
    *sorted((TOP / "examples").glob("**/*.toml")),
    *sorted((*CRONTABS.glob("*.toml"), *UNITS.glob("*.toml"))),
]
EDITORS = {"taplo": ["check"], "tombi": ["lint", "--offline"]}


def texts() -> dict[str, str]:
    """Every jobs.toml that we print or ship, by a name of its own."""
    found = {path.relative_to(TOP).as_posix().replace("/", "-"): path.read_text() for path in FILES}
    for page in PAGES:
        found |= {f"{page.stem}-{place}.toml": text for place, text in enumerate(FENCED.findall(page.read_text()))}
    return found | {"whole.toml": Path(__file__).with_name("whole.toml").read_text(), "starter.toml": jobfile.starter()}


def looked_at(editor: str, folder: Path, files: dict[str, str]) -> tuple[int, str]:
    """The status and the words of an editor's checker on files that name the schema in their first line."""
    (folder / "jobs.schema.json").write_text(json.dumps(jobfile.schema()))
    for name, text in files.items():
        (folder / name).write_text(f"#:schema ./jobs.schema.json\n{text}")
    program = shutil.which(editor, path=f"{sysconfig.get_path('scripts')}:/usr/bin:/bin") or editor
    command = [program, *EDITORS[editor], *sorted(files)]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={"HOME": str(folder), "NO_COLOR": "1"}
    )
    return done.returncode, re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)


@pytest.mark.parametrize("editor", EDITORS)
def test_good_files_are_good(editor: str, tmp_path: Path) -> None:
    files = texts()
    assert len(files) > 25
    status, words = looked_at(editor, tmp_path, files)
    assert status == 0, words
    assert not re.search("warning|error", words, re.IGNORECASE), words


@pytest.mark.parametrize("editor", EDITORS)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[jobrunner]\nwrkers = 3", "wrkers"),
        ("[jobs.a]\ncommand = 'x'\nretries = '3'", "integer"),
        ("[jobs.a]\ncommand = 'x'\noverlap = 'wait'", "skip"),
        ("[jobs.a]\ncommand = 'x'\npython = 'a:b'", "not|anyOf"),
        ("[jobs.a]\ncommand = 'x'\nschedule = { moon = 'full' }", "."),
        ("[calendars.a]\ndates = ['tomorrow']", "."),
    ],
)
def test_plain_mistakes_are_seen(editor: str, text: str, words: str, tmp_path: Path) -> None:
    status, said = looked_at(editor, tmp_path, {"jobs.toml": text})
    assert status != 0
    assert re.search(words, said, re.IGNORECASE)
