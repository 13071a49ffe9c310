"""What is not there: a server, broker, store or file. What is acknowledged is stored, the rest is one line."""

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from project import Answer, Project, until

JOBS = """
[jobs.a]
command = "echo done"
"""

Maker = Callable[[str], Project]


def complains(answer: Answer, status: int, *words: str) -> None:
    """One line on stderr that says all these words, and the status."""
    assert (answer.status, answer.out) == (status, ""), answer
    assert answer.err.startswith("jobrunner: ")
    assert answer.err.count("\n") == 1, answer.err
    assert "Traceback" not in answer.err
    for word in words:
        assert word in answer.err


def test_a_trigger_before_any_server_is_stored(project: Maker) -> None:
    where = project(JOBS)
    answer = where.call("trigger", "a")
    assert (answer.status, answer.out) == (0, "1\n")
    assert answer.err == "jobrunner: no server serves the queue 'default' now; it waits for one (`jobrunner run`)\n"
    where.burst()
    assert where.show(1)["state"] == "succeeded"
    assert "no server" in where.call("trigger", "a").err
    with where.server("--queue", "low"):
        assert "no server" in where.call("trigger", "a").err
    with where.server():
        assert where.call("trigger", "a").err == ""


def test_every_command_that_looks_works_on_a_store_that_is_not_there_yet(project: Maker) -> None:
    where = project(JOBS)
    for verb in ("jobs", "runs", "queues", "servers", "batches", "audit", "next"):
        assert where.call(verb).status == 0
    assert where.json("runs") == []


def test_a_broker_that_is_away_is_no_error(project: Maker) -> None:
    where = project('[jobrunner]\nbroker = "redis://user:hunter22@127.0.0.1:1/0"\n' + JOBS)
    answer = where.call("trigger", "a")
    assert (answer.status, answer.out) == (0, "1\n")
    (line,) = [line for line in answer.err.splitlines() if "broker" in line]
    assert "127.0.0.1:1" in line
    assert "stored" in line
    assert "hunter22" not in answer.err
    with where.server() as server:
        until(lambda: any("cannot be reached" in line.get("message", "") for line in server.log()), "the complaint")
        assert server.process.poll() is None
        assert "hunter22" not in server.text()
    assert where.show(1)["state"] == "queued"


@pytest.mark.parametrize("verb", [["runs"], ["trigger", "a"], ["cancel", "1"], ["servers"], ["audit"]])
@pytest.mark.parametrize(
    ("store", "words"),
    [
        ("sqlite:///not/there/jobs.db", ["not/there/jobs.db", "folder exists"]),
        ("sqlite:///text", ["text", "not a database"]),
        ("sqlite:///folder", ["folder"]),
        ("sqlite:////dev/null/x", ["/dev/null/x"]),
        ("postgresql://user:hunter22@127.0.0.1:1/jobs", ["127.0.0.1"]),
    ],
)
def test_a_store_that_cannot_be_used(project: Maker, store: str, words: list[str], verb: list[str]) -> None:
    where = project(f'[jobrunner]\nstore = "{store}"\n' + JOBS)
    (where.folder / "text").write_text("this is no database\n" * 1000)
    (where.folder / "folder").mkdir()
    answer = where.call(*verb)
    complains(answer, 5, *words)
    assert "hunter22" not in answer.err


def test_a_server_without_its_store(project: Maker) -> None:
    where = project('[jobrunner]\nstore = "sqlite:///not/there/jobs.db"\n' + JOBS)
    complains(where.run("run"), 5, "not/there/jobs.db")


def test_a_store_of_a_newer_version(project: Maker) -> None:
    where = project(JOBS)
    where.trigger("a")
    with sqlite3.connect(where.folder / "jobrunner.db") as db:
        db.execute("UPDATE schema_version SET version = 1000")
    db.close()
    complains(where.call("runs"), 5, "newer jobrunner")


