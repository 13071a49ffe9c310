"""The history that measurements are made on is one that the program itself could have left."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import history, kept
from bench.changes import changes
from jobrunner import wiring
from jobrunner.domain.filter import RunFilter
from jobrunner.domain.server import ServerState
from jobrunner.domain.state import FINAL, RunState, Trigger
from jobrunner.store import open_store


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_history_is_read_by_the_program(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    store = request.getfixturevalue("new_schema")() if database == "postgresql" else None
    path = history.make(tmp_path, jobs=30, runs=6_000, lines=10_000, store=store)
    with wiring.open_admin(path) as admin:
        runs = admin.runs(RunFilter(limit=0))
        assert len(runs) == 6_000
        assert {run.state for run in runs} == set(RunState)
        assert {run.trigger for run in runs} == set(Trigger) - {Trigger.EVENT}
        assert admin.runs(RunFilter(dead=True))
        assert admin.batch(1).total == 100
        whole = next(run.id for run in runs if run.state is RunState.SUCCEEDED and run.attempt == 1)
        assert b"".join(part.data for part in admin.output(whole)).count(b"\n") == 10_000
        assert admin.run(whole).definition
        assert len(admin.jobs()) == 30
        new = admin.trigger(runs[-1].job, {}).id
        assert new > 6_000


def test_a_history_is_the_same_each_time(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        with wiring.open_admin(history.make(tmp_path / name, jobs=10, runs=1_500)) as admin:
            found.append([(run.id, run.job, run.state, run.error) for run in admin.runs(RunFilter(limit=0))])
    assert found[0] == found[1]


def test_what_is_kept_has_nothing_under_way(tmp_path: Path) -> None:
    with wiring.open_admin(kept.make(tmp_path, 1_500)) as admin:
        runs = admin.runs(RunFilter(limit=0))
        assert len(runs) == 1_500
        assert {run.state for run in runs} <= FINAL
        assert {server.state for server in admin.servers()} <= {ServerState.STOPPED, ServerState.LOST}
        assert admin.trigger("nop", {"n": 1}).id == 1_501


def test_changes_go_on_in_a_history(tmp_path: Path) -> None:
    path = history.make(tmp_path, jobs=10, runs=1_500)
    with changes(tmp_path, 100), wiring.open_admin(path) as admin:
        db = open_store(admin.settings.store)
        newest = (db.execute("SELECT max(id) FROM runs").fetchone()[0] for _ in range(1_000_000))
        assert any(number >= 1_510 for number in newest)
        db.close()


def test_changes_that_cannot_be_made_are_no_quiet_day(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no changes are made"), changes(tmp_path, 100):
        pass
