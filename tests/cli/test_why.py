"""``why`` and ``verify`` on a real file and store: every option, what they print, and how they end."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from program import Process
from samples import put, run_to, serve

from jobrunner import jobfile
from jobrunner.domain.decision import Decision, Why
from jobrunner.domain.state import RunState, Trigger
from jobrunner.domain.version import Applied, Origin
from jobrunner.store import Database, decisions, open_store, versions
from jobrunner.store.versions import Content

Runner = Callable[..., Process]
Answer = Callable[..., Any]

JOBS = """
[jobrunner]
timezone = "Europe/Madrid"

[jobs.backup]
command = "true"
schedule = "0 2 * * *"
queue = "low"

[jobs.hourly]
command = "true"
schedule = "0 * * * *"

[jobs.hand]
command = "true"
"""
BY = Applied("ana", "here", "web1", Origin.START)
BEGIN = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
LAST = datetime(2026, 5, 3, 12, 30, tzinfo=UTC)
AT = datetime(2026, 5, 2, 0, tzinfo=UTC)
"""The first fire of backup."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "jobs.toml").write_text(JOBS)
    return tmp_path


@pytest.fixture
def db(project: Path) -> Iterator[Database]:
    """The store of a project that ran for two days in May: nothing of hourly ran after it was taken out."""
    db = open_store(f"sqlite:///{project / 'jobrunner.db'}", durability="normal")
    jobs = jobfile.read(project / "jobs.toml").jobs
    contents = {name: Content(job.definition) for name, job in jobs.items()}
    versions.apply(db, contents, BY, BEGIN)
    versions.apply(db, {"hand": contents["hand"]}, BY, LAST)
    yield db
    db.close()


@pytest.fixture
def history(db: Database) -> Database:
    """Backup succeeded once and was paused once; hourly ran each hour."""
    server = serve(db, "web1")
    run_to(db, put(db, "backup", fire_time=AT, trigger=Trigger.SCHEDULE, created_at=AT, queue="low"), server)
    paused = AT + timedelta(days=1)
    decisions.write(db, Decision("backup", paused, paused, 1, Why.PAUSED, "paused by ana", paused), 1, mark=None)
    for hour in range(48):
        at = BEGIN + timedelta(minutes=30, hours=hour)
        put(db, "hourly", fire_time=at, trigger=Trigger.SCHEDULE, created_at=at)
    return db


@pytest.fixture
def answer(project: Path, jobrunner: Runner) -> Answer:
    def run(*args: str, status: int = 0) -> Any:
        result = jobrunner(*args, "--json")
        assert result.returncode == status, result.stderr
        return json.loads(result.stdout)

    return run


def test_why_of_a_fire_that_ran(history: Database, jobrunner: Runner, answer: Answer) -> None:
    said = jobrunner("why", "backup", "--at", "2026-05-02 02:00").stdout
    assert said == (
        "backup was due at 2026-05-02 02:00:00 CEST: run 1 succeeded\n"
        "  It started at 2026-05-04 14:00:00 CEST, 2d12h after its time.\n"
        "  It succeeded at 2026-05-04 14:00:01 CEST, after 1.0s, attempt 1, on web1.\n"
        "  Its schedule fired at 2026-05-02 02:00:00 CEST.\n"
        "  Version 1 of its definition was in force then, since 2026-05-01 14:30:00 CEST; now it is in no file.\n"
    )
    found = answer("why", "backup", "--at", "2026-05-02T00:00:00Z")
    assert (found["verdict"], found["run"]["id"], found["at"]) == ("succeeded", 1, "2026-05-02T00:00:00.000000Z")
    assert found["fire"]["schedule"] == "0 2 * * *"
    assert (found["fire"]["timezone"], found["fire"]["version"]) == ("Europe/Madrid", 1)
    assert [each["code"] for each in found["because"]] == ["delay", "succeeded", "origin", "version"]
    assert found["because"][0]["delay"] == 60 * 3600.0


def test_why_of_a_fire_that_was_decided(history: Database, answer: Answer) -> None:
    found = answer("why", "backup", "--at", "2026-05-03 02:00")
    assert (found["verdict"], found["run"], found["next"]) == ("paused", None, None)
    assert found["headline"] == "backup was due at 2026-05-03 02:00:00 CEST and has no run: it was paused"
    assert found["fire"]["decision"] == {
        "decision": "paused",
        "detail": "paused by ana",
        "first_fire": "2026-05-03T00:00:00.000000Z",
        "last_fire": "2026-05-03T00:00:00.000000Z",
        "fires": 1,
        "decided_at": "2026-05-03T00:00:00.000000Z",
    }


