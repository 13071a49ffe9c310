"""The only place that reads the time. Everything else is given a Clock or an instant."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Source of time, so that tests can turn it."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC: for records and due times."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back: for durations and leases."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251

    def monotonic(self) -> float:
        return time.monotonic()


def to_micros(instant: datetime) -> int:
    """Integer microseconds since 1970-01-01T00:00Z of an aware datetime: the store's form of an instant."""
    delta = instant - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of a store's instant."""
    seconds, rest = divmod(micros, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
