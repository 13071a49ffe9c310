"""Output of jobs on its way to standard output: bytes to a pipe, safe text to a terminal, JSON lines where asked."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from jobrunner.cli import output

if TYPE_CHECKING:
    from jobrunner.domain.status import OutputPart


def stream(parts: Iterable[OutputPart], *, as_json: bool) -> bool:
    """Prints the parts as they come; says whether there were any.

    Raises:
        OutputClosed: the reader has gone.
    """
    if as_json:
        return _json_lines(parts)
    return _terminal(parts) if sys.stdout.isatty() else _bytes(parts)


def _bytes(parts: Iterable[OutputPart]) -> bool:
    printed = False
    for part in parts:
        printed = True
        if part.dropped:
            output.say(_missing(part.dropped))
        output.write_bytes(part.data)
    return printed


def _terminal(parts: Iterable[OutputPart]) -> bool:
    """Each stream has a filter of its own: a character or a sequence may be cut by a piece of the other one."""
    from jobrunner.presentation.sanitise import TerminalFilter

    filters: dict[str, TerminalFilter] = {}
    last, current = "", ""
    try:
        for part in parts:
            switched = filters[current].reset() if current and part.stream != current else ""
            current = part.stream
            text = filters.setdefault(current, TerminalFilter()).feed(part.data)
            if part.dropped:
                text += f"\n[{_missing(part.dropped)}]\n"
            output.write_piece(switched + text)
            last = text or last
    finally:
        if filters:
            rest = "".join(each.end() for each in filters.values())
            output.write_piece(rest if (last + rest).endswith("\n") else rest + "\n")
    return bool(filters)


def _json_lines(parts: Iterable[OutputPart]) -> bool:
    from jobrunner.presentation import json

    decoders: dict[str, codecs.IncrementalDecoder] = {}
    last: dict[str, OutputPart] = {}
    for part in parts:
        if part.stream not in decoders:
            decoders[part.stream] = codecs.getincrementaldecoder("utf-8")("replace")
        output.write_json_line(json.output(part, decoders[part.stream].decode(part.data)))
        last[part.stream] = part
    for name, decoder in decoders.items():
        if rest := decoder.decode(b"", final=True):
            output.write_json_line(json.output(last[name], rest))
    return bool(decoders)


def _missing(count: int) -> str:
    return f"{count:,} bytes beyond max_output are not kept"
