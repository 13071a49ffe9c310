"""One file of the configuration as it was read, and what is wrong with it.

Refuses what is unsafe, too large, not UTF-8 or not TOML. Faults are kept by key path and given a line and a column
only when somebody asks for them.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import tomli

from jobrunner.errors import Problem
from jobrunner.jobfile.excerpt import excerpt
from jobrunner.jobfile.words import dotted, one_line, quoted

if TYPE_CHECKING:
    from jobrunner.jobfile.positions import Positions

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 100
_LARGE_BYTES = 64 * 1024
"""What is smaller is parsed sooner than it is taken apart."""
MAX_KEY_PARTS = 200

Path = tuple[str | int, ...]


class Fault(NamedTuple):
    """A fault at a path of keys; ``on_key`` where the key is wrong rather than its value."""

    path: Path
    message: str
    on_key: bool


class Source:
    """One file: its name as people know it, its text and tree, and the faults and warnings found so far."""

    def __init__(self, name: str, text: str = "", tree: dict[str, Any] | None = None) -> None:
        self.name = name
        self.text = text
        self.tree: dict[str, Any] = tree or {}
        self.broken: Problem | None = None
        self._faults: dict[Fault, None] = {}
        self._warnings: dict[Fault, None] = {}
        self._found: Positions | None = None

    def fault(self, path: Path, message: str, *, on_key: bool = False) -> None:
        """Notes a fault; the message follows the path of the key in the text that people read."""
        self._faults[Fault(path, one_line(f"{dotted(path)} {message}"), on_key)] = None

    def fault_as(self, path: Path, message: str, *, on_key: bool = True) -> None:
        """Notes a fault whose message says itself what it is about."""
        self._faults[Fault(path, one_line(message), on_key)] = None

    def warn(self, path: Path, message: str, *, on_key: bool = False) -> None:
        """Notes a fault that leaves the file valid."""
        self._warnings[Fault(path, one_line(f"{dotted(path)} {message}" if path else message), on_key)] = None

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong so far, warnings aside."""
        return self.broken is None and not self._faults

    @property
    def fault_count(self) -> int:
        return len(self._faults) + (self.broken is not None)

    def messages(self) -> Iterator[str]:
        """The messages of all faults, without their places."""
        return (fault.message for fault in self._faults)

    def problems(self) -> list[Problem]:
        """Every fault, located, in the order of the text."""
        if self.broken is not None:
            return [self.broken]
        return self._located(self._faults)

    def warnings(self) -> list[Problem]:
        """Every warning, located, in the order of the text."""
        return self._located(self._warnings)

    def position(self, path: Path) -> tuple[int, int]:
        """Line and column of a key."""
        return self._positions.of(path, key=True)

    def repetition(self) -> tuple[Path, tuple[int, int], tuple[int, int]] | None:
        """The first key that is defined twice, and where: first, and again."""
        from jobrunner.jobfile.positions import Positions

        return Positions(self.text, wholly=True).repeated

    def _located(self, faults: Iterable[Fault]) -> list[Problem]:
        found = [self._locate(fault) for fault in faults]
        return sorted(found, key=lambda problem: (problem.line or 0, problem.column or 0, problem.message))

    def _locate(self, fault: Fault) -> Problem:
        if not fault.path:
            return Problem(file=self.name, line=None, column=None, message=fault.message)
        line, column = self._positions.of(fault.path, key=fault.on_key)
        return Problem(file=self.name, line=line, column=column, message=fault.message)

    @property
    def _positions(self) -> Positions:
        from jobrunner.jobfile.positions import Positions

        if self._found is None:
            self._found = Positions(self.text)
        return self._found


def load(path: str, *, without_jobs: bool = False, but: str | None = None) -> Source:
    """Reads and parses one file. What makes that impossible is in ``broken``; the tree is empty then.

    ``without_jobs``: where the tables of jobs can be told from the others at a glance they are not parsed, those of job
    ``but`` excepted; nor is what is wrong there seen.
    """
    source = Source(_printable(path))
    try:
        raw = _read_safely(path, source)
    except OSError as error:
        raw = None
        source.broken = _whole(source, _reason(error))
    if raw is not None and not (without_jobs and len(raw) > _LARGE_BYTES and _parse_excerpt(raw, source, but)):
        _parse(raw, source)
        if without_jobs and source.broken is not None:
            _parse_excerpt(raw, source, but)
    return source


