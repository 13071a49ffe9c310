"""The sentences that say why: one test for each thing that can be so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from test_due import due

from jobrunner.domain import why_fire, why_job, why_next, why_run
from jobrunner.domain.answer import Because
from jobrunner.domain.audit import AuditEntry
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.estimate import Basis, Estimate
from jobrunner.domain.job import After, Command, Job, Overlap, ScheduleSpec, Unique, When
from jobrunner.domain.prospect import Busy, Line, Start
from jobrunner.domain.queue import Pause
from jobrunner.domain.run import Attempt, Run
from jobrunner.domain.run_facts import RunFacts
from jobrunner.domain.server import Server, ServerState
from jobrunner.domain.state import Outcome, RunState, Trigger, WaitingReason
from jobrunner.domain.verification import Unanswered
from jobrunner.domain.version import Origin, Version
from jobrunner.domain.why_fire import FireFacts
from jobrunner.domain.why_next import ComingFacts
from jobrunner.presentation.answers import sentence
from jobrunner.presentation.times import Times

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
TIMES = Times(now=NOW, zone=UTC, relative=False)
USUAL = Estimate(median=timedelta(minutes=10), p95=timedelta(minutes=15), basis=Basis.HISTORY, runs=9)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def texts(reasons: Iterable[Because]) -> list[str]:
    return [sentence(each, TIMES) for each in reasons]


def a_run(state: RunState, number: int = 7, **given: Any) -> Run:
    values: dict[str, Any] = {
        "id": number,
        "job": "backup",
        "state": state,
        "attempt": 0,
        "max_attempts": 2,
        "queue": "low",
        "priority": 0,
        "trigger": Trigger.MANUAL,
        "params": {},
        "created_at": ago(30),
        "run_after": ago(30),
    }
    return Run(**(values | given))


def an_attempt(number: int, outcome: Outcome | None, error: str | None = None) -> Attempt:
    return Attempt(
        number=number,
        server="web1",
        started_at=ago(20 - number),
        finished_at=None if outcome is None else ago(19 - number),
        outcome=outcome,
        error=error,
    )


def a_server(**given: Any) -> Server:
    values: dict[str, Any] = {
        "id": 1,
        "name": "web1",
        "host": "here",
        "pid": 1,
        "state": ServerState.RUNNING,
        "started_at": ago(99),
        "heartbeat_age": 0.1,
        "workers": 2,
        "busy": 0,
        "queues": ("low",),
        "config_hash": "abc",
        "version": "1",
        "scheduler_age": 0.2,
    }
    return Server(**(values | given))


def a_pause(scope: str = "job", name: str = "backup", until: datetime | None = None) -> Pause:
    return Pause(scope=scope, name=name, who="ana", since=ago(60), until=until, reason="moving house.")


def a_job(**given: Any) -> Job:
    values: dict[str, Any] = {
        "name": "backup",
        "kind": Command(line="true"),
        "folder": "/",
        "timezone": "UTC",
        "definition": "{}",
        "schedules": (ScheduleSpec("0 2 * * *"),),
        "queue": "low",
    }
    return Job(**(values | given))


def why(run: Run, **facts: Any) -> list[str]:
    """What is said of a run, but for the last sentence, which tells where it came from."""
    values: dict[str, Any] = {"now": NOW, "servers": [a_server()], "pauses": []}
    return texts(why_run.reasons(RunFacts(run=run, **(values | facts))))[:-1]


PAUSED = "Job backup has been paused by ana since 2026-05-04 11:00:00 UTC: moving house."


class TestRun:
    @pytest.mark.parametrize("state", list(RunState))
    def test_every_state_has_a_headline_and_reasons(self, state: RunState) -> None:
        run = a_run(state)
        assert texts([why_run.headline(run)])[0].startswith("run 7 of backup ")
        why(run)

    def test_scheduled(self) -> None:
        run = a_run(RunState.SCHEDULED, run_after=ago(-5))
        assert why(run) == ["It is due at 2026-05-04 12:05:00 UTC."]
        assert why(run, servers=[], pauses=[a_pause()])[1:] == [PAUSED, "No server runs: jobrunner run."]

    def test_queued_behind_others(self) -> None:
        line = Line(2, (Busy(1, "etl", ago(3)), Busy(2, "etl", ago(3))), {"etl": 3}, higher=2, other_queues=1)
        assert why(a_run(RunState.QUEUED), line=line, start=Start(ago(-9))) == [
            "2 of 2 workers that serve queue low are busy.",
            "3 runs are taken before it, 1 in queues that are served first and 2 of higher priority.",
            "It will start at about 2026-05-04 12:09:00 UTC, if the runs before it take what they usually take.",
        ]

    @pytest.mark.parametrize(
        ("start", "said"),
        [
            (Start(NOW), "A worker is free: it starts within a second or so."),
            (Start(None, ("new",)), "Nobody can tell when it starts: no run of new has succeeded yet."),
            (Start(None, (), (812,)), "Nobody can tell when it starts: run 812 lasts longer than usual."),
        ],
    )
    def test_queued_and_next(self, start: Start, said: str) -> None:
        found = why(a_run(RunState.QUEUED), line=Line(1, (), {}), start=start)
        assert found[1:] == ["It is the next one to be taken.", said]

    def test_queued_and_nobody_takes_it(self) -> None:
        run, line = a_run(RunState.QUEUED), Line(1, (), {})
        other = a_server(queues=("default",))
        draining = a_server(state=ServerState.DRAINING)
        assert why(run, line=line, servers=[other]) == ["No server serves queue low; there is web1."]
        assert why(run, line=line, servers=[draining]) == ["The servers of queue low are about to end."]
        paused = why(run, line=line, start=Start(NOW), pauses=[a_pause("queue", "low"), a_pause("all", "", ago(-60))])
        assert paused == [
            "Queue low has been paused by ana since 2026-05-04 11:00:00 UTC: moving house.",
            "Everything has been paused by ana since 2026-05-04 11:00:00 UTC until 2026-05-04 13:00:00 UTC:"
            " moving house.",
            "0 of 1 workers that serve queue low are busy.",
            "It is the next one to be taken.",
        ]

    def test_waiting_for_parents(self) -> None:
        parents = [a_run(RunState.RUNNING, number) for number in range(1, 8)] + [a_run(RunState.SUCCEEDED, 8)]
        run = a_run(RunState.WAITING, waiting_reason=WaitingReason.AFTER, waiting_detail="runs 1, 2")
        found = why(run, parents=parents)
        assert found[:2] == ["It starts when all of the runs before it have succeeded.", "Run 1 of backup is running."]
        assert found[-1] == "2 more have not ended."
        assert len(found) == 7
        for when in When:
            assert why(run, parents=parents, when=when)[0].startswith("It starts ")
        batch = a_run(RunState.WAITING, waiting_reason=WaitingReason.AFTER, waiting_detail="batch b3")
        assert why(batch) == ["It starts when batch b3 has ended."]

    def test_waiting_for_the_run_before_it(self) -> None:
        run = a_run(RunState.WAITING, waiting_reason=WaitingReason.OVERLAP, waiting_detail="run 5")
        first = a_run(RunState.RUNNING, 5, started_at=ago(4), attempt=1)
        assert why(run, in_the_way=[first, a_run(RunState.WAITING, 6)], usual=USUAL) == [
            "One run of its job at a time: run 5 before it is running.",
            "1 more of the job's runs stand before it.",
            "That run will end at about 2026-05-04 12:06:00 UTC: it usually takes 10m00s.",
        ]
        assert why(run) == ["One run of its job at a time: it waits for run 5."]

    def test_waiting_for_other_reasons(self) -> None:
        def held(reason: WaitingReason, detail: str | None = None) -> list[str]:
            run = a_run(RunState.WAITING, waiting_reason=reason, waiting_detail=detail)
            return why(run, pauses=[a_pause()] if reason is WaitingReason.PAUSED else [])

        assert held(WaitingReason.PAUSED) == [PAUSED]
        assert held(WaitingReason.APPROVAL) == ["It waits for a person: jobrunner approve 7, or jobrunner reject 7."]
        assert held(WaitingReason.RATE_LIMIT) == ["It is held by rate limit."]
        assert held(WaitingReason.CONCURRENCY, "2 of 2 run") == ["It is held by concurrency: 2 of 2 run."]

    @pytest.mark.parametrize(
        ("minutes", "said"),
        [
            (3, "It will end at about 2026-05-04 12:07:00 UTC: it usually takes 10m00s."),
            (12, "It will end at about 2026-05-04 12:03:00 UTC: it usually takes 10m00s."),
            (20, "It has lasted 20m00s, longer than 95 of 100 did (usually 10m00s)."),
        ],
    )
    def test_running(self, minutes: int, said: str) -> None:
        run = a_run(RunState.RUNNING, started_at=ago(minutes), attempt=1, server="web1")
        found = why(run, usual=USUAL)
        assert found[0].startswith("Attempt 1 of 2 started at ")
        assert found[1:] == [said]

    def test_running_for_the_first_time_and_being_cancelled(self) -> None:
        run = a_run(RunState.RUNNING, started_at=ago(3), attempt=1, server="web1", cancelling=True)
        entry = AuditEntry(
            id=1, at=ago(1), who="bob", host="h", action="cancel", target="run 7", detail="", outcome="done"
        )
        assert why(run, steered=[entry])[1:] == [
            "bob has asked to stop it.",
            "It has lasted 3m00s; no run of backup has succeeded yet.",
        ]

    def test_retrying(self) -> None:
        attempts = (an_attempt(1, Outcome.FAILED, "exit status 3"),)
        run = a_run(RunState.RETRYING, attempt=1, run_after=ago(-1), attempts=attempts)
        assert why(run) == [
            "Attempt 2 of 2 is due at 2026-05-04 12:01:00 UTC.",
            "Attempt 1 failed at 2026-05-04 11:42:00 UTC: exit status 3.",
        ]

    def test_failed(self) -> None:
        def failed(*outcomes: Outcome, **given: Any) -> list[str]:
            attempts = tuple(an_attempt(n, outcome, "boom") for n, outcome in enumerate(outcomes, 1))
            values = {"attempt": len(outcomes), "max_attempts": len(outcomes), "attempts": attempts}
            return why(a_run(RunState.FAILED, **(values | given)))

        assert failed(Outcome.TIMEOUT, dead=True) == [
            "Attempt 1 ran out of time at 2026-05-04 11:42:00 UTC: boom.",
            "It is a dead letter: jobrunner retry 7, or jobrunner discard 7.",
        ]
        assert failed(Outcome.FAILED, Outcome.FAILED)[0] == "None of its 2 attempts succeeded."
        assert failed(Outcome.FAILED, max_attempts=3)[0].startswith("What it failed with is not retried")
        assert failed(Outcome.LOST)[:2] == [
            "Its server died under it, and on_lost is fail.",
            "Attempt 1 was lost with its server web1 at 2026-05-04 11:42:00 UTC: boom.",
        ]
        assert failed(Outcome.LOST, Outcome.LOST)[0] == "Its server died under it 2 times."
        assert why(a_run(RunState.FAILED, error="no such program")) == ["It never started: no such program."]
        many = failed(*[Outcome.FAILED] * 30)
        assert (len(many), many[6]) == (12, "20 more attempts ended.")

    def test_cancelled(self) -> None:
        entry = AuditEntry(
            id=1, at=ago(1), who="bob", host="h", action="cancel", target="batch b2", detail="", outcome="done"
        )
        run = a_run(RunState.CANCELLED, finished_at=ago(1))
        assert why(run, steered=[entry]) == [
            "bob cancelled it at 2026-05-04 11:59:00 UTC with its batch.",
            "It had not started.",
            "To run it after all: jobrunner retry 7.",
        ]
        assert why(run)[0] == "It was cancelled at 2026-05-04 11:59:00 UTC."
        replaced = a_run(RunState.CANCELLED, error="replaced by the next fire")
        assert why(replaced)[0] == "The next fire of its job took its place (overlap = replace)."

    def test_skipped_and_expired(self) -> None:
        overlap = a_run(RunState.SKIPPED, error="run 5 of this job was still active", fire_time=ago(30))
        took = a_run(RunState.SUCCEEDED, 5, started_at=ago(40), finished_at=ago(15))
        assert why(overlap, usual=USUAL, in_the_way=[took]) == [
            "Run 5 of this job was still active.",
            "Run 5 started at 2026-05-04 11:20:00 UTC and took 25m00s; they usually take 10m00s.",
        ]
        lasts = a_run(RunState.RUNNING, 5, started_at=ago(40))
        assert why(overlap, in_the_way=[lasts])[1] == "Run 5 started at 2026-05-04 11:20:00 UTC and has lasted 40m00s."
        child = a_run(RunState.SKIPPED, error="its parents did not end as it needs")
        assert why(child, parents=[a_run(RunState.FAILED, 3), a_run(RunState.SUCCEEDED, 4)]) == [
            "Its parents did not end as it needs.",
            "Run 3 of backup failed.",
        ]
        expired = a_run(RunState.EXPIRED, finished_at=ago(20))
        assert why(expired, expires=timedelta(minutes=10)) == [
            "It was due at 2026-05-04 11:30:00 UTC and may wait for 10m00s;"
            " by 2026-05-04 11:40:00 UTC it had not started."
        ]

    @pytest.mark.parametrize(
        ("trigger", "said"),
        [
            (Trigger.SCHEDULE, "Its schedule fired at 2026-05-04 11:30:00 UTC."),
            (
                Trigger.CATCHUP,
                "It makes up for the fire of 2026-05-04 11:30:00 UTC, when no server ran (catchup).",
            ),
            (
                Trigger.BACKFILL,
                "It makes up for the fire of 2026-05-04 11:30:00 UTC, as somebody asked at 2026-05-04 11:30:00 UTC"
                " (backfill).",
            ),
            (Trigger.API, "It was created at 2026-05-04 11:30:00 UTC; trigger api."),
        ],
    )
    def test_where_it_came_from(self, trigger: Trigger, said: str) -> None:
        run = a_run(RunState.SUCCEEDED, trigger=trigger, fire_time=ago(30))
        facts = RunFacts(run=run, now=NOW, servers=[], pauses=[])
        assert texts(why_run.reasons(facts))[-1] == said


def a_decision(why: Why, detail: str = "as it was told", fires: int = 1) -> Decision:
    return Decision("backup", ago(30), ago(30) + timedelta(minutes=fires - 1), fires, why, detail, NOW)


def a_version(number: int, definition: str | None = "{}", applied: float = 90) -> Version:
    return Version("backup", number, definition, {}, ago(applied), None, "ana", "here", "web1", Origin.RELOAD)


def fire(**given: Any) -> tuple[str, str, list[str]]:
    facts = FireFacts(job="backup", now=NOW, **({"at": ago(30)} | given))
    reasons = [*why_fire.reasons(facts), *why_fire.notes(facts)]
    headline = sentence(why_fire.headline(facts), TIMES).removeprefix("backup was due at 2026-05-04 11:30:00 UTC")
    return why_fire.verdict(facts), headline, texts(reasons)


class TestFire:
    def test_its_run(self) -> None:
        run = a_run(RunState.SUCCEEDED, attempt=1, attempts=(an_attempt(1, Outcome.SUCCEEDED),), run_after=ago(25))
        assert fire(run=run) == (
            "succeeded",
            ": run 7 succeeded",
            [
                "It started at 2026-05-04 11:41:00 UTC, 11m00s after its time.",
                "Of that, 5m00s was intended (jitter, or a blackout that puts it off).",
            ],
        )
        assert fire(run=run, at=ago(19))[2] == ["It started on time."]
        assert fire(run=a_run(RunState.QUEUED))[1:] == (": run 7 is queued", [])
        for state in RunState:
            fire(run=a_run(state))

    def test_paused(self) -> None:
        decision = a_decision(Why.PAUSED, fires=3)
        assert fire(decision=decision, pause=a_pause(until=ago(10))) == (
            "paused",
            " and has no run: it was paused",
            [
                "Job backup was paused by ana from 2026-05-04 11:00:00 UTC until 2026-05-04 11:50:00 UTC:"
                " moving house.",
                "The same holds for all 3 fires from 2026-05-04 11:30:00 UTC to 2026-05-04 11:32:00 UTC.",
            ],
        )
        assert fire(decision=a_decision(Why.PAUSED))[2] == ["As it was told."]

    def test_missed(self) -> None:
        decision = a_decision(Why.MISSED, "no server ran from then to later; catchup is none")
        assert fire(decision=decision, outage=(ago(40), ago(5))) == (
            "missed",
            " and has no run: the fire was missed",
            [
                "No server fired schedules from 2026-05-04 11:20:00 UTC until 2026-05-04 11:55:00 UTC.",
                "Catchup is none.",
                "To run it after all: jobrunner trigger backup.",
            ],
        )
        assert fire(decision=decision)[2][0] == "No server ran from then to later; catchup is none."

    @pytest.mark.parametrize("kind", list(Why))
    def test_every_decision_says_its_detail(self, kind: Why) -> None:
        verdict, headline, reasons = fire(decision=a_decision(kind))
        assert (verdict, " " in verdict) == (kind.value.replace(" ", "_"), False)
        assert headline.startswith(" and has no run: ")
        assert "As it was told." in reasons

    def test_no_answer(self) -> None:
        assert fire(unanswered=Unanswered.PENDING)[2] == ["A server is about to look at it."]
        assert fire(unanswered=Unanswered.PENDING, outage=(ago(40), None))[2][0] == (
            "No server has fired schedules since 2026-05-04 11:20:00 UTC."
        )
        assert fire(unanswered=Unanswered.PENDING, outage=(None, None))[2][0] == "No server has fired schedules yet."
        assert fire(unanswered=Unanswered.MISSING)[0] == "unanswered"
        assert fire(unanswered=Unanswered.NO_SERVER, outage=(ago(40), ago(5)))[2][0].startswith("No server fired")
        for kind in Unanswered:
            assert fire(unanswered=kind)[1].startswith(" and has no run: ")

    def test_to_come(self) -> None:
        assert fire(at=ago(-5)) == ("coming", "backup is due at 2026-05-04 12:05:00 UTC", [])

    def test_another_definition_was_in_force(self) -> None:
        run = a_run(RunState.QUEUED)
        assert fire(run=run, version=a_version(1), current=a_version(3))[2] == [
            "Version 1 of its definition was in force then, since 2026-05-04 10:30:00 UTC; now it is version 3."
        ]
        assert fire(run=run, version=a_version(1), current=a_version(2, None))[2][0].endswith("now it is in no file.")
        assert fire(run=run, version=a_version(1), current=a_version(1))[2] == []

    def test_the_night_of_a_clock_change(self) -> None:
        rule = due("30 2 * * *").schedules[0]
        gap = fire(run=a_run(RunState.QUEUED), schedule=rule, at=datetime(2026, 3, 29, 1, tzinfo=UTC))
        assert gap[2] == [
            "2026-03-29: the clock of Europe/Madrid goes from 02:00 to 03:00;"
            " what is due in between runs once, at 03:00."
        ]
        assert fire(run=a_run(RunState.QUEUED), schedule=rule, at=datetime(2026, 3, 28, 1, 30, tzinfo=UTC))[2] == []


def obstacles(job: Job | None = None, **given: Any) -> list[str]:
    values: dict[str, Any] = {
        "job": job or a_job(),
        "at": datetime(2026, 5, 5, 2, tzinfo=UTC),
        "zone": "UTC",
        "now": NOW,
        "servers": [a_server()],
        "config_hash": "abc",
        "calendars": {},
    }
    return texts(why_next.obstacles(ComingFacts(**(values | given))))


class TestNext:
    def test_nothing_stands_in_the_way(self) -> None:
        assert obstacles(pauses=[a_pause(until=ago(-60)), a_pause(name="other"), a_pause("queue", "other")]) == []

    def test_the_definition(self) -> None:
        assert obstacles(a_job(enabled=False)) == ["It is disabled in the file: enabled = false."]
        assert obstacles(a_job(shadow=True)) == ["It is a shadow: the fire is recorded and not executed."]

    def test_a_blackout(self) -> None:
        calendars = {"holidays": (date(2026, 5, 5),)}
        said = "2026-05-05 is a day of calendar holidays: the fire is "
        assert obstacles(calendars=calendars) == [said + "left out."]
        assert obstacles(a_job(on_blackout="defer"), calendars=calendars) == [said + "put off."]
        assert obstacles(calendars=calendars, zone="America/Los_Angeles") == []

    def test_pauses(self) -> None:
        assert obstacles(pauses=[a_pause()]) == [PAUSED]
        assert obstacles(pauses=[a_pause("queue", "low")])[1] == "Its run would wait until then."

    def test_servers(self) -> None:
        assert obstacles(servers=[]) == ["No server runs: jobrunner run."]
        assert obstacles(servers=[a_server(scheduler_age=None)]) == [
            "No server fires schedules: all of them run with --no-scheduler."
        ]
        assert obstacles(servers=[a_server(scheduler_age=None, state=ServerState.STARTING)]) == []
        assert obstacles(servers=[a_server(queues=("default",))]) == ["No server serves queue low; there is web1."]
        assert obstacles(servers=[a_server(config_hash="old")])[0].startswith("Server web1 has another file in force")
        assert obstacles(servers=[a_server(config_error="jobs.toml:1:1: no")]) == [
            "Server web1 goes on with an older file, for it refused this one: jobs.toml:1:1: no."
        ]
        assert obstacles(servers=[a_server(config_hash="old")], config_hash=None) == []

    @pytest.mark.parametrize(
        ("overlap", "said"),
        [
            (Overlap.SKIP, "if it still is then, the fire is skipped."),
            (Overlap.QUEUE, "the fire's run waits until it has ended."),
            (Overlap.REPLACE, "the fire replaces it."),
        ],
    )
    def test_an_active_run(self, overlap: Overlap, said: str) -> None:
        active = [a_run(RunState.RUNNING, started_at=ago(5))]
        soon = ago(-3)
        assert obstacles(a_job(overlap=overlap), active=active, usual=USUAL, at=soon) == [
            f"Run 7 is running, and runs of it usually take 10m00s: {said}"
        ]
        assert obstacles(a_job(overlap=overlap), active=active) == [f"Run 7 is running: {said}"]
        assert obstacles(a_job(overlap=overlap), active=active, usual=USUAL) == []
        overlong = [a_run(RunState.RUNNING, started_at=ago(50))]
        assert len(obstacles(a_job(overlap=overlap), active=overlong, usual=USUAL)) == 1

    def test_an_active_run_that_may_be_beside_it(self) -> None:
        active = [a_run(RunState.QUEUED)]
        assert obstacles(a_job(overlap=Overlap.ALLOW), active=active) == []
        unique = a_job(overlap=Overlap.ALLOW, unique=Unique())
        assert obstacles(unique, active=active) == ["Run 7 is queued: if it still is then, the fire is not unique."]

    def test_a_backlog(self) -> None:
        line, at = Line(1, (), {"etl": 90}), datetime(2026, 5, 5, 2, tzinfo=UTC)
        late = Start(at + timedelta(hours=2))
        assert obstacles(a_job(expires=timedelta(hours=1)), line=line, start=late) == [
            "90 runs stand in queue low: until about 2026-05-05 04:00:00 UTC.",
            "Its run would expire before it starts (expires = 1h00m).",
        ]
        assert obstacles(line=line, start=Start(at)) == []
        assert obstacles(line=line, start=Start(None, ("etl",)))[0].endswith("nobody can tell how long they take.")


class TestJob:
    def headline(self, job: Job | None, **given: Any) -> tuple[str, str]:
        values: dict[str, Any] = {"run": None, "versions": (), "pauses": ()}
        found = why_job.headline("backup", job, **(values | given))
        return found.code, sentence(found, TIMES)

    def test_how_it_stands(self) -> None:
        assert self.headline(a_job()) == ("idle", "backup is not running now")
        assert self.headline(a_job(enabled=False))[0] == "disabled"
        assert self.headline(a_job(), pauses=[a_pause("all", "")])[0] == "paused"
        assert self.headline(a_job(), run=a_run(RunState.RUNNING))[0] == "running"
        assert self.headline(None) == ("removed", "backup is in the file no more")
        assert self.headline(None, versions=[a_version(2, None)])[1] == (
            "backup is in the file no more, since 2026-05-04 10:30:00 UTC (server web1, ana)"
        )

    def test_what_was_before(self) -> None:
        latest = a_run(RunState.FAILED, 9, dead=True)
        last = FireFacts(job="backup", at=ago(30), now=NOW, run=a_run(RunState.FAILED, error="exit status 3"))
        missed = FireFacts(job="backup", at=ago(30), now=NOW, decision=a_decision(Why.DISABLED))
        assert texts(why_job.reasons(a_job(), latest=latest, last=last, active=[])) == [
            "Last: backup was due at 2026-05-04 11:30:00 UTC: run 7 failed.",
            "Exit status 3.",
            "Its last run, 9, failed.",
            "Run 9 is a dead letter; that keeps no other run from starting.",
        ]
        assert texts(why_job.reasons(a_job(), latest=None, last=missed, active=[])) == [
            "Last: backup was due at 2026-05-04 11:30:00 UTC and has no run: it was disabled.",
            "As it was told.",
        ]
        both = [a_run(RunState.RUNNING), a_run(RunState.QUEUED, 8)]
        assert texts(why_job.reasons(a_job(), latest=both[1], last=last, active=both)) == [
            "1 more run of it is active."
        ]

    def test_without_a_schedule(self) -> None:
        by_hand, child = a_job(schedules=()), a_job(schedules=(), after=After(("invoice", "mail")))
        assert texts(why_job.reasons(by_hand, latest=None, last=None, active=[])) == [
            "It has no schedule: a person, a program or another run starts it (jobrunner trigger backup)."
        ]
        assert texts(why_job.reasons(child, latest=None, last=None, active=[])) == [
            "It has no schedule: it follows invoice, mail."
        ]

    def test_nothing_was_due(self) -> None:
        def not_due(at: datetime, version: Version | None, *schedules: tuple[str, str, str]) -> list[str]:
            headline, because = why_job.not_due("backup", at, NOW, version, [a_version(1)], schedules)
            return texts([headline, *because])

        daily = ("0 2 * * *", "At 02:00", "UTC")
        assert not_due(ago(5), a_version(1), daily) == [
            "Nothing of backup was due at 2026-05-04 11:55:00 UTC",
            "Its schedule was 0 2 * * *: at 02:00 (UTC).",
        ]
        assert not_due(ago(-5), None, daily)[1] == "Its schedule is 0 2 * * *: at 02:00 (UTC)."
        assert not_due(ago(99), None)[1].startswith("It was first loaded at 2026-05-04 10:30:00 UTC")
        assert not_due(ago(5), a_version(2, None))[1] == "It was in no file then, since 2026-05-04 10:30:00 UTC."
        assert not_due(ago(5), a_version(1))[1].startswith("It has no schedule")
