"""The one line that an error becomes: short, without control sequences. Used for everything that a job says itself."""

from __future__ import annotations

import re
import signal

LONGEST = 200
_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]"
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")


def one_line(text: str, longest: int = LONGEST) -> str:
    """The text on one line, at most ``longest`` characters, safe to show."""
    text = _SEQUENCES.sub("", text[: longest * 20])
    text = " ".join(_CONTROLS.sub(" ", text).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def signal_name(number: int) -> str:
    """``SIGKILL``; for a number without a name ``signal 40``."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
