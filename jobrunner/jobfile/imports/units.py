"""Files of systemd's units, found and read with their drop-ins, and the words of their values. Called by
``timer_jobs``.

Source: systemd.unit(5), systemd.syntax(7), systemd.service(5) on command lines.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from jobrunner.errors import NotFound, Problem, Refused, UsageError

LONGEST = 1024 * 1024
"""Bytes that a file of a unit may have."""

_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}


class Setting(NamedTuple):
    """One line of a unit: ``key = value`` in a section, with the place where it stands."""

    section: str
    key: str
    value: str
    file: str
    line: int


class Unit:
    """A unit with its drop-ins. ``name`` is with the instance; ``file`` is what problems call it."""

    def __init__(self, name: str, file: str, settings: Sequence[Setting]) -> None:
        self.name, self.file = name, file
        self.settings = tuple(settings)

    def all(self, section: str, key: str) -> list[Setting]:
        """The settings of a key, in order, since the last empty one, which takes back what was before it."""
        found = list[Setting]()
        for setting in self.settings:
            if (setting.section, setting.key) == (section, key):
                found = [*found, setting] if setting.value else []
        return found

    def last(self, section: str, key: str) -> str:
        """The value that counts where there can be one; empty where there is none."""
        found = self.all(section, key)
        return found[-1].value if found else ""


class Units:
    """Looks for units in folders, the first one that has a name being the one that counts."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folders)

    def timer(self, said: str) -> tuple[Unit, Units]:
        """A timer by name or as a file, and where its service is to be looked for.

        Raises:
            NotFound: there is none.
            UsageError: it is no timer, or no file of a unit.
            Refused: it cannot be read.
        """
        if "/" in said or os.path.isfile(said):
            beside = Units((Path(said).parent, *self.folders))
            return beside._at(Path(said), _checked(Path(said).name)), beside
        name = _checked(said if re.search(r"\.[a-z]+$", said) else f"{said}.timer")
        return self.unit(name), self

    def unit(self, name: str) -> Unit:
        """A unit by its name; an instance may come from its template. Raises NotFound, UsageError, Refused."""
        for candidate in (name, template(name)):
            for folder in self.folders:
                if candidate and (folder / candidate).exists():
                    return self._at(folder / candidate, name)
        raise NotFound(f"there is no unit {name}", hint="name the file of its timer, or a folder's: ./NAME.timer")

    def _at(self, path: Path, name: str) -> Unit:
        if os.path.realpath(path) == os.devnull:
            raise UsageError(f"{path} is masked", hint="nothing would start it")
        settings = _read(path)
        for extra in self._drop_ins(name):
            settings += _read(extra)
        return Unit(name, str(path), settings)

    def _drop_ins(self, name: str) -> list[Path]:
        found: dict[str, Path] = {}
        for folder in self.folders:
            for owner in (name, template(name)):
                try:
                    entries = sorted((folder / f"{owner}.d").glob("*.conf")) if owner else []
                except OSError:
                    entries = []
                for entry in entries:
                    found.setdefault(entry.name, entry)
        return [found[each] for each in sorted(found) if os.path.realpath(found[each]) != os.devnull]


def template(name: str) -> str:
    """The name of the template that an instance is made of; empty for other names."""
    prefix, at, rest = name.partition("@")
    return f"{prefix}@.{rest.rpartition('.')[2]}" if at and "." in rest else ""


def parse_unit(text: str, file: str) -> list[Setting]:
    """The settings of a text.

    Raises:
        UsageError: it is no file of a unit.
    """
    settings, section = list[Setting](), ""
    lines = enumerate(text.split("\n"), 1)
    for number, line in lines:
        whole = line.strip()
        if not whole or whole[0] in "#;":
            continue
        while whole.endswith("\\") and (following := next(lines, None)) is not None:
            if not following[1].lstrip().startswith(("#", ";")):
                whole = f"{whole[:-1].rstrip()} {following[1].strip()}"
        if match := re.fullmatch(r"\[([^\]]+)\]", whole):
            section = match[1]
            continue
        key, equals, value = whole.partition("=")
        if not equals or not section:
            raise UsageError(str(Problem(file, number, None, "this is no line of a unit")), hint="name another file")
        settings.append(Setting(section, key.strip(), value.strip(), file, number))
    return settings


