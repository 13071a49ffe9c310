"""The page of the dashboard says of each action how it is confirmed, as the table of actions has it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jobrunner.tui.actions.action import MANY, Action, Tier
from jobrunner.tui.actions.brief import Brief
from jobrunner.tui.actions.table import ACTIONS
from jobrunner.tui.keys import KEYS
from jobrunner.tui.selection import Kind, Selection

TOP = Path(__file__).parents[2]
PAGE = (
    (TOP / "docs" / "dashboard.md").read_text().split("## What is asked before something is done")[1].split("\n## ")[0]
)
ROWS = {cells[0]: cells[1:] for cells in re.findall(r"^\| (\w[^|`]*) \| ([^|]*)\| ([^|]*)\|$", PAGE, re.MULTILINE)}
NAMES = {"job": "a job", "run": "a run", "queue": "a queue", "batch": "a batch", "version": "a version"}
WORDS = {Tier.NONE: "nothing", Tier.LINE: "`y/N`", Tier.DIALOG: "a dialog"}
ASKING = " where the job says `confirm = true`: `y/N`"


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.id)
def test_each_action_is_confirmed_as_the_page_says(action: Action) -> None:
    one, several = (cell.strip() for cell in ROWS[action.words.partition(":")[0]])
    assert one.partition(";")[0] == said(action, 1)
    assert several == ("" if None in action.kinds else said(action, 2) or "one at a time")
    assert (";" in one) == (action.id == "run_now")


def test_the_table_has_no_other_actions() -> None:
    assert {row for row in ROWS if row != "action"} == {action.words.partition(":")[0] for action in ACTIONS.values()}


def test_a_job_that_says_so_is_asked_for() -> None:
    run = ACTIONS["run_now"]
    assert ROWS["Run now"][0].partition(";")[2].strip() == ASKING.strip()
    assert (
        run.confirmation(Selection("job", ("a",)), Brief(definition=job(confirm=True)), production=False) is Tier.LINE
    )


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.id)
def test_what_is_many_and_what_is_in_production_is_typed(action: Action) -> None:
    assert "Of more than five at once" in PAGE
    assert MANY == 5
    for kind in action.kinds:
        assert action.confirmation(of(kind, 1), Brief(), production=True) is Tier.TYPED
        if kind is not None and action.many:
            assert action.confirmation(of(kind, MANY + 1), Brief(), production=False) is Tier.TYPED


def test_the_editor_of_the_editing_page_has_the_keys_that_it_names() -> None:
    section = (TOP / "docs" / "editing.md").read_text().split("## In the dashboard\n")[1].split("\n## ")[0]
    named = {"edit_here": "e", "turn_edit": "ctrl+t", "save_edit": "ctrl+s", "revert_edit": "ctrl+r", "undo": "u"}
    named |= {"edit": "E", "menu": "x"}
    for id, key in named.items():
        assert key in KEYS[id].keys or key.lower() in KEYS[id].keys
        assert f"`{key}`" in section
    assert f"*{KEYS['new_job'].words}*" in section


def said(action: Action, count: int) -> str:
    """How an action on so many is confirmed, kind by kind where they differ."""
    found = dict[Kind | None, str]()
    for kind in ("job", "run", "queue", "batch", "version", None):
        if kind in action.kinds and action.fits(of(kind, count)):
            tier = action.confirmation(of(kind, count), Brief(definition=job()), production=False)
            words = ["its form"] if action.fields is not None else []
            words += [WORDS[tier]] if tier is not Tier.NONE or not words else []
            found[kind] = " and ".join(words)
    if len(set(found.values())) == 1 and (len(found) == len(action.kinds) or count > 1):
        return next(iter(found.values()))
    return ", ".join(f"{NAMES[kind]}: {words}" for kind, words in found.items() if kind is not None)


def of(kind: Kind | None, count: int) -> Selection:
    return Selection(kind, tuple(range(1, count + 1)) if kind is not None else ())


def job(*, confirm: bool = False) -> object:
    """As much of a job as a confirmation asks for."""
    return type("Job", (), {"confirm": confirm, "params": ()})()
