"""A file of the configuration, read to be changed, and replaced as a whole or not at all. Called by admin's editing."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from jobrunner.errors import ConfigError, Problem, Refused
from jobrunner.jobfile.source import load

_MODE = 0o7777


class Original(NamedTuple):
    """What a file held when somebody began to change it. ``path`` is its real path, ``name`` as people know it."""

    path: str
    name: str
    text: str
    raw: bytes


def original(path: str) -> Original:
    """Reads a file that is to be changed; it may be invalid.

    Raises:
        ConfigError: it cannot be read, is unsafe, or is not UTF-8.
    """
    real = os.path.realpath(path)
    source = load(path)
    if source.broken is not None and not source.text:
        raise ConfigError([source.broken])
    return Original(real, source.name, source.text, source.text.encode())


def replace(before: Original, text: str) -> None:
    """Puts a text in the place of what was read: at once, with the file's mode and owner.

    Raises:
        Refused: somebody else has changed it meanwhile, or it cannot be written.
    """
    folder = os.path.dirname(before.path)
    try:
        with _alone(before.path), open(before.path, "r+b") as held:  # a file that may not be written is not replaced
            if held.read() != before.raw:
                raise Refused(f"{before.name} has been changed by somebody else meanwhile", hint="nothing was written")
            _swap(before.path, folder, text, os.fstat(held.fileno()))
    except OSError as error:
        raise Refused(f"cannot write {before.name}: {error.strerror or error}", hint="nothing was changed") from error


def keep_beside(before: Original, text: str) -> str:
    """Keeps a text that could not be applied in a file of its own, and gives its path; the temporary folder serves
    where that of the file cannot be written."""
    folder, name = os.path.split(before.path)
    for place in (folder, None):
        try:
            # Not *.toml: it must not be taken for one of those that are included.
            descriptor, path = tempfile.mkstemp(prefix=f"{name}.", suffix=".rejected", dir=place)
        except OSError:
            continue
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return path
    raise Refused("the text cannot be kept anywhere: no folder can be written")


def problems_at(problems: tuple[Problem, ...], name: str, *, lines_before: int) -> list[Problem]:
    """Problems of a file as problems of a part of it that begins so many lines below its beginning."""
    return [
        problem._replace(line=problem.line - lines_before)
        if problem.file == name and problem.line is not None and problem.line > lines_before
        else problem
        for problem in problems
    ]


@contextmanager
def _alone(path: str) -> Iterator[None]:
    """Two that replace the same file do it one after the other: the second finds that it has changed."""
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _swap(path: str, folder: str, text: str, stat: os.stat_result) -> None:
    descriptor, fresh = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", suffix=".new", dir=folder)
    try:
        with open(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            if (stat.st_uid, stat.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), stat.st_uid, stat.st_gid)
            os.fchmod(file.fileno(), stat.st_mode & _MODE)
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except BaseException:
        os.unlink(fresh)
        raise
    _sync(folder)


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
