"""Files are private, secrets stay hidden, every action of a person is in the audit trail."""

import getpass
import os
import socket
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from project import Project, until

CANARY = "canary-3f9c71"
SECOND = "finch-88d1aa"
THIRD = "sparrow-a7c2"

JOBS = """
[jobs.echo]
command = ["sh", "-c", "echo $JOBRUNNER_PARAM_TOKEN; echo \\"[$1]\\" >&2; exit 3", "sh", "{token}"]
params.token = { secret = true, required = true }
params.plain = { default = "x" }
retry_delays = ["1ms"]

[jobs.env]
command = "echo got $TOKEN $FROM_FILE; echo \\"{\\\\\\"t\\\\\\": \\\\\\"$TOKEN\\\\\\"}\\" > $JOBRUNNER_RESULT_FILE"
env = { TOKEN = "${SECOND}", FROM_FILE = "${file:secret.txt}" }

[jobs.raises]
python = "functions:raises"
params.token = { secret = true, required = true }

[jobs.returns]
python = "functions:returns"
params.token = { secret = true, required = true }

[jobs.unsent]
params.token = { secret = true, required = true }
[jobs.unsent.http]
url = "http://127.0.0.1:1/?t={token}"

[jobs.unset]
command = "true"
env = { TOKEN = "${NOT_THERE}" }
"""

FUNCTIONS = """
from jobrunner import current_run

def raises(token):
    current_run().progress(1, message="using " + token)
    print("printing", token)
    raise ValueError("bad token " + token)

def returns(token):
    return {"nested": ["it is " + token]}
"""

Maker = Callable[[str], Project]


@pytest.fixture
def where(project: Maker) -> Project:
    made = project(JOBS)
    (made.folder / "functions.py").write_text(FUNCTIONS)
    (made.folder / "secret.txt").write_text(THIRD + "\n")
    (made.folder / "secret.txt").chmod(0o600)
    return made


def test_secrets_appear_nowhere(where: Project) -> None:
    said = []
    with where.server(SECOND=SECOND) as server:
        jobs = ("echo", "raises", "returns", "unsent")
        said += [where.call("trigger", job, "-p", f"token={CANARY}", "--wait") for job in jobs]
        said.append(where.call("trigger", "env", "--follow", "--wait"))
        assert said[-1].out == 'got *** ***\n{"t": "***"}\n'
        runs = [run["id"] for run in where.json("runs")]
        assert len(runs) == 5
        for args in (["runs"], ["audit"], ["jobs"], *(["show", str(run)] for run in runs)):
            said += [where.call(*args), where.call(*args, "--json")]
        said += [where.call("logs", str(run)) for run in runs]
        said += [where.call("logs", str(run), "--json", "--attempt", "1") for run in runs]
        said.append(where.call("trigger", "echo", "-p", f"token={CANARY}", "-p", "nope=1"))
        said.append(where.call("trigger", "raises", "-p", f"token={CANARY}\ud800"))
        server.stop()
    for secret in (CANARY, SECOND, THIRD):
        assert not [answer for answer in said if secret in answer.out + answer.err]
        assert secret not in server.text()
    assert where.logs(1) == "***\n[***]\n"
    assert where.show(1)["error"] == "exit status 3: [***]"
    assert where.show(2)["error"] == "ValueError: bad token ***"
    assert where.show(2)["progress"]["message"] == "using ***"
    assert where.show(3)["result"] == {"nested": ["it is ***"]}
    _only_in_the_column_of_secrets(where)


def _only_in_the_column_of_secrets(where: Project) -> None:
    with sqlite3.connect(where.folder / "jobrunner.db") as db:
        (kept,) = db.execute("SELECT count(*) FROM runs WHERE secret_params LIKE ?", (f"%{CANARY}%",)).fetchone()
        assert kept == 4
        db.execute("UPDATE runs SET secret_params = NULL")
        db.execute("PRAGMA secure_delete = on")
    db.execute("VACUUM")
    db.execute("PRAGMA wal_checkpoint(truncate)")
    db.close()
    for path in where.folder.rglob("*"):
        if path.is_file() and path.name != "secret.txt":
            data = path.read_bytes()
            for secret in (CANARY, SECOND, THIRD):
                assert secret.encode() not in data, path


def test_a_run_like_another_has_its_secrets(where: Project) -> None:
    first = where.trigger("returns", "-p", f"token={CANARY}")
    again = where.json("trigger", "returns", "--like", str(first))
    assert again["params"]["token"] == "***"
    where.burst()
    assert where.show(again["id"])["result"] == {"nested": ["it is ***"]}


