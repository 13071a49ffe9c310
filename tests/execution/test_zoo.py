"""Everything that a job starts ends with it, whatever it does to get away."""

from __future__ import annotations

import resource
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jobrunner.domain.clock import SystemClock
from jobrunner.domain.job import Command, Limits
from jobrunner.execution import Control, Execution, Failed, Launcher, Stopped, StopReason, Succeeded, TimedOut

LONG = timedelta(minutes=10)
SHORT = timedelta(milliseconds=100)

KEEPER = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
open(sys.argv[1] + ".new", "w").write(str(os.getpid()))
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(1000)
"""

DAEMON = """
import os, subprocess, sys
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
os.closerange(0, 3)
for fd in range(3):
    os.open("/dev/null", os.O_RDWR)
os.execv(sys.executable, [sys.executable, "-S", "keeper.py", sys.argv[1]])
"""

WAIT = "while [ $(ls *.pid 2>/dev/null | wc -l) -lt {count} ]; do sleep 0.01; done; "

ESCAPES = {
    "background": "python keeper.py a.pid &",
    "setsid": "setsid python keeper.py a.pid &",
    "nohup": "nohup python keeper.py a.pid >/dev/null 2>&1 &",
    "orphan": "(setsid python keeper.py a.pid &)",
    "daemon": "python daemon.py a.pid",
    "no environment": "(env -i setsid $PYTHON -S keeper.py a.pid &)",
    "job control": "bash -c 'set -m; python keeper.py a.pid & true'",
    "own subtree": "setsid sh -c 'setsid sh -c \"python keeper.py a.pid & python keeper.py b.pid & wait\" & wait' &",
    "holds the pipe": "setsid python keeper.py a.pid 2>&1 &",
    "stopped": "(setsid python keeper.py a.pid &); until [ -e a.pid ]; do sleep 0.01; done; kill -STOP $(cat a.pid)",
    "zombies": "setsid sh -c 'for i in 1 2 3; do (exit 1) & done; exec python keeper.py a.pid' &",
}


@pytest.fixture(scope="module", params=[True, False], ids=["cgroups", "marks"])
def keeper(request: pytest.FixtureRequest) -> Iterator[tuple[Execution, Launcher]]:
    """Whatever keeps attempts together, where this machine has it, and what there is everywhere."""
    launcher = Launcher.start(cgroups=request.param)
    execution = Execution(launcher, SystemClock())
    yield execution, launcher
    execution.close()
    launcher.close()


@pytest.fixture
def zoo(keeper: tuple[Execution, Launcher], bench: Any) -> Any:
    bench.execution, bench.launcher = keeper
    (bench.folder / "keeper.py").write_text(KEEPER)
    (bench.folder / "daemon.py").write_text(DAEMON)
    (bench.folder / "python").write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    (bench.folder / "python").chmod(0o755)
    return bench


def _line(name: str) -> tuple[str, int]:
    count = 2 if name == "own subtree" else 1
    return f"PATH=.:$PATH; PYTHON={sys.executable}; {ESCAPES[name]}\n{WAIT.format(count=count)}", count


@pytest.mark.parametrize("name", ESCAPES)
def test_nothing_outlives_a_command_that_ends_well(
    zoo: Any, name: str, pids_in: Callable[[Path, int], list[int]], survivors: Callable[[list[int]], list[int]]
) -> None:
    line, count = _line(name)
    outcome = zoo.shell(line + "echo end")
    assert isinstance(outcome, Succeeded), outcome
    assert zoo.sink.stdout.endswith(b"end\n")
    assert outcome.left >= count
    assert survivors(pids_in(zoo.folder, count)) == []


@pytest.mark.parametrize("name", ESCAPES)
def test_nothing_outlives_a_cancel(
    zoo: Any,
    name: str,
    collected: Any,
    pids_in: Callable[[Path, int], list[int]],
    survivors: Callable[[list[int]], list[int]],
) -> None:
    line, count = _line(name)
    control = Control()
    sink = collected(lambda out: b"on" in out, lambda: control.stop(StopReason.CANCELLED))
    outcome = zoo.shell(line + "echo on; sleep 1000", control=control, sink=sink, kill_grace=SHORT)
    assert isinstance(outcome, Stopped)
    assert outcome.killed  # the keeper ignores SIGTERM
    assert survivors(pids_in(zoo.folder, count)) == []


def test_a_timeout_ends_what_hides_from_the_group(
    zoo: Any, pids_in: Callable[[Path, int], list[int]], survivors: Callable[[list[int]], list[int]]
) -> None:
    line, _ = _line("daemon")
    outcome = zoo.shell(line + "sleep 1000", timeout=timedelta(seconds=1), kill_grace=SHORT)
    assert isinstance(outcome, TimedOut)
    assert survivors(pids_in(zoo.folder, 1)) == []


def test_left_overs_of_one_attempt_only(
    zoo: Any, collected: Any, pids_in: Callable[[Path, int], list[int]], survivors: Callable[[list[int]], list[int]]
) -> None:
    """A daemon belongs to the attempt that started it, also while others end beside it."""
    line, _ = _line("daemon")
    control, others = Control(), []

    def beside() -> None:
        others.append(zoo.execution.execute(zoo.spec(zoo.job(Command(line="true"))), Control(), collected()))
        others.append((zoo.folder / "a.pid").exists() and survivors_now(pids_in(zoo.folder, 1)))
        control.stop(StopReason.CANCELLED, now=True)

    outcome = zoo.shell(line + "echo on; sleep 1000", control=control, sink=collected(lambda out: b"on" in out, beside))
    assert isinstance(outcome, Stopped)
    assert others[0].left == 0
    assert others[1] == pids_in(zoo.folder, 1)
    assert survivors(pids_in(zoo.folder, 1)) == []


def test_what_hides_from_everything_ends_with_its_own_attempt_in_a_cgroup(
    zoo: Any, collected: Any, pids_in: Callable[[Path, int], list[int]], survivors: Callable[[list[int]], list[int]]
) -> None:
    """Without one it can be told whose it is when the other attempt has ended."""
    control, outcomes, line = Control(), [], _line("no environment")[0]
    sink = collected(lambda out: b"on" in out, lambda: outcomes.append(zoo.shell(line)))
    other = zoo.spec(zoo.job(Command(line="echo on; exec sleep 1000")))
    thread = threading.Thread(target=lambda: outcomes.append(zoo.execution.execute(other, control, sink)))
    thread.start()
    pids = pids_in(zoo.folder, 1)
    while not outcomes:
        time.sleep(0.005)
    hidden = survivors_now(pids)
    control.stop(StopReason.CANCELLED, now=True)
    thread.join()
    first, second = outcomes
    if zoo.launcher.place.folder is not None:
        assert (hidden, first.left, second.left) == ([], 1, 0)
    else:
        assert (hidden, first.left, second.left) == (pids, 0, 1)
    assert survivors(pids) == []


def survivors_now(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_a_bounded_fork_bomb(
    zoo: Any, pids_in: Callable[[Path, int], list[int]], survivors: Callable[[list[int]], list[int]]
) -> None:
    (zoo.folder / "bomb.py").write_text(
        textwrap.dedent("""
            import os, signal, sys, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            for level in range(6):
                os.fork()
                os.setsid() if os.getpid() != os.getsid(0) and level % 2 else None
            open(f"{os.getpid()}.pid", "w").write(str(os.getpid()))
            time.sleep(1000)
        """)
    )
    outcome = zoo.run(Command(argv=(sys.executable, "-S", "bomb.py")), timeout=timedelta(seconds=2), kill_grace=SHORT)
    assert isinstance(outcome, TimedOut)
    assert survivors(pids_in(zoo.folder, 64)) == []


def test_a_writer_that_cannot_be_waited_for_delays_nothing(zoo: Any) -> None:
    outcome = zoo.shell("setsid yes & sleep 0.05; echo end >&2; exit 4", timeout=LONG)
    assert isinstance(outcome, Failed)
    assert outcome.exit_code == 4
    assert zoo.sink.stderr == b"end\n"


def test_a_hundred_megabytes_pass(zoo: Any) -> None:
    class Counting:
        size = largest = 0

        def output(self, _stream: str, data: bytes) -> None:
            self.size += len(data)
            self.largest = max(self.largest, len(data))

        def progress(self, progress: object) -> None: ...
        def started(self, pid: int | None) -> None: ...

    sink = Counting()
    spec = zoo.spec(zoo.job(Command(line="head -c 100000000 /dev/zero")), secrets=("a secret",))
    assert isinstance(zoo.execution.execute(spec, Control(), sink), Succeeded)
    assert sink.size == 100_000_000
    assert sink.largest <= 16 * 65536 + 8  # a wide pipe at once


def test_closing_its_streams_is_no_end(zoo: Any) -> None:
    outcome = zoo.shell("echo on; exec >&- 2>&-; sleep 0.1; exit 5")
    assert isinstance(outcome, Failed)
    assert outcome.exit_code == 5


def test_every_exit_status_is_told(zoo: Any) -> None:
    for status in (0, 1, 2, 64, 126, 127, 128, 137, 143, 254, 255):
        outcome = zoo.shell(f"exit {status}")
        assert outcome.exit_code == status
        assert isinstance(outcome, Succeeded) == (status == 0)


@pytest.mark.faults
def test_all_exit_statuses_and_signals_are_told(zoo: Any) -> None:
    assert [zoo.shell(f"exit {status}").exit_code for status in range(256)] == list(range(256))
    harmless = {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}
    stopping = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
    for number in sorted(signal.valid_signals() - harmless - stopping):
        outcome = zoo.shell(f"ulimit -c 0; kill -{int(number)} $$; sleep 10")
        assert (outcome.signal, outcome.exit_code) == (number, None), outcome
    for number in stopping:
        outcome = zoo.shell(f"kill -{int(number)} $$; sleep 1000", timeout=timedelta(seconds=0.3), kill_grace=SHORT)
        assert isinstance(outcome, TimedOut)


@pytest.mark.faults
def test_a_fork_bomb_of_two_hundred(zoo: Any, survivors: Callable[[list[int]], list[int]]) -> None:
    bomb = """if True:
        import os, signal, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for number in range(200):
            if os.fork() == 0:
                os.setsid()
                if number % 2:
                    os.fork() and os._exit(0)
                os.environ.clear()
                open(f"{os.getpid()}.pid", "w").close()
                time.sleep(1000)
        time.sleep(1000)
    """
    for more in ({"timeout": timedelta(seconds=2)}, {"resources": Limits(processes=150)}):
        outcome = zoo.run(Command(argv=(sys.executable, "-S", "-c", bomb)), kill_grace=SHORT, **more)
        assert isinstance(outcome, TimedOut | Failed)
        pids = [int(path.stem) for path in zoo.folder.glob("*.pid")]
        assert len(pids) > 50
        assert survivors(pids) == []


@pytest.mark.faults
@pytest.mark.parametrize(
    "writer",
    [
        "head -c 1073741824 /dev/zero",
        "yes | head -c 1073741824",
        "head -c 104857600 /dev/zero | tr '\\0' x",
        "head -c 209715200 /dev/urandom",
        "yes \"$(printf '\\377\\376\\200')\" | head -c 209715200",
    ],
    ids=["no newline", "lines", "one long line", "noise", "invalid UTF-8"],
)
def test_output_without_bound_is_no_memory_of_ours(zoo: Any, writer: str) -> None:
    class Nothing:
        size = 0

        def output(self, _stream: str, data: bytes) -> None:
            self.size += len(data)

        def progress(self, progress: object) -> None: ...
        def started(self, pid: int | None) -> None: ...

    def run(line: str) -> int:
        sink = Nothing()
        spec = zoo.spec(zoo.job(Command(line=line)), secrets=("a secret",))
        assert isinstance(zoo.execution.execute(spec, Control(), sink), Succeeded)
        return sink.size

    run("echo warm")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert run(writer) >= 104857600
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024
