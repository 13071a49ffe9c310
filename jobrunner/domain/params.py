"""Declared parameters of a job: parse what was given, check it, fill defaults, mask secrets. Used by jobfile and admin."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ParamType(StrEnum):
    STRING = "string"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    DATE = "date"
    DATETIME = "datetime"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """One declared parameter. ``default`` and ``choices`` are in stored form (JSON values; dates as ISO texts)."""

    name: str
    type: ParamType = ParamType.STRING
    default: Any = None
    has_default: bool = False
    required: bool = False
    choices: tuple[Any, ...] = ()
    secret: bool = False
    description: str = ""