def parse(path: str, text: str) -> Source:
    """Parses a text as if the file at ``path`` held it."""
    source = Source(_printable(path))
    raw = text.encode(errors="surrogatepass")
    if len(raw) > MAX_BYTES:
        source.broken = _whole(source, _TOO_LARGE)
    else:
        _parse(raw, source)
    return source


def read_text(path: str) -> tuple[str | None, str]:
    """The text of a file that the configuration names, or what is wrong with it, under the same rules."""
    source = Source(_printable(path))
    try:
        raw = _read_safely(path, source)
    except OSError as error:
        return None, _reason(error)
    if raw is None:
        assert source.broken is not None
        return None, source.broken.message
    try:
        return raw.decode(), ""
    except UnicodeDecodeError as error:
        return None, f"is not UTF-8 (byte {error.start + 1})"


def _read_safely(path: str, source: Source) -> bytes | None:
    # O_NONBLOCK: a pipe in the place of the file must not hold the reader up.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        status = os.fstat(file.fileno())
        complaint = _unsafe(status)
        if complaint:
            source.broken = _whole(source, complaint)
            return None
        if status.st_mode & stat.S_IWGRP:
            source.warn((), "its group can write it; `chmod g-w` it unless that is meant")
        return file.read(MAX_BYTES + 1)


def _unsafe(status: os.stat_result) -> str | None:
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if status.st_mode & stat.S_IWOTH:
        return "everybody can write it, so its jobs could be anybody's; `chmod o-w` it"
    if status.st_uid not in (0, os.geteuid()):
        owner = _owner(status.st_uid)
        return f"belongs to {owner}, neither root nor the user who runs this; `chown` it"
    if status.st_size > MAX_BYTES:
        return _TOO_LARGE
    return None


def _owner(uid: int) -> str:
    import pwd

    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user id {uid}"


def _parse_excerpt(raw: bytes, source: Source, but: str | None) -> bool:
    """Parses what stands outside of the tables of jobs other than ``but``; whether that could be done."""
    parsed = Source(source.name)
    _parse(excerpt(raw, but).text, parsed)
    if parsed.broken is not None:
        return False
    source.text, source.tree, source.broken = raw.decode(errors="replace"), parsed.tree, None
    return True


def _parse(raw: bytes, source: Source) -> None:
    try:
        source.text = raw.decode()
    except UnicodeDecodeError as error:
        source.broken = _not_utf8(raw, error, source)
        return
    bomb = _bomb(source.text)
    if bomb:
        source.broken = Problem(file=source.name, line=bomb[0], column=bomb[1], message=bomb[2])
        return
    try:
        source.tree = tomli.loads(source.text)
    except (ValueError, RecursionError) as error:
        source.broken = _syntax(source, error)


def _bomb(text: str) -> tuple[int, int, str] | None:
    """What would cost the reader of TOML more time or stack than any honest file does."""
    if text.startswith("\ufeff"):
        return 1, 1, "starts with a byte order mark; save it as UTF-8 without one"
    lines = text.split("\n")
    if max(map(len, lines)) > MAX_KEY_PARTS and text.count(".") >= MAX_KEY_PARTS:
        for number, line in enumerate(lines, 1):
            if line.count(".") >= MAX_KEY_PARTS:
                found = re.search(_LONG_KEY, line)
                if found:
                    return number, found.start() + 1, f"a key of more than {MAX_KEY_PARTS} parts"
    if max(text.count("["), text.count("{")) > MAX_DEPTH and _may_nest(text):
        return _too_deep(text)
    return None


