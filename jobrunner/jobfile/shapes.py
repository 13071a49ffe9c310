"""What a value of jobs.toml may be: each shape reads a value, notes what is wrong with it, and describes itself as
JSON Schema. The table of keys (``keys``) is built from these.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import Enum
from typing import Any, Final, NamedTuple, Protocol

from jobrunner.domain.duration import parse_duration
from jobrunner.errors import UsageError
from jobrunner.jobfile.references import malformed
from jobrunner.jobfile.source import Path, Source
from jobrunner.jobfile.words import quoted, shown


class _Invalid(Enum):
    """What ``read`` gives for a value whose fault it has noted."""

    INVALID = "invalid"


INVALID: Final = _Invalid.INVALID

Schema = dict[str, Any]

_HIGHEST = 2**31 - 1

NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
HEADER_PATTERN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
NAME = re.compile(NAME_PATTERN, re.ASCII)
"""What names of jobs, queues, limits, calendars and notifiers match, whole."""

MOMENT = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)


class Shape(Protocol):
    """A kind of value."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        """The value as the domain holds it, or INVALID after noting the fault at its place in the source."""

    def schema(self) -> Schema:
        """The JSON Schema of the value, without description."""


class Key(NamedTuple):
    """One key of a table. ``default`` and ``examples`` are as the file would write them; None is no default."""

    name: str
    shape: Shape
    description: str
    default: Any = None
    examples: tuple[Any, ...] = ()
    required: bool = False


class Text:
    """A text without NUL; ``pattern`` must match it whole, and ``like`` says in words what it is."""

    def __init__(self, *, pattern: str | None = None, like: str = "a text", empty: bool = False) -> None:
        self._pattern = pattern
        self._like = like
        self._empty = empty

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if not isinstance(value, str):
            source.fault(at, f"must be {self._like} in quotes, not {shown(value)}")
        elif not value.strip() and not self._empty:
            source.fault(at, f"must be {self._like}, not empty")
        elif "\0" in value:
            source.fault(at, "must not contain a NUL character")
        elif self._pattern and not re.fullmatch(self._pattern, value, re.ASCII):
            source.fault(at, f"must be {self._like}, not {quoted(value)}{self._hint()}")
        else:
            # Most texts of a large file stand in many of its jobs.
            return sys.intern(value) if type(value) is str else value
        return INVALID

    def _hint(self) -> str:
        return f"; {RULES[self._pattern]}" if self._pattern in RULES else ""

    def schema(self) -> Schema:
        schema: Schema = {"type": "string"}
        if self._pattern:
            schema["pattern"] = f"^(?:{self._pattern})$"
        elif not self._empty:
            schema["minLength"] = 1
        return schema


class Reference(Text):
    """A text that may hold ``${VAR}`` and ``${file:PATH}``; they are resolved later."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if isinstance(value, str):
            complaint = malformed(value)
            if complaint:
                source.fault(at, complaint)
                return INVALID
        return super().read(value, at, source)


class Flag:
    """``true`` or ``false``."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if isinstance(value, bool):
            return value
        bare = isinstance(value, str) and value.lower() in ("true", "false")
        source.fault(at, f"must be true or false{' without quotes' if bare else ''}, not {shown(value)}")
        return INVALID

    def schema(self) -> Schema:
        return {"type": "boolean"}


class Whole:
    """A whole number from ``low`` to ``high``."""

    def __init__(self, low: int, high: int = _HIGHEST) -> None:
        self._low, self._high = low, high

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            bare = isinstance(value, str) and value.strip().lstrip("-").isdigit()
            source.fault(at, f"must be a whole number{' without quotes' if bare else ''}, not {shown(value)}")
        elif not self._low <= value <= self._high:
            source.fault(at, f"must be {self._range()}, not {shown(value)}")
        else:
            return value
        return INVALID

    def _range(self) -> str:
        return f"at least {self._low:,}" if self._high == _HIGHEST else f"from {self._low:,} to {self._high:,}"

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self._low, "maximum": self._high}


class Real:
    """A number from ``low`` to ``high``."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            source.fault(at, f"must be a number, not {shown(value)}")
        elif not self._low <= value <= self._high:
            source.fault(at, f"must be from {self._low:g} to {self._high:g}, not {shown(value)}")
        else:
            return float(value)
        return INVALID

    def schema(self) -> Schema:
        return {"type": "number", "minimum": self._low, "maximum": self._high}


