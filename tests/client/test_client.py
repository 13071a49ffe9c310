"""The Python API: trigger, wait, continue, batch; from threads and from asyncio; on a real server."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from project import Project

import jobrunner
from jobrunner import Client, JobrunnerError, ResultTimeout, RunFailed
from jobrunner.errors import ConfigError, NotFound, ParameterError, Refused, UsageError

JOBS = """
[jobs.square]
python = "functions:square"
params.n = { type = "int", required = true }

[jobs.echo]
python = "functions:echo"
params.value = { type = "json", default = 1 }
params.at = { default = "" }
params.self = { default = "" }

[jobs.note]
command = "true"

[jobs.fails]
command = "echo all is lost >&2; exit 3"

[jobs.stays]
command = "sleep 600"
kill_grace = "0s"

[jobs.once]
command = "true"
unique = { by = "params", for = "1h" }

[jobs.secret]
command = "true"
params.token = { secret = true }
"""

FUNCTIONS = """
def square(n):
    if n < 0:
        raise ValueError("negative")
    return n * n

def echo(value, at, self):
    return [value, at, self]
"""


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """One server for all tests of this module."""
    project = Project(tmp_path_factory.mktemp("client"), JOBS)
    (project.folder / "functions.py").write_text(FUNCTIONS)
    with project.server():
        yield project
    project.close()


@pytest.fixture
def client(where: Project) -> Iterator[Client]:
    with Client.open(where.file) as found:
        yield found


def test_fire_and_forget(client: Client) -> None:
    run = client.trigger("square", n=7)
    assert isinstance(run.id, int)
    assert (run.job, run.existing) == ("square", False)
    assert repr(run) == f"<run {run.id} of square>"
    assert run.result(timeout=60) == 49
    shown = run.status()
    assert (shown.state, shown.trigger, shown.params) == ("succeeded", "api", {"n": 7})


def test_a_run_without_a_result_gives_none(client: Client) -> None:
    assert client.trigger("note").result(timeout=60) is None


def test_later(client: Client) -> None:
    due = datetime.now(UTC) + timedelta(days=1)
    at = client.trigger("note", at=due)
    assert (at.status().state, at.status().run_after) == ("scheduled", due)
    for delay in (3600, 3600.0, timedelta(hours=1)):
        run = client.trigger("note", delay=delay)
        waits = run.status().run_after - run.status().created_at
        assert (run.status().state, waits) == ("scheduled", timedelta(hours=1))
    assert client.trigger("note", delay=0).result(60) is None


def test_the_other_options(client: Client) -> None:
    run = client.trigger("note", queue="low", priority=-3, retries=4, delay=3600).status()
    assert (run.queue, run.priority, run.max_attempts) == ("low", -3, 5)


def test_a_parameter_with_the_name_of_an_option(client: Client) -> None:
    assert client.trigger("echo", params={"at": "x", "self": "y"}, value={"deep": [1]}).result(60) == [
        {"deep": [1]},
        "x",
        "y",
    ]


def test_a_failure_is_raised_with_its_reason(client: Client) -> None:
    run = client.trigger("fails")
    with pytest.raises(RunFailed, match=r"exit status 3: all is lost") as caught:
        run.result(timeout=60)
    assert (caught.value.run_id, caught.value.state) == (run.id, "failed")
    with pytest.raises(RunFailed, match="ValueError: negative"):
        client.trigger("square", n=-1).result(60)


def test_a_wait_that_takes_too_long_ends_and_the_run_goes_on(client: Client) -> None:
    run = client.trigger("stays")
    for timeout in (0, 0.05, timedelta(milliseconds=50)):
        with pytest.raises(ResultTimeout, match=f"run {run.id} has not ended within"):
            run.result(timeout)
    assert not run.status().state.final
    run.cancel(now=True)
    with pytest.raises(RunFailed) as caught:
        run.result(60)
    assert caught.value.state == "cancelled"
    assert run.retry().id == run.id
    run.cancel(now=True)


def test_a_continuation(client: Client) -> None:
    first = client.trigger("square", n=2)
    second = client.trigger("note", after=first)
    third = client.trigger("note", after=[first, second.id])
    assert third.result(60) is None
    assert third.status().parent_ids == (first.id, second.id)
    skipped = client.trigger("note", after=client.trigger("fails"))
    with pytest.raises(RunFailed) as caught:
        skipped.result(60)
    assert caught.value.state == "skipped"


def test_a_batch(client: Client) -> None:
    batch = client.batch("square", [{"n": number} for number in range(20)], name="squares", then="note")
    assert (batch.total, repr(batch)) == (20, f"<batch b{batch.id} of 20>")
    done = batch.wait(60)
    assert (done.state, done.succeeded, done.name) == ("succeeded", 20, "squares")
    assert batch.status().finished_at is not None
    failing = client.batch("square", ({"n": number} for number in (-1, 1)), then_on_failure="note", priority=1)
    assert failing.wait(timedelta(minutes=1)).state == "failed"
    held = client.batch("stays", [{}, {}])
    held.cancel(now=True)
    assert held.wait(60).other == 2


def test_a_batch_is_all_or_nothing(client: Client, where: Project) -> None:
    before = len(where.json("runs", "--limit", "0"))
    with pytest.raises(ParameterError, match=r"item 2: .*n"):
        client.batch("square", [{"n": 1}, {"n": "one"}])
    with pytest.raises(UsageError):
        client.batch("square", [])
    with pytest.raises(NotFound):
        client.batch("square", [{"n": 1}], then="nope")
    assert len(where.json("runs", "--limit", "0")) == before


def test_unique(client: Client) -> None:
    first = client.trigger("once")
    again = client.trigger("once")
    assert (again.id, again.existing) == (first.id, True)
    assert again.result(60) is None


def test_a_handle_of_a_run_that_exists(client: Client) -> None:
    run = client.trigger("square", n=3)
    assert client.run(run.id).result(60) == 9
    with pytest.raises(NotFound):
        client.run(10**9)


def test_asyncio(where: Project) -> None:
    async def square(client: Client, number: int) -> int:
        value = await client.trigger("square", n=number).result_async(timeout=60)
        assert isinstance(value, int)
        return value

    async def everything() -> list[int]:
        with Client.open(where.file) as client:
            with pytest.raises(ResultTimeout):
                await client.trigger("note", delay=3600).result_async(timeout=0.01)
            batch = client.batch("square", [{"n": 1}])
            assert (await batch.wait_async(60)).succeeded == 1
            return await asyncio.gather(*(square(client, number) for number in range(10)))

    assert asyncio.run(everything()) == [number**2 for number in range(10)]


def test_one_client_in_many_threads(where: Project) -> None:
    with Client.open(where.file) as client, ThreadPoolExecutor(8) as pool:

        def squares(start: int) -> list[object]:
            try:
                return [client.trigger("square", n=number).result(60) for number in range(start, start + 5)]
            finally:
                client.close()

        found = [value for values in pool.map(squares, range(0, 40, 5)) for value in values]
    assert found == [number**2 for number in range(40)]


def test_many_triggers_at_once_have_ids_of_their_own(where: Project) -> None:
    ids = set[int]()
    lock = threading.Lock()

    def trigger() -> None:
        with Client.open(where.file) as client:
            mine = {client.trigger("note", delay=3600).id for _ in range(50)}
        with lock:
            ids.update(mine)

    threads = [threading.Thread(target=trigger) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 200


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda client: client.trigger("squar", n=1), NotFound, "square"),
        (lambda client: client.trigger("square"), ParameterError, "n"),
        (lambda client: client.trigger("square", n="seven"), ParameterError, "n"),
        (lambda client: client.trigger("square", n=1.5), ParameterError, "n"),
        (lambda client: client.trigger("square", n=True), ParameterError, "n"),
        (lambda client: client.trigger("square", n=1, m=2), ParameterError, "m"),
        (lambda client: client.trigger("echo", value={1, 2}), ParameterError, "value"),
        (lambda client: client.trigger("echo", value=float("nan")), ParameterError, "value"),
        (lambda client: client.trigger("note", queue="nope"), UsageError, "nope"),
        (lambda client: client.trigger("note", at=datetime(2026, 1, 1)), UsageError, "time zone"),
        (lambda client: client.trigger("note", at=datetime.now(UTC), delay=1), UsageError, "exclude"),
        (lambda client: client.trigger("note", delay=-5), UsageError, "delay"),
        (lambda client: client.trigger("note", delay=float("nan")), UsageError, "delay"),
        (lambda client: client.trigger("note", delay=10**12), UsageError, "delay"),
        (lambda client: client.trigger("note", priority=101), UsageError, "priority"),
        (lambda client: client.trigger("note", priority=1.5), UsageError, "priority"),
        (lambda client: client.trigger("note", retries=-1), UsageError, "retries"),
        (lambda client: client.trigger("note", after=10**9), NotFound, str(10**9)),
        (lambda client: client.trigger("note", after=10**30), NotFound, str(10**30)),
        (lambda client: client.run(10**30), NotFound, str(10**30)),
        (lambda client: client.run(-1), NotFound, "-1"),
        (lambda client: client.run(1).retry(), Refused, "run 1"),
    ],
)
def test_mistakes_of_a_program(client: Client, where: Project, call: object, error: type, words: str) -> None:
    client.trigger("note").result(60)
    before = len(where.json("runs", "--limit", "0"))
    with pytest.raises(error) as caught:
        call(client)  # type: ignore[operator]
    assert isinstance(caught.value, JobrunnerError)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(where.json("runs", "--limit", "0")) == before


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"jobs\.toml"):
        Client.open(tmp_path / "jobs.toml")


def test_the_public_names() -> None:
    assert all(hasattr(jobrunner, name) for name in jobrunner.__all__)
    with pytest.raises(AttributeError, match="nope"):
        _ = jobrunner.nope
    with pytest.raises(JobrunnerError, match="no current run"):
        jobrunner.current_run()


def test_a_secret_given_by_a_program_is_not_shown(client: Client) -> None:
    run = client.trigger("secret", token="canary-77")
    assert run.status().params == {"token": "***"}
    with pytest.raises(ParameterError) as caught:
        client.trigger("secret", token=["canary-77"])
    assert "canary-77" not in str(caught.value)
