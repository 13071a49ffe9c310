"""``doctor`` and ``health``: what they print, what they answer in JSON, how they end."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from program import Process, clean_environment
from test_what_a_trigger_loads import HEAVY

from jobrunner.store import open_store

Runner = Callable[..., Process]

JOBS = '[jobs.a]\ncommand = "true"\n'
NOWHERE = '[jobrunner]\nstore = "postgresql://u:hunter2@127.0.0.1:{port}/x"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    (tmp_path / "jobs.toml").write_text(JOBS)
    (tmp_path / "jobs.toml").chmod(0o600)
    return tmp_path


def test_without_a_store_neither_makes_one(project: Path, jobrunner: Runner) -> None:
    answer = jobrunner("health")
    assert (answer.returncode, answer.stderr) == (1, "")
    assert answer.stdout.startswith("unhealthy: there is no store yet")
    answer = jobrunner("doctor")
    assert answer.returncode == 1
    assert "fault: store: there is no store yet" in answer.stdout
    assert [path.name for path in project.iterdir()] == ["jobs.toml"]


def test_health_in_json(project: Path, jobrunner: Runner) -> None:
    open_store(f"sqlite:///{project / 'jobrunner.db'}").close()
    jobrunner("trigger", "a")
    answer = jobrunner("health", "--json")
    assert answer.returncode == 1
    document = json.loads(answer.stdout)
    assert document.pop("oldest_wait") >= 0
    assert document.pop("version")
    assert document == {
        "healthy": False,
        "problems": ["no server runs"],
        "servers": 0,
        "queued": 1,
        "running": 0,
        "dead": 0,
    }
    assert jobrunner("health").stdout == "unhealthy: no server runs\n"


def test_doctor_in_json(project: Path, jobrunner: Runner) -> None:
    answer = jobrunner("doctor", "--json")
    document = json.loads(answer.stdout)
    assert set(document) == {"ok", "checks"}
    assert document["ok"] is False
    assert all(set(check) == {"name", "status", "detail", "hint"} for check in document["checks"])
    assert {check["status"] for check in document["checks"]} >= {"ok", "fault"}


@pytest.mark.parametrize("verb", ["health", "doctor"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[jobrunner]\nworkers = 0\n", "workers"),
        ("[jobrunner\n", "not TOML"),
        (None, "jobs.toml"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_problem_and_no_error(
    project: Path, jobrunner: Runner, verb: str, text: str | None, words: str
) -> None:
    if text is None:
        (project / "jobs.toml").unlink()
    else:
        (project / "jobs.toml").write_text(text)
    answer = jobrunner(verb)
    assert (answer.returncode, answer.stderr) == (1, "")
    assert words in answer.stdout
    document = json.loads(jobrunner(verb, "--json").stdout)
    assert document.get("healthy", document.get("ok")) is False


@pytest.mark.parametrize(
    ("verb", "answers"),
    [("health", "nothing listens"), ("health", "nothing is said"), ("doctor", "nothing listens")],
)
def test_a_store_that_is_away(project: Path, jobrunner: Runner, verb: str, answers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        (project / "jobs.toml").write_text(NOWHERE.format(port=silent.getsockname()[1]))
        if answers == "nothing listens":
            silent.close()
        answer = jobrunner(verb)
    assert (answer.returncode, answer.stderr) == (1, "")
    assert "127.0.0.1" in answer.stdout
    assert "hunter2" not in answer.stdout
    assert answer.stdout.count("cannot be used") == 1


def test_a_store_that_another_process_holds(project: Path, jobrunner: Runner) -> None:
    open_store(f"sqlite:///{project / 'jobrunner.db'}").close()
    holder = sqlite3.connect(project / "jobrunner.db", isolation_level=None)
    holder.execute("PRAGMA locking_mode = exclusive")
    holder.execute("BEGIN IMMEDIATE")
    answer = jobrunner("health")
    holder.close()
    assert (answer.returncode, answer.stderr) == (1, "")
    assert "locked" in answer.stdout


def test_health_starts_as_fast_as_a_trigger(project: Path) -> None:
    open_store(f"sqlite:///{project / 'jobrunner.db'}").close()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "jobrunner", "health"],
        cwd=project,
        env=clean_environment(project),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "jobrunner.domain.health" in loaded
    assert sorted(name for name in loaded if name.partition(".")[0] in HEAVY or name.startswith("psycopg.")) == []


def test_doctor_on_a_terminal_is_no_wider_than_it(project: Path, terminal: Callable[..., str]) -> None:
    (project / "jobs.toml").write_text(f"{JOBS}env = {{ X = '${{file:{'long-' * 30}name}}' }}\n")
    wide, narrow = terminal("doctor", width=140), terminal("doctor", width=60, NO_COLOR="1")
    assert "\x1b[1;31m✗ store:\x1b[0m there is no store yet" in wide
    assert "\n  → the first server makes it: jobrunner run\n" in narrow
    assert max(map(len, narrow.splitlines())) <= 60
    assert narrow.splitlines()[-1].startswith("1 fault, ")
