"""The part of a large file that a command needs: all but the tables of jobs, or of all but one. Used by ``source``.

Told at a glance, so that a trigger need not wait until ten thousand other jobs have been parsed.
"""

from __future__ import annotations

import re

_TABLE_OR_QUEUE = re.compile(
    rb"^[ \t]*(?:"
    rb"(\[)(?:[ \t]*jobs[ \t]*\.[ \t]*([A-Za-z0-9_-]+)[ \t]*([.\]]))?"
    rb"|queue[ \t]*=[ \t]*(\"[^\"\\\n]*\"|'[^'\n]*')[ \t]*(?:\#[^\n]*)?\r?$)",
    re.MULTILINE,
)
"""Where a line may begin a table: with the name of the job, where it is one of a job's, and whether that is all of its
name. Or a line that says a queue."""


def excerpt(raw: bytes, but: str | None = None) -> bytes | None:
    """What stands outside of the tables of jobs, with those of job ``but``; of others only each queue that they name,
    once. None where that cannot be told.

    A line that begins with a bracket begins a table, or it is inside of a list or a text of several lines. The latter
    are not looked into; and the end of a list is left over then, which is no TOML.
    """
    if b'"""' in raw or b"'''" in raw:
        return None
    wanted = but.encode() if but is not None else None
    kept, begin, passed_over = list[bytes](), 0, False
    job: bytes | None = None
    queues = set[bytes]()
    for found in _TABLE_OR_QUEUE.finditer(raw):
        table, name, end, queue = found.groups()
        if table is None:
            if job is not None and queue not in queues:
                queues.add(queue)
                kept.append(b"[jobs.%s]\nqueue = %s\n" % (job, queue))
            continue
        others = name is not None and name != wanted
        if others and not passed_over:
            kept.append(raw[begin : found.start()])
        elif passed_over and not others:
            begin = found.start()
        passed_over = others
        job = name if others and end == b"]" else None
    if not passed_over:
        kept.append(raw[begin:])
    return b"".join(kept)
