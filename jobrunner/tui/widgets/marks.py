"""The rows a person has marked, by their keys, one by one or as a range that grows with the cursor. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Marks:
    """Keys in the order they were marked. While a range is being marked, ``anchor`` is the key it began at."""

    keys: dict[Hashable, None] = field(default_factory=dict)
    anchor: Hashable | None = None
    _before: dict[Hashable, None] = field(default_factory=dict, repr=False)

    def toggle(self, key: Hashable) -> None:
        if key in self.keys:
            del self.keys[key]
        else:
            self.keys[key] = None

    def begin(self, key: Hashable) -> None:
        """A range from here on."""
        self.anchor, self._before = key, dict(self.keys)
        self.keys[key] = None

    def reach(self, keys: Iterable[Hashable], *, whole: bool) -> None:
        """The range reaches over these keys; ``whole``: from its anchor on, else they come on top of what it had."""
        base = self._before if whole else self.keys
        self.keys = {**base, **dict.fromkeys(keys)}

    def end(self) -> None:
        """The range is as it should be."""
        self.anchor, self._before = None, {}

    def give_up(self) -> None:
        """No range after all: the marks are those from before it."""
        self.keys = self._before
        self.end()

    def replace(self, keys: Iterable[Hashable]) -> None:
        self.keys = dict.fromkeys(keys)
        self.end()
