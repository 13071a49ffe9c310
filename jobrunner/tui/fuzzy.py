"""Finding by some letters: they have to come in their order; those that begin words, and stand together, count more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

_TOGETHER, _BEGINNING, _WHOLE = 4, 6, 30


def ranked(wanted: str, found: Iterable[T], text: Callable[[T], str]) -> list[T]:
    """What fits, best first; what fits equally stays in its order. Each word of ``wanted`` has to fit."""
    words = wanted.lower().split()
    scored = list[tuple[int, int, T]]()
    for place, one in enumerate(found):
        scores = [score(word, text(one).lower()) for word in words]
        if None not in scores:
            scored.append((-sum(filter(None, scores)), place, one))
    return [one for _, _, one in sorted(scored, key=lambda row: row[:2])]


def score(word: str, text: str) -> int | None:
    """How well a word fits a text, both in small letters; None: not at all."""
    place = text.find(word)
    if place >= 0:
        return _WHOLE + len(word) * _TOGETHER + (_BEGINNING if _begins(text, place) else 0)
    total, at = 0, -1
    for letter in word:
        following = text.find(letter, at + 1)
        if following < 0:
            return None
        total += _TOGETHER if following == at + 1 else 0
        total += _BEGINNING if _begins(text, following) else 0
        at = following
    return total


def _begins(text: str, place: int) -> bool:
    return place == 0 or not text[place - 1].isalnum()
