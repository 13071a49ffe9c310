"""The items of ``--each``: what a file or standard input says, line by line, and ``-p K=V``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from jobrunner.errors import ParameterError, UsageError

_LONGEST_LINE = 16 * 1024 * 1024


def params(given: Sequence[str]) -> dict[str, str]:
    """The parameters of ``-p K=V``; a value may hold further ``=``.

    Raises:
        ParameterError: no ``=``, no name, or a name twice.
    """
    values: dict[str, str] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise ParameterError(f"not a parameter: {text!r}", hint="write it like -p name=value")
        if name in values:
            raise ParameterError(f"parameter {name!r} is given twice")
        values[name] = value
    return values


def each(file: str) -> list[dict[str, Any] | str]:
    """The items of a file, ``-`` for standard input: a JSON object, or the text of the only parameter.

    Raises:
        UsageError: the file cannot be read, a line is not UTF-8, begins like a JSON object and is none, or there are
            no items.
    """
    name = "standard input" if file == "-" else file
    try:
        if file == "-":
            found = _items(sys.stdin.buffer, name)
        else:
            with open(file, "rb") as lines:
                found = _items(lines, name)
    except OSError as error:
        raise UsageError(f"--each: cannot read {name}: {error.strerror}") from error
    if not found:
        raise UsageError(f"--each: {name} has no items", hint="one line for every run")
    return found


def _items(lines: Iterable[bytes], name: str) -> list[dict[str, Any] | str]:
    found: list[dict[str, Any] | str] = []
    for number, line in enumerate(lines, 1):
        text = _decoded(line, f"{name}, line {number}").removesuffix("\n").removesuffix("\r")
        if text.strip():
            found.append(_object(text, f"{name}, line {number}") if text.lstrip()[0] == "{" else text)
    return found


def _decoded(line: bytes, place: str) -> str:
    if len(line) > _LONGEST_LINE:
        raise UsageError(f"--each: {place}: longer than 16 MiB")
    try:
        return line.decode("utf-8-sig" if line.startswith(b"\xef\xbb\xbf") else "utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"--each: {place}: not UTF-8") from error


def _object(text: str, place: str) -> dict[str, Any]:
    import json

    try:
        value = json.loads(text, object_pairs_hook=_unrepeated, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--each: {place}: not a JSON object: {error}") from error
    if not isinstance(value, dict):
        raise UsageError(f"--each: {place}: not a JSON object")
    return value


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name is there twice")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
