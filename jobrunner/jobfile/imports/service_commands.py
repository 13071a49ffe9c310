"""What a service of systemd executes, as the command of a job. Called by ``timer_jobs``.

Source: systemd.service(5), "Command lines" and ``ExecStart=``; systemd.exec(5) on ``EnvironmentFile=``.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import NamedTuple

from jobrunner.jobfile.imports.units import Setting, Unit, words

Say = Callable[[str, Setting | None], None]
"""Takes a remark, and the line that it is about."""

_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_STEPS = {"ExecCondition": " || exit 0", "ExecStartPre": "", "ExecStart": "", "ExecStartPost": ""}
"""The keys of commands in the order of their execution, and what stands behind each in a script."""


class Step(NamedTuple):
    """One command: its words, whether it may fail, and what stands behind it in a script."""

    argv: list[str]
    may_fail: bool
    behind: str


def command_of(unit: Unit, expanded: Callable[[str], str], say: Say) -> str | list[str] | None:
    """The command of a service, a list where it is one plain program; None where there is none."""
    steps = list[Step]()
    for key, behind in _STEPS.items():
        for setting in unit.all("Service", key):
            found = _commands(expanded(setting.value))
            if found is None:
                say(f"{key} was not carried over: a quote does not end", setting)
            for argv, flags in found or ():
                _remark(flags, setting, say)
                steps.append(Step(argv, "-" in flags, behind))
    if not unit.all("Service", "ExecStart") or not steps:
        return None
    files = [_sourced(expanded(setting.value)) for setting in unit.all("Service", "EnvironmentFile")]
    lone = len(steps) == 1 and not files and not steps[0].may_fail and not steps[0].behind
    if lone and not any(_VARIABLE.search(word) or _is_variable(word) for word in steps[0].argv):
        return steps[0].argv
    if lone:
        return _line(steps[0])
    return "\n".join(("set -e", *files, *map(_line, steps))) + "\n"


def _commands(text: str) -> list[tuple[list[str], str]] | None:
    """The commands of one value, which a lone ``;`` parts, with the marks before their programs."""
    found = words(text)
    if found is None:
        return None
    commands, current = list[tuple[list[str], str]](), list[str]()
    for word in [*found, "\0"]:
        if word != "\0":
            current.append(word)
        elif current:
            program = current[0].lstrip("@-:+!|")
            flags = current[0][: len(current[0]) - len(program)]
            argv = [program, *current[2 if "@" in flags else 1 :]]
            commands.append(([word.replace("$", "$$") for word in argv] if ":" in flags else argv, flags))
            current = []
    return [(argv, flags) for argv, flags in commands if argv[0].strip()]


def _remark(flags: str, setting: Setting, say: Say) -> None:
    if set(flags) & set("+!"):
        say("a command with more rights than its service (+ or !) runs with those of the job", setting)
    if "@" in flags:
        say("the other name that a program is called by (@) was not carried over", setting)


def _line(step: Step) -> str:
    text = " ".join(_quoted(word) for word in step.argv)
    return f"{text} || true" if step.may_fail else text + step.behind


def _quoted(word: str) -> str:
    """A word for the shell, in which variables are what they are to systemd: split only where one is the whole word."""
    if _is_variable(word):
        return word
    if not _VARIABLE.search(word):
        return f'"{_escaped(word)}"' if "'" in word else shlex.quote(word)
    pieces, place = list[str](), 0
    for match in _VARIABLE.finditer(word):
        pieces += [_escaped(word[place : match.start()]), _escaped("$") if match[0] == "$$" else match[0]]
        place = match.end()
    return '"' + "".join([*pieces, _escaped(word[place:])]) + '"'


def _is_variable(word: str) -> bool:
    return re.fullmatch(r"\$[A-Za-z_][A-Za-z0-9_]*", word) is not None


def _escaped(text: str) -> str:
    return re.sub(r'([\\"$`])', r"\\\1", text)


def _sourced(value: str) -> str:
    """The line that takes variables from a file, whose syntax is nearly that of a shell."""
    path = shlex.quote(value.lstrip("-"))
    line = f"set -a; . {path}; set +a"
    return f"if [ -r {path} ]; then {line}; fi" if value.startswith("-") else line
