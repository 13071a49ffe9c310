"""From the call that enqueues to the job's first instruction, on an idle worker, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bench import ours, peers
from bench.options import Options
from bench.result import Row, Table, in_turn
from bench.services import Services
from bench.table import median, number, percentile


def measure(options: Options) -> tuple[Table, ...]:
    theirs, count = peers.wanted(options), options.of(10, 5)
    with Services(options.appendfsync) as services:
        work: dict[str, Callable[[], list[float]]] = {
            peer.title: partial(peer.pickup, services, count) for peer in theirs
        }
        for one in ours.ALL:
            work[f"{one.title}, Python"] = partial(one.pickup, services, count)
        for one in (ours.FULL, ours.POSTGRESQL):
            work[f"{one.title}, command"] = partial(one.pickup, services, count, "date")
        every: dict[str, list[float]] = {name: [] for name in work}
        rows = in_turn(options.rounds, {name: _median(work[name], every[name]) for name in work})
        settings = services.settings()
    return (
        Table(
            title="From the call that enqueues to the first instruction, idle",
            unit="ms",
            better="less",
            rows=tuple(_with_tail(row, every[row.name]) for row in rows),
            versus=tuple(name for name in work if name.startswith(ours.FULL.title)),
            notes=(
                f"medians of {count} a round, at 50 to 150 ms from each other; of 100 or fewer the p99 is the longest",
                "a command's first instruction is that of `date`, so its own start is in it",
                settings,
                ours.NOTE,
                *peers.settings(theirs),
            ),
        ),
    )


def _median(work: Callable[[], list[float]], every: list[float]) -> Callable[[], float]:
    def once() -> float:
        times = work()
        every.extend(times)
        return median(times)

    return once


def _with_tail(row: Row, times: list[float]) -> Row:
    if not row.values:
        return row
    return replace(row, note=f"p99 of {len(times)}: {number(percentile(times, 0.99))}")
