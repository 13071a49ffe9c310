"""Server, launcher or guard killed with -9 at work: nothing of the jobs survives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from jobrunner.domain.clock import SystemClock
from jobrunner.domain.job import Command, PythonCall
from jobrunner.execution import Control, Execution, Launcher, Stopped, StopReason, Succeeded, end_left

SERVER = """
import json, sys, threading
from jobrunner.domain.clock import SystemClock
from jobrunner.domain.job import Command, Job, PythonCall
from jobrunner.execution import AttemptSpec, Control, Execution, Launcher

class Sink:
    def output(self, stream, data): pass
    def progress(self, progress): pass
    def started(self, pid): pass

folder, hidden = sys.argv[1], ""
launcher = Launcher.start(cgroups=sys.argv[2:] != ["marks"])
execution = Execution(launcher, SystemClock())
if sys.argv[2:] == ["hidden"]:
    hidden = "(env -i setsid sh ./keep.sh hidden &); "
with open(folder + "/trace.json", "w") as file:
    json.dump([launcher.mark, launcher.place.folder], file)

def work(number, kind):
    job = Job(name="job", kind=kind, folder=folder, timezone="UTC", definition="{}")
    execution.execute(AttemptSpec(run_id=number, attempt=1, max_attempts=1, job=job, trigger="manual", server="s"),
                      Control(), Sink())

for number in range(3):
    threading.Thread(target=work, args=(number, Command(line=f"{hidden}sh ./tree.sh c{number}"))).start()
threading.Thread(target=work, args=(9, PythonCall(target="tree:grow"))).start()
"""

KEEP = """
trap '' TERM HUP INT
echo $$ > $1.new; mv $1.new $1.pid
while :; do sleep 1; done
"""

TREE = """
sh ./keep.sh $1-inner &
setsid sh ./keep.sh $1-away >/dev/null 2>&1 &
(setsid sh ./keep.sh $1-orphan &)
. ./keep.sh
"""

GROW = """
import os, subprocess, time
def grow():
    with open("python.new", "w") as file:
        file.write(str(os.getpid()))
    os.rename("python.new", "python.pid")
    subprocess.run(["sh", "./tree.sh", "p"])
