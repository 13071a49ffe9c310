"""Times and durations as options: read with the name of the option in what is said of a wrong one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jobrunner.errors import UsageError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


def duration(option: str, text: str | None) -> timedelta | None:
    """The duration of an option, None where it is not given.

    Raises:
        UsageError: it cannot be read.
    """
    if text is None:
        return None
    from jobrunner.domain.duration import parse_duration

    try:
        return parse_duration(text)
    except UsageError as error:
        raise _named(option, error) from error


def instant(option: str, text: str | None, zone: ZoneInfo) -> datetime | None:
    """The instant of an option, aware, None where it is not given; without an offset it is in ``zone``.

    Raises:
        UsageError: it cannot be read.
    """
    if text is None:
        return None
    from jobrunner.domain.clock import SystemClock
    from jobrunner.domain.timepoint import parse_time

    try:
        return parse_time(text, now=SystemClock().now(), zone=zone)
    except UsageError as error:
        raise _named(option, error) from error


def since(text: str | None, zone: ZoneInfo) -> datetime | None:
    """The instant of ``--since``: a time, or how long ago.

    Raises:
        UsageError: it is neither.
    """
    if text is None:
        return None
    from jobrunner.domain.clock import SystemClock
    from jobrunner.domain.timepoint import parse_since

    try:
        return parse_since(text, now=SystemClock().now(), zone=zone)
    except UsageError as error:
        raise _named("--since", error) from error


def _named(option: str, error: UsageError) -> UsageError:
    return UsageError(f"{option}: {error.message}", hint=error.hint)
