"""``python -m bench [NAME …]``: runs the measurements named, or all, ours and the peers' in turn.

Prints tables, and keeps them in ``bench/results`` as JSON and as Markdown. The peers are installed into environments
of their own when first needed. ``--quick`` is a look at whether it works; ``--plots`` draws what is kept.
``python -m bench faults [ROW …]`` injects faults instead, which takes long and is asked for by name only.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from datetime import UTC, datetime

from bench.options import Options

NAMES = (
    "drain",
    "held",
    "enqueue",
    "pickup",
    "starts",
    "cold_start",
    "ready",
    "output",
    "growth",
    "retention",
    "idle",
    "servers",
    "schedules",
    "counts",
    "tui",
)
PRINTED = ("simulation",)
"""Measurements that print their figures and keep nothing."""


def main(args: list[str]) -> int:
    if args[:1] == ["faults"]:
        from bench import faults, machine

        print(machine.describe())
        return faults.main(args[1:])
    asked = _parser().parse_args(args)
    if asked.plots:
        from bench import plots

        return plots.main(asked.names)
    if asked.page:
        from bench import page

        return page.main(asked.names)
    unknown = [name for name in asked.names if name not in (*NAMES, *PRINTED)]
    if unknown:
        print(f"no measurement {unknown[0]!r}; there are {', '.join((*NAMES, *PRINTED))}, faults", file=sys.stderr)
        return 2
    options = _options(asked)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    for name in asked.names or (*NAMES, *PRINTED):
        _measure(name, options)
    return 0


def _measure(name: str, options: Options) -> None:
    from bench import machine, report
    from bench.result import Result

    before = machine.describe()
    print(before)
    module = importlib.import_module(f"bench.{name}")
    if name in PRINTED:
        module.main()
        return
    tables = module.measure(options)
    for table in tables:
        report.show(table)
    line = f"{before}, {machine.load()} at the end" + ("; a quick look" * options.quick)
    report.keep(Result(name=name, machine=line, taken=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", tables=tables))


def _options(asked: argparse.Namespace) -> Options:
    rounds, runs = (2, 1_000) if asked.quick else (5, 20_000)
    return Options(
        rounds=asked.rounds or rounds,
        runs=asked.runs or runs,
        quick=asked.quick,
        peers=tuple(asked.peers.split(",")) if asked.peers else (),
        appendfsync=asked.appendfsync,
        largest=asked.largest or (10_000 if asked.quick else 1_000_000),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join((*NAMES, *PRINTED)))
    parser.add_argument("--rounds", type=int, help="how often everything is measured, in turn (5)")
    parser.add_argument("--runs", type=int, help="how many runs are worked off in one round (20000)")
    parser.add_argument("--peers", help="whose to measure, for example huey,celery; none: ours alone")
    parser.add_argument("--appendfsync", choices=("everysec", "always"), default="everysec", help="of Redis")
    parser.add_argument(
        "--largest", type=int, help="runs of the longest history (1000000; 10000000 takes minutes to make)"
    )
    parser.add_argument("--quick", action="store_true", help="a look at whether it works")
    parser.add_argument("--plots", action="store_true", help="draw what is kept, into docs/pictures/bench")
    parser.add_argument("--page", action="store_true", help="write what is kept, with plots, into docs/performance.md")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
