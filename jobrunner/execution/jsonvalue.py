"""The result of a Python job as JSON text, or why it cannot be one. Used inside warm children."""

from __future__ import annotations

import json
import math
from typing import Any

MOST = 1024 * 1024
"""Bytes of JSON text that a result may have."""

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class NotJson(Exception):
    """A result that JSON cannot hold, or that is too large; one line names the type and the place."""


def result_text(value: Any) -> bytes:
    """The JSON text of a result.

    Raises:
        NotJson: with the reason.
    """
    if value is None:
        return b"null"
    try:
        text = _encode(value).encode()
    except (TypeError, ValueError, RecursionError):
        raise NotJson(_fault(value, "the result", set()) or "the result cannot be JSON") from None
    if len(text) > MOST:
        raise NotJson(f"the result is larger than 1 MiB ({len(text):,} bytes of JSON, {_type(value)})")
    return text


def _fault(value: Any, place: str, above: set[int]) -> str | None:
    """The first part of a value that JSON cannot hold."""
    match value:
        case None | bool() | int():
            return None
        case str():
            return None if _is_unicode(value) else f"{place} cannot be JSON: it is a text with a lone surrogate"
        case float():
            return None if math.isfinite(value) else f"{place} cannot be JSON: it is {value}"
        case dict() | list() | tuple():
            return _fault_within(value, place, above)
        case _:
            return f"{place} cannot be JSON: it is of type {_type(value)}"


def _fault_within(value: Any, place: str, above: set[int]) -> str | None:
    if id(value) in above:
        return f"{place} cannot be JSON: it contains itself"
    if len(above) > 200:
        return f"{place[:60]}… is nested too deeply to be JSON"
    above = above | {id(value)}
    if not isinstance(value, dict):
        parts = ((f"{place}[{index}]", part) for index, part in enumerate(value))
        return next(filter(None, (_fault(part, where, above) for where, part in parts)), None)
    for key, part in value.items():
        if not isinstance(key, str | int | float | bool | None):
            return f"{place} cannot be JSON: it has a key of type {_type(key)}"
        fault = _fault(key, f"a key of {place}", above) or _fault(part, f"{place}[{key!r:.40}]", above)
        if fault:
            return fault
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _type(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
