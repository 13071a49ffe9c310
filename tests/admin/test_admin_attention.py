"""What needs attention, as the store and the file tell it, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from samples import end, put, run_to, serve, start

from jobrunner.admin import Admin
from jobrunner.domain.attention import Concern
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.state import RunState
from jobrunner.store import Database, decisions, servers

Project = Callable[[str], Admin]
NOW = datetime.now(UTC)
JOBS = """
[jobs.a]
command = "true"
[jobs.b]
command = "true"
sla = { start_within = "10s" }
"""


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def living(db: Database) -> int:
    server = serve(db, "web", started_at=ago(5), workers=2)
    servers.heartbeat(db, server, now=NOW, busy=2, ticked=NOW)
    return server


def concerns(admin: Admin) -> list[tuple[Concern, str | int]]:
    return [(item.concern, item.subject.id) for item in admin.attention().items]


def test_nothing_is_wrong(project: Project, db: Database) -> None:
    admin, server = project(JOBS), living(db)
    run_to(db, put(db, "a", created_at=ago(5)), server, at=ago(1))
    put(db, "a", created_at=ago(5))
    assert concerns(admin) == []


def test_dead_letters_are_grouped_and_bounded(project: Project, db: Database) -> None:
    admin, server = project(JOBS), living(db)
    for job in ("a", "b", "a", "c"):
        run_to(db, put(db, job, created_at=ago(50)), server, RunState.FAILED, at=ago(40), error="x")
    assert sorted((each.subject.id, each.count) for each in admin.attention().items) == [("a", 2), ("b", 1), ("c", 1)]
    needs = admin.attention(limit=2)
    assert len(needs.items) == 2
    assert needs.total == 3


def test_what_waits_for_long(project: Project, db: Database) -> None:
    admin = project(JOBS)
    read = threading.Event()
    admin.when_ready(read.set)
    living(db)
    put(db, "a", created_at=ago(300), priority=-5)
    put(db, "a", created_at=ago(20), priority=3)
    put(db, "b", created_at=ago(20))
    put(db, "c", created_at=ago(20))
    put(db, "a", created_at=ago(200), queue="low")
    before = concerns(admin)
    assert (Concern.LATE, "a") in before
    assert read.wait(20)
    found = admin.attention().items
    assert [(item.concern, item.subject.id) for item in found] == [
        (Concern.QUEUE, "low"),
        (Concern.LATE, "b"),
        (Concern.LATE, "a"),
    ]
    assert [item.since for item in found] == [ago(200), ago(20), ago(300)]


def test_what_was_missed_until_the_next_success(project: Project, db: Database) -> None:
    admin, server = project(JOBS), living(db)
    decisions.write(db, Decision("a", ago(900), ago(800), 3, Why.MISSED, "no server ran", ago(700)), 1, mark=None)
    decisions.write(db, Decision("b", ago(99_999), ago(99_999), 1, Why.MISSED, "", ago(99_000)), 1, mark=None)
    before = start(db, put(db, "a", created_at=ago(1000)), server, ago(990))
    end(db, before, server, at=ago(980))
    assert concerns(admin) == [(Concern.MISSED, "a")]
    after = start(db, put(db, "a", created_at=ago(100)), server, ago(90))
    end(db, after, server, at=ago(80))
    assert concerns(admin) == []


def test_a_broken_file_is_told(project: Project, db: Database, tmp_path: Path) -> None:
    admin = project(JOBS)
    living(db)
    read = threading.Event()
    admin.when_ready(read.set)
    (tmp_path / "jobs.toml").write_text((tmp_path / "jobs.toml").read_text() + "colour = 3\n")
    assert concerns(admin) == []
    assert read.wait(20)
    (item,) = admin.attention().items
    assert item.concern is Concern.FILE
    assert "colour" in item.words


def test_retries_and_pauses(project: Project, db: Database) -> None:
    admin, server = project(JOBS), living(db)
    run = put(db, "a", created_at=ago(50), max_attempts=3)
    run_to(db, run, server, RunState.RETRYING, at=ago(40), run_after=ago(-600), error="exit code 75")
    admin.pause("job", "b", until=ago(-900), reason="disk")
    assert concerns(admin) == [(Concern.RETRYING, "a"), (Concern.PAUSED, "b")]
    retrying, paused = admin.attention().items
    assert (retrying.run_id, retrying.until) == (run, ago(-600))
    assert paused.until == ago(-900)
