"""docs/editing.md tells the truth: its commands are run, one after the other, and its dialogue is typed."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import story
from dialogue import typed
from project import Project, clean_environment
from test_schedules_page import printed

from jobrunner import jobfile

PAGE = (Path(__file__).parents[2] / "docs" / "editing.md").read_text()
_BLOCKS = re.findall(r"^(?:<!-- (.*?) -->\n)?```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FILE = next(text for _, language, text in _BLOCKS if language == "toml")


def commands(remark: str) -> list[tuple[str, str]]:
    """Each command of the blocks with this remark above them, with what it prints."""
    texts = [text for above, language, text in _BLOCKS if language == "console" and above == remark]
    return [pair for text in texts for pair in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)]


def said(line: str, folder: Path, environ: dict[str, str]) -> str:
    """What a command prints, as if the folder were that of the page, and this host."""
    text = printed(f"{{ {line}; }}", folder, environ)
    return text.replace(str(folder), "/srv/shop").replace(socket.gethostname(), "web1")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "jobs.toml").write_text(FILE)
    (tmp_path / "jobs.toml").chmod(0o600)
    return tmp_path


def test_the_commands_say_what_the_page_says(shop: Path) -> None:
    expected = commands("")
    assert len(expected) == 12
    assert [(line, said(line, shop, story.environment())) for line, _ in expected] == expected


def test_versions_are_as_the_page_says(shop: Path) -> None:
    changed = FILE.replace("0 2 *", "30 3 *").replace("45m", "2h")
    story.edit(shop, FILE, changed, changed.replace("jobs.report", "jobs.weekly"))
    (shop / "jobs.toml").write_text(changed.replace("jobs.report", "jobs.weekly"))
    expected = commands("a week later")
    assert [(line, said(line, shop, story.environment())) for line, _ in expected] == expected
    assert jobfile.read(shop / "jobs.toml").jobs["backup"].definition == _first(shop)


def _first(shop: Path) -> str:
    """The definition that the page began with."""
    return jobfile.read(shop / "jobs.toml", {str(shop / "jobs.toml"): FILE}).jobs["backup"].definition


@pytest.fixture
def served(shop: Path) -> Iterator[Project]:
    found = Project(shop, FILE)
    with found.server("--name", "web1", "--workers", "1"):
        yield found
    found.close()


def test_a_server_answers_as_the_page_says(served: Project) -> None:
    expected = commands("with a server")
    assert [(line, said(line, served.folder, {"TZ": "UTC"})) for line, _ in expected] == expected


def test_the_dialogue_is_as_the_page_says(shop: Path) -> None:
    (block,) = (text for _, language, text in _BLOCKS if language == "text")
    editor = shop / "editor.sh"
    editor.write_text('''grep -q 2x "$1" && exec sed -i s/2x/2h/ "$1"; exec sed -i s/45m/2x/ "$1"''')
    environ = clean_environment(shop) | {"EDITOR": f"sh {editor}", "COLUMNS": "140", "NO_COLOR": "1"}
    dialogue = [("[q]uit? [e] ", "e\n"), ("[q]uit? [a] ", "a\n")]
    text = typed(["edit", "backup"], shop, environ, dialogue).replace("\r\n", "\n")
    assert "$ jobrunner edit backup\n" + text.replace(str(shop), "/srv/shop") == block
