"""Policies of a job that have more than one form in jobs.toml: retries, parents, limits, events, approval."""

from __future__ import annotations

import re
from typing import Any

from jobrunner.domain.job import (
    After,
    Approval,
    Event,
    RateLimit,
    Unique,
    When,
)
from jobrunner.jobfile.shapes import (
    INVALID,
    MOMENT,
    Choice,
    Duration,
    Key,
    Listing,
    Schema,
    Text,
    Whole,
)
from jobrunner.jobfile.source import Path, Source
from jobrunner.jobfile.tables import Table
from jobrunner.jobfile.words import shown


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
        found = re.fullmatch(_RATE, value, re.ASCII) if isinstance(value, str) else None
        if not found or not int(found[1]):
            source.fault(at, f'must be a number of starts in a time like "100/1m", not {shown(value)}')
            return INVALID
        per = Duration(MOMENT, low_text="1ms").read(found[2].strip(), at, source)
        return INVALID if per is INVALID else RateLimit(starts=int(found[1]), per=per)

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


_RATE = r"\s*(\d{1,9})\s*/([^/]+)"


_PARENTS = Listing(Text(like="the name of a job"), least=1, distinct=True, lone=True)


_EXIT_CODE = Whole(1, 255)


_EXCEPTION = Text(
    pattern=r"[^\W\d]\w*(\.[^\W\d]\w*)*", like='the name of an exception like "TimeoutError" or "requests.Timeout"'
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
