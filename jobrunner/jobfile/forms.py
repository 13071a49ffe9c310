"""The values of jobs.toml that have more than one form: schedules, commands, parameters, events and so on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from jobrunner.domain.job import (
    After,
    Approval,
    Command,
    Event,
    HttpRequest,
    PythonCall,
    RateLimit,
    ScheduleSpec,
    Unique,
    When,
)
from jobrunner.domain.params import Param, ParamType, stored_value
from jobrunner.jobfile import zones
from jobrunner.jobfile.shapes import (
    HEADER_PATTERN,
    INVALID,
    NAME_PATTERN,
    Choice,
    Duration,
    Flag,
    Key,
    Listing,
    Named,
    Reference,
    Schema,
    Table,
    Text,
    Whole,
)
from jobrunner.jobfile.source import Path, Source
from jobrunner.jobfile.words import shown

KINDS = ("command", "python", "http")

SECOND = timedelta(seconds=1)
MOMENT = timedelta(milliseconds=1)


class Zone:
    """The IANA name of a time zone."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if not isinstance(value, str):
            source.fault(at, f'must be the name of a time zone like "Europe/Madrid", not {shown(value)}')
            return INVALID
        wrong = zones.complaint(value)
        if wrong:
            source.fault(at, f"is {wrong}")
            return INVALID
        return value

    def schema(self) -> Schema:
        return {"type": "string", "minLength": 1}


class Instant:
    """A date or time, as TOML writes it or as such a text; ``end`` takes a mere date as its last moment.

    Gives a datetime, naive where no offset is written: it is then in the zone of the schedule.
    """

    def __init__(self, *, end: bool = False) -> None:
        self._end = end

    def read(self, value: Any, at: Path, source: Source) -> Any:
        found = _moment(value)
        if found is None:
            source.fault(at, f"must be a date or time like 2026-12-01 or 2026-12-01T06:00:00+01:00, not {shown(value)}")
            return INVALID
        if isinstance(found, datetime):
            return found
        return datetime.combine(found, time.max if self._end else time.min)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{_MOMENT.pattern}$"}


class Schedule:
    """A cron expression, an interval, one date, a table of either, or a list of them; a tuple of ScheduleSpec.

    Whether an expression can be read is checked with the whole file. Times without an offset are naive in the spec.
    """

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if not isinstance(value, list):
            one = self._one(value, at, source)
            return INVALID if one is INVALID else (one,)
        found = tuple(self._one(item, (*at, index), source) for index, item in enumerate(value))
        return INVALID if INVALID in found else found

    def _one(self, value: Any, at: Path, source: Source) -> Any:
        if isinstance(value, str) and _MOMENT.fullmatch(value.strip()) and _moment(value.strip()) is None:
            source.fault(at, f"is no day or time of the calendar: {shown(value)}")
            return INVALID
        if isinstance(value, str) and value.strip():
            return ScheduleSpec(expression=_expression(value))
        if isinstance(value, dict):
            return self._table(value, at, source)
        moment = None if isinstance(value, str) else _moment(value)
        if moment is not None:
            return ScheduleSpec(expression=at_expression(moment))
        source.fault(at, f'must be a cron expression, "every 15m", a date, or a table, not {shown(value)}')
        return INVALID

    def _table(self, value: dict[str, Any], at: Path, source: Source) -> Any:
        found = _SCHEDULE_TABLE.read(value, at, source)
        if found is INVALID:
            return INVALID
        given = [name for name in ("cron", "every", "at") if name in found]
        if len(given) != 1:
            have = "none of them" if not given else " and ".join(given)
            source.fault(at, f"needs exactly one of cron, every and at; it has {have}")
            return INVALID
        bounds = {name: found[name] for name in ("timezone", "jitter", "start", "end") if name in found}
        return ScheduleSpec(expression=_written(given[0], value[given[0]], found[given[0]]), **bounds)

    def schema(self) -> Schema:
        one = {"anyOf": [{"type": "string", "minLength": 1}, _SCHEDULE_TABLE.schema()]}
        return {"anyOf": [*one["anyOf"], {"type": "array", "items": one}]}


