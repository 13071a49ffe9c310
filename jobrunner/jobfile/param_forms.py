"""The declared parameters of a job, as jobs.toml writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobrunner.domain.params import Param, ParamType, stored_value
from jobrunner.jobfile.kind_forms import JsonForm, json_value
from jobrunner.jobfile.shapes import (
    INVALID,
    Choice,
    Flag,
    Key,
    Listing,
    Schema,
    Text,
)
from jobrunner.jobfile.source import Path, Source
from jobrunner.jobfile.tables import Named, Table


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


def _stored(kind: ParamType, value: Any, at: Path, source: Source) -> Any:
    if kind is ParamType.JSON:
        value = json_value(value, at, source)
        if value is INVALID:
            return INVALID
    try:
        return stored_value(kind, value)
    except ValueError as wrong:
        source.fault(at, f"{wrong}, as its type {kind} says")
        return INVALID


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
