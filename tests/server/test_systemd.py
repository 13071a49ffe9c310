from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobrunner.server.systemd import Systemd


@pytest.fixture(params=["path", "abstract"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """The address as systemd would give it, and the service manager's end."""
    name = f"@jobrunner-test-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind("\0" + name[1:] if name[0] == "@" else name)
        end.settimeout(5)
        yield name, end


def test_messages_arrive(listener: tuple[str, socket.socket]) -> None:
    address, end = listener
    systemd = Systemd.from_environment({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"})
    systemd.ready()
    systemd.reloading(12.5)
    systemd.watchdog()
    systemd.stopping()
    assert [end.recv(1_000) for _ in range(4)] == [
        b"READY=1",
        b"RELOADING=1\nMONOTONIC_USEC=12500000",
        b"WATCHDOG=1",
        b"STOPPING=1",
    ]


def test_without_a_watchdog_there_is_no_sign_of_life(listener: tuple[str, socket.socket]) -> None:
    address, end = listener
    systemd = Systemd.from_environment({"NOTIFY_SOCKET": address})
    systemd.watchdog()
    systemd.ready()
    assert end.recv(1_000) == b"READY=1"
    assert systemd.watchdog_interval is None


def test_no_job_inherits_what_systemd_gave() -> None:
    environ = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": str(os.getpid()), "HOME": "/root"}
    assert Systemd.from_environment(environ).watchdog_interval == 0.5
    assert environ == {"HOME": "/root"}


@pytest.mark.parametrize(
    ("micros", "pid", "interval"),
    [("20000000", "", 10.0), ("20000000", "1", None), ("0", "", None), ("soon", "", None), ("", "", None)],
)
def test_the_watchdogs_terms(micros: str, pid: str, interval: float | None) -> None:
    environ = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": micros, "WATCHDOG_PID": pid}
    assert Systemd.from_environment(environ).watchdog_interval == interval


@pytest.mark.parametrize(
    "address", ["", "relative", "vsock:2:1234", "/nowhere/at/all", "@nobody-listens-here", "/" + "x" * 500]
)
def test_where_nobody_listens_nothing_happens(address: str) -> None:
    systemd = Systemd.from_environment({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"})
    systemd.ready()
    systemd.watchdog()
    systemd.stopping()


def test_outside_of_systemd_all_is_silent() -> None:
    systemd = Systemd.from_environment({})
    systemd.ready()
    assert systemd.watchdog_interval is None