def specifiers(unit: str, *, home: str, user: str, system: bool, host: str) -> dict[str, str]:
    """What ``%`` and a letter stand for in a unit."""
    stem, _, kind = unit.rpartition(".")
    prefix, at, instance = stem.partition("@")
    places = ("/run", "/var/lib", "/var/cache", "/var/log", "/etc")
    if not system:
        places = (
            "${XDG_RUNTIME_DIR}",
            f"{home}/.local/state",
            f"{home}/.cache",
            f"{home}/.local/state/log",
            f"{home}/.config",
        )
    return {
        **dict(zip("tSCLE", places, strict=True)),
        "%": "%", "n": unit, "N": stem, "p": prefix, "i": instance, "I": _unescaped(instance), "P": _unescaped(prefix),
        "j": prefix.rpartition("-")[2], "J": _unescaped(prefix.rpartition("-")[2]), "h": home, "u": user, "H": host,
        "l": host.partition(".")[0], "T": "/tmp", "V": "/var/tmp", "s": "/bin/sh",  # noqa: S108
        "f": "/" + _unescaped(instance if at else prefix), "": kind,
    }  # fmt: skip


def expand(text: str, known: Mapping[str, str], unknown: set[str]) -> str:
    """The text with its specifiers replaced; those that are not known stay, and are added to ``unknown``."""

    def replace(match: re.Match[str]) -> str:
        if match[1] not in known or known[match[1]].startswith("$"):
            unknown.add(match[0])
            return match[0]
        return known[match[1]]

    return re.sub(r"%([A-Za-z%])", replace, text)


def words(text: str) -> list[str] | None:
    """The words of a value, quotes and escapes resolved; None where a quote does not end.

    A lone ``;`` outside of quotes, which parts commands, is a NUL.
    """
    found, word, quote, place = list[str](), None, "", 0
    while place < len(text):
        mark = text[place]
        if mark == "\\" and place + 1 < len(text):
            mark, place = _escaped(text, place + 1)
            word = (word or "") + mark
            continue
        place += 1
        if quote:
            if mark == quote:
                quote = ""
            else:
                word = (word or "") + mark
        elif mark == ";" and word is None and (place == len(text) or text[place].isspace()):
            found.append("\0")
        elif mark in "'\"":
            quote, word = mark, word or ""
        elif mark.isspace():
            found += [] if word is None else [word]
            word = None
        else:
            word = (word or "") + mark
    return None if quote else [*found, *([] if word is None else [word])]


def _escaped(text: str, place: int) -> tuple[str, int]:
    """What an escape stands for, and where it ends; one that is not known is the backslash itself."""
    mark = text[place]
    if match := re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([0-3][0-7]{2})").match(text, place):
        code = int(match[3], 8) if match[3] else int(match[1] or match[2], 16)
        return chr(code) if code and not 0xD800 <= code < 0xE000 else f"\\{match[0]}", match.end()
    if mark in _ESCAPES:
        return _ESCAPES[mark], place + 1
    return (mark if mark in "\\'\"; " else f"\\{mark}"), place + 1


def _unescaped(name: str) -> str:
    """What systemd-escape wrote: dashes are slashes, ``\\x2d`` is a dash."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), name.replace("-", "/"))


def _checked(name: str) -> str:
    if not name.endswith(".timer"):
        raise UsageError(f"{name} is no timer", hint="name the timer; its service is found by itself")
    if name.endswith("@.timer"):
        raise UsageError(f"{name} is a template", hint=f"name an instance: {name.replace('@', '@NAME')}")
    return name


def _read(path: Path) -> list[Setting]:
    try:
        with path.open("rb") as file:
            raw = file.read(LONGEST + 1)
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {path}") from error
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error
    if len(raw) > LONGEST or b"\0" in raw:
        raise UsageError(f"{path} is no file of a unit", hint="name another file")
    return parse_unit(raw.decode("utf-8", "replace"), str(path))
