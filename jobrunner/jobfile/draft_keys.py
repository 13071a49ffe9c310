"""A job's table as single keys that can be filled in: every byte but those of one value stays. Called by admin.

What is typed for a key is read by what the key may hold: a number for a number, and for most else a text, unless it
begins and reads as a list, a table or a quoted text of TOML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import tomli

from jobrunner.errors import Refused
from jobrunner.jobfile.draft import name_fault
from jobrunner.jobfile.edit import parse_value, remove_value, rename_job, set_value, spell, write
from jobrunner.jobfile.job_keys import JOB
from jobrunner.jobfile.layout import Keys
from jobrunner.jobfile.shapes import Choice, Flag, Key, Real, Shape, Size, Whole

_FIRST = (
    "command",
    "python",
    "http",
    "schedule",
    "enabled",
    "queue",
    "priority",
    "timeout",
    "retries",
    "retry_delay",
    "overlap",
    "catchup",
    "description",
    "tags",
)
"""What people change most, before all that is given, and then all else."""

_OF_WHAT = ("command", "python", "http")
_TABLES = frozenset({"env", "params"})
_OPENING = ("[", "{", '"', "'")


class DraftKey(NamedTuple):
    """One key to be filled in. ``shown`` is its value as it is typed, empty where the table has none.

    ``choices`` are all that it may be, none where it may be anything; ``words`` say what it is, and ``otherwise`` what
    holds while it is empty.
    """

    path: Keys
    shown: str
    choices: tuple[str, ...]
    words: str
    otherwise: str

    @property
    def name(self) -> str:
        """The path as a dotted key."""
        return spell(self.path)


def keys_of(text: str, job: str, defaults: Mapping[str, Any]) -> tuple[DraftKey, ...]:
    """The keys of a job in a text: those that are changed most, all that it has, and all that it might have.

    Raises:
        ValueError: the text is not TOML, or has no such job.
    """
    table = _table(text, job)
    return tuple(_key(path, value, defaults) for path, value in _values(table, defaults))


def put(text: str, job: str, path: Keys, typed: str) -> str:
    """The text with what was typed for a key of a job; an empty one takes the key out.

    Raises:
        ValueError: the text is not TOML.
        Refused: it cannot be done by changing one place.
    """
    whole = ("jobs", job, *path)
    if typed == "":
        return text if _get(_table(text, job), path) is None else remove_value(text, whole)
    return set_value(text, whole, read(path, typed))


def rename(text: str, job: str, name: str) -> str:
    """The text with another name for its job.

    Raises:
        ValueError: the text is not TOML.
        Refused: no job can be called so, or it cannot be done by changing the headers of its tables.
    """
    fault = name_fault(name)
    if fault is not None:
        raise Refused(fault)
    return rename_job(text, job, name)


def read(path: Keys, typed: str) -> Any:
    """What was typed for a key, as a value."""
    shape = _shape(path)
    if isinstance(shape, Whole | Real | Flag | Size):
        return parse_value(typed)
    if not typed.startswith(_OPENING):
        return typed
    return parse_value(typed)


def typed(path: Keys, value: Any) -> str:
    """A value as it would be typed: ``read`` gives it back."""
    if value is None:
        return ""
    if isinstance(value, str) and value and value.isprintable() and _same(read(path, value), value):
        return value
    return write(value)


def job_in(text: str, job: str) -> str | None:
    """The name that the job of some lines has in them: its own, or that of the only one that is there."""
    try:
        names = list(tomli.loads(text).get("jobs", {}))
    except (ValueError, RecursionError, AttributeError, TypeError):
        return None
    return job if job in names else names[0] if len(names) == 1 else None


def _table(text: str, job: str) -> dict[str, Any]:
    try:
        table = tomli.loads(text)["jobs"][job]
    except (KeyError, TypeError, RecursionError):
        raise ValueError(f"there is no job {job}") from None
    if not isinstance(table, dict):
        raise ValueError(f"job {job} is no table")
    return table


def _values(table: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[tuple[Keys, Any]]:
    """Paths and values, tables of one level taken apart, in the order in which they are shown."""
    what = [name for name in _OF_WHAT if name in table] or [name for name in _OF_WHAT if name in defaults]
    left_out = set(_OF_WHAT) - set(what or ("command",))
    names = [*(name for name in _FIRST if name not in left_out), *table, *JOB.keys]
    for name in dict.fromkeys(name for name in names if name in table or name not in left_out):
        value = table.get(name)
        if isinstance(value, dict) and value:
            yield from (((name, inner), one) for inner, one in value.items())
        elif value is not None or name not in _TABLES:
            yield (name,), value


def _key(path: Keys, value: Any, defaults: Mapping[str, Any]) -> DraftKey:
    key = JOB.keys.get(path[0])
    shown = typed(path, value)
    choices = _choices(key.shape) if key is not None and len(path) == 1 else ()
    return DraftKey(
        path=path,
        shown=shown,
        choices=("", *choices) if choices and shown in ("", *choices) else (),
        words=key.description if key is not None else "",
        otherwise=_otherwise(path, key, defaults),
    )


def _otherwise(path: Keys, key: Key | None, defaults: Mapping[str, Any]) -> str:
    inherited = _get(defaults, path)
    if inherited is not None:
        return f"[defaults] has {typed(path, inherited)}"
    if key is None or len(path) > 1:
        return ""
    if key.default is not None:
        return f"default {typed(path, key.default)}"
    return f"such as {typed(path, key.examples[0])}" if key.examples else ""


def _choices(shape: Shape) -> tuple[str, ...]:
    if isinstance(shape, Flag):
        return ("true", "false")
    return shape.words if isinstance(shape, Choice) else ()


def _shape(path: Keys) -> Shape | None:
    key = JOB.keys.get(path[0]) if len(path) == 1 else None
    return key.shape if key is not None else None


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _get(tree: Any, path: Keys) -> Any:
    for name in path:
        if not isinstance(tree, dict) or name not in tree:
            return None
        tree = tree[name]
    return tree
