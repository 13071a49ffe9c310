"""Messages between server, launcher and warm children: a length, a JSON text, and descriptors beside it."""

from __future__ import annotations

import array
import json
import socket
import struct
from collections import deque
from collections.abc import Sequence
from typing import Any

_HEAD = struct.Struct("!I")
_CHUNK = 8192
_MOST_FDS = 16
_CLOEXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)

_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
_decode = json.JSONDecoder().raw_decode


def pack(message: Any) -> bytes:
    """The bytes of one message."""
    return frame(encode(message))


def encode(message: Any) -> bytes:
    """Its JSON text."""
    return _encode(message).encode("ascii")


def frame(body: bytes) -> bytes:
    """The bytes of one message whose JSON text is there already."""
    return _HEAD.pack(len(body)) + body


def send(channel: socket.socket, message: Any, fds: Sequence[int] = ()) -> None:
    """Sends one message whole; the descriptors travel with its first byte."""
    data = pack(message)
    if not fds:
        channel.sendall(data)
        return
    rights = array.array("i", fds)
    sent = channel.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
    if sent < len(data):
        channel.sendall(data[sent:])


class Inbox:
    """Puts what a stream brings together to messages, and descriptors to the messages that they came with."""

    __slots__ = ("_buffer", "_fds", "_missing")

    def __init__(self) -> None:
        self._buffer = b""
        self._missing = 0
        self._fds: deque[int] = deque()

    def read(self, channel: socket.socket) -> bool:
        """Takes what is there; False at the end of the stream. Waits only where nothing is there."""
        try:
            data = channel.recv(max(_CHUNK, self._missing))
        except ConnectionResetError:
            return False
        self._buffer = self._buffer + data if self._buffer else data
        return bool(data)

    def read_with_fds(self, channel: socket.socket) -> bool:
        """As ``read``, with the descriptors that come along; they are not inheritable."""
        try:
            data, ancillary, _, _ = channel.recvmsg(65536, socket.CMSG_SPACE(_MOST_FDS * 4), _CLOEXEC)
        except ConnectionResetError:
            return False
        for level, kind, raw in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds = array.array("i")
                fds.frombytes(raw[: len(raw) - len(raw) % fds.itemsize])
                self._fds.extend(fds)
        self._buffer = self._buffer + data if self._buffer else data
        return bool(data)

    def next(self) -> Any:
        """The next whole message, None where there is none yet."""
        if len(self._buffer) < 4:
            return None
        end = 4 + _HEAD.unpack_from(self._buffer)[0]
        if len(self._buffer) < end:
            self._missing = end - len(self._buffer)
            return None
        self._missing = 0
        body, self._buffer = self._buffer[4:end], self._buffer[end:]
        return _decode(body.decode())[0]

    def take_fds(self, count: int) -> list[int]:
        """The descriptors of the message just given."""
        return [self._fds.popleft() for _ in range(count)]