def _may_nest(text: str) -> bool:
    """Whether lists and tables are more than five deep, as in few files: of 100,000 jobs a walk takes long."""
    marks = "".join(re.findall(_STRUCTURE, text, re.DOTALL))
    for _ in range(5):
        marks = marks.replace("[]", "").replace("{}", "")
    return marks != ""


def _too_deep(text: str) -> tuple[int, int, str] | None:
    depth = 0
    for token in re.finditer(_STRUCTURE, text, re.DOTALL):
        mark = token[1]
        if mark is None:
            continue
        if mark in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                line = text.count("\n", 0, token.start()) + 1
                column = token.start() - text.rfind("\n", 0, token.start())
                return line, column, f"lists and tables are nested more than {MAX_DEPTH} deep"
        else:
            depth = max(0, depth - 1)
    return None


def _syntax(source: Source, error: Exception) -> Problem:
    if isinstance(error, RecursionError):
        return _problem(source, 1, 1, "lists and tables are nested too deeply")
    message = str(error)
    place = re.search(_AT, message)
    if place is None and "limit" in message:
        return _long_number(source)
    text = re.sub(_AT, "", message).removesuffix(" (at end of document)")
    if text.startswith(("Cannot declare", "Cannot overwrite", "Duplicate", "Cannot redefine", "Cannot mutate")):
        repeated = source.repetition()
        if repeated:
            path, (first, _), (line, column) = repeated
            return _problem(source, line, column, f"{dotted(path)} is defined twice; first on line {first}")
    if text.startswith("Illegal character '\\n'"):
        text = "Text that is not closed on its line"
    line, column = (int(place[1]), int(place[2])) if place else _end(source.text)
    return _problem(source, line, column, f"not TOML: {text[:1].lower()}{text[1:]}{_remark(source.text, line)}")


def _remark(text: str, line: int) -> str:
    """What is most often behind a syntax error of this line."""
    lines = text.split("\n")
    words = lines[line - 1] if line <= len(lines) else ""
    if re.match(r"\s*[\w.-]+\s*:\s", words):
        return '; TOML writes "key = value"'
    if re.match(r"\s*[\w.-]+\s*=\s*(True|False|None|null)\b", words):
        return "; TOML writes true and false, and leaves out what has no value"
    if re.match(r"\s*[\w.-]+\s*=\s*0\d", words):
        return "; a number does not begin with 0: write octal as 0o22, or a text"
    if re.match(r"\s*[\w.-]+\s*=\s*[^\s\"'\d\[{+-]", words):
        return "; a text needs quotes"
    return ""


def _long_number(source: Source) -> Problem:
    found = re.search(r"\d[\d_]{4000}", source.text)
    start = found.start() if found else 0
    line = source.text.count("\n", 0, start) + 1
    return _problem(source, line, start - source.text.rfind("\n", 0, start), "a number of too many digits")


def _end(text: str) -> tuple[int, int]:
    stripped = text.rstrip()
    return stripped.count("\n") + 1, len(stripped) - stripped.rfind("\n")


def _not_utf8(raw: bytes, error: UnicodeDecodeError, source: Source) -> Problem:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _problem(source, 1, 1, "not UTF-8 but UTF-16; save it as UTF-8")
    before = raw[: error.start]
    column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
    return _problem(source, before.count(b"\n") + 1, column, f"not UTF-8: byte 0x{raw[error.start]:02x}")


def _problem(source: Source, line: int, column: int, message: str) -> Problem:
    return Problem(file=source.name, line=line, column=column, message=message)


def _whole(source: Source, message: str) -> Problem:
    return Problem(file=source.name, line=None, column=None, message=message)


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, IsADirectoryError):
        return "is a folder; name the file in it"
    return f"cannot be read: {error.strerror or error}"


def _printable(path: str) -> str:
    return path if path.isprintable() else quoted(path)


_TOO_LARGE = f"is larger than {MAX_BYTES // 1024**2} MiB"
_AT = r" \(at line (\d+), column (\d+)\)$"
_LONG_KEY = r"""(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){""" + f"{MAX_KEY_PARTS}}}"
_STRUCTURE = r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"|\'[^\'\n]*\'|#[^\n]*|([\[\]{}])'
