"""The start of ``jobrunner trigger`` counts, and the memory of a server: what static import contracts cannot see is
looked at in real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

HEAVY = ("textual", "rich", "croniter", "cronsim", "huey", "httpx", "redis", "tree_sitter", "asyncio")
WATCHED = tuple(f"jobrunner.domain.{name}" for name in ("attention", "board", "forecast", "lanes"))
UNUSED = ("jobrunner.admin", "psycopg.", "redis.", "asyncio", "ssl")


@pytest.mark.parametrize("args", [("trigger", "hello"), ("trigger", "hello", "-p", "name=you"), ("--help",)])
def test_nothing_heavy_is_loaded(args: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "jobs.toml").write_text(
        '[jobs.hello]\ncommand = ["echo", "{name}"]\nschedule = "0 2 * * *"\nparams.name = { default = "me" }\n'
    )
    loaded = loaded_by(args, tmp_path)
    assert "jobrunner.cli.app" in loaded
    # An attempt to import psycopg shows as well, and fails: see jobrunner.__main__.
    assert sorted(name for name in loaded if name.partition(".")[0] in HEAVY or name.startswith("psycopg.")) == []


@pytest.mark.parametrize("verb", ["runs", "jobs", "queues", "servers", "batches", "audit"])
def test_a_list_loads_nothing_of_what_only_the_dashboard_concludes(verb: str, tmp_path: Path) -> None:
    (tmp_path / "jobs.toml").write_text('[jobs.hello]\ncommand = "true"\nschedule = "0 2 * * *"\n')
    loaded = loaded_by((verb,), tmp_path)
    assert "jobrunner.presentation.lists" in loaded
    assert sorted(loaded.intersection(WATCHED)) == []


def test_a_server_loads_no_use_cases_and_nothing_for_stores_and_brokers_that_it_has_not(tmp_path: Path) -> None:
    (tmp_path / "jobs.toml").write_text('[jobs.hello]\ncommand = "true"\n')
    loaded = loaded_by(("run", "--burst"), tmp_path)
    assert "huey.storage" in loaded
    assert sorted(name for name in loaded if name.startswith(UNUSED)) == []


def loaded_by(args: Sequence[str], folder: Path) -> set[str]:
    """The modules that a command imports, or tries to."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "jobrunner", *args], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


COLLECTS = """
import gc, os, sys
os._exit = lambda status: print("collects" if gc.isenabled() else "does not")
from jobrunner.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("args", "collects"),
    [
        (("trigger", "hello"), False),
        (("jobs",), False),
        (("trigger", "hello", "--wait", "--timeout", "0.01s"), True),
        (("run", "--burst"), True),
    ],
)
def test_only_what_stays_looks_for_garbage(args: tuple[str, ...], collects: bool, tmp_path: Path) -> None:
    (tmp_path / "jobs.toml").write_text('[jobs.hello]\ncommand = "true"\n')
    done = subprocess.run([sys.executable, "-c", COLLECTS, *args], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == ("collects" if collects else "does not"), done.stderr
