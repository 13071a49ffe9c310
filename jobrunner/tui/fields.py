"""What has to be said before an action: fields, read the same way by a form and, one after another, by the palette."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from jobrunner.domain.duration import parse_duration
from jobrunner.domain.params import Checker, Param, ParamType, to_text
from jobrunner.domain.timepoint import parse_time
from jobrunner.domain.trigger import HIGHEST_PRIORITY, LOWEST_PRIORITY, TriggerOptions
from jobrunner.errors import UsageError

if TYPE_CHECKING:
    from jobrunner.domain.job import Job

Values = Mapping[str, str]
"""What was typed, by the name of the field; an empty text is nothing."""

PARAM = "param:"
"""Begins the name of a field for a parameter of the job."""


class Field(NamedTuple):
    """One thing to be said. ``choices``: one of these; ``value`` stands in it at first; ``otherwise`` is what an empty
    one means; ``help`` says what to write."""

    name: str
    label: str
    help: str = ""
    value: str = ""
    otherwise: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False
    secret: bool = False


WHEN = Field("when", "When", "now, +2h, 90s, tomorrow 06:00", otherwise="now")
FOR = Field("for", "For", "90s, 2h, 1d", otherwise="until it is resumed")
REASON = Field("reason", "Reason", "for whoever asks")


def of_trigger(job: Job, queues: Sequence[str]) -> tuple[Field, ...]:
    """The parameters that a job declares, then when, where and how urgent."""
    return (
        *(_of_param(param) for param in job.params),
        WHEN,
        Field("queue", "Queue", choices=("", *queues), otherwise=job.queue),
        Field(
            "priority",
            "Priority",
            f"{LOWEST_PRIORITY} to {HIGHEST_PRIORITY}, higher first",
            otherwise=str(job.priority),
        ),
    )


def trigger_faults(job: Job, values: Values, now: datetime, zone: ZoneInfo) -> dict[str, str]:
    """What is wrong with what has been said so far, by field; a required parameter that is missing included."""
    faults = dict[str, str]()
    checker = Checker(job.params)
    for param in job.params:
        text = values.get(PARAM + param.name, "")
        if not text:
            if param.required and not param.has_default:
                faults[PARAM + param.name] = "is required"
            continue
        _try(faults, PARAM + param.name, lambda name=param.name, text=text: checker.read_texts({name: text}))
    _try(faults, "when", lambda: options(values, now, zone))
    _try(faults, "priority", lambda: _priority(values))
    return faults


def pause_faults(values: Values) -> dict[str, str]:
    """What is wrong with the length of a pause."""
    faults = dict[str, str]()
    if values.get("for"):
        _try(faults, "for", lambda: parse_duration(values["for"]))
    return faults


def params(values: Values) -> dict[str, str]:
    """The parameters that were given, as texts."""
    return {name.removeprefix(PARAM): text for name, text in values.items() if name.startswith(PARAM) and text}


def options(values: Values, now: datetime, zone: ZoneInfo) -> TriggerOptions:
    """When, where and how urgent. Raises UsageError."""
    when = values.get("when", "").strip()
    found = TriggerOptions(queue=values.get("queue") or None, priority=_priority(values))
    if not when or when == "now":
        return found
    try:
        return found._replace(delay=parse_duration(when))
    except UsageError:
        return found._replace(at=parse_time(when, now=now, zone=zone))


def words(values: Values, secret: Sequence[str] = ()) -> list[str]:
    """The same as arguments of ``trigger``; secrets are not shown."""
    found = list[str]()
    for name, text in params(values).items():
        found += ["-p", f"{name}={'***' if name in secret else text}"]
    when = values.get("when", "").strip()
    if when and when != "now":
        try:
            parse_duration(when)
            found += ["--delay", when]
        except UsageError:
            found += ["--at", when]
    for name in ("queue", "priority"):
        if values.get(name):
            found += [f"--{name}", values[name]]
    return found


def _priority(values: Values) -> int | None:
    text = values.get("priority", "").strip()
    if not text:
        return None
    try:
        number = int(text)
    except ValueError:
        raise UsageError("must be a whole number") from None
    TriggerOptions(priority=number).check()
    return number


def _of_param(param: Param) -> Field:
    choices = tuple(map(to_text, param.choices))
    if param.type is ParamType.BOOL and not choices:
        choices = ("true", "false")
    default = to_text(param.default) if param.has_default else ""
    required = param.required and not param.has_default
    kind = {ParamType.STRING: "", ParamType.JSON: "JSON", ParamType.DATE: "2026-10-31"}.get(
        param.type, param.type.value
    )
    return Field(
        name=PARAM + param.name,
        label=param.name,
        help=" · ".join(filter(None, (param.description, kind if not choices else ""))),
        otherwise="***" if param.secret and default else default,
        choices=(choices if required else ("", *choices)) if choices else (),
        value=choices[0] if choices and required else "",
        required=required,
        secret=param.secret,
    )


def _try(faults: dict[str, str], name: str, read: object) -> None:
    assert callable(read)
    try:
        read()
    except UsageError as error:
        text = str(error)
        faults[name] = text.partition(f"{name.removeprefix(PARAM)!r} ")[2] or text