def at_expression(moment: date) -> str:
    """The expression of a schedule that fires once."""
    return f"at {moment.isoformat()}" if isinstance(moment, datetime) else f"at {moment.isoformat()}T00:00:00"


class CommandForm:
    """A list of a program and its arguments, or a line for a shell."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if isinstance(value, str):
            line = _LINE.read(value, at, source)
            return INVALID if line is INVALID else Command(line=line)
        if not isinstance(value, list):
            source.fault(at, f'must be a list like ["prog", "arg"] or a line for the shell, not {shown(value)}')
            return INVALID
        argv = _ARGV.read(value, at, source)
        if argv is INVALID:
            return INVALID
        if not argv[0].strip():
            source.fault((*at, 0), "must be a program, not empty")
            return INVALID
        return Command(argv=argv)

    def schema(self) -> Schema:
        return {"anyOf": [_ARGV.schema(), _LINE.schema()]}


class PythonForm:
    """``package.module:function``."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if isinstance(value, str):
            module, colon, name = value.partition(":")
            parts = [*module.split("."), *name.split(".")]
            if colon and all(part.isidentifier() for part in parts):
                return PythonCall(target=value)
        source.fault(at, f'must be a function like "package.module:function", not {shown(value)}')
        return INVALID

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"^[^\s:.]+(?:\.[^\s:.]+)*:[^\s:.]+(?:\.[^\s:.]+)*$"}


class JsonForm:
    """Any value that JSON can hold; dates become ISO texts."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        return _plain(value, at, source)

    def schema(self) -> Schema:
        return {}


class HttpForm:
    """The table of an HTTP request."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        found = _HTTP_TABLE.read(value, at, source)
        if found is INVALID:
            return INVALID
        if "json" in found and "body" in found:
            source.fault((*at, "body"), "excludes json; a request has one of them", on_key=True)
            return INVALID
        url = found["url"]
        if not re.match(r"(?i)https?://|\$\{|\{", url):
            source.fault((*at, "url"), "must begin with http:// or https://")
            return INVALID
        return HttpRequest(**found)

    def schema(self) -> Schema:
        return _HTTP_TABLE.schema()


class Params:
    """The declared parameters by name."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        found = _PARAM_TABLES.read(value, at, source)
        if found is INVALID:
            return INVALID
        params = {name: self._param(name, table, (*at, name), source) for name, table in found.items()}
        return INVALID if INVALID in params.values() else params

    def _param(self, name: str, table: Mapping[str, Any], at: Path, source: Source) -> Any:
        kind = table.get("type", ParamType.STRING)
        choices = [
            _stored(kind, choice, (*at, "choices", index), source)
            for index, choice in enumerate(table.get("choices", ()))
        ]
        default = _stored(kind, table["default"], (*at, "default"), source) if "default" in table else None
        if default is INVALID or INVALID in choices:
            return INVALID
        if "default" in table and choices and default not in choices:
            source.fault((*at, "default"), "is not one of its choices")
            return INVALID
        if "default" in table and table.get("required"):
            source.fault((*at, "required"), "excludes a default, which would never be used", on_key=True)
            return INVALID
        return Param(
            name=name,
            type=kind,
            default=default,
            has_default="default" in table,
            required=table.get("required", False),
            choices=tuple(choices),
            secret=table.get("secret", False),
            description=table.get("description", ""),
        )

    def schema(self) -> Schema:
        return _PARAM_TABLES.schema()


class RetryOn:
    """A table of exit codes and exception names, or a list of either, as one tuple."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if isinstance(value, list):
            found = tuple(self._one(item, (*at, index), source) for index, item in enumerate(value))
            return INVALID if INVALID in found else found
        table = _RETRY_ON_TABLE.read(value, at, source)
        if table is INVALID:
            return INVALID
        return (*table.get("exit_codes", ()), *table.get("exceptions", ()))

    def _one(self, item: Any, at: Path, source: Source) -> Any:
        if isinstance(item, str):
            return _EXCEPTION.read(item, at, source)
        return _EXIT_CODE.read(item, at, source)

    def schema(self) -> Schema:
        items = {"anyOf": [_EXIT_CODE.schema(), _EXCEPTION.schema()]}
        return {"anyOf": [_RETRY_ON_TABLE.schema(), {"type": "array", "items": items}]}


