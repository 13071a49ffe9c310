"""Limits of a whole attempt, and what an attempt is said to have used."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jobrunner.domain.clock import SystemClock
from jobrunner.domain.job import Command, Limits
from jobrunner.execution import Control, Execution, Failed, Launcher, Stopped, StopReason, Succeeded, cgroup
from jobrunner.execution.measure import Usage, usage_of
from jobrunner.execution.watch import Exceeded, Watch

MIB = 1024**2

HOLD = """
import os, sys, time
kept = b"x" * int(sys.argv[1]) * 1024**2
open(f"{os.getpid()}.pid", "w").write(str(os.getpid()))
time.sleep(1000)
"""

SPIN = "while :; do :; done"


BOTH = pytest.mark.parametrize("limited", [True, False], indirect=True, ids=["cgroups", "marks"])


@pytest.fixture
def limited(request: pytest.FixtureRequest, bench: Any, tmp_path: Path) -> Iterator[Any]:
    """Jobs of a launcher that uses no cgroups, or may use them."""
    launcher = Launcher.start(cgroups=getattr(request, "param", False))
    execution = Execution(launcher, SystemClock())
    (tmp_path / "hold.py").write_text(HOLD)
    yield type(bench)(execution, launcher, tmp_path)
    execution.close()
    launcher.close()


def held(number: int, size: int) -> str:
    """A shell line of so many processes of so many MiB, of which the shell keeps none in its session."""
    return "; ".join([f"(setsid {sys.executable} -S hold.py {size} &)"] * number) + "; sleep 1000"


@BOTH
def test_memory_is_that_of_all_processes_together(
    limited: Any, pids_in: Callable[[Path, int], list[int]], survivors: Callable[[list[int]], list[int]]
) -> None:
    outcome = limited.shell(held(3, 30), resources=Limits(memory_max=80 * MIB))
    assert isinstance(outcome, Failed)
    found = re.fullmatch(r"memory_max 80 MiB exceeded: ([0-9.]+) MiB in \d processes", outcome.error)
    assert found, outcome.error
    assert float(found[1]) > 80
    assert outcome.signal == 9
    assert outcome.peak_memory > 80 * MIB
    assert survivors([int(path.stem) for path in limited.folder.glob("*.pid")]) == []


def test_memory_that_processes_share_counts_once(limited: Any) -> None:
    code = """if True:
        import os, time
        kept = b"x" * 50_000_000
        pids = [os.fork() for _ in range(3)]
        time.sleep(0.4)
    """
    command = Command(argv=(sys.executable, "-S", "-c", code))
    outcome = limited.run(command, resources=Limits(memory_max=150 * MIB))
    assert isinstance(outcome, Succeeded), outcome
    assert 50 * MIB > outcome.peak_memory - 50_000_000 > 0


@BOTH
def test_processor_time_is_that_of_all_processes_together(limited: Any) -> None:
    line = f"(setsid sh -c '{SPIN}' &); sh -c '{SPIN}' & wait"
    outcome = limited.shell(line, resources=Limits(cpu_time=timedelta(seconds=0.3)))
    assert isinstance(outcome, Failed)
    assert re.fullmatch(r"cpu_time 0\.3 s exceeded: [0-9.]+ s in \d processes", outcome.error), outcome.error
    assert outcome.cpu > 0.3


def test_processor_time_of_those_that_have_ended_counts(limited: Any) -> None:
    burn = f"{sys.executable} -S -c 'while __import__(\"time\").process_time() < 0.15: pass'"
    line = f"while :; do ({burn} &) ; {burn}; done"
    outcome = limited.shell(line, resources=Limits(cpu_time=timedelta(seconds=0.5)))
    assert isinstance(outcome, Failed)
    assert outcome.error.startswith("cpu_time 0.5 s exceeded: ")


def test_processes_are_counted_at_once(
    limited: Any, pids_in: Callable[[Path, int], list[int]], survivors: Callable[[list[int]], list[int]]
) -> None:
    line = "for i in 1 2 3 4 5 6 7 8; do {}; done; {}"
    few = limited.shell(line.format("/bin/true", "true"), resources=Limits(processes=3))
    assert isinstance(few, Succeeded), few
    outcome = limited.shell(line.format("sleep 1000 & echo $! >$i.pid", "wait"), resources=Limits(processes=5))
    assert isinstance(outcome, Failed)
    assert re.fullmatch(r"processes 5 exceeded: \d", outcome.error)
    assert survivors([int(path.read_text() or 0) for path in limited.folder.glob("*.pid")]) == []


def test_a_limit_that_is_kept_ends_nothing(limited: Any) -> None:
    generous = Limits(memory_max=500 * MIB, cpu_time=timedelta(hours=1), open_files=100, processes=50)
    outcome = limited.shell("sleep 0.2 & sleep 0.2 & wait; ulimit -n; exit 3", resources=generous)
    assert isinstance(outcome, Failed)
    assert outcome.error == "exit status 3"
    assert limited.sink.stdout == b"100\n"


def test_a_cancel_wins_over_a_limit(limited: Any, collected: Any) -> None:
    control = Control()
    sink = collected(None, lambda: control.stop(StopReason.CANCELLED))
    line = f"trap 'exec {sys.executable} -S hold.py 60' TERM; echo on; while :; do sleep 0.01; done"
    resources = Limits(memory_max=40 * MIB)
    outcome = limited.shell(line, control=control, sink=sink, resources=resources, kill_grace=timedelta(seconds=60))
    assert isinstance(outcome, Stopped)


def test_a_python_job_and_what_it_starts_have_limits(limited: Any) -> None:
    limited.module("""
        import subprocess, sys, os, time
        def start(size):
            subprocess.run([sys.executable, "-S", "hold.py", str(size)])
        def spin():
            while True: pass
        def many():
            [os.fork() or time.sleep(1000) for _ in range(6)]
            time.sleep(1000)
        def pid(): return os.getpid()
    """)
    outcomes = [
        limited.call("start", {"size": 90}, resources=Limits(memory_max=80 * MIB)),
        limited.call("spin", resources=Limits(cpu_time=timedelta(seconds=0.4))),
        limited.call("many", resources=Limits(processes=4)),
    ]
    assert [outcome.error.split(" exceeded")[0] for outcome in outcomes] == [
        "memory_max 80 MiB",
        "cpu_time 0.4 s",
        "processes 4",
    ]
    # Each run is counted by itself.
    resources = Limits(memory_max=200 * MIB)
    assert limited.call("pid", resources=resources).result != limited.call("pid", resources=resources).result


@BOTH
def test_what_orphans_and_descendants_used_is_told(limited: Any) -> None:
    burn = f"{sys.executable} -S -c 'while __import__(\"time\").process_time() < 0.2: pass'"
    outcome = limited.shell(f"(setsid {burn} & echo $! > orphan); {burn}; while kill -0 $(cat orphan); do :; done 2>&-")
    assert isinstance(outcome, Succeeded)
    assert outcome.cpu > 0.39
    code = "import time; x = b'x' * 40_000_000; time.sleep(0.5)"
    both = limited.shell(f'{sys.executable} -S -c "{code}" & {sys.executable} -S -c "{code}" & wait')
    assert both.peak_memory > 80_000_000


def test_what_each_run_of_a_warm_child_used_is_its_own(limited: Any) -> None:
    limited.module("""
        import os, subprocess, sys, time
        def use(size, code=""):
            kept = b"x" * size
            if code:
                subprocess.run([sys.executable, "-S", "-c", code])
            return os.getpid()
    """)
    large, small = (limited.call("use", {"size": size}) for size in (60_000_000, 1000))
    assert large.result == small.result  # the same child
    assert large.peak_memory > 60_000_000 > small.peak_memory > 0
    code = "import time\nx = b'x' * 50_000_000\nwhile time.process_time() < 0.2: pass\ntime.sleep(0.3)"
    below = limited.call("use", {"size": 30_000_000, "code": code})
    assert below.cpu > 0.2
    assert below.peak_memory > 80_000_000
    assert limited.call("use", {"size": 1000}).cpu < 0.2


def test_looking_is_frequent_while_a_tree_grows_and_seldom_where_nothing_is_limited() -> None:
    watch = Watch({"processes": 10}, 0.0)
    pauses = [watch.pause]
    for pids in ([], [], [], [os.getpid()], []):
        watch.look(pids, watch.due)
        pauses.append(watch.pause)
    assert pauses == [0.02, 0.04, 0.08, 0.1, 0.02, 0.04]
    free = Watch({"open_files": 5}, 0.0)
    pauses = [free.pause]
    for now in (0.1, 8.0, 400.0):
        free.look([os.getpid()], now)
        pauses.append(free.pause)
    assert pauses == [0.1, 0.1, 1.0, 10.0]
    assert free.due >= 410.0


def test_what_is_said_of_a_limit() -> None:
    assert (
        str(Exceeded("memory_max", 64 * MIB, 71.25 * MIB, 3)) == "memory_max 64 MiB exceeded: 71.2 MiB in 3 processes"
    )
    assert str(Exceeded("memory_max", MIB, 2 * MIB, 0)) == "memory_max 1 MiB exceeded: 2 MiB"
    assert str(Exceeded("cpu_time", 90, 90.52, 1)) == "cpu_time 90 s exceeded: 90.5 s in 1 process"
    assert str(Exceeded("processes", 20, 23, 23)) == "processes 20 exceeded: 23"
    assert str(Exceeded("processes", 20, 0, 0)) == "processes 20 exceeded: one more was refused"


def test_nobody_uses_nothing() -> None:
    assert usage_of([]) == Usage(0, 0.0, 0)
    assert usage_of([2**22 + 1]) == Usage(0, 0.0, 0)


@BOTH
def test_a_launcher_that_may_not_use_cgroups_says_so(limited: Any) -> None:
    place = limited.launcher.place
    assert place.words.startswith("no cgroups: " if place.folder is None else "a cgroup for each attempt")
    if place.folder is not None:
        limited.shell("cat /proc/self/cgroup")
        assert f"/{cgroup.name_for(limited.launcher.mark)}/1.1\n".encode() in limited.sink.stdout
        assert list(Path(place.folder).glob("1.*")) == []
