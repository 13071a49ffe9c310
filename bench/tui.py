"""The dashboard in a terminal, against what it must never be worse than: with 10,000 jobs and a million runs.

Times are p95 of so many rounds, until the bytes are there that put on the screen what was asked for.
"""

from __future__ import annotations

import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from bench import history
from bench.changes import changes
from bench.options import Options
from bench.project import PYTHON, environment
from bench.result import Row, Table
from bench.table import number, percentile
from bench.terminal import Terminal

JOBS, RUNS, LINES = 10_000, 1_000_000, 1_000_000
ROUNDS = 20
SECONDS = 15
LONG_SECONDS = 120
KIB, MIB = 1024, 1024 * 1024
_IN = {
    "ms": "times",
    "s": "output",
    "B": "bytes of a cursor move",
    "%": "share of a processor",
    "KiB/s": "bytes a second to the terminal",
    "MiB": "memory",
}

_READY = re.compile(r"NEEDS ATTENTION \([\d,]+\)")
_CRASH = (
    "import sys; from jobrunner.tui.app import Dashboard\n"
    "def fault(app): raise RuntimeError('a fault, made on purpose')\n"
    "Dashboard._tick = fault\n"
    "from jobrunner.__main__ import main; sys.exit(main())"
)


class Figure(NamedTuple):
    """One row: what was measured, in ``unit``; what is to be reached, and what it must never be worse than."""

    what: str
    unit: str
    reach: float
    never: float
    measured: float
    note: str = ""

    @property
    def verdict(self) -> str:
        held = "reached" if self.measured <= self.reach else "kept" if self.measured <= self.never else "MISSED"
        return f"{held} ({number(self.reach)} / {number(self.never)})" + (f", {self.note}" if self.note else "")


def measure(options: Options) -> tuple[Table, ...]:
    """``options.runs`` has no say: a list of a million runs is what this is about."""
    figures = list[Figure]()
    with tempfile.TemporaryDirectory(prefix="jobrunner-bench-tui-") as name:
        large, small = Path(name, "large"), Path(name, "small")
        history.make(large, jobs=JOBS, runs=options.of(RUNS, 20_000), lines=options.of(LINES, 20_000))
        history.make(small, jobs=10, runs=1_000)
        for part in PARTS[: 4 if options.quick else None]:
            for figure in _measured(part, large, small):
                print(f"  {figure.what}: {figure.measured:,.1f} {figure.unit}", file=sys.stderr, flush=True)
                figures.append(figure)
        restored = _restored(small)
    notes = (
        f"80x24, {JOBS:,} jobs, {options.of(RUNS, 20_000):,} runs; times are p95 of {ROUNDS} or more",
        f"the terminal is restored after {restored}",
    )
    units = dict.fromkeys(figure.unit for figure in figures)
    return tuple(_table(unit, [figure for figure in figures if figure.unit == unit], notes) for unit in units)


def _table(unit: str, figures: Sequence[Figure], notes: tuple[str, ...]) -> Table:
    rows = tuple(Row(name=figure.what, values=(figure.measured,), note=figure.verdict) for figure in figures)
    return Table(title=f"The dashboard, {_IN[unit]}", unit=unit, better="less", rows=rows, notes=notes)


def _measured(part: Callable[[Path, Path], Iterator[Figure]], large: Path, small: Path) -> Iterator[Figure]:
    """What one part measures; where it cannot go on it says why, and the others still count."""
    try:
        yield from part(large, small)
    except AssertionError as error:
        print(f"{part.__name__}: {error}", file=sys.stderr)


# --- the dashboard ----------------------------------------------------------------------------------------------------


@contextmanager
def dashboard(folder: Path, *, program: Sequence[str] = PYTHON) -> Iterator[Terminal]:
    """The dashboard in a terminal, as somebody has it who has chosen nothing yet."""
    with tempfile.TemporaryDirectory(prefix="jobrunner-bench-home-") as home:
        kept = {
            key: value
            for key, value in environment().items()
            if not key.startswith(("XDG", "NO_COLOR", "COLUMNS", "JOBRUNNER", "LC_"))
        }
        terminal = Terminal([*program, "tui"], folder, kept | {"HOME": home, "LANG": "C.UTF-8"})
        try:
            yield terminal
        finally:
            terminal.close()