@pytest.mark.parametrize("spans", [[(0, 47)], [(0, 4), (5, 5), (6, 47)]], ids=["among others", "alone"])
@pytest.mark.parametrize("state", [RunState.SUCCEEDED, RunState.FAILED])
def test_a_backfilled_run_answers_for_a_fire_that_was_missed(
    db: Database, answer: Answer, state: RunState, spans: list[tuple[int, int]]
) -> None:
    """Whether its fire is alone in its decision or not; the others stay missed."""
    late, hour = BEGIN + timedelta(hours=12), timedelta(hours=1)
    due = [BEGIN + timedelta(minutes=30) + hour * each for each in range(48)]
    for first, last in spans:
        missed = Decision("hourly", due[first], due[last], last - first + 1, Why.MISSED, "", late)
        decisions.write(db, missed, 2, mark=None)
    backfilled = due[5]
    run = put(db, "hourly", fire_time=backfilled, trigger=Trigger.BACKFILL, created_at=late)
    run_to(db, run, serve(db, "web1"), state)
    found = answer("why", "hourly", "--at", f"{backfilled:%Y-%m-%dT%H:%M}Z")
    assert (found["verdict"], found["run"]["id"], found["fire"]["decision"]) == (state.value, run, None)
    assert [each["text"] for each in found["because"] if each["code"] == "origin"] == [
        "It makes up for the fire of 2026-05-01 20:00:00 CEST, as somebody asked at 2026-05-02 02:30:00 CEST"
        " (backfill)."
    ]
    beside = answer("why", "hourly", "--at", f"{backfilled + hour:%Y-%m-%dT%H:%M}Z")
    assert (beside["verdict"], beside["run"]) == ("missed", None)
    checked = answer("verify", "--since", "2026-05-01")
    hourly = next(each for each in checked["jobs"] if each["job"] == "hourly")
    assert (hourly["expected"], hourly["ran"], hourly["decided"]) == (48, 1, {"missed": 47})
    assert hourly["double"]["fires"] == 0


def test_why_of_a_time_at_which_nothing_was_due(history: Database, jobrunner: Runner, answer: Answer) -> None:
    assert jobrunner("why", "backup", "--at", "2026-05-02 04:00").stdout == (
        "Nothing of backup was due at 2026-05-02 04:00:00 CEST\n"
        "  Its schedule was 0 2 * * *: at 02:00 (Europe/Madrid).\n"
        "\n"
        "  before  2026-05-02 02:00:00 CEST\n"
        "  after   2026-05-03 02:00:00 CEST\n"
    )
    found = answer("why", "backup", "--at", "2026-04-30 02:00")
    assert (found["verdict"], found["before"], found["fire"]) == ("not_due", None, None)
    assert found["because"][0]["code"] == "not_yet_known"


def test_why_of_a_fire_to_come(project: Path, jobrunner: Runner, answer: Answer) -> None:
    assert jobrunner("why", "backup", "--at", "2999-01-01 02:00").stdout == (
        "backup is due at 2999-01-01 02:00:00 CET\n\nin its way:\n  No server runs: jobrunner run.\n"
    )
    found = answer("why", "backup", "--at", "2999-01-01 02:00")
    assert [each["code"] for each in found["next"]["obstacles"]] == ["no_server"]
    found = answer("why", "backup", "--at", "2999-01-01 03:00")
    assert (found["verdict"], found["after"]) == ("not_due", "2999-01-02T01:00:00.000000Z")


def test_why_of_a_job_now(project: Path, jobrunner: Runner, answer: Answer) -> None:
    jobrunner("pause", "backup", "--reason", "moving")
    found = answer("why", "backup")
    assert (found["verdict"], found["at"], found["fire"]) == ("paused", None, None)
    assert [each["code"] for each in found["next"]["obstacles"]] == ["paused", "no_server"]
    assert found["next"]["timezone"] == "Europe/Madrid"
    hand = jobrunner("why", "hand").stdout
    assert hand.startswith("hand is not running now\n  It has no schedule")
    jobrunner("trigger", "hand")
    assert answer("why", "hand")["run"]["id"] == 1


def test_why_of_a_job_that_has_left_the_file(history: Database, project: Path, jobrunner: Runner) -> None:
    (project / "jobs.toml").write_text('[jobs.hand]\ncommand = "true"\n')
    said = jobrunner("why", "backup", TZ="UTC")
    assert (said.returncode, said.stdout) == (
        0,
        "backup is in the file no more, since 2026-05-03 12:30:00 UTC (server web1, ana)\n"
        "  Last: backup was due at 2026-05-03 00:00:00 UTC and has no run: it was paused.\n"
        "  Paused by ana.\n"
        "  Its last run, 1, succeeded.\n",
    )
    assert jobrunner("why", "backup", "--at", "2026-05-02T00:00:00Z").returncode == 0
    unknown = jobrunner("why", "backp")
    assert (unknown.returncode, unknown.stderr) == (3, "jobrunner: no job 'backp'; `jobrunner jobs` lists them\n")


