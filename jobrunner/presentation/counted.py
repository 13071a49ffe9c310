"""A count with what is counted: one of it, or several."""

from __future__ import annotations


def counted(count: int, noun: str, *, more: bool = False) -> str:
    """``1 run``, ``2,000 runs``; ``more``: there are more than that, ``1,042+ runs``."""
    return f"{count:,}+ {noun}s" if more else f"{count:,} {noun}{'s' * (count != 1)}"
