"""What is read of a pipe: all that it holds, and a wider one for whoever fills it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator

import pytest

from jobrunner.execution.output import CHUNK, Pipe


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    yield reader, writer
    os.close(reader)
    os.close(writer)


def width(fd: int) -> int:
    return fcntl.fcntl(fd, fcntl.F_GETPIPE_SZ)


def test_little_is_read_as_it_is(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    before = width(reader)
    read = Pipe(reader).read
    assert read() is None
    os.write(writer, b"hello")
    assert read() == b"hello"
    assert width(reader) == before


def test_a_full_pipe_is_emptied_and_made_wider(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    read = Pipe(reader).read
    assert os.write(writer, b"x" * 16 * CHUNK) == CHUNK
    assert read() == b"x" * CHUNK
    assert width(reader) == 16 * CHUNK
    assert os.write(writer, b"y" * 32 * CHUNK) == 16 * CHUNK
    assert read() == b"y" * 16 * CHUNK
    assert read() is None
    os.write(writer, b"z")
    assert read() == b"z"


def test_the_end_comes_after_the_last_bytes(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    read = Pipe(reader).read
    os.write(writer, b"x" * CHUNK)
    os.dup2(reader, writer)  # nobody holds the writing end any more
    assert read() == b"x" * CHUNK
    assert read() == b""
