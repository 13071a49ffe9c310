"""How values and names of the file are put into messages, and what a mistyped one was meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_BARE = r"[A-Za-z0-9_-]+"


def quoted(text: str) -> str:
    """The text in quotes as TOML writes it, on one line, cut to a length that fits a message."""
    import json

    shown = text if len(text) <= 60 else text[:57] + "..."
    return json.dumps(shown, ensure_ascii=not shown.isprintable())


def one_line(text: str) -> str:
    """The text with escapes in place of line breaks and of whatever else a terminal would obey or hide."""
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in text)


def dotted(path: Iterable[str | int]) -> str:
    """A path of keys as the file would write it, elements of lists counted from 1: ``jobs.backup.retry_delays[2]``."""
    parts: list[str] = []
    for key in path:
        if isinstance(key, int):
            parts.append(f"[{key + 1}]")
        else:
            bare = len(key) <= 100 and re.fullmatch(_BARE, key, re.ASCII)
            parts.append(("." if parts else "") + (key if bare else quoted(key)))
    return "".join(parts)


def shown(value: Any) -> str:
    """A value of the file, short: texts quoted, numbers as they are, lists and tables by their kind."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, int) and abs(value) >= 10**20:
        return "so large a number"
    return str(value)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that this one was most likely meant to be, or None."""
    from difflib import get_close_matches

    by_folded = {name.casefold(): name for name in known}
    found = get_close_matches(word[:100].casefold(), list(by_folded), n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def meant(word: str, known: Iterable[str], *, empty: str = "there are none") -> str:
    """The end of a message about an unknown name: a suggestion, or the names that there are."""
    names = list(known)
    near = nearest(word, names)
    if near is not None:
        return f"did you mean {quoted(near)}?"
    if not names:
        return empty
    listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"there are {listed}" if len(names) > 1 else f"there is only {listed}"
