"""References in texts of jobs.toml: ``${VAR}`` is an environment variable, ``${file:PATH}`` what a file holds.

``$${`` writes ``${`` itself. In PATH, ``$NAME`` is an environment variable, so that a systemd credential is
``${file:$CREDENTIALS_DIRECTORY/name}``. Resolved by settings when the file is read, elsewhere when an attempt needs it.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from jobrunner.domain.params import escape
from jobrunner.errors import JobrunnerError
from jobrunner.jobfile.words import one_line

if TYPE_CHECKING:
    from jobrunner.domain.job import HttpRequest

MAX_FILE_BYTES = 64 * 1024

_REFERENCE = r"\$\$\{|\$\{([^}]*)(\}?)"
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_IN_PATH = r"\$([A-Za-z_][A-Za-z0-9_]*)"


class ReferenceFailed(JobrunnerError):
    """A reference that cannot be read, or names a variable or file that is not there."""

    exit_status = 78


def resolve(
    text: str, *, environ: Mapping[str, str], where: str, folder: str | None = None
) -> tuple[str, tuple[str, ...]]:
    """The text with its references resolved, and the values that came from them, which are to be masked.

    ``where`` (``jobs.backup.env.PGPASSWORD``) begins the error; ``folder`` is what a relative PATH is relative to.
    A file's trailing line breaks are left out.

    Raises:
        ReferenceFailed: a reference that is malformed, unset, or cannot be read.
    """
    secrets: list[str] = []
    value = _Resolver(environ, folder, secrets).text(text, where)
    return value, tuple(dict.fromkeys(secrets))


def malformed(text: str) -> str | None:
    """Why a text's references cannot be read, whatever the environment is; None when they can."""
    if "${" not in text:
        return None
    for match in re.finditer(_REFERENCE, text):
        if match[0] == "$${":
            continue
        if not match[2]:
            return 'has a reference that does not end; close it with "}", or write $${ for the text ${'
        inner = match[1]
        named = re.fullmatch(_NAME, inner, re.ASCII) or (inner.startswith("file:") and inner[5:].strip())
        if not named:
            shown = one_line(inner[:40])
            return f"has ${{{shown}}}, which is neither ${{NAME}} nor ${{file:PATH}}; $${{ writes the text ${{"
    return None


def resolve_env(
    env: Mapping[str, str], *, environ: Mapping[str, str], where: str, folder: str | None = None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """``resolve`` for every value of a job's ``env``; ``where`` is the path of the table."""
    secrets: list[str] = []
    resolver = _Resolver(environ, folder, secrets)
    values = {name: resolver.text(text, f"{where}.{name}") for name, text in env.items()}
    return values, tuple(dict.fromkeys(secrets))


def resolve_request(
    request: HttpRequest, *, environ: Mapping[str, str], where: str, folder: str | None = None
) -> tuple[HttpRequest, tuple[str, ...]]:
    """``resolve`` for every text of a request; ``where`` is the path of its table.

    Braces that come from a reference are doubled, so that filling in the parameters afterwards gives them back.
    """
    secrets: list[str] = []
    resolver = _Resolver(environ, folder, secrets, finish=escape)
    resolved = request._replace(
        url=resolver.text(request.url, f"{where}.url"),
        headers={name: resolver.text(text, f"{where}.headers.{name}") for name, text in request.headers.items()},
        json=resolver.within(request.json, f"{where}.json"),
        body=None if request.body is None else resolver.text(request.body, f"{where}.body"),
    )
    return resolved, tuple(dict.fromkeys(secrets))


class _Resolver:
    """Resolves any number of texts in one environment, and gathers what came from references."""

    def __init__(
        self,
        environ: Mapping[str, str],
        folder: str | None,
        secrets: list[str],
        finish: Callable[[str], str] = str,
    ) -> None:
        self._environ = environ
        self._folder = folder
        self._secrets = secrets
        self._finish = finish

    def text(self, text: str, where: str) -> str:
        if "${" not in text:
            return text
        complaint = malformed(text)
        if complaint:
            raise ReferenceFailed(f"{where} {complaint}")
        return re.sub(_REFERENCE, lambda match: self._replace(match, where), text)

    def within(self, value: Any, where: str) -> Any:
        if isinstance(value, str):
            return self.text(value, where)
        if isinstance(value, dict):
            return {key: self.within(inner, f"{where}.{key}") for key, inner in value.items()}
        if isinstance(value, list):
            return [self.within(inner, where) for inner in value]
        return value

    def _replace(self, match: re.Match[str], where: str) -> str:
        if match[0] == "$${":
            return "${"
        inner = match[1]
        found = self._file(inner[5:].strip(), where) if inner.startswith("file:") else self._variable(inner, where)
        if found:
            self._secrets.append(found)
        return self._finish(found)

    def _variable(self, name: str, where: str) -> str:
        value = self._environ.get(name)
        if value is None:
            raise ReferenceFailed(f"{where}: the environment variable {name} is not set")
        return value

    def _file(self, written: str, where: str) -> str:
        shown = one_line(written)
        path = re.sub(_IN_PATH, lambda match: self._variable(match[1], where), written)
        if not os.path.isabs(path):
            if self._folder is None:
                raise ReferenceFailed(f"{where}: the path of ${{file:{shown}}} must be absolute")
            path = os.path.join(self._folder, path)
        try:
            return _content(path)
        except OSError as error:
            reason = error.strerror or str(error)
        except ValueError as error:
            reason = str(error)
        raise ReferenceFailed(f"{where}: ${{file:{shown}}} cannot be read: {reason}")


def _content(path: str) -> str:
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("not a regular file")
        raw = file.read(MAX_FILE_BYTES + 1)
    if len(raw) > MAX_FILE_BYTES:
        raise ValueError("larger than 64 KiB")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    if "\0" in text:
        raise ValueError("it holds a NUL character")
    return text.rstrip("\r\n")
