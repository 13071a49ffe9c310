"""Command lines for a shell, read as far as an import needs: plain words, a folder in front, where to break a line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

_BARE = r"[A-Za-z0-9_@%+=:,./^-]"
_QUOTED = r"'[^'{}\n]*'|\"[^\"$`\\!{}\n]*\""
_WORD = rf"(?:{_BARE}|{_QUOTED})+"
_PLAIN = re.compile(rf"{_BARE}+(?:[ \t]+{_WORD})*")
_FOLDER = re.compile(rf"cd[ \t]+((?:{_BARE}|{_QUOTED})+)[ \t]*&&[ \t]*(.+)", re.DOTALL)
_OPERATOR = re.compile(r"&&|\|\||;;|[;|&\n]")
_SHELLS_OWN = frozenset(
    (  # noqa: SIM905
        ". : [ ! { } alias bg bind break builtin caller case cd command compgen complete continue coproc declare dirs "
        "disown do done echo elif else enable esac eval exec exit export false fc fg fi for function getopts hash "
        "help history if in jobs kill let local logout mapfile popd printf pushd pwd read readonly return select set "
        "shift shopt source suspend test then time times trap true type typeset ulimit umask unalias unset until wait "
        "while"
    ).split()
)
"""What a shell does itself, or does differently from the program of the same name."""


def plain_argv(line: str) -> list[str] | None:
    """The words of a line that means the same without a shell; None where anything in it is the shell's."""
    if not _PLAIN.fullmatch(line):
        return None
    words = shlex.split(line)
    if "=" in words[0] or words[0] in _SHELLS_OWN or not words[0].strip():
        return None
    return words


def without_folder(line: str) -> tuple[str | None, str]:
    """The absolute folder that ``cd FOLDER &&`` begins a line with, and the rest of it.

    Only where a folder that is not there would end the whole line: not before a list with ``;``, ``||`` or ``&``.
    """
    match = _FOLDER.fullmatch(line)
    if match is None:
        return None, line
    folder = shlex.split(match[1])[0]
    ends = {operator.text for operator in operators(match[2])} - {"&&", "|"}
    if not folder.startswith("/") or ends or "<<" in match[2]:
        return None, line
    return folder, match[2]


class Operator(NamedTuple):
    """A control operator outside of quotes, and where the blanks after it end."""

    text: str
    end: int


def operators(line: str) -> Iterator[Operator]:
    """The control operators of a line, in order, those in parentheses and braces too."""
    place = 0
    while place < len(line):
        if line[place] == "\\":
            place += 2
        elif line[place] in "'\"`":
            place = _after_quote(line, place)
        elif line[place : place + 2] in ("<&", ">&", "&>"):
            place += 2
        elif match := _OPERATOR.match(line, place):
            blanks = re.compile(r"[ \t]*").match(line, match.end())
            place = blanks.end() if blanks else match.end()
            yield Operator(match[0], place)
        else:
            place += 1


def with_input(line: str, text: str) -> str:
    """The line with a text on its standard input, as a here-document."""
    mark = next(mark for number in range(1_000_000) if (mark := f"END{number or ''}") not in text.split("\n"))
    body = text if text.endswith("\n") else text + "\n"
    if next(operators(line), None) is None and not re.search(r"[<#(){}\\]", line):
        return f"{line} <<'{mark}'\n{body}{mark}\n"
    return f"{{\n{line}\n}} <<'{mark}'\n{body}{mark}\n"


def _after_quote(line: str, place: int) -> int:
    quote = line[place]
    place += 1
    while place < len(line) and line[place] != quote:
        place += 2 if line[place] == "\\" and quote != "'" else 1
    return place + 1
