"""Cgroups as this machine has them. What needs controllers, which few machines hand out, is read from its texts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobrunner.execution import cgroup
from jobrunner.execution.cgroup import Group, Place

SCRIPT = """
import json, os
from jobrunner.execution import cgroup
from jobrunner.execution.cgroup import Group

def child():
    return os.posix_spawn("/bin/sleep", ["sleep", "1000"], {})

place = cgroup.find("0123456789abcdef")
if place.folder is None:
    print(json.dumps({"why": place.why}))
    raise SystemExit
before, home = cgroup.own_group(), cgroup.way_home()
entered = Group(place, "1.1", {}, home)
forked = Group(place, "1.2", {})
first = entered.inside(child)
second = forked.fork() or os.execv("/bin/sleep", ["sleep", "1000"])
print(json.dumps({
    "lets_in": [entered.lets_in, forked.lets_in],
    "names": [cgroup.name_of(pid, place) for pid in (first, second, os.getpid())],
    "came_back": cgroup.own_group() == before,
    "processes": [list(group.processes()) == [pid] for group, pid in ((entered, first), (forked, second))],
    "refused": entered.refused(),
    "used": forked.processor_time() is not None,
    "busy": entered.remove(),
    "killed": (entered.kill(), os.waitpid(first, 0)[1])[1],
    "removed": entered.remove(),
    "strange": cgroup.end(place.folder, "another mark"),
    "ended": cgroup.end(place.folder, "0123456789abcdef"),
    "status": os.waitpid(second, 0)[1],
    "left": os.path.exists(place.folder),
}))
"""


def test_a_group_holds_what_is_started_in_it() -> None:
    found = json.loads(subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True).stdout)
    if "why" in found:
        pytest.skip(f"no cgroup can be made here: {found['why']}")
    assert found == {
        "lets_in": [True, False],
        "names": ["1.1", "1.2", None],
        "came_back": True,
        "processes": [True, True],
        "refused": None,
        "used": True,
        "busy": False,
        "killed": 9,
        "removed": True,
        "strange": 0,
        "ended": 1,
        "status": 9,
        "left": False,
    }


def test_what_the_system_says_of_limits_that_it_held(tmp_path: Path) -> None:
    group = Group(Place(str(tmp_path), ("memory", "pids")), "1.1", {"memory_max": 1024**2}, home=0)
    assert not group.lets_in  # who goes in would count
    assert (group.refused(), group.peak_memory(), group.processor_time()) == (None, None, None)
    folder = Path(group.path)
    (folder / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n")
    (folder / "memory.peak").write_text("74448896\n")
    (folder / "memory.events").write_text("low 0\nhigh 0\nmax 12\noom 0\noom_kill 0\noom_group_kill 0\n")
    (folder / "pids.events").write_text("max 0\n")
    assert (group.refused(), group.peak_memory(), group.processor_time()) == (None, 74448896, 1.5)
    (folder / "pids.events").write_text("max 3\n")
    assert group.refused() == "processes"
    (folder / "memory.events").write_text("low 0\nhigh 0\nmax 12\noom 1\noom_kill 2\noom_group_kill 1\n")
    assert group.refused() == "memory_max"


def test_what_is_no_cgroup_is_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / cgroup.name_for("0123456789abcdef")
    (folder / "1.1").mkdir(parents=True)
    assert cgroup.end(str(folder), "0123456789abcdef") == 0
    cgroup.leave(Place(str(folder)), "0123456789abcdef.1", os.getpid())
    assert (folder / "1.1").is_dir()


def test_the_words_for_people() -> None:
    assert Place(None, why="there is none").words == "no cgroups: there is none"
    assert Place("/sys/fs/cgroup/a/jobrunner-x").words == "a cgroup for each attempt, below /sys/fs/cgroup/a"
    limited = Place("/a/jobrunner-x", ("memory", "pids")).words
    assert limited == "a cgroup for each attempt, which holds the limits of memory and pids, below /a"
