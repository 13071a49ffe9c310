"""The keys that a person gives, and what is remembered: held against what happens when they are pressed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobrunner.errors import ConfigError
from jobrunner.tui import keys, preferences
from jobrunner.tui.look import DARK, LIGHT, VARIANTS
from jobrunner.tui.remembered import Remembered

Dashboard = Callable[..., Any]


def said(folder: Path, text: str) -> dict[str, str]:
    """An environment whose tui.toml says this."""
    place = folder / "jobrunner" / "tui.toml"
    place.parent.mkdir()
    place.write_text(text)
    return {"XDG_CONFIG_HOME": str(folder)}


def test_the_built_in_keys_do_not_overlap() -> None:
    assert list(keys.overlaps(keys.KEYS.values())) == []


@pytest.mark.anyio
async def test_what_has_no_key_can_be_given_one(dashboard: Dashboard) -> None:
    async with dashboard(start="3", keys=keys.changed({"build_filter": "B"})) as opened:
        await opened.press("B")
        await opened.until(lambda: "Filter runs" in opened.text())
    async with dashboard(start="3") as opened:
        await opened.press("B")
        assert "Filter runs" not in opened.text()


@pytest.mark.anyio
async def test_several_keys_take_the_place_of_those_built_in(dashboard: Dashboard) -> None:
    wanted = keys.changed({"help": ["f1", "H"], "palette": "f2"})
    async with dashboard(start="3", size=(140, 80), keys=wanted) as opened:
        for key in ("f1", "H"):
            await opened.press(key)
            await opened.until(lambda: "Keys in Runs" in opened.text())
            assert "f1 H" in opened.text()
            await opened.press("escape")
            await opened.until(lambda: "Keys in Runs" not in opened.text())
        await opened.press("question_mark")
        assert "Keys in Runs" not in opened.text()
        assert "f1" in opened.text().splitlines()[-1]


@pytest.mark.anyio
async def test_two_ids_can_change_places(dashboard: Dashboard) -> None:
    async with dashboard(start="3", keys=keys.changed({"states": "w", "why": "f"})) as opened:
        await opened.press("w")
        await opened.until(lambda: "By state" in opened.text())
        await opened.press("escape")
        await opened.press("f")
        assert "By state" not in opened.text()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('[keys]\nretry = "p"', "'p' is given to retry and to pause"),
        ('[keys]\nretri = "p"', "no such id: 'retri', did you mean 'retry'?"),
        ("[keys]\nretry = 3", "retry must be a key, or a list of keys"),
        ('[keys]\nretry = "hyperspace"', "no such key: 'hyperspace'"),
        ('[keys]\nretry = "ctrl+c"', "'ctrl+c' always ends the dashboard"),
        ("keys = 1", "keys must be a table"),
        ('theme = "blue"', 'theme must be "auto", "dark" or "light", and is \'blue\''),
        ("colour = 1", "unknown key 'colour'; there are keys and theme"),
        ("keys = ", "Invalid value"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(ConfigError) as caught:
        preferences.read(said(tmp_path, text))
    (problem,) = caught.value.problems
    assert wrong in problem.message
    assert "\n" not in str(problem)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "jobrunner" / "tui.toml").mkdir(parents=True)
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        preferences.read({"XDG_CONFIG_HOME": str(tmp_path)})
    (tmp_path / "other").mkdir()
    environ = said(tmp_path / "other", "")
    preferences.place(environ).write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="utf-8"):
        preferences.read(environ)


def test_without_a_file_everything_is_built_in(tmp_path: Path) -> None:
    assert preferences.read({"HOME": str(tmp_path)}) == preferences.Preferences(keys.KEYS)
    assert preferences.place({"HOME": "/home/ana"}) == Path("/home/ana/.config/jobrunner/tui.toml")
    assert preferences.read(said(tmp_path, 'theme = "light"')).theme == "light"
    assert VARIANTS == {"dark": DARK, "light": LIGHT}


def test_what_was_kept_is_there_the_next_time(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    first = Remembered.of(environ)
    first.keep("screen", "3")
    first.keep("filters", ["state:failed"])
    first.keep("gone", "x")
    first.keep("gone", None)
    second = Remembered.of(environ)
    assert second.get("screen", "") == "3"
    assert second.get("filters", []) == ["state:failed"]
    assert second.get("gone", "default") == "default"
    assert second.get("screen", []) == []
    assert [path.name for path in (tmp_path / "state" / "jobrunner").iterdir()] == ["tui.json"]
    first.keep("never kept", None)


@pytest.mark.parametrize("held", [b"{", b"[]", b"\xff", b"null", b'{"screen": 3}'])
def test_what_is_broken_is_as_none(tmp_path: Path, held: bytes) -> None:
    path = tmp_path / "tui.json"
    path.write_bytes(held)
    found = Remembered(path)
    assert found.get("screen", "") == ""
    found.keep("screen", "2")
    assert json.loads(path.read_text())["screen"] == "2"


def test_what_cannot_be_written_is_kept_as_long_as_it_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = Remembered(tmp_path / "file" / "tui.json")
    found.keep("screen", "2")
    assert found.get("screen", "") == "2"
    (tmp_path / "tui.json").mkdir()
    Remembered(tmp_path / "tui.json").keep("screen", "2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "tui.json"]
    assert Remembered.of({}).get("screen", "") == ""
