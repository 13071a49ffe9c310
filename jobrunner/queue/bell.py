"""Wake-ups between processes of one host: a local datagram socket for each server, beside the SQLite file.

A datagram says only "look again"; one that is lost costs at most the server's safety query, a second later.
"""

from __future__ import annotations

import errno
import glob
import logging
import os
import socket
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger(__name__)

_LONGEST = 100
"""Addresses of local sockets end at 108 bytes; longer ones go through the folder's descriptor."""

_LONGEST_NAME = 40


class Bell:
    """The ear of one server. ``address`` is what others ring; ``fileno`` becomes readable when somebody does."""

    def __init__(self, beside: Path) -> None:
        self._path = beside.with_name(f"{_prefix(beside)}.{os.getpid()}.{os.urandom(4).hex()}")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        with _Reachable(self._path) as address:
            self._socket.bind(address)
        os.chmod(self._path, 0o600)
        self.address = str(self._path)

    @classmethod
    def beside(cls, store: Path) -> Bell | None:
        """The bell of a server on the SQLite file ``store``; None, and a remark, where its folder cannot have one.

        The sockets of servers that were killed are removed.
        """
        for path in deserted(store):
            silence(path)
        try:
            return cls(store)
        except OSError as error:
            log.warning("new runs are found a second late: no socket can be made beside %s: %s", store, error.strerror)
            return None

    def fileno(self) -> int:
        return self._socket.fileno()

    def clear(self) -> None:
        """Takes what was rung so far."""
        try:
            while self._socket.recv(16):
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        self._socket.close()
        silence(str(self._path))


def ring(addresses: Iterable[str]) -> None:
    """Wakes the servers behind these addresses, as far as they can be reached."""
    addresses = list(addresses)
    if not addresses:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as sender:
        for path in addresses:
            try:
                with _Reachable(Path(path)) as address:
                    sender.sendto(b"!", address)
            except OSError:
                continue


def silence(address: str) -> None:
    """Removes the socket of a server that is gone, if that is ours to do."""
    try:
        os.unlink(address)
    except OSError:
        pass


def deserted(store: Path) -> list[str]:
    """The sockets beside a store at which nobody listens any more: their servers were killed."""
    found = list[str]()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as sender:
        for path in glob.glob(f"{glob.escape(str(store.with_name(_prefix(store))))}.*"):
            try:
                with _Reachable(Path(path)) as address:
                    sender.sendto(b"!", address)
            except OSError as error:
                if error.errno == errno.ECONNREFUSED:
                    found.append(path)
    return found


def _prefix(store: Path) -> str:
    return f"{store.name.encode()[:_LONGEST_NAME].decode(errors='ignore')}-wake"


class _Reachable:
    """The path itself, or where it is too long for a socket's address, a shorter one to the same place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder: int | None = None

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) <= _LONGEST:
            return str(self._path)
        self._folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._folder}/{self._path.name}"

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            os.close(self._folder)
