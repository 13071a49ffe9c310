"""Every key of jobs.toml: shape, default, description, example. The checker and the JSON Schema come from here."""

from __future__ import annotations

from datetime import timedelta

from jobrunner.domain.job import Catchup, OnLost, Overlap, Sla
from jobrunner.domain.state import FINAL
from jobrunner.jobfile.forms import (
    JOB_NAME,
    MOMENT,
    SECOND,
    AfterForm,
    ApprovalForm,
    CommandForm,
    Day,
    EventForm,
    HttpForm,
    Params,
    PythonForm,
    RateLimitForm,
    RetryOn,
    Schedule,
    Umask,
    UniqueForm,
    Zone,
)
from jobrunner.jobfile.shapes import (
    NAME_PATTERN,
    Choice,
    Duration,
    Flag,
    Key,
    Listing,
    Named,
    Real,
    Reference,
    Size,
    Table,
    Text,
    Whole,
)

NOT_YET = frozenset(
    {
        "calendars",
        "jobrunner.reload",
        "jobs.*.after",
        "jobs.*.approve",
        "jobs.*.blackout",
        "jobs.*.cpu_time",
        "jobs.*.limits",
        "jobs.*.max_running",
        "jobs.*.max_runs",
        "jobs.*.memory_max",
        "jobs.*.notify",
        "jobs.*.on",
        "jobs.*.on_blackout",
        "jobs.*.open_files",
        "jobs.*.processes",
        "jobs.*.rate_limit",
        "jobs.*.shadow",
        "jobs.*.sla",
        "limits",
        "notify",
        "queues.*.max_running",
        "retention",
    }
)
"""Keys that are checked and not acted upon in this version; `check` warns of each. A line goes when its key works."""

EVENTS = ("failed", "recovered", "late", "overdue", "server_lost")

_NAMES = Listing(JOB_NAME, distinct=True, lone=True)
_POSITIVE = Duration(MOMENT, low_text="1ms")

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
            description="Whether people are asked before every action.",
            default=False,
        ),
    ),
    foreign={"tz": "timezone", "database": "store", "db": "store", "threads": "workers", "concurrency": "workers"},
)

