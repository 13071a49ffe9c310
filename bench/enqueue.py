"""Runs created one at a time and in a batch: ours checked and audited, the peers as they are."""

from __future__ import annotations

from functools import partial

from bench import ours, peers
from bench.options import Options
from bench.result import Table, in_turn
from bench.services import Services
from bench.subject import Subject


def measure(options: Options) -> tuple[Table, ...]:
    theirs, versus = peers.wanted(options), tuple(one.title for one in ours.ALL)
    single, many = options.of(4_000, 500), options.of(100_000, 5_000)
    with Services(options.appendfsync) as services:
        every: tuple[Subject, ...] = (*theirs, *ours.ALL)
        work = {one.title: partial(one.enqueue, services, single) for one in every}
        one_by_one = in_turn(options.rounds, work)
        able = [peer for peer in theirs if peer.batches]
        able_too: tuple[Subject, ...] = (*able, *ours.ALL)
        batches = {one.title: partial(one.batch, services, many) for one in able_too}
        at_once = in_turn(options.rounds, batches)
        settings = services.settings()
    return (
        Table(
            title="Enqueue, one at a time",
            unit="runs/s",
            rows=one_by_one,
            versus=versus,
            notes=(f"{single:,} runs, slower peers fewer", settings, ours.NOTE, *peers.settings(theirs)),
        ),
        Table(
            title="Enqueue in a batch",
            unit="runs/s",
            rows=at_once,
            versus=versus,
            notes=(f"{many:,} runs: " + peers.shares(able, many), settings, ours.NOTE, *peers.settings(able)),
        ),
    )
