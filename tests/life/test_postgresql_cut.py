"""A PostgreSQL store that cuts its connections again and again: nothing is lost, stuck or recorded twice."""

import threading
from collections.abc import Callable

import psycopg
from project import PATIENCE, Project, until
from services import PostgreSQL

JOBS = """
[jobrunner]
store = "STORE"

[defaults]
retries = 5
retry_delay = "1s"

[jobs.number]
command = ["sh", "-c", "echo $JOBRUNNER_PARAM_N >> done"]
params.n = { type = "int" }

[jobs.gated]
command = "echo up; until [ -e opened ]; do sleep 0.05; done; echo through"

[jobs.last]
command = "echo last >> done"
"""

CUT = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE application_name = 'jobrunner' AND pid <> pg_backend_pid()"
)


def test_connections_are_cut_in_the_middle(
    project: Callable[[str], Project], postgresql: str, new_schema: Callable[[], str]
) -> None:
    where = project(JOBS.replace("STORE", new_schema()))
    over = threading.Event()
    cuts = 0

    def cut() -> None:
        nonlocal cuts
        with psycopg.connect(postgresql, autocommit=True) as connection:
            while not over.wait(0.15):
                cuts += connection.execute(CUT).fetchone()[0]  # type: ignore[index]

    with where.server("--workers", "4") as server:
        items = "\n".join(map(str, range(150)))
        assert where.call("trigger", "number", "--each", "-", "--then", "last", input=items).status == 0
        cutter = threading.Thread(target=cut)
        cutter.start()
        try:
            until(lambda: (where.folder / "done").exists(), "the first run")
            until(lambda: len((where.folder / "done").read_text().split()) >= 120, "most of the runs")
        finally:
            over.set()
            cutter.join()
        until(lambda: where.show("b1")["state"] != "running", "the end of the batch")
        last = where.ended(152 - 1)
        assert cuts > 0
        assert server.process.poll() is None
    assert (last["job"], last["state"]) == ("last", "succeeded")
    assert where.show("b1")["succeeded"] == 150
    done = (where.folder / "done").read_text().split()
    assert sorted(done) == sorted([*map(str, range(150)), "last"])
    runs = where.json("runs", "--limit", "0")
    assert {run["state"] for run in runs} == {"succeeded"}
    assert [one["state"] for one in where.json("servers")] == ["stopped"]


def test_who_waits_and_who_follows_outlast_a_database_that_is_restarted(project: Callable[[str], Project]) -> None:
    database = PostgreSQL()
    where = project(JOBS.replace("STORE", database.new_store()))
    try:
        with where.server() as server:
            waiting = where.popen("trigger", "gated", "--wait")
            following = where.popen("trigger", "gated", "--follow")
            for run in (1, 2):
                until(lambda run=run: where.call("logs", str(run)).out == "up\n", "the run")  # type: ignore[misc]
            database.kill()
            server.said(lambda line: "cannot be used" in line.get("message", ""))
            (where.folder / "opened").touch()
            for run in (1, 2):
                server.said(lambda line, run=run: (line.get("run"), line.get("message")) == (run, "succeeded"))  # type: ignore[misc]
            assert where.call("runs").status == 5
            database.start()
            (out, err), (followed, _) = waiting.communicate(timeout=PATIENCE), following.communicate(timeout=PATIENCE)
            assert (waiting.returncode, out) == (0, b"")
            assert b"succeeded" in err
            assert (following.returncode, followed) == (0, b"up\nthrough\n")
            assert [len(where.show(run)["attempts"]) for run in (1, 2)] == [1, 1]
    finally:
        database.close()