RETENTION = Table(
    tuple(
        Key(
            name=state.value,
            shape=_POSITIVE,
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
            description="A file with more such days, one in each line; relative to this file.",
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

_SLA = Table(
    (
        Key(name="start_within", shape=_POSITIVE, description="Late when not started in this time.", examples=("5m",)),
        Key(
            name="finish_within",
            shape=_POSITIVE,
            description="Overdue when not finished in this time.",
            examples=("30m",),
        ),
    ),
    like='a table like { start_within = "5m" }',
    make=lambda found: Sla(**found),
    some=True,
)

_WHAT = (
    Key(
        name="command",
        shape=CommandForm(),
        description="A program and its arguments, without a shell, where {name} is a declared parameter and {{ and }} "
        "are braces; or a line for `shell -c`, where parameters are $JOBRUNNER_PARAM_NAME.",
        examples=(["pg_dump", "--file", "{target}", "shop"], "du -s /srv | sort -n > sizes"),
    ),
    Key(
        name="python",
        shape=PythonForm(),
        description="A Python function, sync or async, called with the parameters; what it returns is the result.",
        examples=("billing.ledger:update",),
    ),
    Key(
        name="http",
        shape=HttpForm(),
        description="One HTTP request; the body of the answer is the result.",
        examples=({"url": "https://example.com/ping"},),
    ),
    Key(
        name="shell",
        shape=Text(like="the path of a shell"),
        description="The shell of a command line.",
        default="/bin/sh",
        examples=("/bin/bash",),
    ),
    Key(name="description", shape=Text(empty=True), description="What the job is for, in a line."),
    Key(
        name="params",
        shape=Params(),
        description="The parameters by name; [defaults] and the job's own are merged by name.",
        examples=({"month": {"type": "string", "required": True}},),
    ),
    Key(
        name="tags",
        shape=Listing(Text(pattern=NAME_PATTERN, like="a tag"), distinct=True, lone=True),
        description="Words to list jobs by.",
        examples=(["db"],),
    ),
)

_WHEN = (
    Key(
        name="schedule",
        shape=Schedule(),
        description="When it fires by itself: a cron expression, `every 15m`, one date, a table, or a list of these.",
        examples=(
            "0 2 * * *",
            "@daily",
            "every 15m",
            {"cron": "0 9 * * mon-fri", "timezone": "Europe/Madrid", "jitter": "5m"},
        ),
    ),
    Key(
        name="after",
        shape=AfterForm(),
        description="Parents in a workflow: it runs when all of them succeeded, or as `when` says.",
        examples=(["invoice"], {"jobs": ["invoice"], "when": "failure", "delay": "1m"}),
    ),
    Key(
        name="on",
        shape=EventForm(),
        description="What besides time starts it: a file, or entries of a stream.",
        examples=({"file": "/srv/in/*.csv", "settle": "5s"},),
    ),
    Key(
        name="enabled",
        shape=Flag(),
        description="`false`: does not fire and is not started by `after`; can be triggered by hand.",
        default=True,
    ),
    Key(name="shadow", shape=Flag(), description="Fires are decided and recorded, and not executed.", default=False),
    Key(
        name="overlap",
        shape=Choice(tuple(Overlap), make=Overlap),
        description="What a fire does while a run of the job is active.",
        default="skip",
    ),
    Key(
        name="catchup",
        shape=Choice(tuple(Catchup), make=Catchup),
        description="Which of the fires that fell due while no server ran get a run.",
        default="latest",
    ),
    Key(name="catchup_window", shape=Duration(), description="How far back `catchup` looks.", default="1h"),
    Key(
        name="blackout",
        shape=_NAMES,
        description="Names of [calendars.NAME] on whose days it does not fire.",
        examples=(["holidays"],),
    ),
    Key(
        name="on_blackout",
        shape=Choice(("skip", "defer")),
        description="What becomes of a fire in a blackout.",
        default="skip",
    ),
    Key(
        name="expires",
        shape=_POSITIVE,
        description="A run that has not started in this time from when it was due is given up.",
        examples=("2h",),
    ),
)

_RETRYING = (
    Key(
        name="retries",
        shape=Whole(0, 1_000_000),
        description="How often a failed attempt is repeated; default: 0, or as often as `retry_delays` has elements.",
        examples=(3,),
    ),
    Key(name="retry_delay", shape=Duration(), description="The delay before the first repetition.", default="10s"),
    Key(
        name="retry_backoff",
        shape=Real(1, 1000),
        description="What each further delay is multiplied with.",
        default=2,
    ),
    Key(name="retry_max_delay", shape=Duration(), description="The longest delay.", default="1h"),
    Key(
        name="retry_jitter",
        shape=Real(0, 1),
        description="The fraction by which delays vary at random, up and down.",
        default=0.1,
    ),
    Key(
        name="retry_delays",
        shape=Listing(Duration(), least=1),
        description="The delays one by one, in place of the formula; the last one repeats.",
        examples=(["1m", "5m", "15m"],),
    ),
    Key(
        name="retry_on",
        shape=RetryOn(),
        description="Repeat only after these exit codes or exceptions.",
        examples=({"exit_codes": [75, 111]}, {"exceptions": ["TimeoutError"]}),
    ),
    Key(
        name="no_retry_on",
        shape=RetryOn(),
        description="Never repeat after these exit codes or exceptions.",
        examples=({"exceptions": ["ValueError"]},),
    ),
    Key(
        name="on_lost",
        shape=Choice(tuple(OnLost), make=OnLost),
        description="What becomes of a run whose server died in the middle.",
        default="retry",
    ),
    Key(
        name="max_lost",
        shape=Whole(1, 1_000_000),
        description="A run whose servers died under it so often has failed.",
        default=3,
    ),
    Key(name="dead_letter", shape=Flag(), description="Whether a failed run is listed by `--dead`.", default=True),
)

_EXECUTION = (
    Key(
        name="timeout",
        shape=_POSITIVE,
        description="For each attempt: SIGTERM to its group, `kill_grace` later SIGKILL.",
        examples=("45m",),
    ),
    Key(name="kill_grace", shape=Duration(), description="How long SIGTERM has before SIGKILL.", default="10s"),
    Key(
        name="max_output",
        shape=Size(1024, low_text="1 KiB"),
        description="How much output of an attempt is kept, head and tail.",
        default="10MiB",
    ),
    Key(
        name="env",
        shape=Named(Reference(empty=True), pattern=r"[^=\x00]+", like="an environment variable"),
        description="Environment variables; may hold references; [defaults] and the job's own are merged by name.",
        examples=({"PGPASSWORD": "${file:/run/secrets/pg}"},),
    ),
    Key(
        name="cwd",
        shape=Text(like="a path"),
        description="The working folder, relative to the folder of jobs.toml; default: that folder.",
        examples=("/srv/shop",),
    ),
    Key(name="umask", shape=Umask(), description="The umask, octal; default: the server's.", examples=("022",)),
    Key(name="nice", shape=Whole(-20, 19), description="The niceness; default: the server's.", examples=(10,)),
    Key(
        name="user",
        shape=Text(pattern=r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}\$?", like="the name of a user"),
        description="As whom it runs, when the server is root; default: as the server.",
        examples=("www-data",),
    ),
    Key(
        name="memory_max",
        shape=Size(1024**2, low_text="1 MiB"),
        description="The memory of the whole attempt.",
        examples=("512MiB",),
    ),
    Key(
        name="cpu_time",
        shape=Duration(SECOND, low_text="1s"),
        description="The processor time of the whole attempt.",
        examples=("10m",),
    ),
    Key(name="open_files", shape=Whole(8), description="How many files it may have open.", examples=(1024,)),
    Key(name="processes", shape=Whole(1), description="How many processes it may have.", examples=(64,)),
)

_QUEUEING = (
    Key(
        name="queue",
        shape=Text(pattern=NAME_PATTERN, like="the name of a queue"),
        description="The queue that its runs wait in.",
        default="default",
    ),
    Key(
        name="priority",
        shape=Whole(-100, 100),
        description="Within the queue, higher first.",
        default=0,
    ),
    Key(
        name="max_running",
        shape=Whole(1),
        description="How many of its runs are executed at once, across all servers.",
        examples=(1,),
    ),
    Key(
        name="rate_limit",
        shape=RateLimitForm(),
        description="How many of its runs start in any such time.",
        examples=("100/1m",),
    ),
    Key(
        name="limits",
        shape=Listing(
            Text(pattern=NAME_PATTERN + "(:.+)?", like='a limit like "db" or "db:{tenant}"'), distinct=True, lone=True
        ),
        description="Names of [limits.NAME] that its runs share; `NAME:{param}` has one for each value.",
        examples=(["db"], ["tenant:{tenant}"]),
    ),
    Key(
        name="unique",
        shape=UniqueForm(),
        description="A second identical run gives back the first one's id.",
        examples=(True, {"by": "params", "for": "10m"}),
    ),
)

_PEOPLE = (
    Key(
        name="sla",
        shape=_SLA,
        description="Promises that alert when broken.",
        examples=({"start_within": "5m", "finish_within": "30m"},),
    ),
    Key(name="notify", shape=_NAMES, description="Names of [notify.NAME] that are told.", examples=(["ops"],)),
    Key(
        name="approve",
        shape=ApprovalForm(),
        description="The run waits for a person.",
        examples=({"message": "Deploy?", "timeout": "1h"},),
    ),
    Key(name="confirm", shape=Flag(), description="Whether the dashboard asks before it acts on it.", default=False),
    Key(name="max_runs", shape=Whole(1), description="How many of its finished runs are kept.", examples=(1000,)),
)

JOB = Table(
    (*_WHAT, *_WHEN, *_RETRYING, *_EXECUTION, *_QUEUEING, *_PEOPLE),
    foreign={
        "alert": "notify",
        "callable": "python",
        "cmd": "command",
        "concurrency": "max_running",
        "cron": "schedule",
        "depends_on": "after",
        "directory": "cwd",
        "disabled": "enabled",
        "environment": "env",
        "every": "schedule",
        "exec": "command",
        "function": "python",
        "interval": "schedule",
        "labels": "tags",
        "max_attempts": "retries",
        "max_instances": "max_running",
        "max_retries": "retries",
        "memory": "memory_max",
        "needs": "after",
        "parameters": "params",
        "retry": "retries",
        "run": "command",
        "script": "command",
        "timezone": "schedule = { cron, timezone }",
        "tz": "schedule = { cron, timezone }",
        "url": "http = { url }",
        "working_directory": "cwd",
        "workdir": "cwd",
    },
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


def not_yet(path: tuple[str | int, ...]) -> bool:
    """Whether a key at this path is checked and not acted upon in this version."""
    keys = [str(key) for key in path]
    if keys[0] == "defaults":
        keys[:1] = ["jobs", "*"]
    elif len(keys) > 2:
        keys[1] = "*"
    return ".".join(keys) in NOT_YET


_DAY = timedelta(days=1)
DEFAULT_RETENTION = {state.value: 30 * _DAY if state.value == "succeeded" else 90 * _DAY for state in sorted(FINAL)}
