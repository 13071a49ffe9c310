"""What came of doing the same to many runs, as values. Made by admin, shown by the command line and the dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jobrunner.domain.run import Run
from jobrunner.errors import NotFound, Refused


class Did(NamedTuple):
    """What came of one run: ``run`` as it is now where it was done, else the ``error`` that says why not."""

    run_id: int
    run: Run | None
    error: NotFound | Refused | None


class Canary(NamedTuple):
    """How far a retry is of which one run goes first, and the rest if that succeeds.

    ``first`` is that run as it stands, None where none could be retried; ``refused`` were tried before it. ``rest`` is
    what came of the others; ``held`` are those that have not been retried, ``total`` counts them all. ``ended``: that
    is all; ``stopped``: because somebody said so.
    """

    total: int
    first: Run | None = None
    refused: Sequence[Did] = ()
    rest: Sequence[Did] = ()
    held: Sequence[int] = ()
    ended: bool = False
    stopped: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the first one has, so that the rest follows."""
        return self.first is not None and self.first.state == "succeeded"
