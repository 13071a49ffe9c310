"""Several servers of one store share its work: every run is executed once, whatever stands between them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from project import Project, until
from services import Redis

JOBS = """
[jobrunner]
store = "STORE"
BROKER

[jobs.number]
python = "functions:number"
params.n = { type = "int" }

[jobs.last]
command = "echo last >> done"

[jobs.gated]
command = "until [ -e opened ]; do sleep 0.05; done"
"""

FUNCTIONS = """
def number(n):
    with open("done", "a") as done:
        done.write(f"{n}\\n")
"""

Deployed = Callable[..., Project]


@pytest.fixture
def deployed(project: Callable[[str], Project], request: pytest.FixtureRequest) -> Deployed:
    """Makes a project on a store, ``sqlite`` or ``postgresql``, and a broker, where one is given."""

    def make(store: str, broker: Redis | None = None) -> Project:
        url = request.getfixturevalue("new_schema")() if store == "postgresql" else "sqlite:///jobrunner.db"
        told = f'broker = "redis://127.0.0.1:{broker.port}/3"' if broker is not None else ""
        made = project(JOBS.replace("STORE", url).replace("BROKER", told))
        (made.folder / "functions.py").write_text(FUNCTIONS)
        return made

    return make


@pytest.fixture
def redis() -> Iterator[Redis]:
    found = Redis()
    yield found
    found.close()


@pytest.mark.parametrize(
    ("store", "brokered", "servers"),
    [("sqlite", False, 2), ("postgresql", False, 3), ("postgresql", True, 2)],
    ids=["two on SQLite", "three on PostgreSQL", "two on Redis and PostgreSQL"],
)
def test_all_of_a_batch_is_executed_once(
    deployed: Deployed, request: pytest.FixtureRequest, store: str, brokered: bool, servers: int
) -> None:
    where = deployed(store, request.getfixturevalue("redis") if brokered else None)
    with ExitStack() as running:
        for name in "abc"[:servers]:
            running.enter_context(where.server("--workers", "2", "--name", name))
        items = "\n".join(map(str, range(120)))
        assert where.call("trigger", "number", "--each", "-", "--then", "last", input=items).status == 0
        until(lambda: where.show("b1")["state"] != "running", "the end of the batch")
        where.ended(121)
        # More than one of them can hold, and so each of them holds one.
        gated = [where.trigger("gated") for _ in range(2 * servers)]
        held = [where.in_state(run, "running")["server"] for run in gated]
        (where.folder / "opened").touch()
        assert {where.ended(run)["state"] for run in gated} == {"succeeded"}
        assert {server["state"] for server in where.json("servers")} == {"running"}
    assert sorted(held) == sorted("abc"[:servers] * 2)
    assert sorted((where.folder / "done").read_text().split()) == sorted([*map(str, range(120)), "last"])
    assert {run["attempt"] for run in where.json("runs", "--limit", "0")} == {1}


def test_redis_that_is_frozen_or_gone_over_postgresql(deployed: Deployed, redis: Redis) -> None:
    where = deployed("postgresql", redis)
    redis.kill()
    before = where.trigger("last")
    with where.server() as server:
        server.said(lambda line: "cannot be reached" in line.get("message", ""))
        redis.start()
        assert where.ended(before)["state"] == "succeeded"
        redis.freeze()
        try:
            answer = where.call("trigger", "last")
        finally:
            redis.thaw()
        assert answer.status == 0
        (line,) = answer.err.splitlines()
        assert "Timeout reading from socket; the run is stored, and a server takes it up when" in line
        assert where.ended(int(answer.out))["state"] == "succeeded"
        redis.kill()
        redis.start()
        assert where.ended(where.trigger("last"))["state"] == "succeeded"
        assert server.process.poll() is None
