"""Fires: one run or one decision for each (job, fire time), by overlap, pauses, uniqueness; and how far they came."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from samples import NOW, at_once, end, later, missed, new, put, run_to, serve, start, states

from jobrunner.domain.decision import Why
from jobrunner.domain.job import Overlap
from jobrunner.domain.queue import Pause
from jobrunner.domain.state import Ready, RunState, Trigger
from jobrunner.store import Database, pauses, schedules
from jobrunner.store import decisions as spans
from jobrunner.store.runs import claim, read, steer


def fire(
    db: Database, at: datetime, overlap: Overlap = Overlap.SKIP, *, one_by_one: bool = False, **changes: Any
) -> list[Ready]:
    policy = {key: changes.pop(key) for key in ("instead", "shadow", "delayed") if key in changes}
    run = new(trigger=Trigger.SCHEDULE, fire_time=at, created_at=NOW, run_after=changes.pop("run_after", at), **changes)
    due = schedules.Fire(run=run, schedule=1, overlap=overlap, one_by_one=one_by_one, **policy)
    return schedules.fire(db, due, NOW)


def decisions(db: Database) -> list[tuple[str, str, str]]:
    return db.execute("SELECT job, decision, detail FROM decisions ORDER BY job, first_fire").fetchall()


class TestOnce:
    def test_a_fire_time_makes_one_run_however_often_it_is_decided(self, db: Database) -> None:
        assert [ready.id for ready in fire(db, NOW)] == [1]
        server = serve(db)
        run_to(db, 1, server)
        assert fire(db, NOW) == []
        assert fire(db, NOW, Overlap.ALLOW) == []
        assert [run.fire_time for run in (read.get(db, run_id) for run_id in read.ids(db, 9))] == [NOW]

    def test_servers_at_once_make_one_run(self, store_url: str, db: Database) -> None:
        def work(mine: Database, _: int) -> list[Ready]:
            return [ready for seconds in range(10) for ready in fire(mine, later(-seconds), Overlap.ALLOW)]

        made = [ready.id for some in at_once(store_url, 4, work) for ready in some]
        assert sorted(made) == sorted(read.ids(db, 99))
        assert len(made) == 10

    def test_two_jobs_may_fire_at_the_same_time(self, db: Database) -> None:
        assert len(fire(db, NOW)) == 1
        assert len(fire(db, NOW, job="other")) == 1

    def test_a_run_by_hand_is_no_fire(self, db: Database) -> None:
        put(db, "other")
        put(db, "other")
        assert len(fire(db, NOW)) == 1


class TestOverlap:
    def test_skip_leaves_a_skipped_run_that_says_why(self, db: Database) -> None:
        active = put(db)
        assert fire(db, NOW, expires=timedelta(seconds=1)) == []
        run = read.get(db, 2)
        assert (run.state, run.error, run.finished_at, run.fire_time) == (
            RunState.SKIPPED,
            f"run {active} of this job was still active",
            NOW,
            NOW,
        )
        assert claim.expire(db, later(99)) == []

    def test_queue_keeps_every_fire_one_after_another(self, db: Database) -> None:
        server = serve(db)
        fire(db, later(0), Overlap.QUEUE)
        for seconds in (3, 1, 2):
            assert fire(db, later(seconds), Overlap.QUEUE) == []
        assert [read.get(db, run_id).waiting_reason for run_id in (2, 3, 4)] == ["overlap"] * 3
        assert [ready.id for ready in run_to(db, 1, server, at=later(10))] == [3]
        assert [ready.id for ready in run_to(db, 3, server, RunState.FAILED, at=later(11))] == [4]
        assert [ready.id for ready in steer.cancel(db, 4, at_once=False, now=later(12)).ready] == [2]
        assert states(db, 1, 2, 3, 4) == ["succeeded", "queued", "failed", "cancelled"]

    def test_queue_waits_for_a_retry_and_for_runs_by_hand(self, db: Database) -> None:
        server = serve(db)
        by_hand, another = put(db, max_attempts=2), put(db)
        fire(db, NOW, Overlap.QUEUE)
        assert run_to(db, by_hand, server, RunState.RETRYING, run_after=later(5)) == []
        assert run_to(db, another, server) == []
        claim.promote(db, later(5))
        assert [ready.id for ready in run_to(db, by_hand, server, at=later(6))] == [3]

    def test_queue_goes_on_one_after_another_when_the_job_was_paused_meanwhile(self, db: Database) -> None:
        server = serve(db)
        claimed = start(db, put(db), server)
        for seconds in (1, 2):
            fire(db, later(seconds), Overlap.QUEUE)
        pauses.pause(db, Pause(scope="job", name="job", who="ana", since=NOW, until=None, reason=""))
        end(db, claimed, server, at=later(9))
        by_hand = put(db)
        assert [read.get(db, run_id).waiting_reason for run_id in (2, 3)] == ["paused", "overlap"]
        steer.cancel(db, by_hand, at_once=False, now=later(10))
        assert [read.get(db, run_id).waiting_reason for run_id in (2, 3)] == ["paused", "overlap"]
        assert [ready.id for ready in pauses.resume(db, "job", "job", later(20))[1]] == [2]
        assert [ready.id for ready in run_to(db, 2, server, at=later(30))] == [3]

    def test_allow_starts_beside_what_runs(self, db: Database) -> None:
        server = serve(db)
        start(db, put(db), server)
        assert [ready.id for ready in fire(db, NOW, Overlap.ALLOW)] == [2]

    def test_replace_cancels_what_is_active_and_starts_when_it_has_ended(self, db: Database) -> None:
        server = serve(db)
        claimed = start(db, put(db, run_after=later(-9), created_at=later(-9)), server)
        waiting = put(db)
        assert fire(db, NOW, Overlap.REPLACE) == []
        assert steer.cancels(db, server) == [(claimed.id, 1, False)]
        assert (states(db, waiting), read.get(db, waiting).error) == (["cancelled"], "replaced by the next fire")
        assert read.get(db, 3).waiting_reason == "overlap"
        finished = end(db, claimed, server, RunState.FAILED)
        assert finished is not None
        assert [ready.id for ready in finished.ready] == [3]

    def test_replace_starts_at_once_when_nothing_runs(self, db: Database) -> None:
        waiting = put(db)
        assert [ready.id for ready in fire(db, NOW, Overlap.REPLACE)] == [2]
        assert states(db, waiting, 2) == ["cancelled", "queued"]

    def test_replace_of_a_run_and_its_own_continuation(self, db: Database) -> None:
        first = put(db)
        child = put(db, parents=(first,))
        ready = fire(db, NOW, Overlap.REPLACE)
        assert [r.id for r in ready] == [3]
        assert states(db, first, child, 3) == ["cancelled", "skipped", "queued"]

    def test_a_later_fire_replaces_one_that_waits(self, db: Database) -> None:
        server = serve(db)
        claimed = start(db, put(db), server)
        fire(db, later(1), Overlap.REPLACE)
        fire(db, later(2), Overlap.REPLACE)
        assert states(db, 1, 2, 3) == ["running", "cancelled", "waiting"]
        end(db, claimed, server, at=later(5))
        assert states(db, 3) == ["queued"]

    def test_catching_up_is_one_by_one_whatever_overlap_says(self, db: Database) -> None:
        server = serve(db)
        for overlap in (Overlap.SKIP, Overlap.ALLOW):
            for seconds in (-30, -20, -10):
                fire(db, later(seconds), overlap, one_by_one=True, job=overlap.value)
        assert states(db, *range(1, 7)) == ["queued", "waiting", "waiting"] * 2
        assert [ready.id for ready in run_to(db, 1, server)] == [2]
        assert [ready.id for ready in run_to(db, 2, server)] == [3]
        assert run_to(db, 3, server) == []

    def test_a_fire_that_is_to_start_later_counts_where_fires_are_delayed(self, db: Database) -> None:
        fire(db, NOW, run_after=later(600), delayed=True)
        assert fire(db, later(60), run_after=later(600), delayed=True) == []
        assert fire(db, later(120), Overlap.REPLACE, run_after=later(600), delayed=True) == []
        assert states(db, 1, 2, 3) == ["cancelled", "skipped", "scheduled"]

    def test_another_job_is_not_meant(self, db: Database) -> None:
        put(db, "other")
        assert len(fire(db, NOW)) == 1


def test_a_jitter_delays_the_start_and_not_the_fire_time(db: Database) -> None:
    assert fire(db, NOW, run_after=later(30)) == []
    run = read.get(db, 1)
    assert (run.state, run.fire_time, run.run_after) == (RunState.SCHEDULED, NOW, later(30))


class TestDecisions:
    def test_a_pause_leaves_one_and_no_run(self, db: Database) -> None:
        pauses.pause(db, Pause(scope="job", name="job", who="ana", since=NOW, until=None, reason="disk full"))
        assert fire(db, NOW) == []
        assert fire(db, NOW) == []
        assert read.ids(db, 9) == []
        assert decisions(db) == [("job", "paused", "job paused by ana since 2026-05-04T12:00:00+00:00: disk full")]

    def test_a_pause_of_everything_too(self, db: Database) -> None:
        pauses.pause(db, Pause(scope="all", name="", who="bob", since=NOW, until=None, reason=""))
        fire(db, NOW)
        assert decisions(db) == [("job", "paused", "all paused by bob since 2026-05-04T12:00:00+00:00")]

    def test_one_that_is_not_unique_too(self, db: Database) -> None:
        put(db, "other", unique_key="k")
        assert fire(db, NOW, unique_key="k") == []
        assert decisions(db) == [("job", "not unique", "run 1 has the same parameters")]

    def test_missed_fires_are_recorded_each_once(self, db: Database) -> None:
        schedules.apply(db, {"job": HOURLY}, later(-99))
        for _ in range(2):
            missed(db, later(-60), later(-30))
        found = [span[1:6] for span in spans.of(db, "job", later(-99), NOW)]
        assert found == [(later(-60), later(-30), 2, "missed", "no server looked in time; too late")]

    def test_what_the_file_decides(self, db: Database) -> None:
        pauses.pause(db, Pause(scope="job", name="job", who="ana", since=NOW, until=None, reason=""))
        fire(db, NOW, instead=(Why.DISABLED, "enabled = false"))
        fire(db, NOW, instead=(Why.BLACKOUT, "2026-05-04 is in calendar holidays"), job="other")
        assert [row[:2] for row in decisions(db)] == [("job", "disabled"), ("other", "blackout")]

    def test_a_shadow_says_what_would_have_become_of_it(self, db: Database) -> None:
        fire(db, NOW, shadow=True)
        active = put(db)
        for second, overlap in enumerate(Overlap, 1):
            assert fire(db, later(second), overlap, shadow=True) == []
        assert [detail for _, _, detail in decisions(db)] == [
            "it would run",
            f"it would be skipped: run {active} of this job was still active",
            f"it would wait for run {active}",
            "it would run",
            f"it would run in place of run {active}",
        ]
        assert read.ids(db, 9) == [active]

    def test_a_shadow_that_is_not_unique_or_paused_says_so(self, db: Database) -> None:
        put(db, "other", unique_key="k")
        fire(db, NOW, shadow=True, unique_key="k")
        assert [row[1] for row in decisions(db)] == ["not unique"]

    def test_fires_that_follow_each_other_for_the_same_reason_are_one_decision(self, db: Database) -> None:
        schedules.apply(db, {"job": HOURLY}, later(-1))
        off = (Why.DISABLED, "enabled = false")
        for seconds in (0, 10, 20):
            fire(db, later(seconds), instead=off)
        fire(db, later(30), Overlap.ALLOW)
        fire(db, later(40), instead=off)
        fire(db, later(50), instead=(Why.BLACKOUT, "a day"))
        found = [(span.first_fire, span.last_fire, span.fires) for span in spans.of(db, "job", NOW, later(99))]
        assert found == [(NOW, later(20), 3), (later(40), later(40), 1), (later(50), later(50), 1)]

    def test_a_decision_stands_when_the_same_fire_is_decided_again(self, db: Database) -> None:
        missed(db, NOW)
        pauses.pause(db, Pause(scope="job", name="job", who="ana", since=NOW, until=None, reason=""))
        fire(db, NOW)
        assert [decision for _, decision, _ in decisions(db)] == ["missed"]


HOURLY, DAILY = 1, 2


class TestAttended:
    def test_a_new_job_starts_now_and_one_that_is_known_where_it_was(self, db: Database) -> None:
        assert schedules.apply(db, {"job": HOURLY}, NOW) == ({"job": NOW}, [])
        attended = {"job": NOW, "new": later(60)}
        assert schedules.apply(db, {"job": HOURLY, "new": DAILY}, later(60)) == (attended, [])

    def test_fires_and_misses_move_it_on_and_never_back(self, db: Database) -> None:
        schedules.apply(db, {"job": HOURLY}, NOW)
        fire(db, later(30))
        assert schedules.apply(db, {"job": HOURLY}, later(99)) == ({"job": later(30)}, [])
        missed(db, later(20), later(40), now=later(99))
        fire(db, later(10))
        assert schedules.apply(db, {"job": HOURLY}, later(99)) == ({"job": later(40)}, [])

    def test_a_changed_schedule_starts_anew(self, db: Database) -> None:
        schedules.apply(db, {"job": HOURLY}, NOW)
        left = schedules.Left("job", HOURLY, NOW)
        assert schedules.apply(db, {"job": DAILY}, later(60)) == ({"job": later(60)}, [left])
        assert schedules.apply(db, {"job": DAILY}, later(90)) == ({"job": later(60)}, [])

    def test_a_job_that_was_gone_starts_anew(self, db: Database) -> None:
        schedules.apply(db, {"job": HOURLY}, NOW)
        assert schedules.apply(db, {}, later(60)) == ({}, [schedules.Left("job", HOURLY, NOW)])
        assert schedules.apply(db, {"job": HOURLY}, later(90)) == ({"job": later(90)}, [])

    def test_what_others_hold_keeps_its_mark_whatever_a_server_with_another_file_applies(self, db: Database) -> None:
        schedules.apply(db, {"job": HOURLY}, NOW)
        assert schedules.apply(db, {}, later(60), held={HOURLY}) == ({}, [])
        assert schedules.apply(db, {"job": DAILY}, later(60), held={HOURLY}) == ({"job": later(60)}, [])
        assert schedules.apply(db, {"job": HOURLY}, later(90), held={DAILY}) == ({"job": NOW}, [])
