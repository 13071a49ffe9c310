"""Fires by a clock that a test turns: each once, whatever the clock, the store and other fires do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from os import sysconf
from pathlib import Path
from platform import libc_ver
from typing import Any

import pytest
from pending import Pending
from samples import NOW, end, later, serve
from turned import Turned

from jobrunner import jobfile
from jobrunner.domain.decision import Decision
from jobrunner.domain.schedule import IntervalRule
from jobrunner.domain.server import ServerState
from jobrunner.domain.version import Origin
from jobrunner.server import firing
from jobrunner.server.scheduler import FireSchedule, ServerOf
from jobrunner.store import Database, decisions, servers
from jobrunner.store.runs import claim, read

MINUTELY = """
[jobs.minutely]
command = "true"
schedule = "every 1m"
overlap = "allow"
catchup = "CATCHUP"
catchup_window = "1h"
"""


@dataclass
class Fired:
    """A schedule on a store; ``tick`` looks, and commits what came of it."""

    folder: Path
    db: Database
    clock: Turned
    engine: Pending
    fires: FireSchedule

    def apply(self, text: str) -> None:
        path = self.folder / "jobs.toml"
        path.write_text('[jobrunner]\ntimezone = "UTC"\n' + text)
        path.chmod(0o600)
        self.fires.apply(jobfile.read(path), Origin.START)
        self.engine.commit()
        self.fires.tick()

    def tick(self, seconds: float = 0.0) -> float:
        self.clock.turn(seconds)
        wait = self.fires.tick()
        self.engine.commit()
        return wait

    def restart(self) -> None:
        """The server ends, and another one of the same name begins."""
        for (server,) in self.db.execute("SELECT id FROM servers WHERE name = 'one'").fetchall():
            servers.set_state(self.db, server, ServerState.STOPPED, self.clock.now())
        self.fires = fire_schedule(self.db, self.engine, self.clock)

    @property
    def runs(self) -> list[tuple[str, float]]:
        """The trigger and the fire time, in seconds after noon, of each run."""
        found = [read.get(self.db, run) for run in sorted(read.ids(self.db, 5000))]
        return [(str(run.trigger), (run.fire_time - NOW).total_seconds()) for run in found if run.fire_time]

    @property
    def decided(self) -> list[tuple[str, float]]:
        """What was decided of each fire, taken to be evenly spread over its span, in seconds after noon."""
        found = list(decisions.of(self.db, "minutely", NOW, NOW + timedelta(days=36500)))
        return [(str(each.why), (at - NOW).total_seconds()) for each in found for at in spread(each)]


def spread(decision: Decision) -> list[datetime]:
    length = (decision.last_fire - decision.first_fire) / max(decision.fires - 1, 1)
    return [decision.first_fire + length * number for number in range(decision.fires)]


def fire_schedule(
    db: Database, engine: Pending, clock: Turned, expect: Callable[[], None] = lambda: None
) -> FireSchedule:
    server = ServerOf("ana", "web1", "a")
    return FireSchedule(engine, clock, server_id=serve(db), server=server, expect=expect)  # type: ignore[arg-type]


@pytest.fixture
def fired(sqlite_db: Database, tmp_path: Path) -> Fired:
    clock, engine = Turned(), Pending(sqlite_db)
    return Fired(tmp_path, sqlite_db, clock, engine, fire_schedule(sqlite_db, engine, clock))


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * sysconf("SC_PAGESIZE")


def minutely(catchup: str = "latest") -> str:
    return MINUTELY.replace("CATCHUP", catchup)


def test_the_first_start_catches_nothing_up(fired: Fired) -> None:
    fired.apply(minutely("all"))
    fired.tick(59)
    assert fired.runs == []
    fired.tick(1)
    assert fired.runs == [("schedule", 60)]


COMMAND_AND_CALL = """
[jobs.command]
command = "true"
schedule = "*/2 * * * *"

