"""A PostgreSQL store that cuts its connections again and again: nothing is lost, stuck or recorded twice."""

import threading
from collections.abc import Callable

import psycopg
from project import Project, until

JOBS = """
[jobrunner]
store = "STORE"

[defaults]
retries = 5
retry_delay = "1s"

[jobs.number]
command = ["sh", "-c", "echo $JOBRUNNER_PARAM_N >> done"]
params.n = { type = "int" }

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