def test_why_of_a_job_of_a_broken_file(history: Database, project: Path, jobrunner: Runner) -> None:
    (project / "jobs.toml").write_text(JOBS + "\n[jobs.broken]\ncommand = 3\n")
    assert jobrunner("why", "backup", "--at", "2026-05-02 02:00").returncode == 0
    assert jobrunner("why", "broken").returncode == 78


def test_why_of_a_run(project: Path, jobrunner: Runner, answer: Answer) -> None:
    jobrunner("trigger", "backup")
    assert re.sub(r"\d{4}-\S+ \S+ \w+", "T", jobrunner("why", "1").stdout) == (
        "run 1 of backup is queued: it waits for a worker\n"
        "  No server runs: jobrunner run.\n"
        "  It was created at T; trigger manual.\n"
    )
    found = answer("why", "1")
    assert (found["job"], found["verdict"], found["starts_about"]) == ("backup", "queued", None)


def test_why_tells_who_cancelled(project: Path, jobrunner: Runner, answer: Answer) -> None:
    jobrunner("trigger", "backup")
    jobrunner("cancel", "1")
    (said, *_) = answer("why", "1")["because"]
    assert (said["code"], said["host"] != "") == ("cancelled", True)
    assert re.fullmatch(r"\S+ cancelled it at \S+ \S+ CES?T\.", said["text"])


def test_a_queued_run_is_told_when_it_will_start(db: Database, answer: Answer) -> None:
    now = datetime.now(UTC)
    server = serve(db, "web1", workers=1, queues=("critical", "low"), started_at=now)
    for _ in range(3):
        run_to(db, put(db, "backup", queue="low"), server)
    db.execute("UPDATE servers SET heartbeat_at = 9000000000000000")
    put(db, "hand", queue="critical")
    put(db, "backup", queue="low", priority=5)
    run = put(db, "backup", queue="low")
    found = answer("why", str(run))
    codes = {each["code"]: each for each in found["because"]}
    assert list(codes) == ["workers", "ahead", "start_unknown", "origin"]
    assert (codes["ahead"]["ahead"], codes["ahead"]["higher"], codes["ahead"]["others"]) == (2, 1, 1)
    assert codes["start_unknown"]["jobs"] == "hand"
    db.execute("UPDATE runs SET state = 'cancelled' WHERE job = 'hand'")
    found = answer("why", str(run))
    assert [each["code"] for each in found["because"]] == ["workers", "ahead", "starts", "origin"]
    about = datetime.fromisoformat(found["starts_about"])
    assert timedelta(0) < about - now < timedelta(minutes=2)


