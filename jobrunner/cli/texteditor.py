"""A person's text editor on a temporary copy of a text. Used by ``edit``."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from jobrunner.errors import JobrunnerError, Refused

_FALLBACKS = ("sensible-editor", "editor", "nano", "vim", "vi")


class TextEditor:
    """``$VISUAL``, else ``$EDITOR``, else what the system has, on a private copy; ``edit`` may be called again."""

    def __init__(self, text: str, name: str) -> None:
        self._command = command(os.environ)
        self._folder = tempfile.TemporaryDirectory(prefix="jobrunner-edit-")
        self._file = Path(self._folder.name, os.path.basename(name) or "jobs.toml")
        self._file.write_bytes(text.encode())
        self._file.chmod(0o600)

    def __enter__(self) -> TextEditor:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def edit(self) -> str:
        """The text as the person left it.

        Raises:
            JobrunnerError: the editor cannot be started, or says that it failed: then nothing is to be changed.
            Refused: what it left cannot be read as UTF-8.
        """
        try:
            status = subprocess.call([*self._command, str(self._file)])
        except OSError as error:
            raise JobrunnerError(f"cannot start the editor {self._command[0]}: {error.strerror}", hint=_SET) from error
        if status != 0:
            raise JobrunnerError(f"the editor {self._command[0]} ended with {status}; nothing was changed")
        try:
            return self._file.read_bytes().decode()
        except FileNotFoundError:
            raise Refused("the editor removed the file; nothing was changed") from None
        except UnicodeDecodeError:
            raise Refused("the text is not UTF-8; nothing was changed") from None


def command(environ: Mapping[str, str]) -> list[str]:
    """The editor and its arguments.

    Raises:
        JobrunnerError: there is none, or the variable that names it cannot be read.
    """
    for name in ("VISUAL", "EDITOR"):
        if environ.get(name, "").strip():
            try:
                return shlex.split(environ[name])
            except ValueError as error:
                raise JobrunnerError(f"${name} cannot be read: {error}", hint=_SET) from None
    for name in _FALLBACKS:
        if shutil.which(name):
            return [name]
    raise JobrunnerError("there is no editor", hint=_SET)


_SET = "set $EDITOR, for example EDITOR=nano"
