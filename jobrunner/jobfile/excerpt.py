"""The part of a large file that a command needs: all but the tables of jobs, or of all but one. Used by ``source``.

Told at a glance, so that a trigger need not wait until ten thousand other jobs have been parsed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_LINE = (
    rb"\n[ \t]*(?:"
    rb"(\[)(?:[ \t]*jobs[ \t]*\.[ \t]*([A-Za-z0-9_-]+)[ \t]*([.\]]))?"
    rb"|queue[ \t]*=[ \t]*(\"[^\"\\\n]*\"|'[^'\n]*')[ \t]*(?:\#[^\n]*)?\r?$)"
)
"""Where a line may begin a table: with the name of the job, where it is one of a job's, and whether that is all of its
name. Or a line that says a queue. With the end of the line before it, which is found much faster than a beginning."""

_TEXTS = (
    rb'"""(?:[^"\\]++|\\.|"(?!""))*+"""(?:"{0,2})'
    rb"|\'\'\'.*?\'\'\'(?:\'{0,2})"
    rb'|"(?:[^"\\\n]++|\\[^\n])*+"'
    rb"|'[^'\n]*'"
    rb"|\#[^\n]*"
)
"""Where texts of several lines begin and end has to be known of all texts and comments: in them nothing begins."""


class Excerpt(NamedTuple):
    """A part of a file, and the names of the jobs whose tables are not in it."""

    text: bytes
    others: set[bytes]


def excerpt(raw: bytes, but: str | None = None) -> Excerpt:
    """What stands outside of the tables of jobs, with those of job ``but``; of others only each queue that they name,
    once.

    A line that begins with a bracket begins a table, or it is inside of a list: the end of that is left over then, so
    the excerpt is no TOML.
    """
    several_lines = b'"""' in raw or b"'''" in raw
    raw = b"\n" + raw
    pattern = _TEXTS + b"|" + _LINE if several_lines else _LINE
    wanted = but.encode() if but is not None else None
    kept, begin, passed_over = list[bytes](), 1, False
    job: bytes | None = None
    queues, left_out = set[bytes](), set[bytes]()
    for found in re.finditer(pattern, raw, re.MULTILINE | re.DOTALL):
        table, name, end, queue = found.groups()
        if table is None:
            if job is not None and queue is not None and queue not in queues:
                queues.add(queue)
                kept.append(b"[jobs.%s]\nqueue = %s\n" % (job, queue))
            continue
        others = name is not None and name != wanted
        if others and not passed_over:
            kept.append(raw[begin : found.start() + 1])
        elif passed_over and not others:
            begin = found.start() + 1
        passed_over = others
        if others:
            left_out.add(name)
        job = name if others and end == b"]" else None
    if not passed_over:
        kept.append(raw[begin:])
    return Excerpt(b"".join(kept), left_out)
