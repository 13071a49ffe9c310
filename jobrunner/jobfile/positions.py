"""Where the keys and values of a TOML text stand: line and column, both from 1, columns in characters.

Loaded only when there is an error or a warning to locate, by ``source``, or something to change, by ``layout``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import tomli

if TYPE_CHECKING:
    from tree_sitter import Node

Path = tuple[str | int, ...]
Position = tuple[int, int]

_KEYS = frozenset({"bare_key", "quoted_key", "dotted_key"})
_TABLES = frozenset({"table", "table_array_element"})


class Positions:
    """The positions of one text. A path that the text does not spell out has that of its nearest parent.

    What stands in a table is read when it is asked for, since of ten thousand tables a few are, or ``wholly``: then
    ``repeated`` is the first key that is defined twice, with where it is first, and again.
    """

    def __init__(self, text: str, *, wholly: bool = False) -> None:
        self._lines = text.encode(errors="surrogatepass").split(b"\n")
        self._keys: dict[Path, Position] = {}
        self._values: dict[Path, Position] = {}
        self.repeated: tuple[Path, Position, Position] | None = None
        self._elements: dict[Path, int] = {}
        self._unread: dict[Path, list[Node]] = {}
        with suppress(RecursionError):
            self._document(parse_tree(text), wholly)

    def of(self, path: Sequence[str | int], *, key: bool = False) -> Position:
        """The position of the value at the path, or of its key."""
        for length in range(len(path) + 1):
            for table in self._unread.pop(tuple(path[:length]), ()):
                self._contents(table, tuple(path[:length]))
        first, second = (self._keys, self._values) if key else (self._values, self._keys)
        for length in range(len(path), 0, -1):
            part = tuple(path[:length])
            found = first.get(part) or second.get(part)
            if found:
                return found
            first, second = self._values, self._keys
        return 1, 1

    def _document(self, root: Node, wholly: bool) -> None:
        for node in root.named_children:
            if node.type == "pair":
                self._pair(node, ())
            elif node.type in _TABLES:
                path = self._table(node)
                if wholly:
                    self._contents(node, path)
                else:
                    self._unread.setdefault(path, []).append(node)

    def _table(self, node: Node) -> Path:
        key = next(child for child in node.named_children if child.type != "comment")
        path = self._within_arrays(tuple(name for name, _ in _names(key)))
        if node.type == "table_array_element":
            index = self._elements.get(path, -1) + 1
            self._elements[path] = index
            self._spell(key, path)
            path = (*path, index)
            self._values[path] = self._place(node)
        else:
            here = self._spell(key, path)
            self._declare(path, here, here)
        return path

    def _contents(self, table: Node, path: Path) -> None:
        for child in table.named_children:
            if child.type == "pair":
                with suppress(RecursionError):
                    self._pair(child, path)

    def _within_arrays(self, path: Path) -> Path:
        """Inserts the index of the current element after every prefix that is an array of tables."""
        found: Path = ()
        for name in path[:-1]:
            found = (*found, name)
            if found in self._elements:
                found = (*found, self._elements[found])
        return (*found, *path[-1:])

    def _pair(self, node: Node, parent: Path) -> None:
        children = [child for child in node.named_children if child.type != "comment"]
        if len(children) != 2:
            return
        path = parent + tuple(name for name, _ in _names(children[0]))
        self._declare(path, self._spell(children[0], path), self._place(children[1]))
        self._value(children[1], path)

    def _value(self, node: Node, path: Path) -> None:
        if node.type == "inline_table":
            for child in node.named_children:
                if child.type == "pair":
                    self._pair(child, path)
        elif node.type == "array":
            index = 0
            for child in node.named_children:
                if child.type != "comment":
                    self._values[(*path, index)] = self._place(child)
                    self._value(child, (*path, index))
                    index += 1

    def _spell(self, key: Node, path: Path) -> Position:
        names = list(_names(key))
        here = (1, 1)
        for count, (_, node) in enumerate(names):
            here = self._place(node)
            part = path[: len(path) - len(names) + count + 1]
            self._keys[part] = min(here, self._keys.get(part, here))
        return here

    def _declare(self, path: Path, key: Position, value: Position) -> None:
        if path in self._values and self.repeated is None:
            self.repeated = (path, self._keys[path], key)
        self._values[path] = min(value, self._values.get(path, value))

    def _place(self, node: Node) -> Position:
        row, column = node.start_point
        return row + 1, len(self._lines[row][:column].decode(errors="replace")) + 1


def parse_tree(text: str) -> Node:
    """The syntax tree of a text."""
    import tree_sitter
    import tree_sitter_toml

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
    return parser.parse(text.encode(errors="surrogatepass")).root_node


def key_names(key: Node) -> Iterator[str]:
    """The parts of a key from left to right, as they mean, without quotes."""
    return (name for name, _ in _names(key))


def _names(key: Node) -> Iterator[tuple[str, Node]]:
    """The parts of a key from left to right; a dotted key is nested to the left."""
    pending = [key]
    while pending:
        node = pending.pop()
        if node.type == "dotted_key":
            pending.extend(child for child in reversed(node.named_children) if child.type in _KEYS)
        else:
            yield _name(node), node


def _name(node: Node) -> str:
    text = (node.text or b"").decode(errors="replace")
    if node.type != "quoted_key":
        return text
    try:
        return next(iter(tomli.loads(f"{text} = 0")))
    except (ValueError, StopIteration):
        return text
