"""Redis as the broker, with a real server: it delivers, and losing it loses nothing."""

import os
from collections.abc import Callable, Iterator

import pytest
from project import Project, until
from services import Redis

JOBS = """
[jobrunner]
broker = "redis://127.0.0.1:PORT/3"

[jobs.a]
command = "echo done"

[jobs.gated]
command = "cat gate >/dev/null"

[jobs.note]
command = "echo $JOBRUNNER_RUN_ID >> order"

[jobs.number]
python = "functions:number"
params.n = { type = "int", required = true }

[jobs.again]
command = "test $JOBRUNNER_ATTEMPT -ge 2"
retry_delays = ["50ms"]
"""

FUNCTIONS = """
import time

def number(n):
    with open("done", "a") as done:
        done.write(f"{n}\\n")
    time.sleep(0.005)
"""


@pytest.fixture
def broker() -> Iterator[Redis]:
    found = Redis()
    yield found
    found.close()


@pytest.fixture
def where(project: Callable[[str], Project], broker: Redis) -> Project:
    made = project(JOBS.replace("PORT", str(broker.port)))
    (made.folder / "functions.py").write_text(FUNCTIONS)
    return made


def test_runs_are_delivered_and_messages_hold_nothing_executable(where: Project, broker: Redis) -> None:
    run = where.trigger("a")
    with broker.client() as client:
        (key,) = client.keys("*")
        ((message, _),) = client.zrange(key, 0, -1, withscores=True)
    assert key.endswith(b"default")
    assert b'"run":1' in message
    assert b"echo" not in message
    with where.server():
        assert where.ended(run)["state"] == "succeeded"
        assert where.call("trigger", "a", "--follow").out == "done\n"
        assert where.ended(where.trigger("again"))["attempt"] == 2
        later = where.trigger("a", "--delay", "100ms")
        assert where.ended(later)["state"] == "succeeded"
        child = where.trigger("a", "--after", str(later))
        assert where.ended(child)["state"] == "succeeded"


def test_the_order_is_the_same(where: Project) -> None:
    low = where.trigger("note", "--queue", "low", "--priority", "100")
    plain = where.trigger("note")
    earlier = where.trigger("note", "--at", "2026-01-01")
    higher = where.trigger("note", "--priority", "1")
    critical = where.trigger("note", "--queue", "critical")
    where.burst("--workers", "1")
    order = [int(line) for line in (where.folder / "order").read_text().split()]
    assert order == [critical, higher, earlier, plain, low]


def test_a_redis_that_forgets_everything_loses_nothing(where: Project, broker: Redis) -> None:
    items = "\n".join(map(str, range(200)))
    where.call("trigger", "number", "--each", "-", input=items)
    with where.server("--workers", "2") as server:
        until(lambda: where.show("b1")["succeeded"] >= 20, "some runs")
        broker.kill()
        server.said(lambda line: "cannot be reached" in line.get("message", ""))
        answer = where.call("trigger", "a")
        assert answer.status == 0
        assert "the run is stored" in answer.err
        broker.start()
        server.said(lambda line: line.get("message") == "the broker is back")
        assert where.ended(int(answer.out))["state"] == "succeeded"
        until(lambda: where.show("b1")["state"] == "succeeded", "all runs")
    done = [int(line) for line in (where.folder / "done").read_text().split()]
    assert sorted(done) == list(range(200))


def test_a_server_that_starts_before_redis(where: Project, broker: Redis) -> None:
    broker.kill()
    run = where.trigger("a")
    with where.server() as server:
        server.said(lambda line: "cannot be reached" in line.get("message", ""))
        broker.start()
        assert where.ended(run)["state"] == "succeeded"


def test_a_lost_server_and_a_lost_message(where: Project, broker: Redis) -> None:
    os.mkfifo(where.folder / "gate")
    with where.server("--name", "first") as first:
        run = where.trigger("gated")
        where.in_state(run, "running")
        first.kill()
    with broker.client() as client:
        client.flushall()
    with where.server("--name", "second"):
        until(lambda: where.show(run)["attempt"] == 2, "the second attempt")
        (where.folder / "gate").write_text("go")
        assert where.ended(run)["server"] == "second"


def test_two_servers_on_redis_never_run_a_run_twice(where: Project) -> None:
    items = "\n".join(map(str, range(200)))
    where.call("trigger", "number", "--each", "-", input=items)
    servers = [where.start("--burst", "--workers", "2", "--name", name) for name in "ab"]
    assert [server.wait() for server in servers] == [0, 0]
    done = [int(line) for line in (where.folder / "done").read_text().split()]
    assert sorted(done) == list(range(200))


def test_garbage_and_stale_messages_do_no_harm(where: Project, broker: Redis) -> None:
    run = where.trigger("a")
    with broker.client() as client:
        (key,) = client.keys("*")
        (message,) = client.zrange(key, 0, -1)
        client.zadd(key, {b"\x80garbage": -1000, b"{}": -999, message.replace(b'"run":1', b'"run":99'): -998})
        with where.server():
            assert where.ended(run)["state"] == "succeeded"
            client.zadd(key, {message: 0})
            assert where.ended(where.trigger("a"))["state"] == "succeeded"
    assert where.show(run)["attempt"] == 1


def test_a_paused_queue_on_redis(where: Project) -> None:
    where.call("pause", "--queue", "default")
    with where.server():
        held = where.trigger("a")
        assert where.ended(where.trigger("a", "--queue", "low"))["state"] == "succeeded"
        assert where.show(held)["state"] == "queued"
        where.call("resume", "--queue", "default")
        assert where.ended(held)["state"] == "succeeded"
