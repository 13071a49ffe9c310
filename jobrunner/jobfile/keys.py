"""Every key of jobs.toml but those of a job, which are in ``job_keys``. Checker and JSON Schema come from both."""

from __future__ import annotations

from datetime import timedelta

from jobrunner.domain.state import FINAL
from jobrunner.jobfile.shapes import (
    NAME_PATTERN,
    POSITIVE,
    SECOND,
    Choice,
    Duration,
    Flag,
    Key,
    Listing,
    Reference,
    Text,
    Whole,
)
from jobrunner.jobfile.tables import Table
from jobrunner.jobfile.time_forms import Day, Zone

NOT_YET = frozenset(
    {
        "jobs.*.after",
        "jobs.*.approve",
        "jobs.*.limits",
        "jobs.*.max_running",
        "jobs.*.notify",
        "jobs.*.on",
        "jobs.*.rate_limit",
        "jobs.*.sla",
        "limits",
        "notify",
        "queues.*.max_running",
    }
)
"""Keys that are checked and not acted upon in this version; `check` warns of each. A line goes when its key works."""

PLAYED = frozenset(
    {
        "jobs.*.limits",
        "jobs.*.max_running",
        "jobs.*.sla",
        "limits",
        "queues.*.max_running",
    }
)
"""Keys that `simulate` acts upon, whether servers do or not."""

EVENTS = ("failed", "recovered", "late", "overdue", "server_lost")


JOBRUNNER = Table(
    (
        Key(
            name="timezone",
            shape=Zone(),
            description="The zone of schedules that name none, and of times shown; default: the host's.",
            examples=("Europe/Madrid",),
        ),
        Key(
            name="store",
            shape=Reference(like="a URL"),
            description="The database of all runs: SQLite, its path relative to this file, or a PostgreSQL URI.",
            default="sqlite:///jobrunner.db",
            examples=("postgresql://jobrunner:${PGPASSWORD}@db/jobrunner",),
        ),
        Key(
            name="broker",
            shape=Reference(like="a URL"),
            description="What hands queued runs to workers: a Redis URL; default: the store itself.",
            examples=("redis://localhost:6379/0",),
        ),
        Key(
            name="workers",
            shape=Whole(1, 1000),
            description="How many attempts a server executes at once; default: twice its cores.",
            examples=(8,),
        ),
        Key(
            name="queues",
            shape=Listing(Text(pattern=NAME_PATTERN, like="the name of a queue"), least=1, distinct=True),
            description="All queues there are, in the order in which a server takes them; default: "
            "critical, default, low, then others that jobs name.",
            examples=(["critical", "default", "low"],),
        ),
        Key(
            name="shutdown_timeout",
            shape=Duration(),
            description="How long a stopping server lets attempts finish before it interrupts them.",
            default="30s",
        ),
        Key(
            name="durability",
            shape=Choice(("full", "normal")),
            description="`full`: what was acknowledged survives a power cut; `normal` is faster, and may lose the last "
            "moments.",
            default="full",
        ),
        Key(
            name="reload",
            shape=Choice(("auto", "signal")),
            description="`auto`: watch this file; `signal`: load it on SIGHUP and `jobrunner reload` only.",
            default="auto",
        ),
        Key(
            name="include",
            shape=Listing(Text(like="a path or glob"), distinct=True, lone=True),
            description="More files with [jobs.*], [queues.*], [notify.*], [calendars.*] and [limits.*]; paths or "
            "globs, relative to this file.",
            examples=(["jobs.d/*.toml"],),
        ),
        Key(
            name="lost_after",
            shape=Duration(SECOND, low_text="1s"),
            description="When a silent server counts as dead.",
            default="30s",
        ),
        Key(
            name="production",
            shape=Flag(),
            description="Whether the dashboard has the name or the number typed before every action.",
            default=False,
        ),
    ),
    foreign={"tz": "timezone", "database": "store", "db": "store", "threads": "workers", "concurrency": "workers"},
)

RETENTION = Table(
    tuple(
        Key(
            name=state.value,
            shape=POSITIVE,
            description=f"How long {state.value} runs are kept.",
            default="30d" if state.value == "succeeded" else "90d",
        )
        for state in sorted(FINAL)
    ),
)

QUEUE = Table(
    (
        Key(
            name="max_running",
            shape=Whole(1),
            description="How many attempts of this queue run at once, across all servers.",
            examples=(4,),
        ),
    ),
)

NOTIFIER = Table(
    (
        Key(
            name="url",
            shape=Reference(like="a URL"),
            description="An Apprise URL; may hold references.",
            required=True,
            examples=("mailtos://${SMTP_USER}:${SMTP_PASSWORD}@smtp.example.com/?to=ops@example.com",),
        ),
        Key(
            name="on",
            shape=Listing(Choice(EVENTS), least=1, distinct=True, lone=True),
            description="What it is told: `failed` for good, `recovered` (the first success after it), `late` (not "
            "started within `start_within`), `overdue` (not finished within `finish_within`), `server_lost`.",
            default=list(EVENTS),
        ),
    ),
)

CALENDAR = Table(
    (
        Key(
            name="dates",
            shape=Listing(Day()),
            description="Days on which jobs that name this calendar do not fire.",
            examples=(["2026-12-25", "2026-12-26"],),
        ),
        Key(
            name="file",
            shape=Text(like="a path"),
            description="A file with more such days: one date in each line, then what you like; `#` begins a comment. "
            "Relative to the folder of jobs.toml, and read when that is.",
            examples=("holidays.txt",),
        ),
    ),
    some=True,
    foreign={"days": "dates", "path": "file"},
)

LIMIT = Table(
    (
        Key(
            name="max",
            shape=Whole(1),
            description="How many runs that name this limit are executed at once.",
            required=True,
            examples=(2,),
        ),
    ),
)


TOP = {
    "jobrunner": "The installation: where things are kept, how servers behave.",
    "retention": "How long finished runs are kept, by their state.",
    "queues": "Queues by name.",
    "defaults": "Any key of a job; a job's own value replaces it, and `env` and `params` are merged by name.",
    "notify": "Where alerts go, by name.",
    "jobs": "The jobs by name.",
    "calendars": "Days on which jobs do not fire, by name.",
    "limits": "Limits that several jobs share, by name.",
}
MAIN_ONLY = frozenset({"jobrunner", "retention", "defaults"})
"""Tables that only the main file may have, and no included one."""


def no_effect(path: tuple[str | int, ...]) -> str | None:
    """How far a key at this path is checked and not acted upon in this version; None where it works."""
    keys = [str(key) for key in path]
    if keys[0] == "defaults":
        keys[:1] = ["jobs", "*"]
    elif len(keys) > 2:
        keys[1] = "*"
    name = ".".join(keys)
    if name not in NOT_YET:
        return None
    if name in PLAYED:
        return "has no effect yet but in `simulate`: servers of this version do not act upon it"
    return "has no effect yet: this version checks it and does not act upon it"


_DAY = timedelta(days=1)
DEFAULT_RETENTION = {state.value: 30 * _DAY if state.value == "succeeded" else 90 * _DAY for state in sorted(FINAL)}
