"""Declared parameters of a job: parse what was given, check it, fill defaults, mask secrets. Used by jobfile, admin
and execution.

A value has a *stored form*, which is what runs carry: a JSON value, with dates and instants as ISO texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from jobrunner.errors import ParameterError

NAME = r"[a-z_][a-z0-9_]*"
"""What a parameter's name matches, whole."""

MASK = "***"
"""What is shown in place of a secret value."""

MAX_VALUE_BYTES = 1024 * 1024


class ParamType(StrEnum):
    STRING = "string"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    DATE = "date"
    DATETIME = "datetime"
    JSON = "json"


class Param(NamedTuple):
    """One declared parameter. ``default`` and ``choices`` are in stored form (JSON values; dates as ISO texts)."""

    name: str
    type: ParamType = ParamType.STRING
    default: Any = None
    has_default: bool = False
    required: bool = False
    choices: tuple[Any, ...] = ()
    secret: bool = False
    description: str = ""


class Checker:
    """The declared parameters of one job, made ready once to check any number of calls.

    ``job`` is named in errors. Both methods give every value in stored form and in declared order, defaults filled
    in; a parameter that is neither given nor required and has no default is absent.
    """

    __slots__ = ("_deep", "_defaults", "_from_text", "_from_value", "_job", "_order", "_required")

    def __init__(self, params: Sequence[Param], *, job: str = "") -> None:
        self._job = job
        self._order = tuple(param.name for param in params)
        self._defaults = {param.name: param.default for param in params if param.has_default}
        self._deep = any(isinstance(default, list | dict) for default in self._defaults.values())
        self._required = tuple(param.name for param in params if param.required and not param.has_default)
        self._from_text = {param.name: _reader(param, _TEXT_READERS[param.type], job) for param in params}
        self._from_value = {param.name: _reader(param, _VALUE_READERS[param.type], job) for param in params}

    def texts(self, given: Mapping[str, str]) -> dict[str, Any]:
        """Reads the texts of a command line (``-p K=V``).

        Raises:
            ParameterError: an unknown, missing or ill-typed parameter, or one that is not among its choices.
        """
        return self._check(given, self._from_text)

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Checks the values of a program; dates may be texts or ``date`` and ``datetime`` objects.

        Raises:
            ParameterError: an unknown, missing or ill-typed parameter, or one that is not among its choices.
        """
        return self._check(given, self._from_value)

    def read_texts(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The values of these texts alone: no defaults, and nothing is required. Raises ParameterError."""
        values = {}
        for name, text in given.items():
            if name not in self._from_text:
                raise self._unknown(name)
            values[name] = self._from_text[name](text)
        return values

    def _check(self, given: Mapping[str, Any], readers: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
        checked = deepcopy(self._defaults) if self._deep else dict(self._defaults)
        for name, value in given.items():
            reader = readers.get(name)
            if reader is None:
                raise self._unknown(name)
            checked[name] = reader(value)
        for name in self._required:
            if name not in checked:
                raise _fault(name, self._job, "is required")
        if len(checked) < 2:
            return checked
        return {name: checked[name] for name in self._order if name in checked}

    def _unknown(self, name: object) -> ParameterError:
        of = f"job {self._job}" if self._job else "the job"
        if not self._order:
            return ParameterError(f"unknown parameter {_shown(name)}: {of} has no parameters")
        from difflib import get_close_matches

        near = get_close_matches(str(name)[:100], self._order, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "it has " + ", ".join(self._order)
        return ParameterError(f"unknown parameter {_shown(name)} of {of}", hint=hint)


def stored_value(param_type: ParamType, value: Any) -> Any:
    """The stored form of a Python value for a parameter of that type: how the file's defaults and choices are read.

    Raises:
        ValueError: the value is not of the type; the message completes "the value ...".
    """
    return _VALUE_READERS[param_type](value)


def placeholders(template: str) -> tuple[str, ...]:
    """The names that ``{name}`` stands for in an element, in order and without repetition."""
    if "{" not in template:
        return ()
    return tuple(dict.fromkeys(name for name in _TOKEN.findall(template) if name))


def fill(template: str, values: Mapping[str, Any], *, declared: Collection[str] = ()) -> str:
    """Puts values into an element: ``{name}`` is a value, ``{{`` and ``}}`` are braces, ``${...}`` is left alone.

    A name among ``declared`` that has no value becomes the empty text.

    Raises:
        ParameterError: a name that has no value and is not declared.
    """
    if "{" not in template and "}" not in template:
        return template

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            token = match[0]
            return token[0] if token in ("{{", "}}") else token
        if name in values:
            return to_text(values[name])
        if name in declared:
            return ""
        raise ParameterError(f"{{{name}}} is not a parameter with a value", hint=f"write {{{{{name}}}}} for the text")

    return _TOKEN.sub(replace, template)


def escape(text: str) -> str:
    """The template that ``fill`` turns back into the text."""
    return _BRACES.sub(lambda match: match[0] if match[0][0] == "$" else match[0] * 2, text)


def lone_braces(template: str) -> bool:
    """Whether single braces stand beside doubled ones, so that the doubled may be meant as two."""
    if "{{" not in template and "}}" not in template:
        return False
    rest = _TOKEN.sub("", template)
    return "{" in rest or "}" in rest


def to_text(value: Any) -> str:
    """How a value in stored form is written in an argument or the environment: ``true``, ``7``, compact JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def split_secrets(params: Sequence[Param], values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values fit to be shown, ``"***"`` standing for secrets, and apart from them the secret values by name."""
    secret = {param.name for param in params if param.secret}
    if not secret:
        return dict(values), {}
    public = {name: MASK if name in secret else value for name, value in values.items()}
    return public, {name: value for name, value in values.items() if name in secret}


def _reader(param: Param, read: Callable[[Any], Any], job: str) -> Callable[[Any], Any]:
    name, choices, secret = param.name, param.choices, param.secret

    def checked(value: Any) -> Any:
        try:
            stored = read(value)
        except ValueError as wrong:
            raise _fault(name, job, f"{wrong}" if secret else f"{wrong}: {_shown(value)}") from None
        if choices and stored not in choices:
            listed = ", ".join(to_text(choice) for choice in choices)
            raise _fault(name, job, "is not one of its choices", hint=f"one of: {listed}")
        return stored

    return checked


def _fault(name: str, job: str, message: str, *, hint: str | None = None) -> ParameterError:
    return ParameterError(
        f"parameter {name!r} of job {job} {message}" if job else f"parameter {name!r} {message}", hint=hint
    )


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    if "\0" in value:
        raise ValueError("must not contain a NUL character")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("is not valid UTF-8") from None
    if len(value) > MAX_VALUE_BYTES:
        raise ValueError("is longer than 1 MiB")
    return value


def _int_text(text: str) -> int:
    if len(text) > 20 or not re.fullmatch(_INT, text, re.ASCII):
        raise ValueError("must be a whole number")
    return _int(int(text))


def _int(value: Any) -> int:
    if type(value) is not int and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError("must be a whole number")
    if not -(2**63) <= value < 2**63:
        raise ValueError("must fit 64 bits")
    return int(value)


def _float_text(text: str) -> float:
    if len(text) > 400 or not re.fullmatch(_FLOAT, text, re.ASCII):
        raise ValueError("must be a number")
    return _float(float(text))


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError("must be a finite number") from None
    if number - number != 0:
        raise ValueError("must be a finite number")
    return number


def _bool_text(text: str) -> bool:
    value = _BOOLS.get(text.lower())
    if value is None:
        raise ValueError("must be true or false")
    return value


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _date(value: Any) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and re.fullmatch(_DATE, value, re.ASCII):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise ValueError("is not a day of the calendar") from None
    raise ValueError("must be a date like 2026-10-31")


def _datetime(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and re.fullmatch(_DATETIME, value, re.ASCII):
        try:
            return datetime.fromisoformat(value.upper()).isoformat()
        except ValueError:
            raise ValueError("is not an instant of the calendar") from None
    raise ValueError("must be an instant like 2026-10-31T06:00:00+01:00")


def _json_text(text: str) -> Any:
    if len(text) > MAX_VALUE_BYTES:
        raise ValueError("is longer than 1 MiB")
    try:
        return _json(json.loads(text, parse_constant=_no_constant))
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except json.JSONDecodeError as wrong:
        raise ValueError(f"must be JSON ({wrong.msg} at character {wrong.pos + 1})") from None


def _json(value: Any) -> Any:
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        text.encode()
    except TypeError as wrong:
        raise ValueError(f"must be a JSON value ({wrong})") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except ValueError:
        raise ValueError("must be a JSON value without NaN, infinity, cycles or broken characters") from None
    if len(text) > MAX_VALUE_BYTES:
        raise ValueError("is longer than 1 MiB as JSON")
    return json.loads(text)


def _no_constant(name: str) -> Any:
    raise ValueError(f"must be JSON, which has no {name}")


_BRACES = re.compile(r"\$\{[^}]*\}|[{}]")
_TOKEN = re.compile(r"\$\{[^}]*\}|\{\{|\}\}|\{([a-z_][a-z0-9_]*)\}", re.ASCII)
_INT = r"[+-]?\d+"
_FLOAT = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
_DATE = r"\d{4}-\d{2}-\d{2}"
_DATETIME = r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?([Zz]|[+-]\d{2}:\d{2})?)?"
_BOOLS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}

_TEXT_READERS: dict[ParamType, Callable[[Any], Any]] = {
    ParamType.STRING: _text,
    ParamType.INT: _int_text,
    ParamType.FLOAT: _float_text,
    ParamType.BOOL: _bool_text,
    ParamType.DATE: _date,
    ParamType.DATETIME: _datetime,
    ParamType.JSON: _json_text,
}
_VALUE_READERS: dict[ParamType, Callable[[Any], Any]] = {
    ParamType.STRING: _text,
    ParamType.INT: _int,
    ParamType.FLOAT: _float,
    ParamType.BOOL: _bool,
    ParamType.DATE: _date,
    ParamType.DATETIME: _datetime,
    ParamType.JSON: _json,
}