class AfterForm:
    """Names of parents, or a table of them with ``when`` and ``delay``."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if isinstance(value, dict):
            found = _AFTER_TABLE.read(value, at, source)
            return INVALID if found is INVALID else After(**found)
        jobs = _PARENTS.read(value, at, source)
        return INVALID if jobs is INVALID else After(jobs=jobs)

    def schema(self) -> Schema:
        return {"anyOf": [_PARENTS.schema(), _AFTER_TABLE.schema()]}


class UniqueForm:
    """``true``, ``false``, or ``{ by = "params", for = "10m" }``; gives Unique, or None for false."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if isinstance(value, bool):
            return Unique() if value else None
        found = _UNIQUE_TABLE.read(value, at, source)
        return INVALID if found is INVALID else Unique(window=found.get("for"))

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "boolean"}, _UNIQUE_TABLE.schema()]}


class RateLimitForm:
    """``100/1m``: so many starts in any such time."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        found = _RATE.fullmatch(value) if isinstance(value, str) else None
        if not found or not int(found[1]):
            source.fault(at, f'must be a number of starts in a time like "100/1m", not {shown(value)}')
            return INVALID
        per = Duration(MOMENT, low_text="1ms").read(found[2].strip(), at, source)
        return INVALID if per is INVALID else RateLimit(count=int(found[1]), per=per)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"^\s*\d{1,9}\s*/\s*\S+\s*$"}


class Umask:
    """An octal text like ``022``, or an octal number like ``0o022``."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        if isinstance(value, str) and re.fullmatch(r"(0o)?[0-7]{1,4}", value, re.ASCII) and int(value, 8) <= 0o777:
            return int(value, 8)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 0o777:
            return value
        source.fault(at, f'must be an octal text like "022", not {shown(value)}')
        return INVALID

    def schema(self) -> Schema:
        text = {"type": "string", "pattern": "^(?:0o)?[0-7]{1,4}$"}
        return {"anyOf": [text, {"type": "integer", "minimum": 0, "maximum": 0o777}]}


class EventForm:
    """``{ file, settle }`` or ``{ stream }``."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        found = _EVENT_TABLE.read(value, at, source)
        if found is INVALID:
            return INVALID
        if ("file" in found) == ("stream" in found):
            source.fault(at, "needs exactly one of file and stream")
            return INVALID
        if "settle" in found and "file" not in found:
            source.fault((*at, "settle"), "needs file; a stream does not settle", on_key=True)
            return INVALID
        return Event(**found)

    def schema(self) -> Schema:
        return _EVENT_TABLE.schema()


class ApprovalForm:
    """``{ message, timeout }``."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        found = _APPROVAL_TABLE.read(value, at, source)
        return INVALID if found is INVALID else Approval(**found)

    def schema(self) -> Schema:
        return _APPROVAL_TABLE.schema()


