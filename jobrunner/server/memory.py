"""Keeps Python's collector of garbage away from what a server holds as long as it runs. Called by server."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def made_for_good() -> Iterator[None]:
    """What is made meanwhile is looked through neither now nor later: of 100,000 jobs that takes seconds, and would
    hold up starts again and again. What is in no cycle, as jobs are, goes nevertheless when it is replaced."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
