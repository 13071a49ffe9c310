"""Each example does what its reader is told, with a real server."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from copies import EXAMPLES, Example

from jobrunner import jobfile

Start = Callable[[str], Example]


def _many(example: Start, count: int) -> None:
    said = example("application").python("app.py", str(count))
    assert f"{count} runs created" in said
    assert "one result: 9\n" in said
    assert "ten, in threads: [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]\n" in said
    assert "ten, in asyncio: [100, 121, 144, 169, 196, 225, 256, 289, 324, 361]\n" in said
    assert f"{count} of {count} succeeded" in said


def test_an_application_creates_many_runs_and_gets_results(example: Start) -> None:
    _many(example, 1_500)


@pytest.mark.faults
def test_an_application_creates_ten_thousand_runs_and_gets_results(example: Start) -> None:
    _many(example, 10_000)


def test_a_continuation_uses_the_result_of_the_run_before(example: Start) -> None:
    said = example("continuation").python("order.py")
    assert said == "run 2 waits for run 1\ninvoice-7.pdf sent to ana@example.com\n"


def test_a_batch_is_followed_by_the_one_or_the_other(example: Start) -> None:
    here = example("batch")
    assert here.python("month.py").splitlines() == [
        "October: 3 of 3 written, 0 failed, succeeded",
        "November: 1 of 2 written, 1 failed, failed",
    ]
    for job in ("summary", "alarm"):
        assert {run["state"] for run in _ended(here, job)} == {"succeeded", "skipped"}


def test_a_python_job_reports_progress_and_knows_its_run(example: Start) -> None:
    here = example("progress")
    run = here.json("trigger", "import", "-p", "rows=20", "--wait")
    assert run["result"] == {"rows": 20, "attempt": 1}
    assert run["progress"] == {"done": 20, "total": 20, "message": "row 20"}
    assert here.jobrunner("logs", str(run["id"])) == f"run {run['id']} of import, attempt 1 of 1\n"


def test_a_command_has_a_result_and_progress(example: Start) -> None:
    here = example("command")
    lines = sum(len((here.folder / name).read_text().splitlines()) for name in ("jobs.toml", "count.sh"))
    run = here.json("trigger", "count", "--wait")
    assert run["result"] == {"files": 2, "lines": lines}
    assert run["progress"]["message"] == "count.sh"


def test_jobs_in_several_files_are_one_configuration() -> None:
    file = jobfile.read(EXAMPLES / "includes" / "jobs.toml")
    assert sorted(file.jobs) == ["backup", "report"]
    assert {job.retry.retries for job in file.jobs.values()} == {2}


def test_the_unit_is_one_that_systemd_reads(tmp_path: Path) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(EXAMPLES / "systemd" / "jobrunner.service")
    assert unit["Service"]["Type"] == "notify"
    assert unit["Service"]["ExecStart"].split()[1:] == [
        "run",
        "--config",
        "/srv/jobs/jobs.toml",
        "--log-format",
        "json",
    ]
    if shutil.which("systemd-analyze"):
        text = (
            (EXAMPLES / "systemd" / "jobrunner.service")
            .read_text()
            .replace("/opt/jobrunner/bin/jobrunner", "/bin/true")
        )
        (tmp_path / "jobrunner.service").write_text(text)
        done = subprocess.run(
            ["systemd-analyze", "verify", tmp_path / "jobrunner.service"], capture_output=True, text=True
        )
        assert "jobrunner.service" not in done.stderr


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in EXAMPLES.glob("*/jobs.toml")))
def test_every_example_is_valid_without_a_warning(folder: str) -> None:
    assert jobfile.read(EXAMPLES / folder / "jobs.toml").warnings == ()


def _ended(here: Example, job: str) -> list[dict[str, object]]:
    """The runs of a job, when all of them have ended."""
    return [here.json("show", str(run["id"])) for run in here.json("runs", "--job", job)]
