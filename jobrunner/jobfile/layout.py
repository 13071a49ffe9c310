"""Where the tables, keys and values of a TOML text stand, in bytes. Used by ``edit`` to change one and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import tomli

from jobrunner.jobfile.positions import key_names, parse_tree

if TYPE_CHECKING:
    from tree_sitter import Node

Keys = tuple[str, ...]


class Pair(NamedTuple):
    """``key = value``: its whole path, the bytes of key and value, and whether it stands in an inline table.

    ``own`` is the path as it is spelled, without that of the table around it.
    """

    path: Keys
    own: Keys
    start: int
    value: tuple[int, int]
    inline: bool


class Header(NamedTuple):
    """``[path]``: where its line begins and ends, and the first and last byte of its last pair, else its own."""

    path: Keys
    start: int
    end: int
    last: tuple[int, int]


class Inline(NamedTuple):
    """``{ … }``: the path that it is the value of, where it begins and ends, and where its last pair ends."""

    path: Keys
    start: int
    end: int
    last: int | None


class Layout:
    """The layout of a text that is valid TOML. Tables in arrays are left out: nothing in jobs.toml is one."""

    def __init__(self, text: str) -> None:
        self.raw = text.encode()
        self.pairs = list[Pair]()
        self.headers = list[Header]()
        self.inlines = dict[Keys, Inline]()
        root = parse_tree(text)
        for node in root.named_children:
            if node.type == "pair":
                self._pair(node, (), inline=False)
            elif node.type == "table":
                self._table(node)

    def pair(self, path: Keys) -> Pair | None:
        """The pair that gives a path its value."""
        return next((pair for pair in self.pairs if pair.path == path), None)

    def within(self, path: Keys) -> Iterator[Pair]:
        """The pairs outside of inline tables whose path lies below one."""
        return (pair for pair in self.pairs if not pair.inline and len(pair.path) > len(path) and _below(pair, path))

    def header(self, path: Keys) -> Header | None:
        """The header of a table."""
        return next((header for header in self.headers if header.path == path), None)

    def line(self, at: int) -> tuple[int, int]:
        """Where the line around a byte begins and ends, its line break included."""
        start = self.raw.rfind(b"\n", 0, at) + 1
        end = self.raw.find(b"\n", at)
        return start, len(self.raw) if end < 0 else end + 1

    def _table(self, node: Node) -> None:
        key, *rest = (child for child in node.named_children if child.type != "comment")
        path = tuple(key_names(key))
        pairs = [child for child in rest if child.type == "pair"]
        for child in pairs:
            self._pair(child, path, inline=False)
        last = pairs[-1] if pairs else key
        self.headers.append(Header(path, node.start_byte, self.line(key.end_byte)[1], (last.start_byte, last.end_byte)))

    def _pair(self, node: Node, parent: Keys, *, inline: bool) -> None:
        key, value = (child for child in node.named_children if child.type != "comment")
        own = tuple(key_names(key))
        path = parent + own
        self.pairs.append(Pair(path, own, node.start_byte, (value.start_byte, value.end_byte), inline))
        if value.type == "inline_table":
            inner = [child for child in value.named_children if child.type == "pair"]
            last = inner[-1].end_byte if inner else None
            self.inlines[path] = Inline(path, value.start_byte, value.end_byte, last)
            for child in inner:
                self._pair(child, path, inline=True)


def lines_of_job(text: str, job: str) -> tuple[int, int] | None:
    """The bytes of the lines that hold all tables of a job and the comment above them; None where other things stand
    between them, or it has no table of its own, or the text is not TOML."""
    try:
        tomli.loads(text)
    except (ValueError, RecursionError):
        return None
    layout = Layout(text)
    path = ("jobs", job)
    own = [place for place, header in enumerate(layout.headers) if header.path[:2] == path]
    if not own or own != list(range(own[0], own[-1] + 1)):
        return None
    start = _comment_above(layout, layout.line(layout.headers[own[0]].start)[0])
    following = layout.headers[own[-1] + 1 : own[-1] + 2]
    end = _comment_above(layout, layout.line(following[0].start)[0]) if following else len(layout.raw)
    outside = any(not start <= pair.start < end for pair in layout.within(path))
    return None if outside else (start, end)


def _comment_above(layout: Layout, start: int) -> int:
    """Where the lines of comment begin that stand right above a line."""
    while start:
        before = layout.line(start - 1)[0]
        if not layout.raw[before:start].lstrip().startswith(b"#"):
            break
        start = before
    return start


def _below(pair: Pair, path: Keys) -> bool:
    return pair.path[: len(path)] == path