def test_a_damaged_store(project: Maker) -> None:
    where = project(JOBS)
    where.trigger("a")
    store = where.folder / "jobrunner.db"
    with sqlite3.connect(store) as db:
        db.execute("PRAGMA wal_checkpoint(truncate)")
    db.close()
    with store.open("r+b") as file:
        for page in range(1, os.path.getsize(store) // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)
    answer = where.call("runs")
    complains(answer, 5, "jobrunner.db")


def test_a_store_that_another_process_holds_is_waited_for(project: Maker) -> None:
    where = project(JOBS)
    where.trigger("a")
    holder = sqlite3.connect(where.folder / "jobrunner.db", isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.2, lambda: holder.execute("ROLLBACK"))
    timer.start()
    assert where.trigger("a") == 2
    timer.join()
    holder.close()


def test_a_server_goes_on_when_its_store_was_held(project: Maker) -> None:
    where = project(JOBS)
    with where.server() as server:
        holder = sqlite3.connect(where.folder / "jobrunner.db", isolation_level=None)
        run = where.trigger("a")
        where.ended(run)
        holder.execute("BEGIN EXCLUSIVE")
        holder.execute("INSERT INTO properties (name, value) VALUES ('held', 'x')")
        holder.execute("COMMIT")
        holder.close()
        assert where.ended(where.trigger("a"))["state"] == "succeeded"
        assert server.process.poll() is None


CONFIGURATIONS = [
    ("missing", "no such file"),
    ("folder", "is a folder"),
    ("world-writable", "everybody can write it"),
    ("empty name", ""),
    ("not UTF-8", "UTF-8"),
    ("not TOML", "jobs.toml:1:"),
    ("invalid", "jobs.toml:2:1: "),
]


@pytest.mark.parametrize("verb", [["jobs"], ["trigger", "a"], ["run", "--burst"], ["next"], ["show", "a"]])
@pytest.mark.parametrize(("how", "words"), CONFIGURATIONS, ids=[how for how, _ in CONFIGURATIONS])
def test_a_configuration_that_cannot_be_used(project: Maker, how: str, words: str, verb: list[str]) -> None:
    where = project(JOBS)
    match how:
        case "missing":
            where.file.unlink()
        case "folder":
            where.file.unlink()
            where.file.mkdir()
        case "world-writable":
            where.file.chmod(0o602)
        case "empty name":
            verb = ["-c", "", *verb]
        case "not UTF-8":
            where.file.write_bytes(b"# \xff\n")
        case "not TOML":
            where.write("[jobs\n")
        case "invalid":
            where.write("[jobs.a]\nretrys = 1\ncommand = 'true'\n")
    call = where.run if "run" in verb else where.call
    answer = call("-c", "jobs.toml", *verb) if how != "empty name" else call(*verb)
    complains(answer, 78, words)
    assert sorted(path.name for path in where.folder.iterdir() if path.name != "jobs.toml") == []


if os.geteuid() == 0:  # only root can give files away

    def test_a_configuration_of_a_third_user_is_refused(project: Maker) -> None:
        where = project(JOBS)
        os.chown(where.file, 4321, 4321)
        complains(where.call("trigger", "a"), 78, "belongs to user id 4321")
        os.chown(where.file, 0, 0)
        (where.folder / "jobs.d").mkdir()
        included = where.folder / "jobs.d" / "b.toml"
        included.write_text("[jobs.b]\ncommand = 'true'\n")
        where.write('[jobrunner]\ninclude = ["jobs.d/*.toml"]\n' + JOBS)
        os.chmod(included, 0o666)
        complains(where.call("jobs"), 78, "b.toml", "everybody can write it")
        os.chmod(included, 0o600)
        os.chown(included, 4321, 4321)
        complains(where.call("trigger", "b"), 78, "b.toml", "4321")


def test_the_configuration_is_looked_for_where_the_help_says(project: Maker, tmp_path: Path) -> None:
    where = project("[jobs.here]\ncommand = 'true'\n")
    for name in ("named", "variable", "xdg/jobrunner"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "jobs.toml").write_text(f"[jobs.{name.partition('/')[0]}]\ncommand = 'true'\n")
    environ = {"JOBRUNNER_CONFIG": str(tmp_path / "variable" / "jobs.toml"), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    named = str(tmp_path / "named" / "jobs.toml")

    def job(*args: str, **given: str) -> str:
        answer = where.call(*args, "--json", **given)
        assert answer.status == 0, answer
        return str(answer.json[0]["name"])

    assert job("-c", named, "jobs", **environ) == job("jobs", "--config", named, **environ) == "named"
    assert job("jobs", **environ) == "variable"
    environ.pop("JOBRUNNER_CONFIG")
    assert job("jobs", **environ) == "here"
    where.file.unlink()
    assert job("jobs", **environ) == "xdg"


def test_paths_of_the_file_are_relative_to_it(project: Maker, tmp_path: Path) -> None:
    where = project("")
    sub = tmp_path / "etc"
    sub.mkdir()
    (sub / "jobs.toml").write_text('[jobrunner]\nstore = "sqlite:///data.db"\n[jobs.p]\ncommand = "pwd"\n')
    assert where.call("-c", "etc/jobs.toml", "trigger", "p").status == 0
    server = where.start("--burst", "-c", "etc/jobs.toml")
    assert server.wait() == 0
    assert where.call("logs", "1", "-c", "etc/jobs.toml").out == f"{sub}\n"
    assert (sub / "data.db").exists()
    shutil.rmtree(sub)
