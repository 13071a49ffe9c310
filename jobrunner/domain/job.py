"""A job as a value: what to run, when, and under which policies. Built by ``jobfile``, read by everybody.

The values are named tuples: as dataclasses they would cost each start of the command line 6 ms, and a file of 100,000
jobs half a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from jobrunner.domain.params import Param

DEFAULT_QUEUES = ("critical", "default", "low")
"""The queues that exist, in the order that a server takes them, when the file names none."""


class Overlap(StrEnum):
    """What a fire does while a run of its job is active."""

    SKIP = "skip"
    QUEUE = "queue"
    ALLOW = "allow"
    REPLACE = "replace"


class Catchup(StrEnum):
    """Which of the fires that fell due while no server ran get a run."""

    NONE = "none"
    LATEST = "latest"
    ALL = "all"


class OnLost(StrEnum):
    """What becomes of a run whose server died in the middle."""

    RETRY = "retry"
    FAIL = "fail"


class When(StrEnum):
    """Which end of its parents starts a child."""

    SUCCESS = "success"
    FAILURE = "failure"
    DONE = "done"
    ANY = "any"


class Command(NamedTuple):
    """A program: ``argv`` (elements may hold ``{param}``), or a ``line`` for ``shell -c``; exactly one is set."""

    argv: tuple[str, ...] | None = None
    line: str | None = None
    shell: str = "/bin/sh"


class PythonCall(NamedTuple):
    """A Python callable, ``package.module:function``; the folder of jobs.toml comes first on ``sys.path``."""

    target: str


class HttpRequest(NamedTuple):
    """One HTTP request; string values may hold references and, as whole values or inside, ``{param}``.

    ``body`` is text, ``json`` any JSON value (at most one of them); ``expect`` the statuses that count as success,
    empty for 200 to 299.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = MappingProxyType({})
    json: Any = None
    body: str | None = None
    expect: tuple[int, ...] = ()


Kind = Command | PythonCall | HttpRequest


class ScheduleSpec(NamedTuple):
    """One schedule of a job as the file gives it.

    ``expression`` is a cron expression, an alias (``@daily``) or ``every 15m``; ``timezone`` an IANA name, None for the
    file's default; ``jitter`` delays the start by a part of it that is stable per job; ``start`` and ``end`` bound the
    fire times (both inclusive).
    """

    expression: str
    timezone: str | None = None
    jitter: timedelta | None = None
    start: datetime | None = None
    end: datetime | None = None


class RetryPolicy(NamedTuple):
    """How often and when a failed attempt is repeated.

    The delay before attempt n+1 is ``delay * backoff ** (failures - 1)``, capped at ``max_delay`` and spread by
    ± ``jitter`` (a fraction); ``delays``, where given, takes its place without jitter, its last element repeating.
    ``retry_on`` and ``no_retry_on`` hold exit codes (int) and exception names (str); empty means any, and none.
    """

    retries: int = 0
    delay: timedelta = timedelta(seconds=10)
    backoff: float = 2.0
    max_delay: timedelta = timedelta(hours=1)
    jitter: float = 0.1
    delays: tuple[timedelta, ...] = ()
    retry_on: tuple[int | str, ...] = ()
    no_retry_on: tuple[int | str, ...] = ()


class After(NamedTuple):
    """The parents of a job in a workflow: names of jobs, the end that starts it, and a delay after that."""

    jobs: tuple[str, ...]
    when: When = When.SUCCESS
    delay: timedelta = timedelta(0)


class Unique(NamedTuple):
    """A second identical run gives back the first. ``window`` None: while that one is scheduled or active."""

    window: timedelta | None = None


class RateLimit(NamedTuple):
    """At most ``starts`` in any ``per``."""

    starts: int
    per: timedelta


class Sla(NamedTuple):
    """Promises that alert when broken; they change nothing of the run."""

    start_within: timedelta | None = None
    finish_within: timedelta | None = None


class Approval(NamedTuple):
    """The run waits for a person; not approved within ``timeout`` it is cancelled."""

    message: str
    timeout: timedelta | None = None


class Limits(NamedTuple):
    """Limits of a whole attempt: bytes, processor time, processes; ``open_files`` of each process. None is no limit."""

    memory_max: int | None = None
    cpu_time: timedelta | None = None
    open_files: int | None = None
    processes: int | None = None

    @property
    def of_tree(self) -> bool:
        """Whether something is limited for all processes of an attempt together."""
        return not (self.memory_max is None and self.cpu_time is None and self.processes is None)


class Event(NamedTuple):
    """What besides time starts a job: a file that appears or changes, or an entry of a Redis stream."""

    file: str | None = None
    settle: timedelta | None = None
    stream: str | None = None


_NO_RETRIES = RetryPolicy()
_NO_LIMITS = Limits()


class Job(NamedTuple):
    """A named definition of the file, with all defaults applied.

    ``folder`` is the folder of the jobs.toml that defines it (absolute); ``timezone`` the zone of its schedules that
    name none. ``env`` and the texts of an HttpRequest are as written: references are resolved when an attempt needs
    them. ``definition`` is the canonical JSON text that rebuilds this very value, the form in which a run carries it.
    """

    name: str
    kind: Kind
    folder: str
    timezone: str
    definition: str
    description: str = ""
    schedules: tuple[ScheduleSpec, ...] = ()
    params: tuple[Param, ...] = ()
    enabled: bool = True
    shadow: bool = False
    queue: str = "default"
    priority: int = 0
    retry: RetryPolicy = _NO_RETRIES
    timeout: timedelta | None = None
    kill_grace: timedelta = timedelta(seconds=10)
    max_output: int = 10 * 1024 * 1024
    overlap: Overlap = Overlap.SKIP
    catchup: Catchup = Catchup.LATEST
    catchup_window: timedelta = timedelta(hours=1)
    on_lost: OnLost = OnLost.RETRY
    max_lost: int = 3
    expires: timedelta | None = None
    sla: Sla | None = None
    after: After | None = None
    max_running: int | None = None
    rate_limit: RateLimit | None = None
    limits: tuple[str, ...] = ()
    unique: Unique | None = None
    approve: Approval | None = None
    blackout: tuple[str, ...] = ()
    on_blackout: str = "skip"
    on: Event | None = None
    notify: tuple[str, ...] = ()
    dead_letter: bool = True
    confirm: bool = False
    max_runs: int | None = None
    tags: tuple[str, ...] = ()
    env: Mapping[str, str] = MappingProxyType({})
    cwd: str | None = None
    umask: int | None = None
    nice: int | None = None
    user: str | None = None
    resources: Limits = _NO_LIMITS

    @property
    def kind_name(self) -> str:
        """``command``, ``python`` or ``http``: the key of the file that says what to run."""
        match self.kind:
            case Command():
                return "command"
            case PythonCall():
                return "python"
            case HttpRequest():
                return "http"
