"""A crontab, read as cron reads it: lines with the variables in force, and the comments above. Called by
``cron_jobs``.

Source: cronie, ``env.c`` (load_env), ``entry.c`` (load_entry), ``do_command.c`` (the percent sign);
crontab(5) of Debian.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import NamedTuple

from jobrunner.errors import Problem, UsageError
from jobrunner.jobfile.imports import cron_times

LONGEST = 1024 * 1024
"""Bytes that a crontab may have."""

REFUSED = "not carried over"
"""How a remark about a line begins that gives no job."""

_ENTRY = re.compile(r"(-?)(@[A-Za-z_]+|(?:[^\s]+[ \t]+){4}[^\s]+)[ \t]+(.*)", re.DOTALL)
_FIELDS = re.compile(
    r"(?:[\d*?~hH][\w*?~/,()#-]*[ \t]+){3}[\w*?~/,()-]+[ \t]+[\w*?~/,#-]+[ \t]+\S|@[a-z]+[ \t]+[/\w.\[]"
)
_NAMES = "sun mon tue wed thu fri sat"
_SIX = re.compile(
    rf"(?:[\d*?/,-]+[ \t]+){{5}}(?:[\d*?/,-]+|(?:(?:{_NAMES.replace(' ', '|')})[-,]?)+)[ \t]", re.IGNORECASE
)
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}\$?", re.ASCII)
_AMBIGUOUS = frozenset("backup games git irc list mail man mysql news postgres proxy redis sync uucp www".split())  # noqa: SIM905
"""Accounts that often are there and bear the name of a program, so that they say nothing about a line."""

_KNOWN = frozenset("root nobody daemon bin sys www-data apache nginx mysql postgres git mail backup man proxy".split())  # noqa: SIM905


class Line(NamedTuple):
    """One job of a crontab. ``when`` is as written, ``text`` what comes after it (and after the user) as written.

    ``above`` are the comments since the job before, paragraphs parted by an empty text; those of the last paragraph
    stand right above the line where ``touching``.
    """

    number: int
    when: str
    user: str | None
    text: str
    variables: Mapping[str, str]
    above: tuple[str, ...]
    touching: bool


class Crontab(NamedTuple):
    """What was read: jobs in order, lines that cannot be read, variables with their lines, comments at the end."""

    lines: tuple[Line, ...]
    unread: tuple[Problem, ...]
    variables: tuple[tuple[int, str, str], ...]
    foot: tuple[str, ...]


def read_crontab(text: str, *, name: str, system: bool) -> Crontab:
    """Reads a crontab; ``system``: its lines have a user. ``name`` is what problems call it."""
    reading = _Reading(name, system)
    for number, line in enumerate(text.split("\n"), 1):
        reading.take(number, line.strip("\r").strip(" \t\v\f"))
    return Crontab(tuple(reading.lines), tuple(reading.unread), tuple(reading.assigned), tuple(_trimmed(reading.above)))


def has_users(text: str, *, name: str, accounts: Container[str]) -> bool:
    """Whether a crontab of unknown origin is a system's, with a user in its sixth column, judged by all its lines.

    Raises:
        UsageError: it cannot be told; what to say to tell it.
    """
    judged = {_judge(rest, accounts) for rest in _rests(text)} - {None}
    if judged == {True, False}:
        raise UsageError(
            f"{name}: some lines seem to have a user in their sixth column, and some do not",
            hint="say --system if it is a system's crontab, or --no-system if it is a user's",
        )
    if not judged and any(rest.split()[0] in _AMBIGUOUS for rest in _rests(text)):
        raise UsageError(
            f"{name}: the sixth column may be a user or a program",
            hint="say --system if it is a system's crontab, or --no-system if it is a user's",
        )
    return judged == {True}


def split_input(text: str) -> tuple[str, str | None]:
    r"""The command of a line, and what its first unescaped ``%`` gives it to read; ``\%`` is a percent sign."""
    place = 0
    while place < len(text) and text[place] != "%":
        place += 2 if text[place] == "\\" else 1
    command, given = text[:place].replace("\\%", "%"), text[place + 1 :]
    if not given:
        return command, None
    lines = re.sub(r"\\%|%", lambda found: "%" if found[0] == "\\%" else "\n", given)
    return command, lines if lines.endswith("\n") else lines + "\n"


def assignment(line: str) -> tuple[str, str] | None:
    """Name and value of a line that sets a variable, quotes taken off and nothing expanded; None for other lines."""
    match = re.fullmatch(
        r"""(?:'([^'=]*)'|"([^"=]*)"|([^\s='"][^\s=]*))\s*=\s*(?:'([^']*)'|"([^"]*)"|((?!['"]).*?))\s*""", line
    )
    if match is None:
        return None
    name = next(part for part in match.group(1, 2, 3) if part is not None)
    value = next(part for part in match.group(4, 5, 6) if part is not None)
    return (name, value) if name else None


def seems_a_job(comment: str) -> bool:
    """Whether a comment is a line that was taken out of service."""
    return bool(_FIELDS.match(comment.lstrip("# \t")))


class _Reading:
    """What has been read so far."""

    def __init__(self, name: str, system: bool) -> None:
        self.name, self.system = name, system
        self.lines: list[Line] = []
        self.unread: list[Problem] = []
        self.assigned: list[tuple[int, str, str]] = []
        self.above: list[str] = []
        self.variables: dict[str, str] = {}

    def take(self, number: int, line: str) -> None:
        if not line:
            self.above.append("")
        elif line.startswith("#"):
            self._comment(number, line)
        elif _broken(line):
            self._refuse(number, line, "it is not text: a NUL, or bytes that are not UTF-8")
        elif setting := assignment(line):
            self.variables = {**self.variables, setting[0]: setting[1]}
            self.assigned.append((number, *setting))
            self.above.append("")
        else:
            self._entry(number, line)

    def _comment(self, number: int, line: str) -> None:
        text = line.removeprefix("#").removeprefix(" ").rstrip()
        if line.strip() in _BOILERPLATE or line.startswith("# DO NOT EDIT THIS FILE"):
            return
        self.above.append(text)
        if seems_a_job(line):
            self.unread.append(Problem(self.name, number, None, "a job that is commented out; it stays a comment"))

    def _entry(self, number: int, line: str) -> None:
        match = _ENTRY.fullmatch(line)
        if match is None:
            self._refuse(number, line, "it is neither a job (five fields and a command) nor a variable")
            return
        user, text = None, match[3]
        if self.system:
            user, text = _user(text)
        why = _wrong(line, user, text) or cron_times.complaint(match[2])
        if why:
            self._refuse(number, line, why)
            return
        above = _trimmed(self.above)
        touching = bool(above) and bool(self.above[-1])
        self.lines.append(Line(number, match[2], user, text, self.variables, tuple(above), touching))
        self.above = []

    def _refuse(self, number: int, line: str, why: str) -> None:
        self.unread.append(Problem(self.name, number, None, f"{REFUSED}: {why}"))
        self.above += [f"{REFUSED}: {why}", f"  {line}"]


def _user(text: str) -> tuple[str, str]:
    user, *rest = re.split(r"[ \t]+", text, maxsplit=1)
    return user, rest[0] if rest else ""


def _wrong(line: str, user: str | None, text: str) -> str | None:
    """Why cron does not take the line, or another one than was meant; None where it does."""
    if _SIX.match(line) and not line.startswith("@"):
        return "it has six fields; cron reads five, and would take the sixth for the command"
    if not text:
        return "it has no command" if user is None else "it has no command, or no user"
    if user is not None and not _USER.fullmatch(user):
        return f"its sixth column is no user: {user[:40]!r}"
    return None


def _rests(text: str) -> Iterator[str]:
    """What stands behind the five fields of each job."""
    for line in text.split("\n"):
        bare = line.strip()
        if bare and bare[0] != "#" and not assignment(bare) and (match := _ENTRY.fullmatch(bare)) and match[3].strip():
            yield match[3].strip()


def _judge(rest: str, accounts: Container[str]) -> bool | None:
    """Whether a line has a user; None where that cannot be told from it."""
    first, *others = rest.split(None, 1)
    if not others or others[0].startswith(("-", "|", ">", "<", "&", ";")) or not _USER.fullmatch(first):
        return False
    if first in _AMBIGUOUS:
        return None
    return first in accounts or first in _KNOWN


def _broken(line: str) -> bool:
    return "\0" in line or any("\ud800" <= mark <= "\udfff" for mark in line)


def _trimmed(above: list[str]) -> list[str]:
    """Comments without empty texts at either end or twice in a row."""
    kept: list[str] = []
    for line in above:
        if line or (kept and kept[-1]):
            kept.append(line)
    while kept and not kept[-1]:
        kept.pop()
    return kept


_BOILERPLATE = frozenset(
    """\
#
# /etc/crontab: system-wide crontab
# Unlike any other crontab you don't have to run the `crontab'
# command to install the new version when you edit this file
# and files in /etc/cron.d. These files also have username fields,
# that none of the other crontabs do.
# Edit this file to introduce tasks to be run by cron.
# Each task to run has to be defined through a single line
# indicating with different fields when the task will be run
# and what command to run for the task
# To define the time you can provide concrete values for
# minute (m), hour (h), day of month (dom), month (mon),
# and day of week (dow) or use '*' in these fields (for 'any').
# and day of week (dow) or use '*' in these fields (for 'any').#
# Notice that tasks will be started based on the cron's system
# daemon's notion of time and timezones.
# Output of the crontab jobs (including errors) is sent through
# email to the user the crontab file belongs to (unless redirected).
# For example, you can run a backup of all your user accounts
# at 5 a.m every week with:
# 0 5 * * 1 tar -zcf /var/backups/home.tgz /home/
# For more information see the manual pages of crontab(5) and cron(8)
# m h  dom mon dow   command
# m h dom mon dow command
# m h dom mon dow user  command
# m h dom mon dow user\tcommand
# Example of job definition:
# For details see man 4 crontabs
# .---------------- minute (0 - 59)
# |  .------------- hour (0 - 23)
# |  |  .---------- day of month (1 - 31)
# |  |  |  .------- month (1 - 12) OR jan,feb,mar,apr ...
# |  |  |  |  .---- day of week (0 - 6) (Sunday=0 or 7) OR sun,mon,tue,wed,thu,fri,sat
# |  |  |  |  |
# *  *  *  *  * user-name command to be executed
# *  *  *  *  * user-name  command to be executed""".splitlines()
)
"""What `crontab -e` and distributions put into crontabs: it explains cron, and not the jobs."""
