"""Tables of jobs.toml: of known keys, and of names that a person chose; with the key and its description."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jobrunner.jobfile.shapes import INVALID, NAME_PATTERN, RULES, Key, Schema, Shape
from jobrunner.jobfile.source import Path, Source
from jobrunner.jobfile.words import dotted, meant, quoted, shown


class Table:
    """A table of known keys. ``read`` gives a dict by key name of what is there, or what ``make`` makes of it.

    ``like`` says in words what it is; ``some`` asks for at least one key; ``foreign`` maps words of other programs to
    the key that they mean here.
    """

    def __init__(
        self,
        keys: Sequence[Key],
        *,
        like: str = "a table",
        make: Callable[[dict[str, Any]], Any] | None = None,
        some: bool = False,
        foreign: Mapping[str, str] | None = None,
    ) -> None:
        self.keys = {key.name: key for key in keys}
        self._required = tuple(key.name for key in keys if key.required)
        self._like, self._make, self._some, self._foreign = like, make, some, foreign or {}

    def read(self, value: Any, at: Path, source: Source) -> Any:
        before = source.fault_count
        found = self.read_keys(value, at, source)
        if found is INVALID or source.fault_count > before:
            return INVALID
        return self._make(found) if self._make else found

    def read_keys(self, value: Any, at: Path, source: Source, *, skip: frozenset[str] = frozenset()) -> Any:
        """The keys that are sound, as a dict, even where others are not; INVALID when it is no table at all."""
        if not isinstance(value, dict):
            source.fault(at, f"must be {self._like}, not {shown(value)}")
            return INVALID
        found = {}
        for name, inner in value.items():
            key = self.keys.get(name)
            if key is None:
                self._unknown(name, at, source)
            elif name not in skip:
                result = key.shape.read(inner, (*at, name), source)
                if result is not INVALID:
                    found[name] = result
        self._missing(value, at, source)
        return found

    def _unknown(self, name: str, at: Path, source: Source) -> None:
        instead = self._foreign.get(name)
        hint = f"it is called {instead} here" if instead else meant(name, self.keys)
        where = f"in [{dotted(at)}]" if at else "at the top of the file"
        source.fault_as((*at, name), f"unknown key {quoted(name)} {where}; {hint}")

    def _missing(self, value: Mapping[str, Any], at: Path, source: Source) -> None:
        for name in self._required:
            if name not in value:
                source.fault(at, f"needs the key {name}", on_key=True)
        if self._some and not value:
            source.fault(at, f"is empty; it needs one of {', '.join(self.keys)}")

    def schema(self) -> Schema:
        schema: Schema = {
            "type": "object",
            "properties": {key.name: described(key) for key in self.keys.values()},
            "additionalProperties": False,
        }
        if self._required:
            schema["required"] = list(self._required)
        if self._some:
            schema["minProperties"] = 1
        return schema


class Named:
    """A table of values of one shape by a name that a person chose; ``read`` gives a dict of the sound ones."""

    def __init__(self, item: Shape, *, pattern: str = NAME_PATTERN, like: str) -> None:
        self._item, self._pattern, self._like = item, pattern, like

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if not isinstance(value, dict):
            source.fault(at, f"must be a table, not {shown(value)}")
            return INVALID
        before = source.fault_count
        found = {}
        for name, inner in value.items():
            if not re.fullmatch(self._pattern, name, re.ASCII):
                source.fault_as((*at, name), f"{quoted(name)} cannot name {self._like}: {rule(self._pattern)}")
                continue
            found[name] = self._item.read(inner, (*at, name), source)
        return found if source.fault_count == before else INVALID

    def schema(self) -> Schema:
        return {
            "type": "object",
            "patternProperties": {f"^(?:{self._pattern})$": self._item.schema()},
            "additionalProperties": False,
        }


def rule(pattern: str) -> str:
    """A pattern of names in words."""
    return RULES.get(pattern, f"it must match {pattern}")


def described(key: Key) -> Schema:
    """The schema of a key's value with its description, default and examples."""
    schema = {**key.shape.schema(), "description": key.description}
    if key.default is not None:
        schema["default"] = key.default
    if key.examples:
        schema["examples"] = list(key.examples)
    return schema
