"""How long a run of a job is expected to take. Made by admin of the history, and used wherever that is asked."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple


class Basis(StrEnum):
    """What an estimate rests on."""

    HISTORY = "history"
    TIMEOUT = "timeout"
    GUESS = "guess"


class Estimate(NamedTuple):
    """How long a run of a job takes: half of them up to ``median``, 95 of 100 up to ``p95``.

    ``runs`` counts the successful attempts behind it; 0 where there is no history.
    """

    median: timedelta
    p95: timedelta
    basis: Basis
    runs: int = 0
