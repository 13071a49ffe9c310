"""jobs.toml as a person would write it: tables of jobs, with comments. Called by the imports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from jobrunner.errors import Problem
from jobrunner.jobfile.imports.shell import operators
from jobrunner.jobfile.words import one_line

_WIDTH = 110


class ImportedJob(NamedTuple):
    """One job as it is written: its name, its keys in order, and the comments above it."""

    name: str
    keys: Mapping[str, Any]
    above: tuple[str, ...] = ()


class Imported(NamedTuple):
    """What an import gives: the text of a jobs.toml, the names of its jobs, and what could not be carried over."""

    text: str
    jobs: tuple[str, ...]
    remarks: tuple[Problem, ...]


class Default(NamedTuple):
    """A line of [defaults], and the comment beside it."""

    key: str
    value: Any
    why: str = ""


def write(
    head: Sequence[str], defaults: Sequence[Default], jobs: Iterable[ImportedJob], foot: Sequence[str] = ()
) -> str:
    """The file: comments, [defaults], the jobs, comments."""
    parts = ["\n".join(comment(line) for line in head)]
    if defaults:
        parts.append("\n".join(("[defaults]", *_beside(defaults))))
    parts += ["\n".join(_job(job)) for job in jobs]
    if foot:
        parts.append("\n".join(comment(line) for line in foot))
    return "\n\n".join(part for part in parts if part) + "\n"


def comment(line: str) -> str:
    """A line as a comment; what would not show, or no comment may hold, is written as an escape."""
    return f"# {one_line(line.expandtabs(4))}".rstrip()


def value(found: Any) -> str:
    """A value as TOML writes it, in the form that is read most easily."""
    if isinstance(found, str):
        return _text(found)
    if isinstance(found, Mapping):
        return "{ " + ", ".join(f"{key(name)} = {value(inner)}" for name, inner in found.items()) + " }"
    if isinstance(found, Sequence):
        return _list([_single(item) if isinstance(item, str) else value(item) for item in found])
    return json.dumps(found)


def key(name: str) -> str:
    """A key, in quotes where it needs them."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name, re.ASCII) else _basic(name)


def _job(job: ImportedJob) -> Iterator[str]:
    yield from (comment(line) if line else "" for line in job.above)
    yield f"[jobs.{key(job.name)}]"
    for name, found in job.keys.items():
        yield from _lines(name, found)


def _beside(defaults: Sequence[Default]) -> Iterator[str]:
    """Lines with their comments one below the other, but for those that are too long for it."""
    written = [(line, default.why) for default in defaults for line in _lines(default.key, default.value)]
    width = max((len(line) for line, why in written if why and len(line) <= 40), default=0)
    for line, why in written:
        yield f"{line.ljust(width)}  # {why}" if why else line


def _lines(name: str, found: Any) -> Iterator[str]:
    line = f"{name} = {value(found)}"
    if isinstance(found, Mapping) and len(line) > _WIDTH:
        yield from (f"{name}.{key(inner)} = {value(text)}" for inner, text in found.items())
    else:
        yield line


def _list(items: list[str]) -> str:
    line = f"[{', '.join(items)}]"
    if len(line) <= _WIDTH:
        return line
    rows, row = list[str](), ""
    for item in items:
        if row and len(row) + len(item) > _WIDTH - 10:
            rows.append(row)
            row = ""
        row += f"{' ' if row else ''}{item},"
    return "[\n" + "".join(f"    {line}\n" for line in (*rows, row)) + "]"


def _text(text: str) -> str:
    if not text.replace("\n", "").replace("\t", "").isprintable():
        return _basic(text)
    if "\n" in text:
        return f"'''\n{text}'''" if "'''" not in text and text[-1] != "'" else _basic(text)
    pieces = _pieces(text) if len(text) > _WIDTH and '"""' not in text and text[0] != " " else []
    if len(pieces) > 1:
        escaped = (piece.replace("\\", "\\\\") for piece in pieces)
        return '"""\\\n' + "".join(f"    {piece}\\\n" for piece in escaped) + '    """'
    return _single(text)


def _single(text: str) -> str:
    """A text on one line."""
    if not text.isprintable():
        return _basic(text)
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    if "'" not in text:
        return f"'{text}'"
    return f"'''{text}'''" if "'''" not in text and text[-1] != "'" else _basic(text)


def _pieces(text: str) -> list[str]:
    """A command line, cut behind its operators into pieces that begin with no blank."""
    ends = [operator.end for operator in operators(text) if operator.text != "&"]
    edges = [0, *(end for end in ends if end < len(text) and not text[end].isspace()), len(text)]
    pieces = list[str]()
    for start, end in pairwise(edges):
        if pieces and len(pieces[-1]) + end - start <= _WIDTH // 2:
            pieces[-1] += text[start:end]
        else:
            pieces.append(text[start:end])
    return pieces


def _basic(text: str) -> str:
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(mark if mark.isprintable() else _escape(mark) for mark in escaped)


def _escape(mark: str) -> str:
    return f"\\u{ord(mark):04x}" if ord(mark) < 0x10000 else f"\\U{ord(mark):08x}"
