"""The demonstration at the top of the repository: what each of its jobs promises, and that all of it moves at once."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from copies import EXAMPLES, Example

from jobrunner import Client, RunFailed, jobfile
from jobrunner.client import RunHandle
from jobrunner.domain import schedule

TOP = EXAMPLES.parent
BY_HAND = {"invoice", "ledger", "nightly"}
"""What does not fire within a minute: created by others, or at night."""
QUICKER = {
    'retry_delay = "2s"': 'retry_delay = "50ms"',
    'retry_delay = "3s"': 'retry_delay = "50ms"',
    'retry_delays = ["5s"]': 'retry_delays = ["200ms"]',
    "retries = 6": "retries = 200",
    "    sleep 1\n": "    sleep 0.05\n",
    'timeout = "4s"': 'timeout = "1s"',
    "default = 400": "default = 20",
}


@pytest.fixture
def demonstration(tmp_path: Path) -> Iterator[Example]:
    """A copy of it with a server that fires nothing, short waits, and a port of its own."""
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    text = (TOP / "jobs.toml").read_text()
    for said, instead in {**QUICKER, "18765": str(_free_port())}.items():
        assert said in text
        text = text.replace(said, instead)
    (tmp_path / "jobs.toml").write_text(text)
    here = Example(tmp_path)
    with here.server("--no-scheduler", "--workers", "6"):
        yield here


def test_every_job_does_what_it_promises(demonstration: Example) -> None:
    with Client.open(demonstration.folder / "jobs.toml") as client:
        names = jobfile.read(TOP / "jobs.toml").jobs
        runs = {name: client.trigger(name) for name in names if name not in ("invoice", "ledger")}
        site = runs.pop("site")
        ends = {name: demonstration.json("show", str(_ended(run).id)) for name, run in runs.items()}
        failed = {name for name, run in ends.items() if run["state"] != "succeeded"}
        assert failed == {"certificate", "stuck"}
        assert ends["flaky"]["attempt"] == 3
        assert ends["stuck"]["attempts"][0]["outcome"] == "timeout"
        assert ends["report"]["result"]["month"] == "2026-11"
        assert ends["import"]["progress"]["done"] == 20
        assert ends["backup"]["progress"]["done"] == 12
        assert set(ends["disk"]["result"]) == {"used", "free_kib"}
        assert ends["prices"]["result"]["cheapest"] in ends["prices"]["result"]["prices"]
        assert ends["weather"]["result"] == {"city": "Madrid", "sky": "clear", "celsius": 21}
        assert [run["id"] for run in demonstration.json("runs", "--dead")] == [ends["certificate"]["id"]]
        site.cancel(now=True)


def test_the_ledger_follows_the_batch_that_a_job_creates(demonstration: Example) -> None:
    with Client.open(demonstration.folder / "jobs.toml") as client:
        created = client.trigger("month-end").result(timeout=60)
        assert created["invoices"] == 6
        [ledger] = demonstration.json("runs", "--job", "ledger")
        assert client.run(ledger["id"]).result(timeout=60) == "all invoices are in the ledger"
    assert demonstration.json("show", created["batch"])["succeeded"] == 6


def test_everything_moves_within_half_a_minute() -> None:
    file = jobfile.read(TOP / "jobs.toml")
    assert file.warnings == ()
    began = datetime(2026, 11, 21, 12, 0, 1, tzinfo=UTC)
    soon = set()
    for name, job in file.jobs.items():
        fires = [schedule.parse(spec, job=name, timezone=job.timezone).next_after(began) for spec in job.schedules]
        if any(fire is not None and fire - began <= timedelta(seconds=30) for fire in fires):
            soon.add(name)
    assert set(file.jobs) - soon == BY_HAND
    assert len(file.jobs) >= 12


def _ended(run: RunHandle) -> RunHandle:
    try:
        run.result(timeout=60)
    except RunFailed:
        pass
    return run


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
