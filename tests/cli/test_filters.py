"""Filters on the command line: the grammar of the dashboard, with ``runs``."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from program import Process

from bench import history

Runner = Callable[..., Process]


@pytest.fixture
def listed(tmp_path: Path, jobrunner: Runner) -> Callable[..., list[dict[str, object]]]:
    """What ``runs`` lists of a history, as JSON."""
    history.make(tmp_path, jobs=30, runs=3_000)

    def run(*args: str) -> list[dict[str, object]]:
        result = jobrunner("runs", "--json", *args)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run


def test_terms_hold_together(listed: Callable[..., list[dict[str, object]]]) -> None:
    found = listed("job:etl*", "state:failed,cancelled", "--limit", "0")
    assert found
    assert {str(run["job"])[:3] for run in found} == {"etl"}
    assert {run["state"] for run in found} == {"failed", "cancelled"}
    only = listed("job:etl* state:failed,cancelled", "!state:cancelled", "--limit", "0")
    assert [run["id"] for run in only] == [run["id"] for run in found if run["state"] == "failed"]


def test_they_hold_beside_the_options(listed: Callable[..., list[dict[str, object]]]) -> None:
    found = listed("dur:>1s", "--state", "failed", "--limit", "3")
    assert [run["state"] for run in found] == ["failed"] * 3
    assert all(float(str(run["duration"])) > 1 for run in found)
    assert listed("tag:etl", "--job", "mail-00003") == []
    assert listed("connection refused", "--dead") == [
        run for run in listed("dead", "--limit", "0") if "connection refused" in str(run["error"])
    ]


def test_members_of_a_batch(listed: Callable[..., list[dict[str, object]]], jobrunner: Runner) -> None:
    assert len(listed("batch:b1", "--limit", "0")) == 100
    result = jobrunner("runs", "batch:b99")
    assert (result.returncode, result.stderr) == (3, "jobrunner: no batch b99; `jobrunner batches` lists them\n")


@pytest.mark.usefixtures("listed")
def test_what_is_wrong_is_one_line_and_status_2(jobrunner: Runner) -> None:
    result = jobrunner("runs", "state:fialed")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "jobrunner: no state 'fialed'; did you mean failed?\n"


@pytest.mark.usefixtures("listed")
def test_nothing_found_says_so(jobrunner: Runner) -> None:
    result = jobrunner("runs", "nowhere-to-be-found")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "jobrunner: no such runs\n")
