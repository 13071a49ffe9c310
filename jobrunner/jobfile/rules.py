"""What the keys of one job must fulfil together: one kind, declared placeholders, no key without effect."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from jobrunner.domain.job import Command, HttpRequest
from jobrunner.domain.params import Param, lone_braces, placeholders
from jobrunner.jobfile.draft import Draft
from jobrunner.jobfile.kind_forms import KINDS
from jobrunner.jobfile.words import meant, quoted

_CURVE = ("retry_delay", "retry_backoff", "retry_max_delay", "retry_jitter")
_RESERVED = frozenset(
    f"JOBRUNNER_{name}"
    for name in (
        "RUN_ID",
        "JOB",
        "ATTEMPT",
        "MAX_ATTEMPTS",
        "TRIGGER",
        "FIRE_TIME",
        "SERVER",
        "BATCH_ID",
        "PARENT_RESULTS",
        "RESULT_FILE",
    )
)
_NAME_IN_LINE = r"(?<![${])\{([a-z_][a-z0-9_]*)\}(?!\})"


def check_draft(draft: Draft) -> None:
    """Notes what is wrong among the keys of one job."""
    if not draft.readable:
        return
    _check_kind(draft)
    found = draft.found
    params = found.get("params") or {}
    command = found.get("command")
    if isinstance(command, Command):
        if command.line is not None:
            _check_line(draft, command.line, params)
        else:
            _check_shell(draft)
            for index, element in enumerate(command.argv or ()):
                check_template(draft, element, "command", index)
    if isinstance(found.get("http"), HttpRequest):
        for text, *keys in _texts(found["http"]):
            check_template(draft, text, "http", *keys)
    if "limits" in found:
        for index, limit in enumerate(found["limits"]):
            check_template(draft, limit.partition(":")[2], "limits", index)
    if "env" in found:
        _check_env(draft)
    _check_retries(draft)


def check_template(draft: Draft, text: str, *keys: str | int) -> None:
    """Notes undeclared placeholders of a text, and what may not mean what it seems to."""
    if "{" not in text and "}" not in text:
        return
    params: dict[str, Param] = draft.found.get("params") or {}
    for name in placeholders(text):
        param = params.get(name)
        if param is None:
            if "params" not in draft.found and "params" in draft.table:
                continue
            hint = meant(name, params, empty=f"declare it in params, or write {{{{{name}}}}} for the text")
            draft.fault(*keys, message=f"names the parameter {{{name}}}, which is not declared; {hint}")
        elif not param.has_default and not param.required:
            draft.warn(
                *keys, message=f"names {{{name}}}, which is empty when not given; give it a default or require it"
            )
    if lone_braces(text):
        draft.warn(*keys, message="has single and doubled braces; a doubled one stands for one, so write four for two")


def check_queue(draft: Draft, queues: Collection[str]) -> None:
    """Notes a queue that is not among those there are."""
    if "queue" not in draft.table:
        if "default" not in queues:
            message = f'needs a queue: [jobrunner] queues has no "default"; there are {", ".join(queues)}'
            draft.source.fault(("jobs", draft.name), message, on_key=True)
        return
    queue = draft.found.get("queue")
    if queue is not None and queue not in queues:
        draft.fault("queue", message=unknown("queue", queue, queues, declare="the file has none"))


def _check_kind(draft: Draft) -> None:
    kinds = [kind for kind in KINDS if kind in draft.table]
    if len(kinds) == 1:
        return
    if not kinds:
        draft.source.fault(("jobs", draft.name), f"needs one of {', '.join(KINDS)}", on_key=True)
        return
    draft.fault(kinds[1], message=f"excludes {kinds[0]}; a job has exactly one of {', '.join(KINDS)}", on_key=True)


def _check_line(draft: Draft, line: str, params: dict[str, Param]) -> None:
    for name in dict.fromkeys(re.findall(_NAME_IN_LINE, line)):
        if name in params:
            variable = f"JOBRUNNER_PARAM_{name.upper()}"
            draft.fault(
                "command",
                message=f"is a line for the shell, where parameters are never pasted in: write "
                f'"${variable}" for {{{name}}}, or make the command a list',
            )


def _check_shell(draft: Draft) -> None:
    if "shell" in draft.own:
        draft.warn("shell", message="has no effect on a command that is a list", on_key=True)


def _check_env(draft: Draft) -> None:
    for name in draft.found["env"]:
        if name in _RESERVED or name.startswith("JOBRUNNER_PARAM_"):
            draft.fault("env", name, message="is set by jobrunner itself", on_key=True)


def _check_retries(draft: Draft) -> None:
    found = draft.found
    if "retry_delays" in found:
        for key in _CURVE:
            if key in draft.own:
                draft.warn(key, message="has no effect beside retry_delays", on_key=True)
    if "retry_on" in found and "no_retry_on" in found:
        both = [shown for shown in found["retry_on"] if shown in found["no_retry_on"]]
        if both:
            draft.fault("no_retry_on", message=f"repeats {both[0]!r} of retry_on", on_key=True)


def _texts(request: HttpRequest) -> Iterator[tuple[Any, ...]]:
    yield request.url, "url"
    for name, text in request.headers.items():
        yield text, "headers", name
    if request.body is not None:
        yield request.body, "body"
    yield from _within(request.json, "json")


def _within(value: Any, *keys: str | int) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, str):
        yield value, *keys
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _within(inner, *keys, key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _within(inner, *keys, index)


def unknown(what: str, name: str, known: Any, *, declare: str) -> str:
    """The message about a name that points nowhere."""
    return f"names no {what}: {quoted(name)}; {meant(name, known, empty=declare)}"
