"""The same with several things, one after another: what is refused for one does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jobrunner.errors import NotFound, Refused
from jobrunner.tui.actions.hands import Done


def each(ids: Sequence[str | int], act: Callable[[str | int], object]) -> tuple[int, tuple[str, ...]]:
    """Acts on each; gives how many it was done with, and why it was refused for the others."""
    done, refused = 0, list[str]()
    for one in ids:
        try:
            act(one)
            done += 1
        except (Refused, NotFound) as error:
            refused.append(f"{one}: {error.message}")
    return done, tuple(refused)


def told(what: str, names: Sequence[str], done: int, refused: tuple[str, ...]) -> Done:
    """In one line how many of the named have been retried, cancelled, …"""
    if len(names) == 1:
        return Done(f"{names[0]} {what}" if done else "refused", refused)
    return Done(f"{done:,} of {len(names):,} {what}", refused)