class Duration:
    """A duration like ``90s``, ``1h30m``, ``2d``, of at least ``low``."""

    def __init__(self, low: timedelta = timedelta(0), *, low_text: str = "0s") -> None:
        self._low, self._low_text = low, low_text

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if not isinstance(value, str):
            number = not isinstance(value, bool) and isinstance(value, int | float)
            write = f'; write "{value}s" for seconds' if number else ""
            source.fault(at, f'must be a duration like "90s" or "1h30m", not {shown(value)}{write}')
            return INVALID
        found = _DURATIONS.get(value)
        if found is None:
            try:
                found = _DURATIONS[value] = parse_duration(value)
            except UsageError as wrong:
                source.fault(at, f"is {wrong}")
                return INVALID
        if found < self._low:
            source.fault(at, f"must be at least {self._low_text}, not {quoted(value)}")
            return INVALID
        return found

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"^\s*(?:\d+(?:\.\d+)?(?:ms|[wdhms]))+\s*$"}


class Size:
    """A number of bytes, or a text with a unit like ``10MiB``."""

    def __init__(self, low: int = 1, *, low_text: str = "1 byte") -> None:
        self._low, self._low_text = low, low_text

    def read(self, value: Any, at: Path, source: Source) -> Any:
        size = value if isinstance(value, int) and not isinstance(value, bool) else None
        if isinstance(value, str):
            found = re.fullmatch(_SIZE, value.strip(), re.ASCII)
            if found:
                size = int(float(found[1]) * _SIZE_UNITS[found[2]])
        if size is None:
            source.fault(at, f'must be a size like "10MiB", or a number of bytes, not {shown(value)}')
        elif not self._low <= size < 2**63:
            source.fault(at, f"must be from {self._low_text} to 8 EiB, not {shown(value)}")
        else:
            return size
        return INVALID

    def schema(self) -> Schema:
        units = "|".join(_SIZE_UNITS)
        text = {"type": "string", "pattern": rf"^\s*\d+(?:\.\d+)?\s*(?:{units})\s*$"}
        return {"anyOf": [{"type": "integer", "minimum": self._low}, text]}


class Choice:
    """One of a few words; ``read`` gives the member of the enumeration, or the word itself."""

    def __init__(self, words: Sequence[str], *, make: Callable[[str], Any] = str) -> None:
        self._values = {str(word): make(word) for word in words}

    @property
    def words(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self._values)

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if isinstance(value, str) and value in self._values:
            return self._values[value]
        *most, last = (f'"{word}"' for word in self._values)
        allowed = f"{', '.join(most)} or {last}" if most else last
        source.fault(at, f"must be {allowed}, not {shown(value)}")
        return INVALID

    def schema(self) -> Schema:
        return {"type": "string", "enum": list(self._values)}


class Listing:
    """A list of values of one shape, as a tuple; ``lone`` allows a single value without brackets."""

    def __init__(self, item: Shape, *, least: int = 0, distinct: bool = False, lone: bool = False) -> None:
        self._item, self._least, self._distinct, self._lone = item, least, distinct, lone

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if not isinstance(value, list):
            if self._lone:
                one = self._item.read(value, at, source)
                return one if one is INVALID else (one,)
            source.fault(at, f"must be a list, not {shown(value)}; put it in [ ]")
            return INVALID
        if len(value) < self._least:
            source.fault(at, "must not be empty")
            return INVALID
        items = tuple([self._item.read(item, (*at, index), source) for index, item in enumerate(value)])
        if INVALID in items:
            return INVALID
        if self._distinct:
            return self._once(items, at, source)
        return items

    def _once(self, items: tuple[Any, ...], at: Path, source: Source) -> Any:
        for index, item in enumerate(items):
            if item in items[:index]:
                source.fault((*at, index), f"repeats {shown(item)}")
                return INVALID
        return items

    def schema(self) -> Schema:
        schema: Schema = {"type": "array", "items": self._item.schema()}
        if self._least:
            schema["minItems"] = self._least
        if self._distinct:
            schema["uniqueItems"] = True
        return {"anyOf": [schema, self._item.schema()]} if self._lone else schema


_DURATIONS: dict[str, timedelta] = {}
RULES = {
    NAME_PATTERN: "letters, digits, dots, dashes and underscores, at most 100, beginning with a letter or digit",
    "[a-z_][a-z0-9_]*": "small letters, digits and underscores, not beginning with a digit",
    HEADER_PATTERN: "letters, digits and dashes",
    "[^=\\x00]+": "anything but = and NUL",
}
_SIZE_UNITS = {
    "B": 1,
    "kB": 1000,
    "KB": 1000,
    "KiB": 1024,
    "MB": 1000**2,
    "MiB": 1024**2,
    "GB": 1000**3,
    "GiB": 1024**3,
    "TB": 1000**4,
    "TiB": 1024**4,
}
_SIZE = rf"(\d{{1,19}}(?:\.\d{{1,9}})?)\s*({'|'.join(_SIZE_UNITS)})"

JOB_NAME = Text(pattern=NAME_PATTERN, like="a name")
POSITIVE = Duration(MOMENT, low_text="1ms")
