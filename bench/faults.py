"""Faults injected into real servers, and what came of each: nothing lost, stuck or recorded twice, or status 1.

The faults themselves stand with the tests (``tests/faults``), where each runs in short with every test run.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

_TESTS = Path(__file__).parent.parent / "tests"
_HEAD = ("fault", "injected", "runs", "lost", "twice", "stuck", "together", "left", "again", "of", "seconds")


def main(rows: Sequence[str] = ()) -> int:
    """Runs the rows named, or all; a line for each as soon as it is known."""
    sys.path[:0] = [str(_TESTS), str(_TESTS / "faults")]
    from rows import ROWS  # type: ignore[import-not-found]

    unknown = [row for row in rows if row not in ROWS]
    if unknown:
        print(f"no fault {unknown[0]!r}; there are {', '.join(ROWS)}", file=sys.stderr)
        return 2
    status = 0
    _line(_HEAD)
    for row in rows or ROWS:
        for figures in ROWS[row]():
            _line((*map(str, figures[:-2]), f"{figures.seconds:.0f}"))
            for missed in figures.missed:
                status = 1
                print(f"    missed: {missed}", flush=True)
    return status


def _line(cells: Sequence[str]) -> None:
    print(f"{cells[0]:<70}", *(f"{cell:>8}" for cell in cells[1:]), flush=True)
