"""What a run inherits and what stays secret; files that change under a client; batches retried as far as may be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from samples import run_to, serve

from jobrunner import Client, wiring
from jobrunner.admin import Admin
from jobrunner.admin import jobs as jobs_module
from jobrunner.domain.state import RunState, Trigger
from jobrunner.domain.trigger import TriggerOptions
from jobrunner.errors import ParameterError
from jobrunner.store.runs import read

JOBS = """
[jobrunner]
include = ["jobs.d/*.toml"]

[jobs.parent]
command = "true"
params.token = { secret = true }
params.month = { default = "2026-01" }

[jobs.careful]
command = "true"
params.token = { secret = true, required = true }
params.month = {}

[jobs.careless]
command = "true"
params.token = { default = "none" }

[jobs.demanding]
command = "true"
params.token = { required = true }

[jobs.only]
command = "true"
params.n = { type = "int" }
unique = true
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _write(tmp_path / "jobs.toml", JOBS)
    return tmp_path


@pytest.fixture
def admin(folder: Path) -> Iterator[Admin]:
    made = wiring.make_admin(folder / "jobs.toml", source=Trigger.MANUAL, warn=False)
    yield made
    made.close()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)


def secrets(admin: Admin, run: int) -> dict[str, object]:
    return read.secrets_of(admin._context.db, run)


def test_a_secret_goes_to_a_secret_parameter_of_a_child(admin: Admin) -> None:
    parent = admin.trigger("parent", {"token": "hunter2", "month": "2026-05"})
    child = admin.trigger("careful", {}, options=TriggerOptions(after=(parent.id,)))
    assert admin.run(child.id).params == {"token": "***", "month": "2026-05"}
    assert secrets(admin, child.id) == {"token": "hunter2"}


def test_a_secret_is_never_made_public_by_inheritance(admin: Admin) -> None:
    parent = admin.trigger("parent", {"token": "hunter2"})
    child = admin.trigger("careless", {}, options=TriggerOptions(after=(parent.id,)))
    assert admin.run(child.id).params == {"token": "none"}
    with pytest.raises(ParameterError, match="token"):
        admin.trigger("demanding", {}, options=TriggerOptions(after=(parent.id,)))
    rows = admin._context.db.execute("SELECT params, coalesce(secret_params, '') FROM runs ORDER BY id").fetchall()
    assert [("hunter2" in public, "hunter2" in hidden) for public, hidden in rows] == [(False, True), (False, False)]


def test_nor_by_a_run_like_it_when_the_parameter_is_no_longer_secret(admin: Admin, folder: Path) -> None:
    run = admin.trigger("parent", {"token": "hunter2"})
    _write(folder / "jobs.toml", JOBS.replace("token = { secret = true }\nparams.month", "token = {}\nparams.month"))
    again = wiring.make_admin(folder / "jobs.toml", source=Trigger.MANUAL, warn=False)
    like = again.trigger("parent", {}, like=run.id)
    assert "hunter2" not in str(again.run(like.id).params)
    assert "***" not in str(again.run(like.id).params)
    again.close()


def test_no_secret_is_in_the_audit_trail_or_in_an_error(admin: Admin) -> None:
    admin.trigger("parent", {"token": "hunter2"})
    with pytest.raises(ParameterError) as wrong:
        admin.trigger("parent", {"token": ["hunter2"]})
    assert "hunter2" not in str(wrong.value)
    assert "hunter2" not in str(admin.audit(None, 0))


def test_a_client_sees_what_changes_in_an_included_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_module, "_LOOK_AGAIN_SECONDS", 0.0)
    included = folder / "jobs.d" / "more.toml"
    _write(included, "[jobs.more]\ncommand = 'true'\nretries = 1\n")
    with Client.open(folder / "jobs.toml") as client:
        assert client.trigger("more").status().max_attempts == 2
        stat = os.stat(folder / "jobs.toml")
        _write(included, "[jobs.more]\ncommand = 'true'\nretries = 5\n")
        assert os.stat(folder / "jobs.toml").st_mtime_ns == stat.st_mtime_ns
        assert client.trigger("more").status().max_attempts == 6


def test_a_file_replaced_by_one_of_the_same_age_and_size_is_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "_LOOK_AGAIN_SECONDS", 0.0)
    path = folder / "jobs.toml"
    _write(path, "[jobs.a]\ncommand = 'true'\nretries = 1\n")
    os.utime(path, ns=(10**18, 10**18))
    with Client.open(path) as client:
        assert client.trigger("a").status().max_attempts == 2
        _write(folder / "new", "[jobs.a]\ncommand = 'true'\nretries = 5\n")
        os.utime(folder / "new", ns=(10**18, 10**18))
        (folder / "new").replace(path)
        assert client.trigger("a").status().max_attempts == 6


def test_a_batch_is_retried_as_far_as_may_be(admin: Admin) -> None:
    db = admin._context.db
    made = admin.trigger_batch("only", [{"n": 1}, {"n": 2}])
    server = serve(db, started_at=admin._context.clock.now())
    now = admin._context.clock.now()
    for run in (1, 2):
        run_to(db, run, server, RunState.FAILED, at=now)
    db.execute("UPDATE runs SET unique_key = 'same' WHERE id = 1")
    db.execute("UPDATE runs SET unique_key = 'same' WHERE id = ?", (admin.trigger("only", {"n": 3}).id,))
    assert [run.id for run in admin.retry_batch(made.id)] == [2]
    (remark,) = [warning for warning in admin.warnings if "run 1 is unique" in warning]
    assert "run 3" in remark
