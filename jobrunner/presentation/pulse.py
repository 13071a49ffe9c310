"""The pulse in words, for the header of the dashboard."""

from __future__ import annotations

from jobrunner.domain.pulse import COUNTED, Pulse, Scheduling


def count(number: int) -> str:
    """A count that stops at ``COUNTED``: ``1,042``, ``20,000+``."""
    return f"{number:,}{'+' if number >= COUNTED else ''}"


def problem(pulse: Pulse) -> str:
    """What is wrong as a whole, in a few words; empty where nothing is."""
    if not pulse.servers:
        return "no server"
    if pulse.scheduling is not Scheduling.OK:
        return "nothing fires" if pulse.scheduling is Scheduling.NONE else "the scheduler stands still"
    if pulse.refused:
        return "file refused"
    if pulse.differ:
        return "files differ"
    return "everything is paused" if pulse.paused else ""
