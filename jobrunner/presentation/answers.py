"""Answers to ``why`` as a person reads them: a headline, then short sentences, folded to the screen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import datetime, timedelta

from jobrunner.domain.answer import Answer, Because, Coming, Value
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.times import Times, absolute, elapsed, relative

_INDENT = "  "


def answer(value: Answer, screen: Screen, times: Times) -> Iterator[str]:
    """The whole answer."""
    yield from folded(sentence(value.headline, times), screen, style="bold")
    for reason in value.because:
        yield from folded(sentence(reason, times), screen, indent=_INDENT)
    if value.before is not None or value.after is not None:
        yield ""
        yield from _around(value, times)
    if value.next is not None:
        yield ""
        yield from _next(value.next, screen, times, told=value.at is not None)


def _around(value: Answer, times: Times) -> Iterator[str]:
    """The fires before and after a time at which nothing was due."""
    for label, at in (("before", value.before), ("after", value.after)):
        if at is not None:
            yield f"{_INDENT}{label:<6}  {times.full(at)}"


def _next(value: Coming, screen: Screen, times: Times, *, told: bool) -> Iterator[str]:
    """The coming fire, ``told`` where the headline has said when, and what may stand in its way."""
    if not told:
        yield from folded(f"next fire: {times.full(value.at)}", screen)
    if not value.obstacles:
        yield "nothing stands in its way"
        return
    yield screen.paint("in its way:", "yellow")
    for reason in value.obstacles:
        yield from folded(sentence(reason, times), screen, indent=_INDENT)


def sentence(reason: Because, times: Times) -> str:
    """A reason in words, its instants in the reader's zone; fit for a terminal."""
    return plain(reason.words.format_map({name: _text(given, times) for name, given in reason.values.items()}))


def _text(value: Value, times: Times) -> str:
    if isinstance(value, datetime):
        text = absolute(value, times.zone)
        return f"{text} ({relative(value, times.now)})" if times.relative else text
    if isinstance(value, timedelta):
        return elapsed(value.total_seconds())
    return "-" if value is None else str(value)


def folded(text: str, screen: Screen, *, indent: str = "", style: str = "") -> Iterator[str]:
    """The lines of a text. Only a terminal has a width; elsewhere it is one line."""
    if not screen.terminal:
        yield indent + text
        return
    deeper = indent + _INDENT if indent else ""
    for line in textwrap.wrap(
        text, screen.width, initial_indent=indent, subsequent_indent=deeper, break_on_hyphens=False
    ):
        yield screen.paint(line, style)
