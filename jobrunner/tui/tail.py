"""The last lines of the output of a run, for where a few of them stand beside other things."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobrunner.presentation.sanitise import plain
from jobrunner.tui.widgets.sgr import words

if TYPE_CHECKING:
    from jobrunner.domain.status import OutputPart


def last_lines(parts: Sequence[OutputPart], most: int) -> list[str]:
    """At most so many of them, without colours."""
    data = b"".join(part.data for part in parts)
    return [plain(words(line)) for line in data.splitlines()[-most:]]