@pytest.mark.parametrize(
    ("args", "status", "message"),
    [
        (["nobody"], 3, "no job 'nobody'"),
        (["9999"], 3, "no run 9999"),
        (["99999999999999999999"], 3, "no such run"),
        (["backup", "--at", "25:00"], 2, "--at: not a time: '25:00'"),
        (["1", "--at", "now"], 2, "--at is about the fire times of a job; name the job"),
    ],
)
def test_mistakes(project: Path, jobrunner: Runner, args: list[str], status: int, message: str) -> None:
    result = jobrunner("why", *args)
    assert (result.returncode, result.stdout) == (status, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_terminal_is_not_too_narrow(history: Database, terminal: Callable[..., str]) -> None:
    for args in (("why", "backup", "--at", "2026-05-02 02:00"), ("verify", "--since", "2026-05-01")):
        said = terminal(*args, width=60, NO_COLOR="1")
        assert max(map(len, said.splitlines())) <= 60
        assert "\x1b" not in said


def test_verify_a_whole_history(history: Database, jobrunner: Runner, answer: Answer) -> None:
    said = jobrunner("verify", "--since", "2026-05-01")
    assert said.returncode == 0
    first, recorded, *lines = said.stdout.splitlines()
    assert first.startswith("from 2026-05-01 00:00:00 CEST to ")
    assert recorded == "the first definition was recorded at 2026-05-01 14:30:00 CEST: it begins there"
    assert [line.split() for line in lines[2:5]] == [
        ["backup", "2", "1", "0", "0", "1", "paused", "0", "0", "0", "0"],
        ["hourly", "48", "48", "0", "0", "-", "0", "0", "0", "0"],
        ["all", "50", "49", "0", "0", "1", "paused", "0", "0", "0", "0"],
    ]
    assert lines[-1] == "50 fire times due: none missing, none twice"
    found = answer("verify", "--since", "2026-05-01")
    assert (found["sound"], found["known_since"]) == (True, "2026-05-01T12:30:00.000000Z")
    assert found["jobs"][0] == {
        "job": "backup",
        "expected": 2,
        "ran": 1,
        "skipped": 0,
        "expired": 0,
        "decided": {"paused": 1},
        "pending": {"fires": 0, "spans": []},
        "missing": {"fires": 0, "spans": []},
        "double": {"fires": 0, "spans": []},
        "unexpected": {"fires": 0, "spans": []},
    }


def test_verify_names_what_is_wrong(history: Database, jobrunner: Runner, answer: Answer) -> None:
    history.execute("UPDATE servers SET ticked_at = heartbeat_at, started_at = 0, heartbeat_at = 9000000000000000")
    history.execute("DELETE FROM runs WHERE job = 'hourly' AND id IN (5, 6, 9)")
    put(history, "backup", fire_time=AT + timedelta(hours=3), created_at=AT)
    put(history, "backup", fire_time=AT + timedelta(days=1), created_at=AT)
    said = jobrunner("verify", "--since", "2026-05-01")
    assert said.returncode == 1
    assert said.stdout.splitlines()[-8:] == [
        "missing: 3 fire times with neither a run nor a decision",
        "  hourly  2026-05-01 18:00:00 CEST to 2026-05-01 19:00:00 CEST, 2 fire times",
        "  hourly  2026-05-01 22:00:00 CEST",
        "double: 1 fire time with a run and a decision",
        "  backup  2026-05-03 02:00:00 CEST",
        "unexpected: 1 fire time with a run, though nothing was due",
        "  backup  2026-05-02 05:00:00 CEST",
        "not every fire time has exactly one answer",
    ]
    assert not answer("verify", "--since", "2026-05-01", status=1)["sound"]
    why = answer("why", "hourly", "--at", "2026-05-01 18:00")
    assert (why["verdict"], why["because"][0]["code"]) == ("unanswered", "missing")


def test_verify_does_not_judge_what_was_before_the_records(history: Database, answer: Answer) -> None:
    put(history, "backup", fire_time=BEGIN - timedelta(hours=1), created_at=BEGIN)
    assert answer("verify", "--since", "2026-04-01")["sound"]


def test_fires_that_no_server_was_there_for_until_the_job_was_taken_out(history: Database, answer: Answer) -> None:
    history.execute("DELETE FROM runs WHERE job = 'hourly' AND id > 40")
    found = answer("verify", "--since", "2026-05-01")
    assert found["jobs"][1]["decided"] == {"no_server": 9}
    why = answer("why", "hourly", "--at", "2026-05-03 12:00")
    assert (why["verdict"], why["next"]) == ("no_server", None)


def test_a_server_that_has_fallen_silent_is_none(db: Database, answer: Answer) -> None:
    serve(db, "web1", queues=("default",), started_at=datetime.now(UTC) - timedelta(hours=1))
    run = put(db, "hand")
    assert answer("why", str(run))["because"][0]["code"] == "no_server"


def test_verify_while_no_server_runs(project: Path, db: Database, jobrunner: Runner) -> None:
    jobs = {name: Content(job.definition) for name, job in jobfile.read(project / "jobs.toml").jobs.items()}
    long_ago = datetime.now(UTC) - timedelta(days=2, minutes=1)
    versions.apply(db, jobs, BY, long_ago)
    serve(db, "web1", started_at=long_ago)
    db.execute("UPDATE servers SET ticked_at = heartbeat_at")
    said = jobrunner("verify")
    assert said.returncode == 0
    assert re.search(r"^pending: 2[45] fire times; no server has looked since \S+ \S+ \w+,", said.stdout, re.MULTILINE)


def test_verify_has_nothing_to_go_by(project: Path, jobrunner: Runner) -> None:
    said = jobrunner("verify")
    assert said.returncode == 0
    assert said.stdout.splitlines()[1] == (
        "no definition is recorded yet: a server does that when it starts (jobrunner run)"
    )
    assert jobrunner("verify", "--since", "soon").returncode == 2
    future = jobrunner("verify", "--since", "tomorrow")
    assert (future.returncode, future.stderr) == (
        2,
        "jobrunner: --since: that is still to come; name a time in the past, or a duration such as 7d\n",
    )


def test_states_are_told_as_they_are(db: Database, answer: Answer) -> None:
    server = serve(db, "web1")
    for number, state in enumerate((RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED), 1):
        run_to(db, put(db, "hand"), server, state)
        assert answer("why", str(number))["verdict"] == state.value
