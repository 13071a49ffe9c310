"""Every key of a job, and of [defaults]: shape, default, description, example."""

from __future__ import annotations

from jobrunner.domain.job import Catchup, OnLost, Overlap, Sla
from jobrunner.jobfile.kind_forms import CommandForm, HttpForm, PythonForm
from jobrunner.jobfile.param_forms import Params
from jobrunner.jobfile.policy_forms import AfterForm, ApprovalForm, EventForm, RateLimitForm, RetryOn, Umask, UniqueForm
from jobrunner.jobfile.shapes import (
    JOB_NAME,
    NAME_PATTERN,
    POSITIVE,
    SECOND,
    Choice,
    Duration,
    Flag,
    Key,
    Listing,
    Real,
    Reference,
    Size,
    Text,
    Whole,
)
from jobrunner.jobfile.tables import Named, Table
from jobrunner.jobfile.time_forms import Schedule

_NAMES = Listing(JOB_NAME, distinct=True, lone=True)

_SLA = Table(
    (
        Key(name="start_within", shape=POSITIVE, description="Late when not started in this time.", examples=("5m",)),
        Key(
            name="finish_within",
            shape=POSITIVE,
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
        description="Names of [calendars.NAME] on whose days, in the zone of the schedule, it does not fire.",
        examples=(["holidays"],),
    ),
    Key(
        name="on_blackout",
        shape=Choice(("skip", "defer")),
        description="What becomes of a fire in a blackout: it is left out, or starts when the blackout ends.",
        default="skip",
    ),
    Key(
        name="expires",
        shape=POSITIVE,
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
        shape=POSITIVE,
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
        description="The memory of all processes of an attempt together; above it the attempt is ended, and failed.",
        examples=("512MiB",),
    ),
    Key(
        name="cpu_time",
        shape=Duration(SECOND, low_text="1s"),
        description="The processor time of all processes of an attempt together; above it the attempt is ended, and "
        "failed.",
        examples=("10m",),
    ),
    Key(
        name="open_files",
        shape=Whole(8),
        description="How many files each of its processes may have open.",
        examples=(1024,),
    ),
    Key(
        name="processes",
        shape=Whole(1),
        description="How many processes an attempt may have at once; above it the attempt is ended, and failed.",
        examples=(64,),
    ),
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
    Key(
        name="confirm", shape=Flag(), description="Whether the dashboard asks before it runs it at once.", default=False
    ),
    Key(
        name="max_runs",
        shape=Whole(1),
        description="How many of its finished runs are kept; dead letters beyond that go by their age.",
        examples=(1000,),
    ),
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
