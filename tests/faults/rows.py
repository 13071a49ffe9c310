"""Every fault in its long form, under the name by which one asks for it: of the long tests, and of the bench."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import away
import clock
import signals
from figures import Figures
from fuzz import FUZZED, SLOWEST, fuzz
from kills import DEPLOYMENTS, deployment, kill_servers
from services import PostgreSQL
from statements import COMMANDS, Statements

_ROOM = Path(__file__).parent.parent
_TEXTS = 20_000


def kills(runs: int = 10_000, kills: int = 50) -> Iterator[Figures]:
    for servers, name in [(1, "sqlite"), (2, "sqlite"), *((3, name) for name in DEPLOYMENTS)]:
        with deployment(name) as (store, broker):
            yield kill_servers(store, broker, name=name, servers=servers, runs=runs, kills=kills)


def statements() -> Iterator[Figures]:
    """On SQLite every statement, on PostgreSQL every third."""
    yield from _statements(Statements(), 1)
    server = PostgreSQL()
    try:
        yield from _statements(Statements(server.new_store), 3)
    finally:
        server.close()


def redis() -> Iterator[Figures]:
    yield away.redis_killed(runs=2_000, times=10)
    yield away.redis_killed(runs=2_000, times=10, on_postgresql=True)


def postgresql() -> Iterator[Figures]:
    server = PostgreSQL()
    try:
        yield away.postgresql_killed(server, runs=2_000, times=10)
    finally:
        server.close()


def store() -> Iterator[Figures]:
    yield away.store_held(runs=500, seconds=60)
    yield away.no_room(runs=1_000, times=10)
    if away.can_mount():
        yield away.disk_full(runs=500, times=5)
    yield away.file_away(runs=1_000, times=10)
    yield away.file_damaged(runs=500)


def told() -> Iterator[Figures]:
    yield signals.ended(runs=2_000, times=10)
    yield signals.ended(runs=2_000, times=10, patience="1ms")
    yield signals.ended_at_once(runs=2_000, times=10)
    yield signals.read_again(runs=1_000, times=100)


def frozen() -> Iterator[Figures]:
    yield signals.frozen(runs=2_000, times=10)
    server = PostgreSQL()
    try:
        yield signals.frozen(server.new_store(), runs=2_000, times=10)
    finally:
        server.close()


def clocks() -> Iterator[Figures]:
    yield clock.stepped(3)
    yield _tests("schedules and clocks", "tests/life", "tests/server")


def texts() -> Iterator[Figures]:
    """Cron expressions, durations, times and parameters here, whole files where the files' tests are."""
    for what in FUZZED:
        slowest = fuzz(what, _TEXTS)
        wrong = (f"the slowest took {slowest:.1f} s",) if slowest > SLOWEST else ()
        yield Figures(f"random {what}", _TEXTS, 0, wrong=wrong)
    yield _tests("random files", "tests/jobfile")


def processes() -> Iterator[Figures]:
    """Output without bound, and processes that will not end: the tests of the room that runs them."""
    yield _tests("output and processes", "tests/execution")


ROWS: dict[str, Callable[[], Iterator[Figures]]] = {
    "kills": kills,
    "statements": statements,
    "redis": redis,
    "postgresql": postgresql,
    "store": store,
    "signals": told,
    "frozen": frozen,
    "clock": clocks,
    "texts": texts,
    "processes": processes,
}


def _statements(scenes: Statements, every: int) -> Iterator[Figures]:
    try:
        yield scenes.server(range(1, 1_000, every))
        yield scenes.reload(range(1, 120, 2 * every))
        for command in COMMANDS:
            yield scenes.command(command, range(1, 1_000, every))
    finally:
        scenes.close()


def _tests(what: str, *rooms: str) -> Figures:
    """The long tests of other rooms, as one figure."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-m", "faults", *rooms]
    done = subprocess.run(command, cwd=_ROOM.parent, capture_output=True, text=True, check=False)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr.strip()
    none_selected = 5
    wrong = () if done.returncode in (0, none_selected) else (last,)
    return Figures(f"{what}: {last.strip('= ')}", 0, 0, wrong=wrong)
