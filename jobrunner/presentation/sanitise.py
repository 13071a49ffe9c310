"""What stands between a job's or a person's words and a terminal: nothing gets through that the terminal would obey.

``plain`` is for names, errors and table cells: one line, no control characters at all. ``TerminalFilter`` is for output
of jobs, fed in pieces: lines and colours pass, everything else is shown as an escape such as ``\\x1b``.
"""

from __future__ import annotations

import codecs
import re

_INVISIBLE = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d"
    "\ufeff\uffa0\ufff0-\ufffb\U0001343f\U00013430-\U0001343e\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
"""Zero-width, blank and direction-changing characters. U+FE0E and U+FE0F, which emoji need, are not among them."""

_UNSAFE = f"[\x00-\x1f\x7f-\x9f\ud800-\udfff{_INVISIBLE}]"
"""What ``plain`` escapes; compiled by ``re`` when it is first needed, since a trigger says only plain words."""

# A class of characters comes first, since that is what the regular expression engine can search for quickly.
_OUTPUT = (
    f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{_INVISIBLE}]"
    "(?:(?<=\x1b)\\[(?P<sgr>[0-9;:]{0,48})m|(?<=\r)(?P<newline>\n))?"
)
_UNDECIDED = re.compile("(?:\x1b(?:\\[[0-9;:]{0,48})?|\r)\\Z")
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_CONCEAL = 8
_EXTENDED_COLOURS = (38, 48, 58)


def plain(text: str) -> str:
    """The text on one line, with every control, direction-changing and zero-width character shown as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_UNSAFE, _escape, text)


class TerminalFilter:
    """Turns one stream of bytes, in pieces of any size, into text that is safe to print on a terminal.

    Bytes that are not UTF-8 are shown as ``\\xNN``. Newlines, tabs and colours (SGR except conceal) pass; a carriage
    return before a newline goes away. How the bytes are cut into pieces makes no difference.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._held = ""
        self._coloured = False

    def feed(self, data: bytes) -> str:
        """The next piece. What may be the beginning of a sequence is held back until it is decided."""
        text = self._held + self._decoder.decode(data)
        undecided = _UNDECIDED.search(text)
        self._held = undecided.group() if undecided else ""
        return self._clean(text[: len(text) - len(self._held)])

    def end(self) -> str:
        """What was held back, and the end of any colour that is still on. The filter can be fed again."""
        text = self._held + self._decoder.decode(b"", final=True)
        self._held = ""
        self._decoder.reset()
        return self._clean(text) + self.reset()

    def reset(self) -> str:
        """The sequence that ends a colour that is still on, or nothing: for whoever prints words of its own."""
        coloured, self._coloured = self._coloured, False
        return "\x1b[0m" if coloured else ""

    def _clean(self, text: str) -> str:
        if text.isascii() and text.isprintable():
            return text
        return re.sub(_OUTPUT, self._replace, text)

    def _replace(self, match: re.Match[str]) -> str:
        if match["newline"]:
            return "\n"
        sgr: str | None = match["sgr"]
        if sgr is None:
            return _escape(match)
        if _conceals(sgr):
            return "\\x1b" + match.group()[1:]
        self._coloured = sgr.strip("0;") != ""
        return match.group()


def _conceals(sgr: str) -> bool:
    """Whether the parameters switch to invisible text (8), as opposed to the colour of that number (38;5;8)."""
    fields = iter(sgr.split(";"))
    for field in fields:
        code = field.lstrip("0")
        if code == str(_CONCEAL):
            return True
        if code in map(str, _EXTENDED_COLOURS):
            for _ in range({"5": 1, "2": 3}.get(next(fields, "").lstrip("0"), 0)):
                next(fields, None)
    return False


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
