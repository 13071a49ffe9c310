"""The keys of the dashboard by the ids that a person may give others to, in ``[keys]`` of tui.toml. Pure.

Keys that could be pressed at the same place must differ; what overlaps, or is unknown, is refused at start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from textual.binding import Binding
from textual.keys import format_key

_NAMES = {
    " ": "space",
    "ctrl+[": "escape",
    "esc": "escape",
    "return": "enter",
    "del": "delete",
    "pgup": "pageup",
    "pgdn": "pagedown",
}
_MODIFIERS = ("ctrl", "shift", "alt", "super", "hyper", "meta")
_INTERRUPT = "ctrl+c"
_NO_KEY = "none+"
"""Begins the key of what has none, so that a person can give it one: nothing that a terminal sends is called so."""

_NAMED = frozenset(
    {"escape", "enter", "space", "tab", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown"}
    | {"up", "down", "left", "right"}
    | {f"f{number}" for number in range(1, 25)}
)


class Group(StrEnum):
    """Where a key is of use. Those of ``OUTPUT`` are pressed in the output of a run, those of ``LANES`` in the
    schedule, those of ``EDIT`` while a job is edited."""

    EVERYWHERE = "Everywhere"
    MOVE = "Move"
    FIND = "Find"
    ACT = "Act"
    OUTPUT = "Output"
    EDIT = "Edit"
    LANES = "Schedule"


class Key(NamedTuple):
    """What one id stands for: its keys as Textual calls them, and the words that say what they do."""

    id: str
    keys: tuple[str, ...]
    words: str
    group: Group

    @property
    def hint(self) -> str:
        """The words, shorter, for the last line."""
        return _HINTS.get(self.id, self.words)


_HINTS = {
    "menu": "Menu",
    "run_now": "Run",
    "run_with": "Run with",
    "pause": "Pause",
    "edit_here": "Edit",
    "edit": "$EDITOR",
    "undo": "Undo",
    "mark_all": "Mark all",
    "states": "State",
    "dead_letters": "Dead letters",
    "earlier": "Before",
    "later": "After",
    "keep_filter": "Keep",
    "copy_command": "Copy command",
    "why": "Why",
    "chain": "Before and after",
    "decisions": "Decisions",
    "output_follow": "Follow",
    "output_only": "Only",
    "output_times": "Times",
    "output_mark": "Mark",
    "output_pager": "Pager",
}


class KeyMistake(ValueError):
    """A key that cannot be given; the text says which and why, for one line."""


def _table(group: Group, *rows: tuple[str, str, str]) -> dict[str, Key]:
    return {id: Key(id, tuple(normal(key) for key in keys.split()), words, group) for id, keys, words in rows}


def normal(key: str) -> str:
    """The name of a key as Textual has it: ``question_mark`` for ``?``, ``ctrl+p`` for ``Ctrl+P``.

    Raises:
        KeyMistake: there is no such key.
    """
    from textual.keys import _character_to_key

    if len(key) == 1:
        return _character_to_key(key)
    *modifiers, last = key.split("+") if not key.endswith("++") else [*key[:-2].split("+"), "+"]
    modifiers = [modifier.lower() for modifier in modifiers]
    if any(modifier not in _MODIFIERS for modifier in modifiers) or not last:
        raise KeyMistake(f"no such key: {key!r}")
    if len(last) == 1:
        last = _character_to_key(last.lower() if modifiers else last)
    else:
        last = _NAMES.get(last.lower(), last.lower())
        if last not in _NAMED and not _is_character(last):
            raise KeyMistake(f"no such key: {key!r}")
    return "+".join([*modifiers, last])


def _is_character(name: str) -> bool:
    from textual.keys import key_to_character

    return key_to_character(name) is not None


KEYS: Mapping[str, Key] = {
    **_table(
        Group.EVERYWHERE,
        ("screen_1", "1", "Overview"),
        ("screen_2", "2", "Jobs"),
        ("screen_3", "3", "Runs"),
        ("screen_4", "4", "Queues"),
        ("screen_5", "5", "Schedule"),
        ("screen_6", "6", "Servers"),
        ("screen_7", "7", "Configuration"),
        ("back", "escape", "Back"),
        ("earlier", "[", "The view seen before"),
        ("later", "]", "The view seen after"),
        ("palette", ": ctrl+p", "Commands"),
        ("menu", "x", "All that can be done here"),
        ("help", "?", "Help"),
        ("copy_id", "c", "Copy the id"),
        ("copy_command", "Y", "Copy the command that does the same"),
        ("freeze", "P", "Freeze the screen, or let it go on"),
        ("times", "z", "Times: relative, local, UTC"),
        ("suspend", "ctrl+z", "To the shell; fg comes back"),
        ("leave", "q", "Back, or quit"),
        ("quit", "ctrl+q", "Quit"),
    ),
    **_table(
        Group.MOVE,
        ("down", "j down", "Down"),
        ("up", "k up", "Up"),
        ("top", "g home", "To the top"),
        ("bottom", "G end", "To the end"),
        ("page_down", "pagedown ctrl+f", "A page down"),
        ("page_up", "pageup ctrl+b", "A page up"),
        ("open", "enter", "Open"),
        ("next_pane", "tab", "To the next pane"),
        ("previous_pane", "shift+tab", "To the pane before"),
    ),
    **_table(
        Group.FIND,
        ("filter", "/", "Filter"),
        ("states", "f", "By state"),
        ("dead_letters", "!", "Dead letters, or all runs again"),
        ("order", "s", "Order"),
        ("columns", "o", "Columns"),
        ("keep_filter", "F", "Keep the filter, or keep it no longer"),
        ("build_filter", "", "Build a filter"),
        ("why", "w", "Why it ran, waits, or did not run"),
        ("chain", "v", "What comes before and after a run"),
        ("decisions", "d", "Decisions about fires without a run"),
    ),
    **_table(
        Group.ACT,
        ("mark", "space", "Mark"),
        ("range", "V", "Mark a range"),
        ("mark_all", "A", "Mark all that the filter shows"),
        ("run_now", "r", "Run now"),
        ("run_with", "R", "Run with parameters"),
        ("retry", "t", "Retry"),
        ("pause", "p", "Pause or resume"),
        ("edit_here", "e", "Edit here"),
        ("edit", "E", "Edit in $EDITOR"),
        ("new_job", "", "Write a new job"),
        ("output", "l", "Output"),
        ("undo", "u", "Undo the last pause, enable or edit"),
        ("cancel", "X", "Cancel"),
        ("discard", "D", "Discard"),
        ("run_later", "", "Run later"),
        ("cancel_now", "", "Cancel at once, without grace"),
        ("resume", "", "Resume"),
        ("enable", "", "Enable"),
        ("disable", "", "Disable"),
        ("pause_all", "", "Pause everything"),
        ("resume_all", "", "Resume everything"),
        ("rollback", "", "Go back to a version"),
        ("reload", "", "Have the servers read the file again"),
    ),
    **_table(
        Group.OUTPUT,
        ("output_follow", "f", "Follow, or stop"),
        ("output_search", "/", "Search"),
        ("output_next", "n", "Next match"),
        ("output_previous", "N", "Match before"),
        ("output_next_error", "}", "Next error"),
        ("output_previous_error", "{", "Error before"),
        ("output_only", "&", "Only lines that match"),
        ("output_streams", "s", "Both streams, or one"),
        ("output_wrap", "w", "Wrap, or cut"),
        ("output_times", "T", "Times"),
        ("output_right", "right", "To the right"),
        ("output_left", "left", "To the left"),
        ("output_begin", "0", "To the beginning of the lines"),
        ("output_mark", "m", "Mark a line"),
        ("output_copy", "y", "Copy the lines from the mark on"),
        ("output_pager", "o", "In $PAGER"),
        ("output_save", "S", "Save"),
    ),
    **_table(
        Group.EDIT,
        ("save_edit", "ctrl+s", "Save"),
        ("turn_edit", "ctrl+t", "Form or TOML"),
        ("revert_edit", "ctrl+r", "Revert"),
        ("take_theirs", "ctrl+o", "Go on upon their file"),
        ("to_mistake", "ctrl+g", "To the mistake"),
    ),
    **_table(
        Group.LANES,
        ("lanes_later", "right", "Later"),
        ("lanes_earlier", "left", "Earlier"),
        ("lanes_now", "0", "Back to now"),
        ("lanes_closer", "+ =", "A shorter time"),
        ("lanes_wider", "-", "A longer time"),
    ),
}
"""Every id that may be given other keys. Keys of dialogs (enter, escape, tab) are not among them."""

OF_VIEW = ("back", "leave", "palette", "menu", "help", "copy_id", "copy_command")
OF_APP = ("earlier", "later", "freeze", "times", "suspend", "quit")
FINDING = tuple(id for id, key in KEYS.items() if key.group is Group.FIND)
MARKING = ("mark", "range", "mark_all")
ON_ROWS = ("open", "copy_id", "menu", "why", "decisions", "chain")
"""What acts on the row under the cursor, or on those that are marked, beside the group ``ACT``."""

ACTING = tuple(id for id, key in KEYS.items() if key.group is Group.ACT and id not in MARKING)
EDITING = tuple(id for id, key in KEYS.items() if key.group is Group.EDIT)
SCREENS = tuple(id for id in KEYS if id.startswith("screen_"))


def changed(wanted: Mapping[str, object], known: Mapping[str, Key] = KEYS) -> dict[str, Key]:
    """The table with the keys that a person wants: ids to a key, or to a list of keys.

    Raises:
        KeyMistake: an id or key that there is not, or two ids on one key.
    """
    table = dict(known)
    for id, keys in wanted.items():
        if id not in known:
            raise KeyMistake(f"no such id: {id!r}{_nearest(id, known)}")
        table[id] = known[id]._replace(keys=_read(id, keys))
    for first, second, key in overlaps(table.values()):
        raise KeyMistake(f"{shown(key)!r} is given to {first} and to {second}")
    return table


def overlaps(keys: Iterable[Key]) -> Iterable[tuple[str, str, str]]:
    """Ids that are of use at the same place and have a key in common: both, and the key."""
    holders = dict[str, list[Key]]()
    for one in keys:
        for key in one.keys:
            for other in holders.setdefault(key, []):
                if _meet(one.group, other.group):
                    yield other.id, one.id, key
            holders[key].append(one)


def _meet(one: Group, other: Group) -> bool:
    """In the output of a run its own keys find things, those of lists do not; and it is not the schedule."""
    return {one, other} not in ({Group.FIND, Group.OUTPUT}, {Group.OUTPUT, Group.LANES})


def _read(id: str, keys: object) -> tuple[str, ...]:
    given = [keys] if isinstance(keys, str) else keys
    if not isinstance(given, list) or not given or not all(isinstance(key, str) and key for key in given):
        raise KeyMistake(f"{id} must be a key, or a list of keys")
    found = tuple(dict.fromkeys(normal(key) for key in given))
    if _INTERRUPT in found:
        raise KeyMistake(f"{_INTERRUPT!r} always ends the dashboard")
    return found


def bindings(*ids: str, action: str = "{}") -> list[Binding]:
    """Bindings of these ids to actions of the same name, for ``BINDINGS``; a person's keys take their place.

    ``action`` is what is done, with ``{}`` for the id.
    """
    return [
        Binding(",".join(KEYS[id].keys) or f"{_NO_KEY}{id}", action.format(id), KEYS[id].words, show=False, id=id)
        for id in ids
    ]


def keymap(table: Mapping[str, Key]) -> dict[str, str]:
    """What differs from the built-in keys, as Textual takes it."""
    return {id: ",".join(key.keys) for id, key in table.items() if key.keys != KEYS[id].keys}


def shown(key: str) -> str:
    """A key as people read it: ``?``, ``ctrl+p``, ``esc``, ``enter``."""
    *modifiers, last = key.split("+")
    plain = {"enter": "enter", "up": "up", "down": "down", "left": "left", "right": "right", "backspace": "backspace"}
    return "+".join([*modifiers, plain.get(last) or format_key(last)])


def _nearest(id: str, known: Mapping[str, Key]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(id, known, n=1)
    return f", did you mean {near[0]!r}?" if near else ""
