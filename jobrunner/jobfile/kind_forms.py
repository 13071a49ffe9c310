"""What a job runs, as jobs.toml writes it: a command, a Python function, an HTTP request."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Any

from jobrunner.domain.job import (
    Command,
    HttpRequest,
    PythonCall,
)
from jobrunner.jobfile.shapes import (
    HEADER_PATTERN,
    INVALID,
    Choice,
    Key,
    Listing,
    Reference,
    Schema,
    Text,
    Whole,
)
from jobrunner.jobfile.source import Path, Source
from jobrunner.jobfile.tables import Named, Table
from jobrunner.jobfile.words import shown

KINDS = ("command", "python", "http")


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


class JsonForm:
    """Any value that JSON can hold; dates become ISO texts."""

    def read(self, value: Any, at: Path, source: Source) -> Any:
        return json_value(value, at, source)

    def schema(self) -> Schema:
        return {"additionalProperties": True}


def json_value(value: Any, at: Path, source: Source) -> Any:
    if isinstance(value, dict):
        table = {key: json_value(inner, (*at, key), source) for key, inner in value.items()}
        return INVALID if INVALID in table.values() else table
    if isinstance(value, list):
        items = [json_value(inner, (*at, index), source) for index, inner in enumerate(value)]
        return INVALID if INVALID in items else items
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value - value != 0:
        source.fault(at, "must be a finite number; JSON has no other")
        return INVALID
    return value


_LINE = Text(like="a command line")


_ARGV = Listing(Text(like="an argument", empty=True), least=1)


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


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
