"""Decisions: what became of due fire times that have no run. Kept by ``store.decisions``."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

LATE = timedelta(minutes=1)
"""A fire found later than this counts as missed, and ``catchup`` decides."""


class Why(StrEnum):
    """Why a fire has no run. A fire that ``overlap`` refuses has one, in state ``skipped``."""

    PAUSED = "paused"
    DISABLED = "disabled"
    BLACKOUT = "blackout"
    MISSED = "missed"
    NOT_UNIQUE = "not unique"
    SHADOW = "shadow"


class Decision(NamedTuple):
    """What became of one fire, or of consecutive ones of a job for the same reason.

    ``first_fire`` and ``last_fire`` are the fire times that it begins and ends with, ``fires`` how many they are.
    ``detail`` says in words why. A run with a fire time in between is the answer to that one.
    """

    job: str
    first_fire: datetime
    last_fire: datetime
    fires: int
    why: Why
    detail: str
    decided_at: datetime