[jobs.call]
python = "os:getpid"
schedule = "* * * * *"
"""


def test_commands_are_expected_a_moment_before_they_fire(fired: Fired) -> None:
    expected = list[float]()
    fired.fires = fire_schedule(
        fired.db, fired.engine, fired.clock, lambda: expected.append((fired.clock.now() - NOW).total_seconds())
    )
    fired.apply(COMMAND_AND_CALL)
    while fired.clock.now() < NOW + timedelta(minutes=4, seconds=30):
        pause = fired.fires.tick()
        fired.engine.commit()
        fired.clock.turn(pause)
    assert expected == pytest.approx([119.97, 239.97])
    assert [at for _, at in fired.runs] == [60, 120, 120, 180, 240, 240]


def test_applying_waits_for_no_store(fired: Fired) -> None:
    path = fired.folder / "jobs.toml"
    path.write_text(minutely())
    path.chmod(0o600)
    fired.fires.apply(jobfile.read(path), Origin.START)
    assert fired.fires.tick() < 1
    fired.clock.turn(60)
    fired.fires.tick()
    assert fired.runs == []
    fired.engine.commit()
    fired.tick()
    fired.tick(60)
    assert [at for _, at in fired.runs] == [120]


@pytest.mark.skipif(libc_ver()[0] != "glibc", reason="other C libraries keep what they keep")
def test_memory_that_a_file_needed_until_it_was_in_force_is_given_back(fired: Fired) -> None:
    fired.apply(minutely())
    blocks = [str(n).encode() * 300 for n in range(50_000)]
    above = blocks.pop()
    blocks.clear()
    held = resident()
    fired.tick()
    assert held - resident() > 40_000_000
    assert above


@pytest.mark.parametrize(
    ("catchup", "runs", "missed"),
    [
        ("none", [], [60, 120, 180]),
        ("latest", [("catchup", 180)], [60, 120]),
        ("all", [("catchup", 60), ("catchup", 120), ("catchup", 180)], []),
    ],
)
def test_a_suspended_machine_catches_up_as_after_downtime(
    fired: Fired, catchup: str, runs: list[tuple[str, float]], missed: list[float]
) -> None:
    fired.apply(minutely(catchup))
    fired.clock.step(4 * 60 + 30)
    fired.tick()
    assert fired.runs == ([*runs, ("schedule", 240)] if catchup != "latest" else [("schedule", 240)])
    assert fired.decided == [("missed", at) for at in (missed if catchup != "latest" else [60, 120, 180])]


def test_downtime_catches_up_the_latest(fired: Fired) -> None:
    fired.apply(minutely().replace("every 1m", "every 10m"))
    fired.clock.turn(35 * 60)
    fired.restart()
    fired.apply(minutely().replace("every 1m", "every 10m"))
    fired.tick()
    assert fired.runs == [("catchup", 1800)]
    assert [at for _, at in fired.decided] == [600, 1200]


def test_two_servers_decide_each_fire_once(fired: Fired) -> None:
    fired.apply(minutely("all"))
    other = Fired(fired.folder, fired.db, Turned(), fired.engine, None)  # type: ignore[arg-type]
    other.restart()
    other.apply(minutely("all"))
    for _ in range(5):
        fired.tick(60)
    other.clock.step(330)
    other.tick()
    assert [at for _, at in fired.runs] == [60, 120, 180, 240, 300]
    assert fired.decided == []


def test_a_clock_that_goes_back_fires_nothing_twice_and_goes_on(fired: Fired) -> None:
    fired.apply(minutely())
    for _ in range(10):
        fired.tick(60)
    fired.clock.step(-300)
    for _ in range(7):
        fired.tick(60)
    assert [at for _, at in fired.runs] == [60 * n for n in range(1, 13)]
    assert fired.decided == []


def test_a_clock_that_was_years_ahead_for_a_moment_silences_nothing(fired: Fired) -> None:
    fired.apply(minutely("none"))
    fired.tick(60)
    years = 3650 * 86400.0
    fired.clock.step(years)
    fired.tick()
    fired.clock.step(-years)
    for _ in range(3):
        fired.tick(60)
    assert [at for _, at in fired.runs if at < 1000] == [60, 120, 180, 240]


def test_years_of_downtime_are_looked_at_from_their_end(fired: Fired, monkeypatch: pytest.MonkeyPatch) -> None:
    fired.apply(minutely().replace("every 1m", "every 1s"))
    fired.clock.step(20 * 365 * 86400)
    asked = 0
    real = IntervalRule.next_after

    def counted(self: Any, micros: int) -> Any:
        nonlocal asked
        asked += 1
        return real(self, micros)

    monkeypatch.setattr(IntervalRule, "next_after", counted)
    fired.tick()
    assert len(fired.runs) >= 1
    assert asked < 20_000


def test_rare_fires_of_a_long_downtime_are_all_decided(fired: Fired) -> None:
    yearly = minutely("none").replace("every 1m", "0 0 1 1 *")
    fired.apply(yearly)
    fired.clock.step((datetime(2036, 6, 1, tzinfo=UTC) - NOW).total_seconds())
    fired.tick()
    (decision,) = decisions.of(fired.db, "minutely", NOW, NOW + timedelta(days=36500))
    assert (decision.first_fire.year, decision.last_fire.year, decision.fires) == (2027, 2036, 10)


def test_a_fire_that_fails_takes_no_other_with_it(fired: Fired, monkeypatch: pytest.MonkeyPatch) -> None:
    fired.apply(minutely() + minutely().replace("minutely", "second"))
    real: Callable[..., Any] = firing.new_run

    def broken(job: Any, **values: Any) -> Any:
        if job.name == "minutely" and values["fire_time"] == later(60):
            raise ValueError("boom")
        return real(job, **values)

    monkeypatch.setattr(firing, "new_run", broken)
    fired.tick(60)
    fired.tick(60)
    names = [(read.get(fired.db, run).job, read.get(fired.db, run).fire_time) for run in read.ids(fired.db, 9)]
    assert sorted(names) == [("minutely", later(120)), ("second", later(60)), ("second", later(120))]


def test_each_fire_is_an_operation_of_its_own(fired: Fired) -> None:
    fired.apply(minutely() + minutely().replace("minutely", "second"))
    fired.clock.turn(60)
    fired.fires.tick()
    assert len(fired.engine.waiting) == 2


def test_a_job_that_is_put_back_catches_nothing_up(fired: Fired) -> None:
    fired.apply(minutely("all"))
    fired.apply("")
    fired.clock.turn(600)
    fired.apply(minutely("all"))
    fired.tick(60)
    assert fired.runs == [("schedule", 660)]


def test_another_schedule_begins_when_it_is_applied(fired: Fired) -> None:
    fired.apply(minutely("all"))
    fired.clock.turn(150)
    fired.apply(minutely("all").replace("every 1m", "every 2m"))
    fired.tick()
    assert fired.runs == []
    fired.tick(90)
    assert fired.runs == [("schedule", 240)]


def test_a_fire_that_the_store_did_not_take_is_found_at_the_next_start(fired: Fired) -> None:
    fired.apply(minutely())
    fired.clock.turn(60)
    fired.fires.tick()
    fired.engine.waiting.clear()
    fired.clock.turn(30)
    fired.restart()
    fired.apply(minutely())
    fired.engine.commit()
    assert fired.runs == [("schedule", 60)]


BLACKOUT = """
[calendars.holidays]
dates = ["2026-05-05", "2026-05-06"]
[jobs.minutely]
command = "true"
schedule = { cron = "0 */6 * * *", timezone = "Europe/Madrid" }
blackout = "holidays"
catchup = "CATCHUP"
catchup_window = "12h"
"""
HOUR = 3600.0


def spans(fired: Fired, job: str = "minutely") -> list[tuple[str, datetime, int]]:
    found = decisions.of(fired.db, job, NOW - timedelta(days=9), NOW + timedelta(days=36500))
    return [(each.why.value, each.first_fire, each.fires) for each in found]


class TestWhatTheFileDecides:
    @pytest.mark.parametrize("watched", [True, False], ids=["watched", "down"])
    def test_a_disabled_job_fires_nothing_and_each_fire_has_its_decision(self, fired: Fired, watched: bool) -> None:
        disabled = minutely("all") + "enabled = false\n"
        fired.apply(disabled)
        for _ in range(5):
            if watched:
                fired.tick(60)
            else:
                fired.clock.turn(60)
        fired.restart()
        fired.apply(disabled)
        fired.tick(1)
        assert (fired.runs, spans(fired)) == ([], [("disabled", later(60), 5)])

    def test_one_that_is_enabled_catches_up_nothing_of_the_time_before(self, fired: Fired) -> None:
        fired.apply(minutely("all") + "enabled = false\n")
        fired.clock.turn(150)
        fired.restart()
        fired.apply(minutely("all"))
        fired.tick(30)
        assert (fired.runs, spans(fired)) == ([("schedule", 180)], [("disabled", later(60), 2)])

    @pytest.mark.parametrize("catchup", ["none", "all"])
    def test_days_of_a_calendar_are_those_of_the_schedules_zone(self, fired: Fired, catchup: str) -> None:
        fired.apply(BLACKOUT.replace("CATCHUP", catchup))
        for _ in range(72):
            fired.tick(HOUR)
        # 18:00 in Madrid of the 4th, and then the 7th from midnight on.
        assert [at / HOUR for _, at in fired.runs] == [4, 58, 64, 70]
        assert [(why, fires) for why, _, fires in spans(fired)] == [("blackout", 4), ("blackout", 4)]

    def test_a_blackout_of_the_downtime_is_not_caught_up(self, fired: Fired) -> None:
        fired.apply(BLACKOUT.replace("CATCHUP", "latest"))
        fired.clock.turn(2.1 * 24 * HOUR)
        fired.restart()
        fired.apply(BLACKOUT.replace("CATCHUP", "latest"))
        fired.tick()
        assert fired.runs == []
        assert [(why, fires) for why, _, fires in spans(fired)] == [("missed", 1), ("blackout", 4), ("blackout", 3)]

    def test_a_deferred_fire_starts_when_the_blackout_ends_and_once(self, fired: Fired) -> None:
        fired.apply(BLACKOUT.replace("CATCHUP", "none") + 'on_blackout = "defer"\n')
        server = serve(fired.db, "other")
        for _ in range(57):
            fired.tick(HOUR)
            for claimed in claim.claim(fired.db, server_id=server, queues=["default"], limit=9, now=fired.clock.now()):
                end(fired.db, claimed, server, at=fired.clock.now())
        found = [read.get(fired.db, run) for run in sorted(read.ids(fired.db, 99))]
        deferred = [run for run in found if run.fire_time and later(10 * HOUR) <= run.fire_time < later(58 * HOUR)]
        assert [run.state for run in deferred] == ["scheduled", *["skipped"] * 7]
        assert deferred[0].run_after == later(58 * HOUR)

    def test_a_shadow_executes_nothing_and_says_what_it_would(self, fired: Fired) -> None:
        shadow = minutely("all") + "shadow = true\n"
        fired.apply(shadow)
        fired.tick(60)
        fired.tick(60)
        fired.clock.step(240)
        fired.tick()
        assert fired.runs == []
        assert spans(fired) == [("shadow", later(60), 6)]


class TestSchedulesThatEnd:
    def test_what_was_due_before_another_schedule_was_found_is_missed(self, fired: Fired) -> None:
        fired.apply(minutely("all"))
        fired.clock.turn(310)
        fired.restart()
        fired.apply(minutely("all").replace("every 1m", "every 2m"))
        fired.tick(50)
        assert (fired.runs, spans(fired)) == ([("schedule", 360)], [("missed", later(60), 5)])
        (span,) = decisions.of(fired.db, "minutely", NOW, later(999))
        assert span.detail == "no server looked in time; its schedule has been changed"

    def test_so_is_what_was_due_before_a_job_was_taken_out(self, fired: Fired) -> None:
        fired.apply(minutely("all").replace("every 1m", "every 1s"))
        fired.clock.turn(7 * 86_400)
        fired.restart()
        fired.apply("")
        for _ in range(3):
            fired.tick()
        assert (fired.runs, spans(fired)) == ([], [("missed", later(1), 7 * 86_400)])

    def test_a_job_that_another_server_still_has_is_not_its_to_end(self, fired: Fired) -> None:
        other = Fired(
            fired.folder, fired.db, fired.clock, fired.engine, fire_schedule(fired.db, fired.engine, fired.clock)
        )
        fired.apply(minutely("all"))
        other.apply("")
        for _ in range(3):
            fired.tick(60)
            other.tick()
        assert (len(fired.runs), spans(fired)) == (3, [])


def test_a_long_gap_is_walked_in_pieces_beside_which_others_fire(fired: Fired) -> None:
    crons = minutely("latest").replace("every 1m", "* * * * * *")
    fired.apply(crons)
    fired.clock.turn(86_400)
    fired.restart()
    fired.apply(crons + minutely().replace("minutely", "other").replace("every 1m", "every 1s"))
    waits = [fired.tick(1) for _ in range(9)]
    assert waits[0] == 0.0
    assert waits[-1] > 0.0
    others = [run for run in read.ids(fired.db, 99) if read.get(fired.db, run).job == "other"]
    assert len(others) == 9
    missed = [span for span in spans(fired) if span[0] == "missed"]
    assert (missed[0][1], sum(fires for *_, fires in missed) + len(fired.runs) - 9) == (later(1), 86_409)
