"""Which cgroup an attempt gets, with cgroups as this machine has them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, os
from jobrunner.execution import cgroup
from jobrunner.execution.groups import Groups

place = cgroup.find("0123456789abcdef")
if place.folder is None:
    print(json.dumps({"why": place.why}))
    raise SystemExit
if place.limits:
    print(json.dumps({"why": "controllers are handed down, and count on"}))
    raise SystemExit

def run(group, *words):
    return group.inside(lambda: os.posix_spawn("/bin/sh", ["sh", "-c", *words], {}))

def wait(pid, group):
    # What it has started may be in the group for a moment more.
    status = os.waitpid(pid, 0)[1]
    while "populated 1" in open(group.path + "/cgroup.events").read():
        pass
    return status

groups, found = Groups(place, "1"), {}
rare = [groups.take(number, {}, moves=False) for number in range(9)]
found["rare ones are forked into theirs"] = not any(group.lets_in for group in rare)
for group in rare:
    groups.release(group)
found["and have it removed"] = not any(os.path.exists(group.path) for group in rare)

groups.release(groups.take(20, {}, moves=True))
first = groups.take(30, {}, moves=True)
found["many in a row go into theirs"] = first.lets_in
status = wait(run(first, "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"), first)
spent = first.processor_time()
other = groups.take(31, {}, moves=True)
found["two at once have two"] = other.path != first.path
groups.release(first)
again = groups.take(32, {}, moves=True)
found["what is empty is used again"] = again is first
found["with an account of its own"] = status == 0 and spent > 0.02 and again.processor_time() < spent / 2
found["which names it"] = (pid := run(again, "sleep 1000")) and cgroup.name_of(pid, place) == again.name

groups.release(again)
found["what is not empty is not"] = groups.take(33, {}, moves=True) is not again
found["but stays"] = os.path.exists(again.path)
again.kill(), wait(pid, again)
groups.take(34, {}, moves=True)
found["until it is"] = not os.path.exists(again.path)

divided = groups.take(50, {}, moves=True)
os.mkdir(divided.path + "/below")
pid = run(divided, f"echo 0 > {divided.path}/below/cgroup.procs; exec sleep 1000")
while not open(divided.path + "/below/cgroup.procs").read():
    pass
groups.release(divided)
found["nor is one with something below it"] = groups.take(51, {}, moves=True) is not divided
divided.kill(), wait(pid, divided)

wait(run(other, "true"), other)
groups.release(other)
last = groups.take(40, {"cpu_time": 1.0}, moves=True)
limited = groups.take(35, {"cpu_time": 1.0}, moves=True)
found["limits get a new one"] = limited is not other and os.path.exists(other.path)
groups.take(36, {}, moves=False)
found["none is kept for those that come much later"] = not os.path.exists(other.path)
groups.give_up()
groups.release(last)
found["nor where there are none any more"] = groups.take(38, {}, moves=False) is None and not os.path.exists(last.path)
cgroup.close(place)
print(json.dumps(found))
"""


def test_a_group_that_was_left_empty_is_used_again_by_what_comes_soon_after() -> None:
    said = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True).stdout
    found = json.loads(said)
    if "why" in found:
        pytest.skip(f"no cgroup can be used again here: {found['why']}")
    assert len(found) == 14
    assert [what for what, true in found.items() if not true] == []