@contextmanager
def opened(folder: Path, screen: str = "1") -> Iterator[Terminal]:
    """The same, on a numbered screen, when everything is painted."""
    with dashboard(folder) as terminal:
        terminal.until(lambda: _READY.search(terminal.text()), "the overview")
        terminal.rest(4)  # the file of 10,000 jobs is read behind
        terminal.send(screen)
        terminal.until(lambda: f"[{screen} " in terminal.text(), f"screen {screen}")
        terminal.quiet(0.5)
        yield terminal


def body(terminal: Terminal) -> str:
    """What stands between the tabs and the filter line."""
    return "\n".join(line.rstrip() for line in terminal.screen.display[2:-3])


def cursor(terminal: Terminal) -> int:
    """The line of the screen that the cursor of a list is on, 0 for none."""
    return next((place for place, line in enumerate(terminal.screen.display) if line[0] in "▌>"), 0)


def timed(terminal: Terminal, keys: str, found: Callable[[], object], what: str) -> float:
    """Milliseconds from keys to what they bring about."""
    sent = terminal.send(keys)
    return (terminal.until(found, what) - sent) * 1000


def p95(times: Sequence[float]) -> float:
    return percentile(times, 0.95)


# --- the measurements -------------------------------------------------------------------------------------------------


def first_paint(large: Path, small: Path) -> Iterator[Figure]:
    for folder, what in ((large, "10,000 jobs, 1,000,000 runs"), (small, "10 jobs")):
        times = [painted(folder) for _ in range(ROUNDS + 2)][2:]
        yield Figure(f"first paint with data, {what}", "ms", 300, 500, p95(times), f"median {sorted(times)[10]:.0f}")


def painted(folder: Path) -> float:
    """Milliseconds from the start of the process until the overview shows figures."""
    with dashboard(folder) as terminal:
        at = terminal.until(lambda: _READY.search(terminal.text()), "the overview")
        terminal.send("q")
        terminal.ended()
        return (at - terminal.began) * 1000


def keys(large: Path, small: Path) -> Iterator[Figure]:
    with opened(large, "2") as terminal:
        yield Figure("key to the cursor's move, idle", "ms", 10, 25, p95(_moves(terminal)))
        yield Figure("bytes for a cursor move", "B", 500, 1500, p95(_bytes(terminal)))
        with changes(large, 20):
            terminal.rest(2)
            yield Figure("key to the cursor's move, 20 changes a second", "ms", 20, 40, p95(_moves(terminal)))


def _moves(terminal: Terminal) -> list[float]:
    times = []
    for turn in range(2 * ROUNDS):
        before = cursor(terminal)
        key = "j" if turn % 20 < 10 else "k"
        times.append(timed(terminal, key, lambda before=before: cursor(terminal) != before, "another line"))  # type: ignore[misc]
        terminal.rest(0.11)
    return times


def _bytes(terminal: Terminal) -> list[float]:
    found = []
    for turn in range(ROUNDS):
        terminal.send("j" if turn % 20 < 10 else "k")
        found.append(float(terminal.rest(0.15)))
    return found


def pages(large: Path, small: Path) -> Iterator[Figure]:
    with opened(large, "3") as terminal:
        times = list[float]()
        for _ in range(ROUNDS):
            before = body(terminal)
            times.append(timed(terminal, "\x06", lambda before=before: body(terminal) != before, "another page"))  # type: ignore[misc]
            terminal.rest(0.2)
        yield Figure("a page of a million runs", "ms", 20, 50, p95(times))
        times = []
        for turn in range(ROUNDS):
            before = body(terminal)
            key = "gG"[turn % 2]
            times.append(timed(terminal, key, lambda before=before: body(terminal) != before, "the other end"))  # type: ignore[misc]
            terminal.rest(0.2)
        yield Figure("to the end of a million runs, and back", "ms", 20, 50, p95(times))


def filters(large: Path, small: Path) -> Iterator[Figure]:
    with opened(large, "2") as terminal:
        yield Figure("a filter key to the new list, 10,000 jobs", "ms", 50, 100, p95(_filtered(terminal, "-00", "9")))
    with opened(large, "3") as terminal:
        yield Figure("filter of runs by field", "ms", 20, 50, p95(_filtered(terminal, "state:cancelle", "d")))
        yield Figure("filter of runs by substring", "ms", 250, 400, p95(_filtered(terminal, "", "q")))