def test_a_reference_that_cannot_be_resolved_fails_the_attempt(where: Project) -> None:
    run = where.trigger("unset")
    where.burst()
    shown = where.show(run)
    assert shown["state"] == "failed"
    assert "NOT_THERE" in shown["error"]
    assert shown["attempts"][0]["outcome"] == "failed"


def test_every_file_is_private_whatever_the_umask(where: Project) -> None:
    umask = os.umask(0)
    try:
        known = set(where.folder.rglob("*"))
        with where.server():
            run = where.trigger("echo", "-p", "token=1234567")
            where.ended(run)
            made = [path for path in where.folder.rglob("*") if path not in known and "__pycache__" not in path.parts]
            names = {path.name.partition("-wake")[0] for path in made}
            assert names >= {"jobrunner.db", "jobrunner.db-wal", "jobrunner.db-shm"}
            assert any(stat.S_ISSOCK(path.stat().st_mode) for path in made)
            for path in made:
                mode = stat.S_IMODE(path.stat().st_mode)
                assert mode == (0o700 if path.is_dir() else 0o600), (path, oct(mode))
    finally:
        os.umask(umask)


def test_the_temporary_folder_is_private_and_goes(where: Project, tmp_path: Path) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    with where.server(TMPDIR=str(place)):
        where.ended(where.trigger("returns", "-p", "token=1234567"))
        where.ended(where.trigger("echo", "-p", "token=1234567"))
        for path in place.rglob("*"):
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert list(place.iterdir()) == []


ACTIONS = [
    (["trigger", "a", "-p", "n=1"], "trigger", "a", "done"),
    (["trigger", "a", "--delay", "1h"], "trigger", "a", "done"),
    (["submit", "--", "true"], "trigger", "submit:true", "done"),
    (["cancel", "1"], "cancel", "run 1", "done"),
    (["cancel", "2", "--now"], "cancel", "run 2", "done"),
    (["retry", "1"], "retry", "run 1", "done"),
    (["retry", "1"], "retry", "run 1", "run 1 is queued; only failed and cancelled runs can be retried"),
    (["discard", "1"], "discard", "run 1", "run 1 is queued; only failed runs can be discarded"),
    (["cancel", "99"], "cancel", "run 99", "no run 99"),
    (["pause", "a", "--reason", "noise"], "pause", "job a", "done"),
    (["pause", "--queue", "low"], "pause", "queue low", "done"),
    (["pause", "--all"], "pause", "everything", "done"),
    (["resume", "a"], "resume", "job a", "done"),
    (["resume", "--queue", "low"], "resume", "queue low", "done"),
    (["resume", "--all"], "resume", "everything", "done"),
    (["cancel", "b1"], "cancel", "batch b1", "done"),
]


def test_every_action_is_in_the_audit_trail(project: Maker) -> None:
    where = project("[jobs.a]\ncommand = 'true'\nparams.n = { default = '0' }\n")
    expected = []
    for args, action, target, outcome in ACTIONS:
        if args == ["cancel", "b1"]:
            where.call("trigger", "a", "--each", "-", input="1\n2\n")
            expected.append(("trigger", "a", "done"))
        where.call(*args)
        expected.append((action, target, outcome))
    entries = where.json("audit", "--limit", "0")[::-1]
    assert [(entry["action"], entry["target"], entry["outcome"]) for entry in entries] == expected
    assert {(entry["who"], entry["host"]) for entry in entries} == {(getpass.getuser(), socket.gethostname())}
    assert entries[9]["detail"] == "noise"
    assert entries[0]["detail"] == 'run 1 {"n":"1"}'
    assert [entry["detail"] for entry in entries if "batch" in entry["detail"]] == ["batch b1 of 2 runs"]
    before = len(entries)
    for args in (["runs"], ["show", "1"], ["logs", "1"], ["jobs"], ["audit"], ["next"], ["check"]):
        where.call(*args)
    assert len(where.json("audit", "--limit", "0")) == before


def test_retrying_and_discarding_are_in_the_audit_trail_run_by_run(project: Maker) -> None:
    where = project("[jobs.a]\ncommand = 'exit 1'\n")
    runs = [where.trigger("a") for _ in range(3)]
    where.burst()
    where.call("discard", str(runs[0]))
    where.call("retry", "--dead")
    entries = where.json("audit")[::-1][3:]
    assert [(entry["action"], entry["target"]) for entry in entries] == [
        ("discard", f"run {runs[0]}"),
        ("retry", f"run {runs[1]}"),
        ("retry", f"run {runs[2]}"),
    ]


def test_what_a_server_does_is_no_action_of_a_person(project: Maker) -> None:
    where = project("[jobs.a]\ncommand = 'true'\nschedule = 'every 1s'\n")
    with where.server():
        until(lambda: where.json("runs", "--state", "succeeded"), "a fire")
    assert where.json("audit") == []
