"""No-op Python runs worked off, results kept: ours with full history, in warm children; the peers as they are quickest.

The rate is from the first run to the last, by ours' own records and by looking at the peers' stores.
"""

from __future__ import annotations

from functools import partial

from bench import ours, peers
from bench.options import Options
from bench.result import Table, in_turn
from bench.services import Services
from bench.subject import Subject


def measure(options: Options) -> tuple[Table, ...]:
    theirs = peers.wanted(options)
    mine = (*ours.ALL, ours.PRINTING, ours.LOGGING, ours.REDIS_16, *ours.NOTHING_AHEAD)
    every: tuple[Subject, ...] = (*theirs, *mine)
    with Services(options.appendfsync) as services:
        work = {one.title: partial(one.drain, services, options.runs) for one in every}
        rows = in_turn(options.rounds, work)
        settings = services.settings()
    return (
        Table(
            title="Drain of no-op Python runs, results kept",
            unit="runs/s",
            rows=rows,
            versus=tuple(one.title for one in mine),
            notes=(
                f"{options.runs:,} runs; slower peers fewer: " + peers.shares(theirs, options.runs),
                settings,
                ours.QUIET_NOTE,
                'nothing ahead: on_lost = "fail"; elsewhere short calls are claimed up to 10 ms ahead of idle workers',
                "each prints a line: which is kept with its run",
                "a line in its log for each run: as is the default",
                "16 workers: as many at once as Dramatiq has; elsewhere as is the default, twice the processors",
                *peers.settings(theirs),
            ),
        ),
    )
