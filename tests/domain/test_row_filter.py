"""Which events, queues and batches a filter asks for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jobrunner.domain.batch import Batch, BatchState
from jobrunner.domain.event import Event, Happened, Subject
from jobrunner.domain.filter_text import parse
from jobrunner.domain.queue import QueueStatus
from jobrunner.domain.row_filter import EVENTS, QUEUES, of_batch, of_event, of_queue, row_test
from jobrunner.errors import UsageError

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def event(minutes: int, happened: Happened, who: str, words: str, subject: Subject, *jobs: str) -> Event:
    return Event(("test", "", minutes), NOW - timedelta(minutes=minutes), happened, who, words, subject, jobs)


HAPPENED = {
    "paused": event(1, Happened.ACTION, "ana", "pause job etl-load disk", Subject("job", "etl-load"), "etl-load"),
    "failed": event(30, Happened.FAILED, "web1", "run 7 of report failed", Subject("run", 7), "report"),
    "came": event(90, Happened.STARTED, "web2", "server web2 started on here", Subject("server", "web2")),
    "held": event(200, Happened.ACTION, "ana", "pause queue low", Subject("queue", "low")),
    "stopped": event(300, Happened.ACTION, "bo", "cancel batch b7", Subject("batch", 7)),
}


def queue(name: str, *, paused: bool = False) -> QueueStatus:
    numbers: dict[str, Any] = dict.fromkeys(("queued", "running", "waiting", "scheduled", "retrying"), 0)
    return QueueStatus(name=name, oldest_wait=None, paused=paused, max_running=None, **numbers)


def batch(number: int, name: str, state: BatchState, hours: int) -> Batch:
    at = NOW - timedelta(hours=hours)
    return Batch(id=number, name=name, state=state, total=1, succeeded=0, failed=0, other=0, created_at=at)


ROWS = {
    "low": of_queue(queue("low", paused=True)),
    "mails": of_queue(queue("mails")),
    "b7": of_batch(batch(7, "mails", BatchState.FAILED, 5)),
    "b8": of_batch(batch(8, "bills", BatchState.RUNNING, 1)),
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", set(HAPPENED)),
        ("ana", {"paused", "held"}),
        ("ana !queue", {"paused"}),
        ("job:etl*", {"paused"}),
        ("!job:etl*,report", {"came", "held", "stopped"}),
        ("state:failed,started", {"failed", "came"}),
        ("since:1h", {"paused", "failed"}),
        ("until:1h !until:4h", {"came", "held"}),
        ("server:web*", {"failed", "came"}),
        ("queue:low", {"held"}),
        ("batch:b7", {"stopped"}),
        ("/run [0-9]+/", {"failed"}),
    ],
)
def test_what_happened(text: str, found: set[str]) -> None:
    test = row_test(parse(text, subject=EVENTS, now=NOW, zone=ZoneInfo("UTC")))
    assert {name for name, one in HAPPENED.items() if test(of_event(one))} == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mails", {"mails", "b7"}),
        ("!mails", {"low", "b8"}),
        ("state:paused", {"low"}),
        ("state:open,failed", {"mails", "b7"}),
        ("queue:*", {"low", "mails"}),
        ("batch:b8", {"b8"}),
        ("b7", {"b7"}),
        ("since:2h", {"b8"}),
    ],
)
def test_queues_and_batches(text: str, found: set[str]) -> None:
    test = row_test(parse(text, subject=QUEUES, now=NOW, zone=ZoneInfo("UTC")))
    assert {name for name, one in ROWS.items() if test(one)} == found


def refusal(parsed: Callable[[], object]) -> str:
    with pytest.raises(UsageError) as caught:
        parsed()
    return str(caught.value)


def test_a_field_that_makes_no_sense_there_is_refused() -> None:
    zone = ZoneInfo("UTC")
    assert "exit: does not apply to events" in refusal(lambda: parse("exit:3", subject=EVENTS, now=NOW, zone=zone))
    said = refusal(lambda: parse("job:a", subject=QUEUES, now=NOW, zone=zone))
    assert "job: does not apply to queues and batches" in said