class Day:
    """A date, as TOML writes it or as a text."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        found = _moment(value)
        if found is None or isinstance(found, datetime):
            source.fault(at, f"must be a date like 2026-12-25, not {shown(value)}")
            return INVALID
        return found

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}


def _moment(value: Any) -> date | None:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value.upper())
    except ValueError:
        return None


def _expression(text: str) -> str:
    text = " ".join(text.split())
    if text[0].isdigit() and "-" in text[:5]:
        moment = _moment(text)
        if moment is not None:
            return at_expression(moment)
    return text


def _written(kind: str, raw: str, value: Any) -> str:
    if kind == "every":
        return f"every {raw.strip()}"
    return at_expression(value) if kind == "at" else " ".join(raw.split())


def _stored(kind: ParamType, value: Any, at: Path, source: Source) -> Any:
    if kind is ParamType.JSON:
        value = _plain(value, at, source)
        if value is INVALID:
            return INVALID
    try:
        return stored_value(kind, value)
    except ValueError as wrong:
        source.fault(at, f"{wrong}, as its type {kind} says")
        return INVALID


def _plain(value: Any, at: Path, source: Source) -> Any:
    if isinstance(value, dict):
        table = {key: _plain(inner, (*at, key), source) for key, inner in value.items()}
        return INVALID if INVALID in table.values() else table
    if isinstance(value, list):
        items = [_plain(inner, (*at, index), source) for index, inner in enumerate(value)]
        return INVALID if INVALID in items else items
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value - value != 0:
        source.fault(at, "must be a finite number; JSON has no other")
        return INVALID
    return value


_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:[Zz]|[+-]\d{2}:\d{2})?)?", re.ASCII
)
_RATE = re.compile(r"\s*(\d{1,9})\s*/([^/]+)", re.ASCII)

_LINE = Text(like="a command line")
_ARGV = Listing(Text(like="an argument", empty=True), least=1)
_PARENTS = Listing(Text(like="the name of a job"), least=1, distinct=True, lone=True)
_EXIT_CODE = Whole(1, 255)
_EXCEPTION = Text(
    pattern=r"[^\W\d]\w*(\.[^\W\d]\w*)*", like='the name of an exception like "TimeoutError" or "requests.Timeout"'
)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

_SCHEDULE_TABLE = Table(
    (
        Key(
            name="cron", shape=Text(like="a cron expression"), description="A cron expression.", examples=("0 2 * * *",)
        ),
        Key(
            name="every",
            shape=Duration(SECOND, low_text="1s"),
            description="An interval: fires at its multiples since `start`, else since 1970-01-01T00:00Z.",
            examples=("15m",),
        ),
        Key(
            name="at",
            shape=Instant(),
            description="The one instant at which it fires; without an offset in the zone of the schedule.",
            examples=("2026-12-01T06:00:00+01:00",),
        ),
        Key(
            name="timezone",
            shape=Zone(),
            description="The zone of this schedule; default: the one of [jobrunner].",
            examples=("Europe/Madrid",),
        ),
        Key(
            name="jitter",
            shape=Duration(),
            description="Starts are delayed by a part of it that is stable per job; the fire time stays.",
            examples=("5m",),
        ),
        Key(name="start", shape=Instant(), description="No fire time before it.", examples=("2026-12-01",)),
        Key(
            name="end",
            shape=Instant(end=True),
            description="No fire time after it; a date counts as a whole.",
            examples=("2026-12-31",),
        ),
    ),
    like="a schedule",
    foreign={"tz": "timezone", "expression": "cron", "interval": "every", "date": "at"},
)
_HTTP_TABLE = Table(
    (
        Key(
            name="url",
            shape=Reference(like="a URL"),
            description="Where to; may hold references and {parameters}.",
            required=True,
            examples=("https://example.com/hook?id={id}",),
        ),
        Key(name="method", shape=Choice(_METHODS), description="The HTTP method.", default="GET"),
        Key(
            name="headers",
            shape=Named(
                Reference(empty=True, pattern=r"[^\r\n]*", like="a text of one line"),
                pattern=HEADER_PATTERN,
                like="a header",
            ),
            description="Headers by name; may hold references and {parameters}.",
            examples=({"Authorization": "Bearer ${TOKEN}"},),
        ),
        Key(name="json", shape=JsonForm(), description="The body, sent as JSON.", examples=({"month": "{month}"},)),
        Key(name="body", shape=Reference(empty=True), description="The body, sent as text."),
        Key(
            name="expect",
            shape=Listing(Whole(100, 599), least=1, lone=True),
            description="The statuses that count as success; default: 200 to 299.",
            examples=([200, 404],),
        ),
    ),
    like='a table like { url = "https://..." }',
    foreign={"data": "body", "payload": "json", "status": "expect", "header": "headers"},
)
_PARAM_TABLES = Named(
    Table(
        (
            Key(
                name="type",
                shape=Choice(tuple(ParamType), make=ParamType),
                description="What its value is.",
                default="string",
            ),
            Key(name="default", shape=JsonForm(), description="Its value where none is given."),
            Key(name="required", shape=Flag(), description="Whether a value must be given.", default=False),
            Key(
                name="choices",
                shape=Listing(JsonForm(), least=1, distinct=True),
                description="The only values allowed.",
            ),
            Key(
                name="secret",
                shape=Flag(),
                description="Whether its value is masked wherever it would show.",
                default=False,
            ),
            Key(name="description", shape=Text(empty=True), description="What it means, for people."),
        ),
        like='a table like { type = "string" }',
        foreign={"enum": "choices", "values": "choices", "help": "description", "kind": "type"},
    ),
    pattern="[a-z_][a-z0-9_]*",
    like="a parameter",
)
_RETRY_ON_TABLE = Table(
    (
        Key(name="exit_codes", shape=Listing(_EXIT_CODE, least=1), description="Exit codes of commands."),
        Key(
            name="exceptions",
            shape=Listing(_EXCEPTION, least=1),
            description="Names of Python exceptions, bare or dotted; subclasses count.",
        ),
    ),
    like="a table like { exit_codes = [75] } or a list",
    some=True,
    foreign={"exit_code": "exit_codes", "exception": "exceptions"},
)
_AFTER_TABLE = Table(
    (
        Key(name="jobs", shape=_PARENTS, description="The parents.", required=True, examples=(["invoice"],)),
        Key(
            name="when",
            shape=Choice(tuple(When), make=When),
            description=(
                "`success`: all succeeded; `failure`: all ended and at least one did not; `done`: all ended; "
                "`any`: as soon as one succeeded."
            ),
            default="success",
        ),
        Key(name="delay", shape=Duration(), description="How long after that.", default="0s"),
    ),
    foreign={"job": "jobs", "on": "when"},
)
_UNIQUE_TABLE = Table(
    (
        Key(name="by", shape=Choice(("params",)), description="What must be equal.", default="params"),
        Key(
            name="for",
            shape=Duration(MOMENT, low_text="1ms"),
            description="For how long after the first; default: while that one is scheduled or active.",
            examples=("10m",),
        ),
    ),
    like='true or a table like { by = "params", for = "10m" }',
)
_EVENT_TABLE = Table(
    (
        Key(
            name="file",
            shape=Text(like="a path"),
            description="A path or glob: the job starts when such a file appears or changes.",
            examples=("/srv/in/*.csv",),
        ),
        Key(name="settle", shape=Duration(), description="How long the file must have stood still."),
        Key(name="stream", shape=Text(like="a stream"), description="A Redis stream: each entry starts the job."),
    ),
    like='a table like { file = "/srv/in/*.csv" }',
    foreign={"path": "file"},
)
_APPROVAL_TABLE = Table(
    (
        Key(name="message", shape=Text(), description="What the person is asked.", required=True),
        Key(
            name="timeout",
            shape=Duration(MOMENT, low_text="1ms"),
            description="Not approved in this time, the run is cancelled; default: it waits.",
        ),
    ),
    like='a table like { message = "..." }',
)

JOB_NAME = Text(pattern=NAME_PATTERN, like="a name")
