"""``simulate`` on a real file and store: every option, what history changes, and how it ends."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from program import Process
from samples import serve

from jobrunner.store import open_store

Runner = Callable[..., Process]

JOBS = """
[jobrunner]
timezone = "Europe/Madrid"
workers = 2

[queues.low]
max_running = 1

[limits.db]
max = 1

[calendars.holidays]
dates = ["2026-10-26"]

[jobs.backup]
command = "true"
schedule = "0 2 * * *"
timeout = "45m"
sla = { finish_within = "1h" }

[jobs.etl]
command = "true"
schedule = "*/15 * * * *"
timeout = "17m"
blackout = "holidays"

[jobs.unknown]
command = "true"
schedule = "0 2 * * *"
limits = ["db"]
queue = "low"

[jobs.after]
command = "true"
after = ["backup"]

[jobs.off]
command = "true"
schedule = "0 2 * * *"
enabled = false

[jobs.shadow]
command = "true"
schedule = "* * * * *"
shadow = true
"""
WINDOW = ("--from", "2026-10-24 12:00", "--for", "3d")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "jobs.toml").write_text(JOBS)
    return tmp_path


Answer = Callable[..., Any]


@pytest.fixture
def answer(project: Path, jobrunner: Runner) -> Answer:
    """The forecast as JSON; ``status`` is what it must end with."""

    def run(*args: str, status: int = 0) -> Any:
        result = jobrunner("simulate", "--json", *args)
        assert result.returncode == status, result.stderr
        return json.loads(result.stdout)

    return run


def by_name(found: Any) -> dict[str, Any]:
    return {each["name"]: each for each in found["jobs"]}


def test_a_file_without_history(answer: Answer) -> None:
    found = answer(*WINDOW)
    jobs = by_name(found)
    assert list(jobs) == ["backup", "etl", "unknown"]
    assert (found["from"], found["until"]) == ("2026-10-24T10:00:00.000000Z", "2026-10-27T10:00:00.000000Z")
    assert (found["workers"], found["seed"], found["timezone"]) == (2, 1, "Europe/Madrid")
    assert jobs["backup"]["duration"] == {"median": 2700.0, "p95": 2700.0, "from": "timeout", "runs": 0}
    assert jobs["unknown"]["duration"] == {"median": 60.0, "p95": 60.0, "from": "guess", "runs": 0}
    assert jobs["backup"]["fires"] == 3
    assert (jobs["etl"]["fires"], jobs["etl"]["blackouts"]) == (3 * 96, 96)
    assert found["clock_changes"][0]["jobs"] == ["backup", "unknown"]
    assert found["unplayed"] == [{"key": "after", "jobs": ["after"]}, {"key": "shadow", "jobs": ["shadow"]}]
    assert found["suggestion"] is None


def test_history_says_how_long_runs_take(answer: Answer, project: Path, jobrunner: Runner) -> None:
    for _ in range(3):
        assert jobrunner("trigger", "backup").returncode == 0
    assert jobrunner("run", "--burst").returncode == 0
    duration = by_name(answer(*WINDOW))["backup"]["duration"]
    assert (duration["from"], duration["runs"]) == ("history", 3)
    assert 0 < duration["median"] <= duration["p95"] < 60


def test_a_broken_promise_ends_with_1(answer: Answer, project: Path) -> None:
    (project / "jobs.toml").write_text(JOBS.replace('finish_within = "1h"', 'finish_within = "30m"'))
    found = answer(*WINDOW, status=1)
    assert found["breaks_sla"]
    assert by_name(found)["backup"]["sla"]["overdue"] == 3


def test_workers(answer: Answer) -> None:
    assert by_name(answer(*WINDOW))["unknown"]["delay"]["max"] == 1020.0
    found = answer(*WINDOW, "--workers", "9")
    assert found["workers"] == 9
    assert by_name(found)["unknown"]["delay"]["max"] == 0.0


def test_the_seed_makes_it_repeatable(answer: Answer, project: Path, jobrunner: Runner) -> None:
    assert answer(*WINDOW, "--seed", "5") == answer(*WINDOW, "--seed", "5")
    assert answer(*WINDOW, "--seed", "-1")["seed"] == -1


def test_without_a_window_it_plays_a_week_from_now(answer: Answer) -> None:
    found = answer()
    start, end = (datetime.fromisoformat(found[key]) for key in ("from", "until"))
    assert end - start == timedelta(days=7)
    assert abs(datetime.now(UTC) - start) < timedelta(minutes=5)


def test_another_file(answer: Answer, project: Path) -> None:
    (project / "proposed.toml").write_text('[jobs.new]\ncommand = "true"\nschedule = "@daily"')
    for option in ("-c", "--config"):
        assert list(by_name(answer(option, "proposed.toml", *WINDOW))) == ["new"]


def test_suggestions(answer: Answer, jobrunner: Runner) -> None:
    found = answer(*WINDOW, "--suggest", "unknown")["suggestion"]
    assert (found["job"], found["present"]["expression"]) == ("unknown", "0 2 * * *")
    assert found["choices"][0]["load"] < found["present"]["load"]
    text = jobrunner("simulate", *WINDOW, "--suggest", "unknown").stdout
    assert "how many others run beside unknown" in text
    assert found["choices"][0]["expression"] in text


def test_as_text(jobrunner: Runner, project: Path) -> None:
    result = jobrunner("simulate", *WINDOW)
    assert result.returncode == 0
    assert result.stdout.startswith("3d from 2026-10-24 12:00:00 CEST, 2 workers, seed 1\n")
    assert re.search(r"^etl +288 ", result.stdout, re.MULTILINE)
    assert "running at once over the day, Europe/Madrid" in result.stdout
    assert "note: after is not played: after" in result.stdout
    assert "\x1b" not in result.stdout


def test_on_a_terminal_it_fits(terminal: Callable[..., str], project: Path) -> None:
    shown = terminal("simulate", *WINDOW, "--suggest", "backup")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert all(len(line) <= 80 for line in plain.splitlines() if not line.startswith(("note: ", "sla: ")))
    assert "█" in plain


def test_nothing_to_play(jobrunner: Runner, project: Path) -> None:
    (project / "jobs.toml").write_text('[jobs.a]\ncommand = "true"')
    result = jobrunner("simulate")
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr.count("\n") == 1
    assert "nothing is going to fire" in result.stderr


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (("--for", "soon"), 2, "--for: not a duration"),
        (("--for", "0s"), 2, "a window of 0s cannot be played"),
        (("--for", "30y"), 2, "--for"),
        (("--for", "4000d"), 2, "a window of 4000d cannot be played; it is longer than nothing, and 3660d"),
        (("--from", "9985-01-01", "--for", "3660d"), 2, "too far away"),
        (("--from", "yesterday-ish"), 2, "--from: not a time"),
        (("--workers", "0"), 2, "--workers"),
        (("--seed", "x"), 2, "--seed"),
        (("--suggest", "nobody"), 3, "no job 'nobody'"),
        (("--suggest", "etl"), 2, "job 'etl' does not run at a fixed minute"),
        (("--suggest", "after"), 2, "job 'after' has no schedule"),
        (("--suggest", "off"), 2, "job 'off' is disabled"),
        (("--suggest", "shadow"), 2, "job 'shadow' is a shadow"),
        (("--suggest", "backup", "--from", "2026-10-24 12:00", "--for", "1h"), 2, "does not fire in the window"),
        (("-c", "nothing.toml"), 78, "nothing.toml"),
    ],
)
def test_mistakes(jobrunner: Runner, project: Path, args: tuple[str, ...], status: int, words: str) -> None:
    result = jobrunner("simulate", *args)
    assert (result.returncode, result.stdout) == (status, "")
    assert result.stderr.count("\n") == 1
    assert words in result.stderr


def test_a_file_with_faults_is_not_played(jobrunner: Runner, project: Path) -> None:
    (project / "jobs.toml").write_text(JOBS + '[jobs.bad]\ncommand = "true"\nschedule = "61 * * * *"')
    result = jobrunner("simulate")
    assert (result.returncode, result.stdout) == (78, "")
    assert "no minute '61'" in result.stderr


def test_the_workers_of_all_living_servers(answer: Answer, project: Path) -> None:
    assert answer(*WINDOW)["workers"] == 2
    db = open_store(f"sqlite:///{project / 'jobrunner.db'}")
    for name in ("one", "two", "gone"):
        serve(db, name)
    db.execute("UPDATE servers SET state = 'stopped', ended_at = started_at WHERE name = 'gone'")
    db.close()
    assert answer(*WINDOW)["workers"] == 4