"""

COUNT = 3 * 4 + 1 + 4


@pytest.fixture
def forest(tmp_path: Path) -> Path:
    (tmp_path / "tree.sh").write_text(TREE)
    (tmp_path / "keep.sh").write_text(KEEP)
    (tmp_path / "tree.py").write_text(GROW)
    return tmp_path


@pytest.fixture
def server(forest: Path) -> Iterator[psutil.Process]:
    script = forest / "server.py"
    script.write_text(textwrap.dedent(SERVER))
    with subprocess.Popen([sys.executable, str(script), str(forest)], stderr=subprocess.DEVNULL) as process:
        yield psutil.Process(process.pid)
        process.kill()
    # Where guard and launcher were gone before it.
    end_left(*json.loads((forest / "trace.json").read_text()))


def _chain(server: psutil.Process) -> tuple[psutil.Process, psutil.Process]:
    """Guard and launcher."""
    (guard,) = [child for child in server.children() if "jobrunner.execution.guard" in child.cmdline()]
    (launcher,) = [child for child in guard.children() if "jobrunner.execution.guard" in child.cmdline()]
    return guard, launcher


@pytest.mark.parametrize(
    "victims", [("server",), ("launcher",), ("guard",), ("server", "launcher"), ("guard", "server")]
)
def test_nothing_survives_a_kill(
    victims: tuple[str, ...],
    server: psutil.Process,
    forest: Path,
    pids_in: Callable[[Path, int], list[int]],
    survivors: Callable[[list[int]], list[int]],
) -> None:
    pids = pids_in(forest, COUNT)
    guard, launcher = _chain(server)
    chain = {"server": server, "guard": guard, "launcher": launcher}
    for victim in victims:
        chain[victim].send_signal(signal.SIGKILL)
    gone = [*pids, *(chain[name].pid for name in ("guard", "launcher"))]
    if victims == ("launcher",) or victims == ("guard",):
        assert survivors([pid for pid in gone if pid != server.pid]) == []
        assert server.is_running()
    else:
        assert survivors(gone) == []


@pytest.mark.parametrize("keeper", ["hidden", "marks"])
def test_what_is_left_when_all_three_are_killed_is_ended_later(
    keeper: str,
    forest: Path,
    pids_in: Callable[[Path, int], list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = forest / "server.py"
    script.write_text(SERVER)
    with subprocess.Popen([sys.executable, str(script), str(forest), keeper], env=_temporary(forest)) as process:
        pids = pids_in(forest, COUNT + (keeper == "hidden"))
        mark, group = json.loads((forest / "trace.json").read_text())
        if keeper == "hidden" and group is None:
            process.kill()
            pytest.skip("no cgroup can be made here, and nothing else finds what wipes its environment")
        watchers = [psutil.Process(process.pid), *_chain(psutil.Process(process.pid))]
        for watcher in watchers:
            watcher.suspend()
        for watcher in watchers:
            watcher.kill()
    assert sum(map(alive, pids)) >= len(pids) - 1  # the warm child dies with the launcher
    assert list((forest / "tmp").iterdir())
    monkeypatch.setattr(tempfile, "tempdir", str(forest / "tmp"))
    assert end_left("0" * 24, group) == 0
    assert end_left(mark, group) >= len(pids) - 1
    assert [pid for pid in pids if alive(pid)] == []
    assert group is None or not Path(group).exists()
    assert list((forest / "tmp").iterdir()) == []


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def _temporary(forest: Path) -> dict[str, str]:
    (forest / "tmp").mkdir()
    return os.environ | {"TMPDIR": str(forest / "tmp")}


@pytest.fixture
def own(forest: Path) -> Iterator[tuple[Execution, Launcher]]:
    """An execution that a test may break."""
    launcher = Launcher.start()
    execution = Execution(launcher, SystemClock())
    yield execution, launcher
    execution.close()
    launcher.close()


def _guard_of(launcher: Launcher) -> psutil.Process:
    mark = (launcher.token + ".").encode()
    (guard,) = [
        child for child in psutil.Process().children() if mark in Path(f"/proc/{child.pid}/environ").read_bytes()
    ]
    return guard


@pytest.mark.parametrize("victims", ["guard", "launcher", "both"])
@pytest.mark.parametrize("kind", [Command(line="sh ./tree.sh c"), PythonCall(target="tree:grow")])
def test_a_lost_launcher_interrupts_its_attempts_and_is_replaced(
    own: tuple[Execution, Launcher],
    bench: Any,
    forest: Path,
    kind: Any,
    victims: str,
    collected: Any,
    pids_in: Callable[[Path, int], list[int]],
    survivors: Callable[[list[int]], list[int]],
    eventually: Callable[..., bool],
) -> None:
    execution, launcher = own
    outcomes: list[Any] = []
    spec = bench.spec(bench.job(kind, folder=str(forest)))
    thread = threading.Thread(target=lambda: outcomes.append(execution.execute(spec, Control(), collected())))
    thread.start()
    pids = pids_in(forest, 4)
    guard = _guard_of(launcher)
    below = guard.children()[0]
    if victims in ("guard", "both"):
        guard.kill()
    if victims in ("launcher", "both"):
        below.kill()
    thread.join(30)
    assert outcomes == [Stopped(reason=StopReason.INTERRUPTED, killed=True)]
    assert survivors([*pids, guard.pid, below.pid]) == []
    assert not launcher.lost
    for again in (Command(line="true"), PythonCall(target="os:getpid")):
        spec = bench.spec(bench.job(again, folder=str(forest)))
        assert isinstance(execution.execute(spec, Control(), collected()), Succeeded)


def test_a_launcher_lost_while_idle_is_noticed_and_replaced(
    own: tuple[Execution, Launcher], bench: Any, collected: Any, eventually: Callable[..., bool]
) -> None:
    execution, launcher = own
    run = lambda kind: execution.execute(bench.spec(bench.job(kind)), Control(), collected())  # noqa: E731
    assert isinstance(run(PythonCall(target="os:getpid")), Succeeded)
    guard = _guard_of(launcher)
    guard.children()[0].kill()
    assert eventually(lambda: launcher.lost)
    assert isinstance(run(PythonCall(target="os:getpid")), Succeeded)
    assert not launcher.lost
    assert _guard_of(launcher).pid != guard.pid


def test_closing_ends_everything_at_once(
    own: tuple[Execution, Launcher],
    bench: Any,
    forest: Path,
    collected: Any,
    pids_in: Callable[[Path, int], list[int]],
    survivors: Callable[[list[int]], list[int]],
) -> None:
    execution, launcher = own
    outcomes: list[Any] = []
    spec = bench.spec(bench.job(Command(line="sh ./tree.sh c"), folder=str(forest)))
    thread = threading.Thread(target=lambda: outcomes.append(execution.execute(spec, Control(), collected())))
    thread.start()
    pids = pids_in(forest, 4)
    launcher.close()
    thread.join(30)
    assert outcomes == [Stopped(reason=StopReason.INTERRUPTED, killed=True)]
    assert survivors(pids) == []
    assert not launcher.lost


def test_signals_for_the_server_do_not_end_guard_and_launcher(
    own: tuple[Execution, Launcher], bench: Any, collected: Any
) -> None:
    execution, launcher = own
    spec = bench.spec(bench.job(Command(line="true")))
    assert isinstance(execution.execute(spec, Control(), collected()), Succeeded)
    guard = _guard_of(launcher)
    for process in (guard, *guard.children()):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            process.send_signal(number)
    assert isinstance(execution.execute(spec, Control(), collected()), Succeeded)
    assert os.getpgid(guard.pid) != os.getpgid(0)


def test_what_is_said_to_the_server_alone_is_not_inherited(
    bench: Any, collected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS", "JOBRUNNER_RUN_ID", "JOBRUNNER_PARAM_OLD"):
        monkeypatch.setenv(name, "from outside")
    monkeypatch.setenv("JOBRUNNER_CONFIG", "jobs.toml")
    launcher = Launcher.start()
    try:
        execution = Execution(launcher, SystemClock())
        sink = collected()
        execution.execute(bench.spec(bench.job(Command(line="env"))), Control(), sink)
        execution.close()
    finally:
        launcher.close()
    assert b"from outside" not in sink.stdout
    assert b"JOBRUNNER_CONFIG=jobs.toml" in sink.stdout