def _filtered(terminal: Terminal, begun: str, key: str) -> list[float]:
    """From the last key of a filter to the list that differs, with everything before it typed and answered."""
    times = []
    for _ in range(ROUNDS):
        terminal.send("/" + begun)
        terminal.quiet(0.5)
        before = body(terminal)
        times.append(timed(terminal, key, lambda before=before: body(terminal) != before, f"the list for {begun}{key}"))  # type: ignore[misc]
        terminal.send("\x7f" * (len(begun) + 1) + "\r")
        terminal.quiet(0.4)
    return times


def load(large: Path, small: Path) -> Iterator[Figure]:
    for rate, never, written in ((0, (0.5, 2), (1, 8)), (20, (3, 6), (16, 64)), (1000, (8, 15), None)):
        name = f"{rate:,} changes a second" if rate else "idle"
        for screen, title in (("1", "Overview"), ("2", "Jobs"), ("3", "Runs")):
            with opened(large, screen) as terminal, changes(large, rate):
                terminal.rest(6)
                share, sent = _used(terminal)
            yield Figure(f"processor, {name}, {title}", "%", never[0], never[1], share)
            if written:
                yield Figure(f"output, {name}, {title}", "KiB/s", written[0], written[1], sent)


def _used(terminal: Terminal) -> tuple[float, float]:
    """Per cent of a processor, and KiB a second."""
    process = psutil.Process(terminal.process.pid)
    before, began = sum(process.cpu_times()[:2]), time.perf_counter()
    sent = terminal.rest(SECONDS)
    length = time.perf_counter() - began
    return (sum(process.cpu_times()[:2]) - before) / length * 100, sent / length / KIB


def memory(large: Path, small: Path) -> Iterator[Figure]:
    for folder, what in ((small, "10 jobs"), (large, "10,000 jobs")):
        with opened(folder) as terminal:
            yield Figure(f"memory after start, {what}", "MiB", 50, 80, _pss(terminal))
            with changes(folder, 20):
                for turn in range(LONG_SECONDS // 4):
                    terminal.send("1234567"[turn % 7])
                    terminal.rest(4)
            note = f"all screens, {LONG_SECONDS // 60} minutes of 20 changes a second"
            yield Figure(f"memory later, {what}", "MiB", 60, 100, _pss(terminal), note)


def _pss(terminal: Terminal) -> float:
    return float(psutil.Process(terminal.process.pid).memory_full_info().pss) / MIB


def output(large: Path, small: Path) -> Iterator[Figure]:
    times = []
    with opened(large, "3") as terminal:
        terminal.send("/state:succeeded\r")
        terminal.quiet(0.5)
        before = _pss(terminal)
        for _ in range(ROUNDS):
            times.append(timed(terminal, "l", lambda: "0999999" in terminal.text(), "the last line") / 1000)
            most = _pss(terminal)
            terminal.send("\x1b")
            terminal.quiet(0.5)
    yield Figure("output of a million lines: open at its end", "s", 0.3, 1, p95(times))
    yield Figure("output of a million lines: memory for it", "MiB", 50, 80, most - before)


def _restored(small: Path) -> str:
    """What ended it with the terminal as it was; and what did not."""
    ways: dict[str, Callable[[Terminal], object]] = {
        "q": lambda terminal: terminal.send("q"),
        "Ctrl-C": lambda terminal: terminal.send("\x03"),
        "SIGINT": lambda terminal: terminal.process.send_signal(signal.SIGINT),
        "SIGTERM": lambda terminal: terminal.process.send_signal(signal.SIGTERM),
        "SIGHUP": lambda terminal: terminal.process.send_signal(signal.SIGHUP),
        "a crash": lambda terminal: None,
    }
    found = {}
    for name, end in ways.items():
        program = [sys.executable, "-c", _CRASH] if name == "a crash" else PYTHON
        with dashboard(small, program=program) as terminal:
            terminal.until(lambda: _READY.search(terminal.text()), "the overview")
            end(terminal)
            terminal.ended()
            found[name] = terminal.restored()
    kept = ", ".join(name for name, restored in found.items() if restored)
    missed = ", ".join(name for name, restored in found.items() if not restored)
    return f"{kept}; NOT after {missed}" if missed else kept


PARTS = (first_paint, output, keys, pages, filters, load, memory)  # output: before there are newer runs
