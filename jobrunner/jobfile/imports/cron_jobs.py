"""A crontab to jobs.toml: what cron does, said in the words of jobs. Called by ``admin``."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from typing import Any, NamedTuple

from jobrunner.errors import Problem
from jobrunner.jobfile import zones
from jobrunner.jobfile.imports import cron_times
from jobrunner.jobfile.imports.crontab import REFUSED as REFUSED
from jobrunner.jobfile.imports.crontab import Crontab, Line, has_users, read_crontab, seems_a_job, split_input
from jobrunner.jobfile.imports.naming import name_of, unique
from jobrunner.jobfile.imports.shell import plain_argv, with_input, without_folder
from jobrunner.jobfile.imports.surroundings import Found, defaults, finished, remarks_above, shared
from jobrunner.jobfile.imports.writing import Default, Imported, write

_DEFAULT_PATH = "/usr/bin:/bin"
_MAIL = {"MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING"}
_TAKEN = {"MAILTO", "SHELL", "CRON_TZ", "RANDOM_DELAY"} | _MAIL
_LOGIN = {"LOGNAME", "USER"}
_POLICY = (
    Default("# shadow", True, "decides and records fires, and starts nothing"),
    Default("overlap", "allow", 'cron starts another copy beside one that still runs; "skip" would not'),
    Default("catchup", "none", 'cron forgets what fell due while it was down; "latest" makes up for it'),
    Default("on_lost", "fail", 'cron does not repeat what a crash cut short; "retry" does'),
)
_WHY = {"cwd": "cron starts jobs in the home of their user", "user": "for a server that runs as root"}
_LONGEST_DESCRIPTION = 100


class Host(NamedTuple):
    """What an import asks of this machine, so that it can be given something else.

    ``home`` is the folder of an account, None where there is none; ``needs_shell`` whether a program is a script
    without a ``#!`` line, which only a shell starts.
    """

    accounts: Container[str]
    home: Callable[[str], str | None]
    needs_shell: Callable[[str], bool]


class Origin(NamedTuple):
    """Whose crontab it is.

    ``name`` is what messages call it, ``what`` what the file's first comment does. ``owner`` is the account that its
    jobs run as, ``given`` whether that has to be said in the file. ``system``: lines name their users; None: to be
    judged by the lines.
    """

    name: str
    what: str
    owner: str
    given: bool = False
    system: bool | None = False


def import_crontab(text: str, origin: Origin, host: Host) -> Imported:
    """The jobs of a crontab, as a jobs.toml that means the same, and remarks about what could not be carried over.

    Raises:
        UsageError: whether lines have a user cannot be told.
    """
    system = origin.system
    if system is None:
        system = has_users(text, name=origin.name, accounts=host.accounts)
    crontab = read_crontab(text, name=origin.name, system=system)
    importing = _Importing(origin, host)
    found = [importing.job(line) for line in crontab.lines]
    remarks = [*crontab.unread, *importing.remarks, *_of_variables(crontab, origin)]
    common = shared(found)
    lines = [*_POLICY, *defaults(common, _WHY | _why_env(common))] if found else []
    jobs = [finished(job, common) for job in found]
    head = _head(origin, crontab) if found else ()
    return Imported(
        text=write(head, lines, jobs, crontab.foot) if found or crontab.foot else "",
        jobs=tuple(job.name for job in jobs),
        remarks=tuple(sorted(remarks, key=lambda remark: remark.line or 0)),
    )


class _Importing:
    """Makes jobs of lines, one after the other."""

    def __init__(self, origin: Origin, host: Host) -> None:
        self.origin, self.host = origin, host
        self.remarks: list[Problem] = []
        self._names: set[str] = set()

    def job(self, line: Line) -> Found:
        """One job with what stands above it."""
        command, given = split_input(line.text)
        option = re.match(r"-n[ \t]+", command)
        command = command[option.end() :] if option else command
        command = command.strip() or ":"
        name = unique(name_of(command), self._names)
        self._names.add(name)
        said = (
            [] if option is None else ["cron's option -n (mail only when it fails) is left out: output is not mailed"]
        )
        if given is not None:
            said.append("what stands behind % is its standard input, as cron has it; a percent sign would be \\%")
        above, description = _comments(line)
        keys: dict[str, Any] = {"description": description} if description else {}
        keys |= self._command(command, given)
        keys |= self._schedule(line, name, said)
        surroundings = self._surroundings(line, said)
        self.remarks += [Problem(self.origin.name, line.number, None, f"{name}: {text}") for text in said]
        return Found(name, keys, surroundings, (*above, *remarks_above(said)))

    def _command(self, line: str, given: str | None) -> dict[str, Any]:
        folder, rest = (None, line) if given is not None else without_folder(line)
        argv = plain_argv(rest) if given is None else None
        if argv is not None and self.host.needs_shell(argv[0]):
            argv = None
        keys: dict[str, Any] = {"command": argv or (rest if given is None else with_input(rest, given))}
        return keys if folder is None else keys | {"cwd": folder}

    def _schedule(self, line: Line, name: str, said: list[str]) -> dict[str, Any]:
        if line.when.lower() == cron_times.REBOOT:
            said.append(
                f"@reboot is no schedule: nothing starts it; let a unit of the system run `jobrunner trigger {name}`"
            )
            return {}
        said += cron_times.remarks(line.when)
        zone = self._zone(line, said)
        bounds = {"timezone": zone} if zone else {}
        if _is_delay(line.variables.get("RANDOM_DELAY", "")):
            bounds["jitter"] = f"{line.variables['RANDOM_DELAY']}m"
        expression = cron_times.expression(line.when)
        return {"schedule": {"cron": expression, **bounds} if bounds else expression}

    def _zone(self, line: Line, said: list[str]) -> str | None:
        zone = line.variables.get("CRON_TZ", "").removeprefix(":")
        if not zone:
            return None
        wrong = zones.complaint(zone)
        if wrong:
            said.append(f"CRON_TZ was not carried over: {wrong}")
            return None
        return zone

    def _surroundings(self, line: Line, said: list[str]) -> dict[str, str]:
        """Keys that come from where the line stands, and not from the line; ``env.NAME`` for variables."""
        owner = line.user if line.user is not None else self.origin.owner
        found = dict[str, str]()
        home = line.variables.get("HOME") or self.host.home(owner)
        if home and home.startswith("/"):
            found["cwd"] = home
        elif line.user is not None:
            said.append(f"{owner} is no account of this host: its home, in which cron starts the job, is not known")
        if line.user is not None or self.origin.given:
            found["user"] = owner
        if line.variables.get("SHELL", "/bin/sh").strip() not in ("", "/bin/sh"):
            found["shell"] = line.variables["SHELL"]
        variables = {"PATH": _DEFAULT_PATH, **line.variables}
        for name, text in variables.items():
            if name not in _TAKEN | _LOGIN and not name.startswith("JOBRUNNER_"):
                found[f"env.{name}"] = text.replace("${", "$${")
        return found


def _is_delay(text: str) -> bool:
    return re.fullmatch(r"[1-9]\d{0,3}", text, re.ASCII) is not None


def _comments(line: Line) -> tuple[tuple[str, ...], str | None]:
    """The comments that stay above the job, and the one that becomes its description."""
    above = list(line.above)
    if line.touching and (len(above) == 1 or not above[-2]):
        last = re.sub(r"^(?:Ansible|Puppet Name): ", "", above[-1].strip(" #*=-"))
        if last and len(last) <= _LONGEST_DESCRIPTION and last.isprintable() and not _not_its_own(above[-1]):
            while len(above) > 1 and not above[-2]:
                above.pop(-2)
            return tuple(above[:-1]), last
    return tuple(above), None


def _not_its_own(comment: str) -> bool:
    return seems_a_job(comment) or re.match(r"(?i)  |begin |end ", comment) is not None


def _why_env(common: Mapping[str, str]) -> dict[str, str]:
    names = [key for key in common if key.startswith("env.")]
    return {"env": "the PATH that cron sets"} if names == ["env.PATH"] and common["env.PATH"] == _DEFAULT_PATH else {}


def _head(origin: Origin, crontab: Crontab) -> list[str]:
    lines = [
        f"Imported from {origin.what}.",
        "",
        "Jobs do what they did under cron; what could not be carried over stands above the job that it concerns.",
        "",
        "To watch it beside cron first, take away the mark before `shadow`: fires are decided and recorded, and",
        "nothing is started. Then take the lines out of the crontab, and `shadow` out of here.",
    ]
    targets = list(dict.fromkeys(text for _, name, text in crontab.variables if name == "MAILTO" and text.strip()))
    if targets:
        lines += [
            "",
            f"cron mailed what jobs print to {', '.join(targets)}. Here it is kept: `jobrunner logs RUN`. To be mailed",
            'what failed, add notify = ["mail"] to [defaults], and',
            "  [notify.mail]",
            f'  url = "mailto://localhost?from=jobrunner@localhost&to={_addresses(targets)}"',
            '  on = ["failed", "recovered"]',
        ]
    return lines


def _addresses(targets: list[str]) -> str:
    names = [name.strip() for target in targets for name in target.split(",")]
    return ",".join(name if "@" in name else f"{name}@localhost" for name in names)


def _of_variables(crontab: Crontab, origin: Origin) -> list[Problem]:
    """Remarks about variables that mean something to cron and cannot be carried over."""
    found = []
    for number, name, text in crontab.variables:
        why = _why_not(name, text)
        if why:
            found.append(Problem(origin.name, number, None, f"{name}: {why}"))
    return found


def _why_not(name: str, text: str) -> str | None:
    if name == "MAILTO" and text:
        return f"output is not mailed to {text} but kept; the file says how to be told of failures"
    if name in _MAIL:
        return "not carried over: output is not mailed"
    if name in _LOGIN:
        return "not carried over: it is the name of the user, in cron too"
    if name == "RANDOM_DELAY" and not _is_delay(text) and text.strip() not in ("", "0"):
        return f"not carried over: {text!r} is no number of minutes"
    if name == "CRON_TZ" and text and zones.complaint(text) is None:
        return "taken for the zone of the schedules below it, as cronie does; Debian's cron ignores it"
    if name.startswith("JOBRUNNER_"):
        return "not carried over: such names are jobrunner's own"
    return None
