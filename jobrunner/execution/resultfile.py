"""The file into which a command writes its result. Named before it starts, read and removed after it has ended.

The command makes it: most write no result, and to make a file in a folder of which others have just been removed can
cost more than to start a program (ext4 looks for an inode that has not been in use lately).
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import stat
import tempfile
import threading

from jobrunner.execution.wording import one_line

MOST = 1024 * 1024
"""Bytes of JSON text that a result may have."""


class BadResult(Exception):
    """The file holds what cannot be a result; one line says why."""


class ResultFile:
    """``path`` leads to nothing yet, in a folder that only its user can enter, until ``remove``."""

    __slots__ = ("_folder", "path")

    def __init__(self, path: str, folder: str | None) -> None:
        self.path = path
        self._folder = folder

    def read(self) -> object:
        """The JSON value; None where nothing was written.

        Raises:
            BadResult: it is too large, not JSON, or no longer an ordinary file.
        """
        if self._is_unwritten():
            return None
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            reason = "it is a link" if error.errno == errno.ELOOP else os.strerror(error.errno or 0).lower()
            raise BadResult(f"the result cannot be read: {reason}") from None
        try:
            found = os.fstat(fd)
            # A second name could lead to a file that the command itself may not read.
            if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
                raise BadResult("the result cannot be read: it is not an ordinary file")
            text = _read(fd)
        finally:
            os.close(fd)
        if len(text) > MOST:
            raise BadResult(f"the result is larger than 1 MiB ({max(found.st_size, len(text)):,} bytes)")
        return _parse(text)

    def _is_unwritten(self) -> bool:
        """Whether nothing is there: to open a file costs more than to look."""
        try:
            os.lstat(self.path)
        except OSError as error:
            return error.errno == errno.ENOENT
        return False

    def remove(self) -> None:
        """Whatever has become of it."""
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass
        except OSError:
            shutil.rmtree(self.path, ignore_errors=True)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


class ResultFiles:
    """Places in a folder of this server, which is made when first needed. ``name`` begins all its names."""

    def __init__(self, name: str) -> None:
        self._prefix = f"{name}-"
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._folder = ""

    def new(self, user: str | None) -> ResultFile:
        """A place for the file of one attempt; for another user in a folder of that user's own.

        Raises:
            OSError: no room, or no folder for temporary files.
        """
        if user is not None and os.geteuid() == 0:
            return _foreign(user, self._prefix)
        # Not named by the run: a store that is set back gives numbers again, and late writers know the name.
        return ResultFile(os.path.join(self._place(), f"{next(self._numbers)}.json"), None)

    def close(self) -> None:
        """Removes the folder."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""

    def _place(self) -> str:
        with self._lock:
            if not self._folder or not _still_there(self._folder):
                self._folder = tempfile.mkdtemp(prefix=self._prefix)
            return self._folder


def _still_there(folder: str) -> bool:
    """Whether what cleans /tmp has left it; being in use, it is not old."""
    try:
        os.utime(folder)
    except FileNotFoundError:
        return False
    return True


def _foreign(user: str, prefix: str) -> ResultFile:
    import pwd

    folder = tempfile.mkdtemp(prefix=prefix)
    try:
        entry = pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
    except KeyError:
        pass  # the start will say so
    else:
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    return ResultFile(os.path.join(folder, "result.json"), folder)


def _read(fd: int) -> bytes:
    """What the file holds, or one byte more than a result may."""
    parts, missing = [], MOST + 1
    while missing and (part := os.read(fd, missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _parse(text: bytes) -> object:
    if not text.strip():
        return None
    try:
        return json.loads(text.decode("utf-8"), parse_constant=_refuse)
    except UnicodeDecodeError:
        raise BadResult("the result is not JSON: it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadResult(
            f"the result is not JSON: {one_line(error.msg)} (line {error.lineno}, column {error.colno})"
        ) from None
    except (ValueError, RecursionError) as error:
        raise BadResult(f"the result is not JSON: {one_line(str(error))}") from None


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is not a JSON value")
