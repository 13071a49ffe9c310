from __future__ import annotations

import io
import json
import logging
import os
import pty
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrunner.server.log import JsonFormatter, TextFormatter, configure, together

ATTACK = "a\x1b]0;title\x07b\x1b[2J\r\nc\x9bd\u202ee\u200bf\ud800"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("huey", "httpx", "httpcore", "asyncio")}
    raising = logging.raiseExceptions
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising
    for name, former in levels.items():
        logging.getLogger(name).setLevel(former)


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("jobrunner.run", logging.INFO, "file.py", 1, message, args, None)
    made.created = 1_795_300_000.123456
    vars(made).update(extra)
    return made


def test_text_has_time_level_message_and_fields() -> None:
    line = TextFormatter().format(record("started %s", "it", attempt=1, job="backup", run=12, queue="low", server=None))
    local = datetime.fromtimestamp(1_795_300_000.123456, UTC).astimezone()
    assert line == f"{local:%Y-%m-%d %H:%M:%S}.123 INFO    started it run=12 job=backup attempt=1 queue=low"


def test_text_quotes_what_has_spaces() -> None:
    assert (
        TextFormatter()
        .format(record("x", job="a b", note='say "hi"', empty=""))
        .endswith(' job="a b" note="say \\"hi\\"" empty=""')
    )


def test_json_has_rfc_3339_in_utc_with_microseconds() -> None:
    found = json.loads(JsonFormatter().format(record("started", attempt=1, job="ñandú", run=12)))
    assert found == {
        "time": "2026-11-21T22:26:40.123456Z",
        "level": "info",
        "logger": "jobrunner.run",
        "message": "started",
        "run": 12,
        "job": "ñandú",
        "attempt": 1,
    }
    assert list(found)[4:] == ["run", "job", "attempt"]


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_control_characters_never_get_through(formatter: logging.Formatter) -> None:
    try:
        raise ValueError(ATTACK)
    except ValueError as error:
        made = record("%s", ATTACK, job=ATTACK, **{"odd\x1bname": ATTACK})
        made.exc_info = (ValueError, error, error.__traceback__)
    line = formatter.format(made)
    assert all(part.isprintable() for part in line.split("\n"))
    assert "title" in line


def test_json_keeps_what_it_escapes() -> None:
    assert json.loads(JsonFormatter().format(record("%s", ATTACK)))["message"] == ATTACK


@given(st.text(), st.text())
def test_any_message_is_one_line(message: str, job: str) -> None:
    for formatter in (TextFormatter(), JsonFormatter()):
        line = formatter.format(record("%s", message, job=job))
        assert not {unicodedata.category(character) for character in line} & {"Cc", "Cs", "Zl", "Zp"}


def test_a_traceback_follows_indented_or_as_a_field(stream: io.StringIO) -> None:
    for chosen in ("text", "json"):
        configure(chosen, stream)
        try:
            raise RuntimeError("broken")
        except RuntimeError:
            logging.getLogger("jobrunner.x").exception("fault", extra={"run": 7})
    *text, last = stream.getvalue().splitlines()
    assert text[0].endswith("ERROR   fault run=7")
    assert text[1:][-1] == "    RuntimeError: broken"
    assert all(line.startswith("    ") for line in text[1:])
    found = json.loads(last)
    assert found["exception"].endswith("RuntimeError: broken")
    assert found["run"] == 7


def test_a_line_with_wrong_arguments_is_not_lost() -> None:
    assert "took %d of %d (3,)" in TextFormatter().format(record("took %d of %d", 3))


def test_values_that_json_does_not_know_are_shown_as_text() -> None:
    assert json.loads(JsonFormatter().format(record("x", at=datetime(2026, 1, 1, tzinfo=UTC))))["at"].startswith("2026")


def test_a_pipe_gets_json_and_a_terminal_text(stream: io.StringIO) -> None:
    configure(None, stream)
    logging.getLogger("jobrunner").info("hello")
    assert json.loads(stream.getvalue())["message"] == "hello"
    master, slave = pty.openpty()
    with open(slave, "w") as terminal:
        configure(None, terminal)
        logging.getLogger("jobrunner").info("hello")
        shown = os.read(master, 1_000)
    os.close(master)
    assert shown.endswith(b"INFO    hello\r\n")


def test_the_last_configuration_holds_alone(stream: io.StringIO) -> None:
    configure("text", io.StringIO())
    configure("text", stream)
    logging.getLogger("jobrunner").info("once")
    assert stream.getvalue().count("once") == 1


def test_levels(stream: io.StringIO) -> None:
    configure("text", stream)
    logging.getLogger("jobrunner").debug("not this")
    logging.getLogger("huey.consumer").info("nor this")
    logging.getLogger("huey").warning("but this")
    assert stream.getvalue().splitlines()[0].endswith("but this")
    assert not logging.getLogger("jobrunner").isEnabledFor(logging.DEBUG)
    configure("text", stream, logging.DEBUG)
    logging.getLogger("jobrunner").debug("now too")
    assert stream.getvalue().endswith("now too\n")


def test_a_closed_stream_stops_nothing(stream: io.StringIO) -> None:
    configure("text", stream)
    stream.close()
    logging.getLogger("jobrunner").info("into the void")


class Writes(io.StringIO):
    """A stream that keeps what each write gave it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def write(self, text: str) -> int:
        self.written.append(text)
        return len(text)


def lines_of(written: list[str]) -> list[list[str]]:
    return [[json.loads(line)["message"] for line in text.splitlines()] for text in written]


@pytest.mark.usefixtures("stream")
def test_lines_of_one_thread_may_be_written_together() -> None:
    writes = Writes()
    configure("json", writes)
    log = logging.getLogger("jobrunner.run")
    other = threading.Thread(target=lambda: log.info("other"))
    with together():
        log.info("one")
        other.start()
        other.join()
        log.warning("two %s", "words")
    log.info("three")
    with together():
        pass
    assert lines_of(writes.written) == [["other"], ["one", "two words"], ["three"]]


@pytest.mark.usefixtures("stream")
def test_lines_are_written_though_what_is_done_meanwhile_fails() -> None:
    writes = Writes()
    configure("json", writes)
    with suppress(ValueError), together():
        logging.getLogger("jobrunner.run").info("one")
        raise ValueError
    assert lines_of(writes.written) == [["one"]]
