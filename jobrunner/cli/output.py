"""stdout is data, stderr is people: everything that a command says goes through here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from jobrunner.errors import ConfigError, JobrunnerError


class OutputClosed(Exception):
    """Whoever read standard output has gone (``| head``): no fault, and nothing more to say."""


def write(text: str) -> None:
    """A line of data on standard output. What a person or a job named has been sanitised by the caller.

    Raises:
        OutputClosed: the reader has gone.
        JobrunnerError: standard output cannot be written, such as on a full disk.
    """
    with _writing():
        sys.stdout.write(text + "\n")


def write_lines(lines: Iterable[str]) -> None:
    """Lines of data; raises as ``write``."""
    for line in lines:
        write(line)


def write_piece(text: str) -> None:
    """Text without a line's end, at once; raises as ``write``."""
    with _writing():
        sys.stdout.write(text)
        sys.stdout.flush()


def write_bytes(data: bytes) -> None:
    """Bytes as they are, at once; raises as ``write``."""
    with _writing():
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def write_json(value: Any) -> None:
    """One JSON document: indented on a terminal, on one line elsewhere; raises as ``write``."""
    from jobrunner.presentation.json import document

    write(document(value, indent=sys.stdout.isatty()))


def write_json_line(value: Any) -> None:
    """One line of a JSON stream, at once; raises as ``write``."""
    from jobrunner.presentation.json import document

    write_piece(document(value) + "\n")


def finish() -> None:
    """Flushes standard output, so that a failure shows before the status is decided; raises as ``write``."""
    with _writing():
        sys.stdout.flush()


def drop() -> None:
    """Sends the rest of standard output nowhere, so that the interpreter's own flush at the end cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def say(message: str) -> None:
    """One line for people on standard error; a standard error that cannot be written is nobody's fault."""
    from jobrunner.presentation.sanitise import plain

    try:
        sys.stderr.write(f"jobrunner: {plain(message)}\n")
        sys.stderr.flush()
    except OSError:
        pass


def say_error(error: JobrunnerError) -> None:
    """An error in one line; of a configuration every problem in one."""
    if isinstance(error, ConfigError):
        for problem in error.problems:
            say(str(problem))
    else:
        say(str(error))


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise JobrunnerError(f"cannot write standard output: {error.strerror}") from error
