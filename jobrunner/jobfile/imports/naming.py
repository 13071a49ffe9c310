"""Names for jobs that had none: short, readable, from what their commands say. Called by the import of crontabs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Container

from jobrunner.jobfile.imports.shell import operators
from jobrunner.jobfile.shapes import NAME_PATTERN

_LONGEST = 40
_WRAPPERS = {
    "chronic": "",
    "cronic": "",
    "chrt": "",
    "doas": "u",
    "env": "uS",
    "exec": "",
    "flock": "wE",
    "gosu": "",
    "ionice": "cnp",
    "nice": "n",
    "nohup": "",
    "setsid": "",
    "su": "gG",
    "sudo": "ugCDRT",
    "taskset": "",
    "time": "fo",
    "timeout": "ks",
}
"""Programs that run another one, and those of their short options that take a value."""

_OPERANDS = {"flock": 1, "timeout": 1, "taskset": 1, "chrt": 1, "gosu": 1}
_INTERPRETER = re.compile(r"(python|perl|ruby|php|node|bash|sh|dash|zsh|ksh|lua|java|Rscript)[\d.]*", re.ASCII)
_PREPARING = frozenset(". : [ [[ cd command export set sleep source test true ulimit umask which".split())  # noqa: SIM905
_COMMANDERS = frozenset(
    (  # noqa: SIM905
        "artisan aws borg bundle console docker drush exec git invoke-rc.d kubectl make manage npm npx occ podman "
        "poetry rails rake restic run service systemctl uv wp yarn"
    ).split()
)
"""Programs, without their endings, of which the words after them say what the job is."""

_VAGUE = frozenset("app cli cron cronjob index job main manage run runner script start task tasks update".split())  # noqa: SIM905
_NO_PLACES = frozenset(("", ".", "..", "bin", "sbin", "scripts", "html", "public", "web", "src", "app", "current"))
_KEYWORDS = frozenset(("if", "then", "else", "elif", "do", "while", "until", "!", "{", "("))
_ENDING = re.compile(r"\.(sh|bash|py|pl|php|rb|js|mjs|ts|jar|exe|r|lua)$", re.ASCII | re.IGNORECASE)
_DEPTH = 4


def name_of(command: str, depth: int = _DEPTH) -> str:
    """A name from a command line; ``job`` where it says nothing. ``depth``: how many shells within shells are read."""
    return next((name for part in _parts(command) if (name := _of_simple(_words(part), depth))), "job")


def unique(name: str, taken: Container[str]) -> str:
    """The name, with a number behind it where it is taken."""
    if name not in taken:
        return name
    return next(other for number in range(2, 1_000_000) if (other := f"{name}-{number}") not in taken)


def slug(text: str) -> str:
    """The text as a name: small letters, digits, dashes and underscores; empty where nothing is left."""
    small = re.sub(r"[^a-z0-9_]+", "-", text.lower(), flags=re.ASCII).strip("-_")
    if len(small) > _LONGEST:
        small = (small[:_LONGEST].rpartition("-")[0] or small[:_LONGEST]).strip("-_")
    if re.fullmatch(r"b?\d+", small):
        return f"job-{small}"
    return small if re.fullmatch(NAME_PATTERN, small, re.ASCII) else ""


def _parts(line: str) -> list[str]:
    """The simple commands of a line."""
    start, parts = 0, list[str]()
    for operator in operators(line):
        parts.append(line[start : operator.end].rstrip().removesuffix(operator.text))
        start = operator.end
    return [*parts, line[start:]]


def _words(part: str) -> list[str]:
    """The words of a simple command from its program on."""
    try:
        words = shlex.split(part)
    except ValueError:
        words = part.split()
    place = 0
    while place < len(words) and (words[place] in _KEYWORDS or re.match(r"[A-Za-z_]\w*=", words[place])):
        place += 1
    return [word.lstrip("(") for word in words[place:]]


def _of_simple(words: list[str], depth: int) -> str:
    """The name that a simple command gives, or nothing: it only prepares another one."""
    program = words[0].rpartition("/")[2] if words else ""
    if not program or not depth or program in _PREPARING:
        return ""
    if program in ("flock", "su") and "-c" in words[:-1]:
        return name_of(words[words.index("-c") + 1], depth - 1)
    if program in _WRAPPERS:
        return _of_simple(_behind(words, program), depth - 1) or slug(program)
    if _INTERPRETER.fullmatch(program):
        return _of_interpreter(words, depth)
    return _of_program(words)


def _behind(words: list[str], wrapper: str) -> list[str]:
    """The words of the command that a wrapper runs."""
    rest = words[1:]
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if len(option) == 2 and option[1] in _WRAPPERS[wrapper] and rest:
            rest.pop(0)
    return _words(shlex.join(rest[_OPERANDS.get(wrapper, 0) :]))


def _of_interpreter(words: list[str], depth: int) -> str:
    rest = words[1:]
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "-m" and rest:
            return _of_program([rest[0].replace(".", "/"), *rest[1:]])
        if re.fullmatch(r"-[a-z]*c", option) and rest:
            return name_of(rest[0], depth - 1)
        if option in ("-e", "-r"):
            return ""
        if option in ("-d", "-W", "-X", "-I") and rest:
            rest.pop(0)
    return _of_program(rest) if rest else slug(words[0].rpartition("/")[2])


def _of_program(words: list[str]) -> str:
    path = words[0].rstrip("/")
    base = _ENDING.sub("", path.rpartition("/")[2])
    if base in ("run-parts", "curl", "wget"):
        place = next((word for word in words[1:] if "/" in word and not word.startswith("-")), base)
        return slug(_end_of(place))
    if base in _COMMANDERS:
        told = next((word for word in words[1:] if _says(word)), "")
        if told:
            return slug(_ENDING.sub("", told.rpartition("/")[2]))
    if base.lower() in _VAGUE:
        folders = [folder for folder in path.split("/")[:-1] if folder not in _NO_PLACES]
        return slug(f"{folders[-1]} {base}") if folders else slug(base)
    return slug(base)


def _says(word: str) -> bool:
    """Whether a word behind a commander is one that names what is done."""
    return not re.match(r"-|\d|[<>&|(]", word) and "=" not in word and _ENDING.sub("", word) not in _COMMANDERS


def _end_of(address: str) -> str:
    """The words of a URL or path that say most: the host and the end of the path, or the end of the path."""
    if "://" not in address:
        return address.rstrip("/").rpartition("/")[2]
    host, _, path = address.partition("://")[2].partition("?")[0].partition("/")
    name = host.rpartition("@")[2].partition(":")[0].removeprefix("www.")
    return f"{name} {_ENDING.sub('', path.rstrip('/').rpartition('/')[2])}"
