"""A descriptor that one thread waits for in its poll loop and any other may ring. Used by Control."""

from __future__ import annotations

import os
from typing import Protocol


class Bell(Protocol):
    """``fd`` is readable from ``ring`` until ``hush``."""

    fd: int

    def ring(self) -> None: ...

    def hush(self) -> None: ...

    def close(self) -> None: ...


def new_bell() -> Bell:
    """A bell of one descriptor where the system has eventfd, else of a pipe."""
    return _EventBell() if hasattr(os, "eventfd") else _PipeBell()


class _EventBell:
    __slots__ = ("fd",)

    def __init__(self) -> None:
        self.fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def ring(self) -> None:
        os.eventfd_write(self.fd, 1)

    def hush(self) -> None:
        try:
            os.eventfd_read(self.fd)
        except BlockingIOError:
            pass

    def close(self) -> None:
        os.close(self.fd)


class _PipeBell:
    __slots__ = ("_writer", "fd")

    def __init__(self) -> None:
        self.fd, self._writer = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._writer, False)

    def ring(self) -> None:
        try:
            os.write(self._writer, b"!")
        except BlockingIOError:
            pass

    def hush(self) -> None:
        try:
            while os.read(self.fd, 4096):
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        os.close(self.fd)
        os.close(self._writer)
