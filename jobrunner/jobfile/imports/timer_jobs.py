"""Timers of systemd with their services, to jobs.toml. Called by ``admin``.

Source: systemd.timer(5), systemd.service(5), systemd.exec(5), systemd.resource-control(5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from jobrunner.domain.duration import format_duration
from jobrunner.errors import Problem
from jobrunner.jobfile.imports import calendar_events
from jobrunner.jobfile.imports.calendar_events import NotSaid
from jobrunner.jobfile.imports.naming import slug, unique
from jobrunner.jobfile.imports.service_commands import command_of
from jobrunner.jobfile.imports.surroundings import Found, defaults, finished, remarks_above, shared
from jobrunner.jobfile.imports.units import Setting, Unit, Units, expand, specifiers, words
from jobrunner.jobfile.imports.writing import Default, Imported, write

_POLICY = (
    Default("# shadow", True, "decides and records fires, and starts nothing"),
    Default("on_lost", "fail", 'systemd does not repeat what a crash cut short; "retry" does'),
)
_FROM_START = ("OnUnitActiveSec", "OnUnitInactiveSec")
_ONCE = ("OnBootSec", "OnStartupSec", "OnActiveSec")
_SILENT = {
    "Unit": "Description Documentation After Before Wants DefaultDependencies RefuseManualStart RefuseManualStop X-",
    "Install": "WantedBy Also Alias RequiredBy DefaultInstance UpheldBy",
    "Timer": "OnCalendar Unit Persistent RandomizedDelaySec FixedRandomDelay AccuracySec RemainAfterElapse",
    "Service": "Type ExecStart ExecStartPre ExecStartPost ExecCondition EnvironmentFile Environment User "
    "WorkingDirectory Nice UMask TimeoutStartSec TimeoutSec TimeoutStopSec RuntimeMaxSec MemoryMax LimitNOFILE "
    "LimitNPROC TasksMax LimitCPU Restart RestartSec SyslogIdentifier SyslogLevel StandardInput KillMode "
    "RemainAfterExit SendSIGKILL GuessMainPID LimitMEMLOCK CPUAccounting MemoryAccounting IOAccounting TasksAccounting",
}
"""Keys that are carried over, or that say nothing about what a job does."""


class Host(NamedTuple):
    """What an import asks of this machine: the home of an account, None where there is none, and its own name."""

    home: Callable[[str], str | None]
    name: str
    user: str


def import_timers(timers: Sequence[tuple[Unit, Units]], host: Host, users_own: Sequence[Path]) -> Imported:
    """The jobs of timers, as a jobs.toml, and remarks about what could not be carried over.

    ``users_own`` are the folders of a user's own units, which run as that user and begin in its home.

    Raises:
        NotFound, UsageError, Refused: a service cannot be found or read.
    """
    jobs, remarks, names = list[Found](), list[Problem](), set[str]()
    for timer, beside in timers:
        service = beside.unit(timer.last("Timer", "Unit") or f"{timer.name.removesuffix('.timer')}.service")
        own = Path(timer.file).parent in users_own
        importing = _Importing(timer, service, host, system=not own)
        name = unique(slug(timer.name.removesuffix(".timer").replace("@", "-")) or "job", names)
        names.add(name)
        job = importing.job(name)
        remarks += importing.remarks
        if job is not None:
            jobs.append(job)
    common = shared(jobs) if len(jobs) > 1 else {}
    lines = [*_POLICY, *defaults(common, {"user": "for a server that runs as root"})]
    text = write(_head([timer.name for timer, _ in timers]), lines, [finished(job, common) for job in jobs])
    return Imported(text=text if jobs else "", jobs=tuple(job.name for job in jobs), remarks=tuple(remarks))


def _head(names: list[str]) -> list[str]:
    return [
        f"Imported from {', '.join(names)}.",
        "",
        "What could not be carried over stands above the job that it concerns.",
        "",
        "To watch it beside systemd first, take away the mark before `shadow`: fires are decided and recorded, and",
        "nothing is started. Then disable the timers (systemctl disable --now), and take `shadow` out of here.",
    ]


class _Importing:
    """Makes a job of one timer."""

    def __init__(self, timer: Unit, service: Unit, host: Host, *, system: bool) -> None:
        self.timer, self.service, self.host, self.system = timer, service, host, system
        self.remarks: list[Problem] = []
        self._unknown: set[str] = set()
        user = service.last("Service", "User") or ("root" if system else host.user)
        self._user = self._expanded(user, "", "")
        self._home = host.home(self._user)

    def job(self, name: str) -> Found | None:
        """The job; None where the service executes nothing."""
        command = command_of(self.service, self._of_service, self._say)
        if command is None:
            self._say(f"not carried over: {self.service.name} executes nothing (it has no ExecStart)")
            return None
        keys: dict[str, Any] = {}
        description = self.service.last("Unit", "Description") or self.timer.last("Unit", "Description")
        if description.isprintable() and description.strip():
            keys["description"] = self._of_service(description)
        keys |= {"command": command, **self._schedules(), **self._policies()}
        surroundings = self._surroundings()
        self._name_the_rest()
        if self._unknown:
            self._say(f"{', '.join(sorted(self._unknown))}: such specifiers were not replaced")
        return Found(name, keys, surroundings, remarks_above([remark.message for remark in self.remarks]))

    def _say(self, text: str, setting: Setting | None = None) -> None:
        file, line = (setting.file, setting.line) if setting else (self.timer.file, None)
        self.remarks.append(Problem(file, line, None, text))

    def _of_service(self, text: str) -> str:
        return self._expanded(text, self._home or "", self._user, self.service.name)

    def _expanded(self, text: str, home: str, user: str, unit: str = "") -> str:
        known = specifiers(unit or self.service.name, home=home, user=user, system=self.system, host=self.host.name)
        if not home:
            known.pop("h")
        return expand(text, known, self._unknown)

    def _schedules(self) -> dict[str, Any]:
        jitter = self._span(self.timer, "Timer", "RandomizedDelaySec")
        bounds = {"jitter": format_duration(jitter)} if jitter else {}
        found = list[Any]()
        for setting in self.timer.all("Timer", "OnCalendar"):
            try:
                schedule = calendar_events.schedule_of(setting.value) | bounds
                found.append(schedule["cron"] if list(schedule) == ["cron"] else schedule)
            except NotSaid as why:
                self._say(f"OnCalendar={setting.value}: not carried over: {why}", setting)
        found += self._intervals(bounds)
        if not found:
            self._say("nothing fires it: give it a schedule, or trigger it")
            return {}
        return {"schedule": found[0] if len(found) == 1 else found, **self._catchup()}

    def _intervals(self, bounds: dict[str, str]) -> list[Any]:
        found = list[Any]()
        for key in _FROM_START:
            for setting in self.timer.all("Timer", key):
                step = self._span(self.timer, "Timer", key, setting.value)
                if step and step >= timedelta(seconds=1):
                    text = format_duration(timedelta(seconds=round(step.total_seconds())))
                    found.append({"every": text, **bounds} if bounds else f"every {text}")
                    since = "start" if key == "OnUnitActiveSec" else "end"
                    self._say(f"{key}={setting.value} counted from its last {since}; here it is an even grid", setting)
        for key in _ONCE:
            for setting in self.timer.all("Timer", key):
                self._say(f"{key}={setting.value}: not carried over: a start of the machine is no time", setting)
        return found

    def _catchup(self) -> dict[str, str]:
        if _true(self.timer.last("Timer", "Persistent")) and self.timer.all("Timer", "OnCalendar"):
            return {"catchup": "latest", "catchup_window": "365d"}
        return {"catchup": "none"}

    def _policies(self) -> dict[str, Any]:
        """Limits of time and of resources, repetitions."""
        found: dict[str, Any] = {}
        kind = self.service.last("Service", "Type") or "simple"
        if kind not in ("simple", "oneshot", "exec", "idle"):
            self._say(f"Type={kind}: a job is over when its program ends, and not when it says that it is ready")
        limit = "TimeoutStartSec" if kind == "oneshot" else "RuntimeMaxSec"
        keys = ("TimeoutSec", limit) if kind == "oneshot" else (limit,)
        timeout = [span for key in keys if (span := self._span(self.service, "Service", key))]
        grace = [span for key in ("TimeoutSec", "TimeoutStopSec") if (span := self._span(self.service, "Service", key))]
        if timeout:
            found["timeout"] = format_duration(timeout[-1])
        if grace and timeout:
            found["kill_grace"] = format_duration(grace[-1])
        return found | self._limits() | self._retries()

    def _limits(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, ours, least in (
            ("LimitNOFILE", "open_files", 8),
            ("LimitNPROC", "processes", 1),
            ("TasksMax", "processes", 1),
        ):
            value = self.service.last("Service", key).partition(":")[0]
            if value.isdecimal() and least <= int(value) < 2**31:
                found[ours] = int(value)
            elif value and value != "infinity":
                self._say(f"{key}={value}: not carried over")
        memory = self.service.last("Service", "MemoryMax")
        if match := re.fullmatch(r"(\d{1,12})([KMGT]?)", memory, re.ASCII):
            found["memory_max"] = f"{match[1]}{match[2]}iB" if match[2] else int(match[1])
        elif memory and memory != "infinity":
            self._say(f"MemoryMax={memory}: not carried over")
        seconds = self._span(self.service, "Service", "LimitCPU")
        if seconds and seconds >= timedelta(seconds=1):
            found["cpu_time"] = format_duration(seconds)
        nice = self.service.last("Service", "Nice")
        if re.fullmatch(r"[+-]?\d{1,3}", nice, re.ASCII) and -20 <= int(nice) <= 19:
            found["nice"] = int(nice)
        umask = self.service.last("Service", "UMask")
        return found | ({"umask": umask} if re.fullmatch(r"[0-7]{1,4}", umask) and int(umask, 8) <= 0o777 else {})

    def _retries(self) -> dict[str, Any]:
        restart = self.service.last("Service", "Restart")
        if restart in ("", "no"):
            return {}
        burst = self.service.last("Unit", "StartLimitBurst") or self.service.last("Service", "StartLimitBurst")
        retries = int(burst) - 1 if re.fullmatch(r"\d{1,4}", burst) and int(burst) > 1 else 4
        pause = self._span(self.service, "Service", "RestartSec") or timedelta(milliseconds=100)
        self._say(f"Restart={restart}: a failed run is repeated {retries} times, {format_duration(pause)} apart")
        return {"retries": retries, "retry_delays": [format_duration(pause)]}

    def _surroundings(self) -> dict[str, str]:
        found = dict[str, str]()
        folder = self._of_service(self.service.last("Service", "WorkingDirectory").lstrip("-"))
        folder = (self._home or "") if folder == "~" else folder
        default = "/" if self.system else self._home
        if folder.startswith("/") or default:
            found["cwd"] = folder if folder.startswith("/") else default or "/"
        if self.system:
            found["user"] = self._user
        for setting in self.service.all("Service", "Environment"):
            for word in words(self._of_service(setting.value)) or []:
                name, equals, text = word.partition("=")
                if equals and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and not name.startswith("JOBRUNNER_"):
                    found[f"env.{name}"] = text.replace("${", "$${")
        return found

    def _span(self, unit: Unit, section: str, key: str, value: str | None = None) -> timedelta | None:
        """A time span of a unit; None where there is none, or no limit."""
        text = unit.last(section, key) if value is None else value
        try:
            return calendar_events.span(text) if text else None
        except NotSaid as why:
            self._say(f"{key}={text}: not carried over: {why}")
            return None

    def _name_the_rest(self) -> None:
        """One remark for the keys of each unit that have no counterpart."""
        for unit, sections in ((self.timer, ("Unit", "Timer")), (self.service, ("Unit", "Service"))):
            rest = dict.fromkeys(
                f"{setting.key}={setting.value}" if len(setting.value) <= 30 else setting.key
                for setting in unit.settings
                if setting.section in sections and setting.value and not _taken(setting.section, setting.key)
            )
            if rest:
                self._say(f"not carried over from {unit.name}: {', '.join(rest)}")


def _taken(section: str, key: str) -> bool:
    known = _SILENT[section].split()
    return key in known or key.startswith("X-") or (section == "Timer" and key in (*_FROM_START, *_ONCE))


def _true(value: str) -> bool:
    return value.lower() in ("1", "yes", "y", "true", "t", "on")
