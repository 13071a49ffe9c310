"""Files are private, secrets stay hidden, every action of a person is in the audit trail."""

import getpass
import os
import socket
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from project import Project, marked, until

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
        looks = [
            ["runs"],
            ["audit"],
            ["jobs"],
            ["servers"],
            ["batches"],
            ["queues"],
            ["doctor"],
            ["verify"],
            ["show", "echo"],
        ]
        for args in (*looks, *([verb, str(run)] for run in runs for verb in ("show", "why"))):
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


HELD = """
[jobs.command]
command = "touch here; cat gate > /dev/null"
env = { TOKEN = "${SECOND}", FROM_FILE = "${file:secret.txt}" }
params.token = { secret = true, default = "CANARY" }

[jobs.function]
python = "functions:waits"
env = { TOKEN = "${SECOND}" }
params.token = { secret = true, default = "CANARY" }
"""

WAITS = """
def waits(token):
    with open("there", "w"), open("gate"):
        pass
"""


def test_no_secret_is_in_the_command_line_of_any_process(project: Maker) -> None:
    where = project(HELD.replace("CANARY", CANARY))
    (where.folder / "functions.py").write_text(WAITS)
    (where.folder / "secret.txt").write_text(THIRD + "\n")
    os.mkfifo(where.folder / "gate")
    with where.server(SECOND=SECOND) as server:
        runs = [where.trigger("command"), where.trigger("function")]
        until(lambda: all((where.folder / name).exists() for name in ("here", "there")), "both")
        lines = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in marked(server.mark)]
        assert any(b"gate" in line for line in lines)
        assert len(lines) >= 6
        for secret in (CANARY, SECOND, THIRD):
            assert not [line for line in lines if secret.encode() in line]
        until(lambda: opened(where, runs), "the end of both")


def opened(where: Project, runs: list[int]) -> bool:
    """Lets whoever waits at the gate through; whether all have gone."""
    try:
        os.close(os.open(where.folder / "gate", os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        pass  # nobody waits
    return all(where.show(run)["state"] == "succeeded" for run in runs)


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
    assert entries[2]["detail"] == "run 3 true"
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


def test_the_arguments_of_a_submitted_program_are_not_in_the_audit_trail(project: Maker) -> None:
    where = project("")
    where.call("submit", "--", "/bin/echo", "--password", CANARY)
    (entry,) = where.json("audit")
    assert (entry["target"], entry["detail"]) == ("submit:echo", "run 1 /bin/echo with 2 arguments")
    assert where.show(1)["command"] == ["/bin/echo", "--password", CANARY]
    assert f"command  /bin/echo --password {CANARY}\n" in where.call("show", "1").out
    run = int(where.call("submit", "--", "echo", "{$x}", "a b").out)
    assert "command  echo '{$x}' 'a b'\n" in where.call("show", str(run)).out


def test_folders_that_were_there_stay_as_they_were_and_new_ones_are_private(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        where = Project(tmp_path)
        where.file.unlink()
        (tmp_path / "srv").mkdir(mode=0o755)
        assert where.call("init", "srv/jobs/deep").status == 0
        assert where.call("-c", "srv/jobs/deep/jobs.toml", "trigger", "hello").status == 0
    finally:
        os.umask(umask)
    modes = {path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes.pop("srv") == 0o755
    assert modes.pop("srv/jobs") == modes.pop("srv/jobs/deep") == 0o700
    assert set(modes.values()) == {0o600}


def test_a_file_is_as_unsafe_as_what_a_link_leads_to(project: Maker) -> None:
    where = project("[jobs.a]\ncommand = 'true'\n")
    (where.folder / "link.toml").symlink_to("jobs.toml")
    assert where.call("-c", "link.toml", "trigger", "a").status == 0
    where.file.chmod(0o646)
    answer = where.call("-c", "link.toml", "trigger", "a")
    assert (answer.status, answer.out) == (78, "")
    assert "everybody can write it" in answer.err
    assert where.call("-c", "link.toml", "run").status == 78


SHELL = r"""'"`$(touch pwned)`; touch pwned; ${IFS} \ & | > pwned < * ? ~ ! # {x} %s -n --help"""


def test_a_parameter_is_never_read_by_a_shell(project: Maker) -> None:
    where = project(
        "[jobs.line]\ncommand = 'printf %s \"$JOBRUNNER_PARAM_WORD\"'\nparams.word = {}\n"
        "[jobs.list]\ncommand = ['printf', '%s', '{word}']\nparams.word = {}\n"
    )
    (where.folder / "pasted.toml").write_text("[jobs.pasted]\ncommand = 'echo {word}'\nparams.word = {}\n")
    answer = where.call("trigger", "pasted", "-p", "word=x", "-c", "pasted.toml")
    assert answer.status == 78
    assert "JOBRUNNER_PARAM_WORD" in answer.err
    runs = [where.trigger(job, "-p", f"word={SHELL}") for job in ("line", "list")]
    where.burst()
    assert [where.logs(run) for run in runs] == [SHELL, SHELL]
    assert not (where.folder / "pwned").exists()


def test_what_a_service_manager_gave_the_server_is_not_handed_on(project: Maker) -> None:
    where = project("[jobs.a]\ncommand = 'env'\n[jobs.b]\npython = 'functions:names'\n")
    (where.folder / "functions.py").write_text("import os\ndef names():\n    return list(os.environ)\n")
    runs = [where.trigger("a"), where.trigger("b")]
    ours = {"WATCHDOG_USEC": "60000000", "LISTEN_FDS": "1", "LISTEN_PID": "1", "LISTEN_FDNAMES": "x"}
    where.burst(NOTIFY_SOCKET=str(where.folder / "notify"), KEPT="1", **ours)
    names = {line.partition("=")[0] for line in where.logs(runs[0]).splitlines()}
    for seen in (names, set(where.show(runs[1])["result"])):
        assert "KEPT" in seen
        assert seen.isdisjoint([*ours, "NOTIFY_SOCKET", "WATCHDOG_PID"])


def test_what_a_server_does_is_no_action_of_a_person(project: Maker) -> None:
    where = project("[jobs.a]\ncommand = 'true'\nschedule = 'every 1s'\n")
    with where.server():
        until(lambda: where.json("runs", "--state", "succeeded"), "a fire")
    assert where.json("audit") == []


def test_a_store_that_everybody_can_write_is_refused_by_a_server(project: Maker) -> None:
    where = project("[jobs.x]\ncommand = 'true'\n")
    where.trigger("x")
    (where.folder / "jobrunner.db").chmod(0o602)
    answer = where.run("run", "--burst")
    assert answer.status == 6
    assert "everybody can write the store" in answer.err
    (where.folder / "jobrunner.db").chmod(0o600)
    where.burst()
