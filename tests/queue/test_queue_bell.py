"""Bells: a ring wakes whoever listens, wherever the store lies; one that nobody hears harms nobody."""

from __future__ import annotations

import os
import select
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobrunner.queue.bell import Bell, ring, silence


def rung(bell: Bell, seconds: float = 0) -> bool:
    poller = select.poll()
    poller.register(bell.fileno(), select.POLLIN)
    return bool(poller.poll(seconds * 1000))


@pytest.fixture
def bell(tmp_path: Path) -> Iterator[Bell]:
    bell = Bell(tmp_path / "jobrunner.db")
    yield bell
    bell.close()


def test_a_ring_is_heard_until_it_is_cleared(bell: Bell) -> None:
    assert not rung(bell)
    ring([bell.address])
    assert rung(bell)
    bell.clear()
    assert not rung(bell)


def test_of_many_rings_none_blocks_and_all_are_cleared_at_once(bell: Bell) -> None:
    for _ in range(2_000):
        ring([bell.address])
    assert rung(bell)
    bell.clear()
    assert not rung(bell)


def test_another_process_can_ring(bell: Bell) -> None:
    code = "import sys; from jobrunner.queue.bell import ring; ring(sys.argv[1:])"
    subprocess.run([sys.executable, "-c", code, bell.address], check=True)
    assert rung(bell)


def test_it_stands_beside_the_store_and_belongs_to_its_owner(bell: Bell, tmp_path: Path) -> None:
    path = Path(bell.address)
    assert path.parent == tmp_path
    assert path.name.startswith(f"jobrunner.db-wake.{os.getpid()}.")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_ISSOCK(path.stat().st_mode)


@pytest.mark.parametrize("name", ["jobrunner.db", "n" * 200 + ".db", "ü€𝄞" * 25])
def test_paths_that_are_too_long_for_an_address(tmp_path: Path, name: str) -> None:
    folder = tmp_path / ("deep" * 20) / ("deeper" * 10)
    folder.mkdir(parents=True)
    bell = Bell(folder / name)
    try:
        ring([bell.address])
        assert rung(bell)
    finally:
        bell.close()
    assert list(folder.iterdir()) == []


def test_one_that_is_closed_is_gone_and_others_are_rung_all_the_same(bell: Bell, tmp_path: Path) -> None:
    closed = Bell(tmp_path / "jobrunner.db")
    closed.close()
    assert not Path(closed.address).exists()
    left = tmp_path / "left-behind"
    left.touch()
    ring([closed.address, str(tmp_path / "none" / "x"), str(left), "/" + "x" * 300 + "/y", bell.address])
    assert rung(bell)


def test_the_socket_of_a_server_that_was_killed_is_removed(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from jobrunner.queue.bell import Bell;"
        " print(Bell(Path(sys.argv[1])).address, flush=True); os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "jobrunner.db")]
    address = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
    assert Path(address).exists()
    ring([address])
    silence(address)
    silence(address)
    assert not Path(address).exists()


def test_children_do_not_inherit_it(bell: Bell) -> None:
    assert not os.get_inheritable(bell.fileno())
