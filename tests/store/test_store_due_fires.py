"""Fires that are due together: each is decided as it would be by itself, with few statements where it is plain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from samples import NOW, at_once, later, missed, new, put, run_to, serve

from jobrunner.domain.decision import Why
from jobrunner.domain.job import Overlap
from jobrunner.domain.queue import Pause
from jobrunner.domain.state import Ready, RunState, Trigger
from jobrunner.store import Database, due_fires, pauses, schedules
from jobrunner.store.runs import read
from jobrunner.store.schedules import Fire


def due(job: str, overlap: Overlap = Overlap.SKIP, seconds: float = 0, **changes: Any) -> Fire:
    policy = {key: changes.pop(key) for key in ("instead", "shadow", "delayed", "one_by_one") if key in changes}
    at = later(seconds)
    given = {"trigger": Trigger.SCHEDULE, "fire_time": at, "created_at": NOW, "run_after": at, **changes}
    return Fire(run=new(job, **given), schedule=1, overlap=overlap, **policy)


def all_kinds(db: Database, side: str) -> list[Fire]:
    """One due fire of every kind of job; what stands in their way is put there."""
    server = serve(db, side)

    def name(kind: str) -> str:
        return f"{kind} {side}"

    run_to(db, put(db, name("other")), server)
    for kind in ("active skip", "active queue", "active replace", "active allow"):
        put(db, name(kind))
    schedules.fire(db, due(name("fired")), NOW)
    missed(db, NOW, later(9))
    db.execute("UPDATE decisions SET job = ? WHERE job = 'job'", (name("decided"),))
    pauses.pause(db, Pause(scope="job", name=name("paused"), who="ana", since=later(-9), until=None, reason="new disk"))
    pauses.pause(db, Pause(scope="job", name=name("was paused"), who="ana", since=later(-9), until=None, reason=""))
    pauses.resume(db, "job", name("was paused"), later(5))
    put(db, name("holder"), unique_key=name("key"))
    put(db, name("one by one"))
    schedules.fire(db, due(name("late"), seconds=-5, delayed=True, run_after=later(9)), NOW)
    return [
        due(name("plain")),
        due(name("twice"), seconds=-1),
        due(name("twice")),
        due(name("other"), Overlap.REPLACE, definition=f'{{"name":"{name("other")}","more":1}}'),
        due(name("active skip")),
        due(name("active queue"), Overlap.QUEUE),
        due(name("active replace"), Overlap.REPLACE),
        due(name("active allow"), Overlap.ALLOW, expires=timedelta(seconds=60)),
        due(name("fired")),
        due(name("decided")),
        due(name("paused")),
        due(name("was paused")),
        due(name("unique"), unique_key=name("key")),
        due(name("off"), instead=(Why.DISABLED, "enabled = false")),
        due(name("shadow"), shadow=True),
        due(name("one by one"), Overlap.ALLOW, one_by_one=True),
        due(name("late"), delayed=True, run_after=later(8)),
        due(name("jitter"), delayed=True, run_after=later(7)),
        due(name("free"), Overlap.ALLOW, delayed=True, run_after=later(7), priority=3, queue="low"),
    ]


def seen(db: Database, side: str) -> dict[str, list[tuple[object, ...]]]:
    """Everything that tells what became of one side's fires, without its name."""

    def rows(sql: str) -> list[tuple[object, ...]]:
        found = db.execute(sql, (f"% {side}",)).fetchall()
        return sorted(tuple(str(value).removesuffix(f" {side}") for value in row) for row in found)

    return {
        "runs": rows(
            "SELECT job, state, fire_time, run_after, expires_at, priority, queue, source, waiting_reason, error,"
            " cancel FROM runs WHERE job LIKE ?"
        ),
        "schedules": rows("SELECT job, seen_until FROM schedules WHERE job LIKE ?"),
        "decisions": rows("SELECT job, first_fire, last_fire, decision, detail FROM decisions WHERE job LIKE ?"),
        "definitions": rows("SELECT d.job FROM runs r JOIN definitions d ON d.id = r.definition_id WHERE r.job LIKE ?"),
    }


def without_numbers(found: Any) -> Any:
    return [tuple("run" if "run " in str(value) else value for value in row) for row in found]


def test_each_fire_is_decided_as_it_is_by_itself(db: Database) -> None:
    both = [f"{kind} {name}" for kind in ("plain", "other", "paused", "jitter", "free") for name in ("alone", "many")]
    schedules.apply(db, dict.fromkeys(both, 1), later(-60))
    single = [ready for each in all_kinds(db, "alone") for ready in schedules.fire(db, each, NOW)]
    together = due_fires.fire_all(db, all_kinds(db, "many"), NOW)
    alone, many = seen(db, "alone"), seen(db, "many")
    assert {key: without_numbers(rows) for key, rows in many.items()} == {
        key: without_numbers(rows) for key, rows in alone.items()
    }

    def told(ready: Sequence[Any]) -> list[tuple[str, str]]:
        return sorted((read.get(db, one.id).job.split()[0], one.queue) for one in ready)

    assert told(together) == told(single)
    assert due_fires.fire_all(db, [due("plain many"), due("twice many")], NOW) == []


def test_servers_at_once_make_one_run_of_each(store_url: str, db: Database) -> None:
    jobs = [f"job {number}" for number in range(30)]

    def work(mine: Database, turn: int) -> list[int]:
        order = jobs if turn % 2 else jobs[7:] + jobs[:7]
        return [ready.id for ready in due_fires.fire_all(mine, [due(job, Overlap.ALLOW) for job in order], NOW)]

    made = [ready for some in at_once(store_url, 2, work) for ready in some]
    assert sorted(made) == sorted(read.ids(db, 99))
    assert len(made) == 30


def test_servers_that_come_to_them_in_other_orders_do_not_wait_for_each_other(store_url: str, db: Database) -> None:
    fires = [due(f"job {number}", shadow=True) for number in range(40)]

    def work(mine: Database, turn: int) -> list[Ready]:
        return due_fires.fire_all(mine, fires if turn else fires[::-1], NOW)

    assert at_once(store_url, 2, work) == [[], []]
    assert db.execute("SELECT count(*) FROM decisions").fetchone() == (40,)


def test_plain_ones_need_no_more_statements_than_two(db: Database) -> None:
    def counted(count: int, seconds: float) -> int:
        ran = list[object]()
        hooks = db._connections.query_hooks
        hooks.append(ran.append)
        ready = due_fires.fire_all(db, [due(f"job {n}", Overlap.ALLOW, seconds) for n in range(count)], later(seconds))
        hooks.clear()
        assert len(ready) == count
        assert {read.state(db, one.id) for one in ready} == {RunState.QUEUED}
        return len(ran)

    counted(60, 0)
    assert counted(2, 1) == counted(60, 2) == (7 if db.dialect == "postgresql" else 6)
