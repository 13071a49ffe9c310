"""The server's log on stderr: text for a person at a terminal, JSON lines for everything else. Set up by wiring.

Whoever logs gives ``extra={"run": 12, "job": "backup", "attempt": 1}`` where it has them. Nothing that a job or a
person wrote reaches a terminal with control characters in it.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Literal, TextIO

from jobrunner.domain.clock import from_micros
from jobrunner.presentation.sanitise import plain

_STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime", "taskName"}
_PLAIN = len(vars(logging.LogRecord("", 0, "", 0, "", (), None)))
_FIRST = ("run", "job", "attempt")
_QUIET = ("huey", "httpx", "httpcore", "asyncio")
_BARE = re.compile(r"[^\s\"'=]+")


def configure(format: Literal["text", "json"] | None, stream: TextIO, level: int = logging.INFO) -> None:
    """Sends everything that is logged to ``stream``; None as format is text on a terminal and JSON lines otherwise.

    Huey, and the libraries below it, are heard from WARNING on. Called again, it takes the place of the first call.
    """
    if format is None:
        format = "text" if stream.isatty() else "json"
    # No line tells where in the code it was written, nor by which thread: that need not be found out for each.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = LineHandler(stream)
    handler.setFormatter(TextFormatter() if format == "text" else JsonFormatter())
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


@contextmanager
def together() -> Iterator[None]:
    """What this thread logs inside is written at the end, at once: each write may wake who reads the log."""
    handlers = [handler for handler in logging.getLogger().handlers if isinstance(handler, LineHandler)]
    for handler in handlers:
        handler.gather()
    try:
        yield
    finally:
        for handler in handlers:
            handler.write_gathered()


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes each line as it comes, but those of one thread from ``gather`` to ``write_gathered`` at once."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._thread: int | None = None
        self._lines = list[str]()

    def gather(self) -> None:
        self._thread = threading.get_ident()

    def write_gathered(self) -> None:
        self._thread = None
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        self.acquire()
        try:
            self.stream.write(self.terminator.join([*lines, ""]))
            self.flush()
        except Exception:
            self.handleError(logging.makeLogRecord({}))
        finally:
            self.release()

    def emit(self, record: logging.LogRecord) -> None:
        if self._thread != threading.get_ident():
            super().emit(record)
            return
        try:
            self._lines.append(self.format(record))
        except Exception:
            self.handleError(record)


class TextFormatter(logging.Formatter):
    """``2026-11-21 23:42:00.123 INFO    started run=12 job=backup attempt=1``, in the host's time.

    A traceback follows on lines of its own, indented.
    """

    def format(self, record: logging.LogRecord) -> str:
        when = _instant(record).astimezone().isoformat(" ", "milliseconds")[:23]
        fields = "".join(f" {plain(name)}={_word(value)}" for name, value in _fields(record))
        line = f"{when} {record.levelname:<7} {plain(_message(record))}{fields}"
        return "\n".join([line, *(f"    {plain(part)}" for part in _traceback(record))])


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ``time`` (RFC 3339, UTC, microseconds), ``level``, ``logger``, ``message``, fields."""

    def __init__(self) -> None:
        super().__init__()
        self._second = (-1, "")

    def format(self, record: logging.LogRecord) -> str:
        # Put together by hand: two lines a run are written, and an encoder for the whole takes as long as a statement.
        who = _who(record.levelname, record.name)
        text = f'{{"time": "{self._time(record.created)}", {who}, "message": {_json(_message(record))}'
        for name, value in _fields(record):
            if name not in _OWN:
                text += f", {_json(name)}: {_json(value)}"
        if record.exc_info or record.exc_text:
            text += f', "exception": {_json(chr(10).join(_traceback(record)))}'
        text += "}"
        return text if text.isprintable() else "".join(map(_printable, text))

    def _time(self, created: float) -> str:
        second, micros = divmod(round(created * 1_000_000), 1_000_000)
        known, words = self._second
        if second != known:
            words = from_micros(second * 1_000_000).strftime("%Y-%m-%dT%H:%M:%S")
            self._second = (second, words)
        return f"{words}.{micros:06d}Z"


_OWN = ("time", "level", "logger", "message")


@lru_cache(maxsize=256)
def _who(level: str, logger: str) -> str:
    return f'"level": "{level.lower()}", "logger": {_json(logger)}'


def _json(value: Any) -> str:
    if type(value) is str:
        return encode_basestring(value)
    return str(value) if type(value) is int else json.dumps(value, ensure_ascii=False, default=str)


def _instant(record: logging.LogRecord) -> datetime:
    return from_micros(round(record.created * 1_000_000))


def _message(record: logging.LogRecord) -> str:
    """A line whose arguments do not fit is a mistake of ours, and no reason to lose what it tells."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, LookupError):
        return f"{record.msg} {record.args!r}"


def _fields(record: logging.LogRecord) -> list[tuple[str, Any]]:
    given = vars(record)
    names = [name for name in _FIRST if name in given]
    if len(given) > _PLAIN + len(names):
        names += [name for name in given if name not in _STANDARD and name not in _FIRST]
    return [(name, given[name]) for name in names if given[name] is not None]


def _word(value: object) -> str:
    text = str(value)
    return plain(text) if _BARE.fullmatch(text) else json.dumps(plain(text), ensure_ascii=False)


def _traceback(record: logging.LogRecord) -> list[str]:
    if record.exc_info and record.exc_info[0] is not None:
        return "".join(traceback.format_exception(*record.exc_info)).splitlines()
    return (record.exc_text or "").splitlines()


def _printable(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]
