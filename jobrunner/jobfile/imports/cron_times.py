"""When a line of a crontab fires, in the words of schedules. Called by the reader of crontabs and by ``cron_jobs``."""

from __future__ import annotations

import re

from jobrunner.domain.job import ScheduleSpec
from jobrunner.domain.schedule import parse
from jobrunner.errors import ScheduleError

REBOOT = "@reboot"
_HIGHEST = (59, 23, 31, 12, 7)
_DAY, _MONTH = 2, 3


def expression(when: str) -> str:
    """The expression that means what five fields or a word with ``@`` mean to cron."""
    if when.startswith("@"):
        return {"@every_minute": "* * * * *"}.get(when.lower(), when.lower())
    fields = when.split()
    # cronie takes a range up to Sunday for one up to its other number.
    fields[4] = re.sub(r"(?i)(?<=-)(?:sun|0)(?=[,/]|$)", "7", fields[4])
    return " ".join(_spread(field, place) for place, field in enumerate(fields))


def complaint(when: str) -> str | None:
    """Why a line does not say when it fires; None where it does."""
    if when.lower() == REBOOT:
        return None
    if re.match(r"(?i)(?:every|at)\s", when):
        return "it begins with no minute"
    try:
        parse(ScheduleSpec(expression=expression(when)), job="job", timezone="UTC")
    except ScheduleError as error:
        return str(error)
    return None


def remarks(when: str) -> list[str]:
    """What fires otherwise than some crons would."""
    found = []
    if not when.startswith("@") and re.search(r"(?:^|[\s,])[A-Za-z0-9]+/\d", when):
        found.append(f"{when}: a step behind a single value counts on from it here; some crons ignore the step")
    if "~" in when:
        found.append("~, a random time, is one here that is stable for each job (H)")
    return found


def _spread(field: str, place: int) -> str:
    """``low~high`` of cronie and OpenBSD as ``H(low-high)``."""
    elements = []
    for element in field.split(","):
        match = re.fullmatch(r"(\d*)~(\d*)", element, re.ASCII)
        if match is None:
            elements.append(element)
        elif match[0] == "~" and place != _DAY:
            elements.append("H")
        else:
            lowest = 1 if place in (_DAY, _MONTH) else 0
            elements.append(f"H({match[1] or lowest}-{match[2] or _HIGHEST[place]})")
    return ",".join(elements)
