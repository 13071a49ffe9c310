"""What doctor finds: every fault is made, found with its name and severity, and gone when it is mended."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from samples import NOW, later, put, run_to, serve, start

from jobrunner import jobfile
from jobrunner.admin.disk import disk
from jobrunner.admin.doctor import Patient, examine, host, places, processes
from jobrunner.domain.clock import to_micros
from jobrunner.domain.finding import Finding, Severity
from jobrunner.domain.queue import Pause
from jobrunner.domain.state import RunState
from jobrunner.errors import ConfigError
from jobrunner.queue.redis import RedisQueues
from jobrunner.store import Database, open_store, pauses, peek, servers, traces

JOBS = '[jobs.a]\ncommand = "true"\n'
FAULT, WARNING, NOTE = Severity.FAULT, Severity.WARNING, Severity.NOTE


class Standing:
    """A clock that stands at NOW."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class Ward:
    """A jobs.toml in a folder of its own, examined as it stands."""

    def __init__(self, folder: Path, store: str) -> None:
        self.file = folder / "jobs.toml"
        self.store = store
        self.write(JOBS)

    def write(self, text: str, more: str = "", mode: int = 0o600) -> None:
        self.file.write_text(f"[jobrunner]\nstore = '{self.store}'\n{more}\n{text}")
        self.file.chmod(mode)

    def look(self, broker: RedisQueues | None = None, **environ: str) -> list[Finding]:
        """Everything that is found, but for what is well."""
        return [finding for finding in self.all(broker, **environ) if finding.status is not Severity.OK]

    def all(self, broker: RedisQueues | None = None, **environ: str) -> list[Finding]:
        path, settings, problems = None, None, ()
        try:
            path = jobfile.locate(self.file, {})
            settings, _ = jobfile.read_settings(path)
        except ConfigError as error:
            problems = error.problems
        return examine(
            Patient(
                path=path,
                settings=settings,
                problems=problems,
                open_store=lambda: peek(settings.store if settings else ""),
                open_broker=lambda _: broker,
                clock=Standing(),
                host="here",
                environ=environ,
            )
        )

    def said(self, **environ: str) -> list[tuple[str, Severity, str]]:
        return [(finding.name, finding.status, finding.detail) for finding in self.look(**environ)]


@pytest.fixture
def ward(tmp_path: Path, store_url: str) -> Ward:
    if store_url.startswith("sqlite"):
        (tmp_path / "jobrunner.db").chmod(0o600)
    return Ward(tmp_path, store_url)


@pytest.fixture
def db(store_url: str) -> Iterator[Database]:
    store = open_store(store_url, durability="normal")
    yield store
    store.close()


@pytest.fixture
def well(ward: Ward, db: Database) -> Ward:
    """One with a living server, in which all is well but for the settings that make test servers fast."""
    alive(db, serve(db, config_hash=jobfile.read(ward.file).config_hash))
    return ward


def alive(db: Database, server: int, at: datetime = NOW) -> None:
    servers.heartbeat(db, server, busy=0, now=at, ticked=at)
    db.execute("UPDATE servers SET state = 'running' WHERE id = ?", (server,))


def apart_from_tests(found: list[tuple[str, Severity, str]]) -> list[tuple[str, Severity, str]]:
    """Test servers of PostgreSQL are made fast, and their clock is not the test's."""
    return [each for each in found if "fsync = off" not in each[2] and "clock of here" not in each[2]]


def test_nothing_is_said_of_what_is_well(well: Ward) -> None:
    assert apart_from_tests(well.said()) == []
    names = {finding.name for finding in well.all()}
    assert names >= {"configuration", "disk", "store", "servers", "time zones", "version"}


def test_a_postgresql_server_apart_from_tests(well: Ward) -> None:
    found = [finding for finding in well.look() if finding.name == "durability"]
    assert [finding.status for finding in found] == ([] if well.store.startswith("sqlite") else [WARNING])


def test_no_server_and_no_schedules_fired(ward: Ward, db: Database) -> None:
    assert apart_from_tests(ward.said()) == [("servers", FAULT, "no server runs")]
    server = serve(db, config_hash=jobfile.read(ward.file).config_hash)
    servers.heartbeat(db, server, busy=0, now=NOW)
    db.execute("UPDATE servers SET state = 'running'")
    assert apart_from_tests(ward.said()) == []


def test_a_queue_that_nobody_serves_and_one_that_is_long(well: Ward, db: Database) -> None:
    put(db, queue="low")
    put(db, created_at=NOW - timedelta(hours=2))
    db.execute("UPDATE servers SET busy = 4")
    found = well.said()
    assert ("queues", FAULT, "1 run waits in queue low, which no living server serves") in found
    db.execute("UPDATE runs SET queue = 'default'")
    assert ("queues", WARNING, "2 runs wait in queue default, for up to 2h") in well.said()


def test_servers_that_differ(well: Ward, db: Database) -> None:
    other = serve(db, "two", config_hash="ffff", version="2.0")
    alive(db, other)
    found = {finding.name + " " + finding.detail for finding in well.look() if finding.status is WARNING}
    assert any("different configurations in force" in each and "two: ffff" in each for each in found)
    assert any(each.startswith("configuration two: another configuration is in force than in this") for each in found)
    assert "servers they run different versions: 1.0, 2.0" in found
    db.execute("UPDATE servers SET state = 'lost', ended_at = ? WHERE id = ?", (to_micros(NOW), other))
    assert [finding.detail for finding in well.look() if finding.status is NOTE] == ["lost within a day: two"]


def test_a_file_that_a_server_has_not_loaded_and_one_that_it_refused(well: Ward, db: Database) -> None:
    well.write(JOBS + '[jobs.b]\ncommand = "true"\n')
    (found,) = [finding for finding in well.look() if finding.name == "configuration"]
    assert found.status is WARNING
    assert "one: another configuration is in force" in found.detail
    well.write(JOBS)
    servers.set_config_error(db, 1, "jobs.toml:1:1: broken")
    assert ("servers", FAULT, "server one goes on with an older file: jobs.toml:1:1: broken") in well.said()


def test_sqlite_on_two_hosts(well: Ward, db: Database) -> None:
    alive(db, serve(db, "two", config_hash=jobfile.read(well.file).config_hash))
    db.execute("UPDATE servers SET host = 'there' WHERE name = 'two'")
    found = [each for each in apart_from_tests(well.said()) if each[0] == "servers"]
    here = ("servers", FAULT, "servers of several hosts share a SQLite store: here, there")
    assert found == ([here] if db.dialect == "sqlite" else [])


def test_clocks(well: Ward, db: Database) -> None:
    db.execute("UPDATE servers SET clock_ahead = 2500000, host = 'there'")
    found = [finding for finding in well.look() if "there" in finding.detail and finding.name == "clock"]
    skewed = "the clock of there is 2.5 s ahead of the store's"
    assert [finding.detail for finding in found] == [skewed]
    db.execute("UPDATE servers SET clock_ahead = -900000")
    assert not [finding for finding in well.look() if "clock of there" in finding.detail]


def test_runs_in_the_hands_of_the_dead(well: Ward, db: Database) -> None:
    gone = serve(db, "gone")
    start(db, put(db), gone)
    db.execute("UPDATE servers SET state = 'lost', ended_at = ? WHERE id = ?", (to_micros(NOW), gone))
    assert ("runs", WARNING, "1 run is in the hands of a server that is gone (gone): 1") in well.said()
    run = put(db)
    start(db, run, 1)
    assert "2 runs" not in str(well.said())
    alive(db, 1, later(-40))
    assert ("runs", WARNING, "2 runs are in the hands of a server that is gone (gone, one): 1, 2") in well.said()


def test_dead_letters_and_pauses_are_worth_knowing(well: Ward, db: Database) -> None:
    run_to(db, put(db), 1, RunState.FAILED)
    pauses.pause(db, Pause(scope="queue", name="low", who="alice", since=NOW, until=None, reason=""))
    assert apart_from_tests(well.said()) == [
        ("runs", NOTE, "1 dead letter"),
        ("pauses", NOTE, "queue low is paused by alice since 2026-05-04 12:00 UTC"),
    ]


def test_a_schema_of_another_version(tmp_path: Path, new_url: str) -> None:
    db, well = open_store(new_url), Ward(tmp_path, new_url)
    db.execute("UPDATE schema_version SET version = version + 1")
    (found,) = [finding for finding in well.look() if finding.name == "schema"]
    assert found.status is FAULT
    assert "a newer jobrunner" in found.detail
    db.execute("UPDATE schema_version SET version = 1")
    (found,) = [finding for finding in well.look() if finding.name == "schema"]
    assert found.status is NOTE
    assert db.execute("SELECT version FROM schema_version").fetchone() == (1,)  # it has not been brought up to date
    db.execute("DROP TABLE schema_version")
    assert any(finding.name == "schema" for finding in well.look())
    db.close()


def test_a_broker_that_is_away(well: Ward, db: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    well.write(JOBS, f"broker = 'redis://127.0.0.1:{port}/0'")
    broker = RedisQueues(f"redis://:hunter2@127.0.0.1:{port}/0", namespace="x")
    (found,) = [finding for finding in well.look(broker) if finding.name == "broker"]
    assert found.status is FAULT
    assert "cannot be reached" in found.detail
    assert "hunter2" not in str(found)


class TestWithoutAStore:
    """What is looked at when there is no store, or none that can be read."""

    @pytest.fixture
    def ward(self, tmp_path: Path) -> Ward:
        tmp_path.chmod(0o700)
        return Ward(tmp_path, "sqlite:///jobrunner.db")

    def test_none_is_made(self, ward: Ward) -> None:
        (found,) = ward.look()
        assert (found.name, found.status) == ("store", FAULT)
        assert "no store yet" in found.detail
        assert [path.name for path in ward.file.parent.iterdir()] == ["jobs.toml"]

    def test_something_else(self, ward: Ward) -> None:
        (ward.file.parent / "jobrunner.db").write_text("no database at all" * 100)
        (ward.file.parent / "jobrunner.db").chmod(0o600)
        (found,) = ward.look()
        assert found.status is FAULT
        assert "not a database" in found.detail

    def test_a_damaged_one(self, ward: Ward) -> None:
        path = ward.file.parent / "jobrunner.db"
        store = open_store(f"sqlite:///{path}")
        (root,) = store.execute("SELECT rootpage FROM sqlite_master WHERE name = 'runs_unique'").fetchone()
        (size,) = store.execute("PRAGMA page_size").fetchone()
        store.close()
        with path.open("r+b") as file:
            file.seek((root - 1) * size)
            file.write(b"\xff" * 64)
        assert any("damaged" in finding.detail for finding in ward.look() if finding.status is FAULT)

    @pytest.mark.parametrize("text", ["[jobrunner]\nworkers = 0\n", "[jobrunner\n", "x = 1\n" + JOBS])
    def test_a_broken_file(self, ward: Ward, text: str) -> None:
        ward.file.write_text(text)
        assert any(finding.name == "configuration" and finding.status is FAULT for finding in ward.look())
        assert any(finding.name == "time zones" for finding in ward.all())

    def test_no_file(self, ward: Ward) -> None:
        ward.file.unlink()
        (found,) = ward.look()
        assert (found.name, found.status) == ("configuration", FAULT)
        assert "jobrunner init" in str(found.hint)

    def test_many_faults_are_counted(self, ward: Ward) -> None:
        ward.write(JOBS + "".join(f"[jobs.j{number}]\n" for number in range(9)))
        found = [finding for finding in ward.look() if finding.name == "configuration"]
        assert len(found) == 6
        assert found[-1].detail == "4 more errors"

    def test_keys_without_effect_are_one_note(self, ward: Ward) -> None:
        ward.write(JOBS + "[jobs.b]\ncommand = 'true'\nmax_running = 5\n")
        assert ("configuration", NOTE, "1 key has no effect in this version") in ward.said()


SECRETS = """
[notify.ops]
url = "mailtos://me:pw@example.com"
[jobs.b]
command = "true"
env = { DB_PASSWORD = "x", API_KEY = "", HOME_PAGE = "y", ACCESS_TOKEN = "${T}" }
params.pin = { secret = true, default = "1234" }
params.name = { default = "1234" }
[jobs.c.http]
url = "http://127.0.0.1/"
headers = { Authorization = "Bearer abc", Cookie = "{c}", Accept = "x" }
[jobs.c.params.c]
default = ""
"""


class TestWhoCanRead:
    """Files with secrets, and the files of the store."""

    @pytest.fixture
    def ward(self, tmp_path: Path) -> Ward:
        tmp_path.chmod(0o700)
        return Ward(tmp_path, "sqlite:///jobrunner.db")

    def named(self, ward: Ward, name: str, **environ: str) -> list[Finding]:
        return [finding for finding in ward.look(**environ) if finding.name == name]

    def test_secrets_written_into_the_file(self, ward: Ward) -> None:
        ward.write(SECRETS, mode=0o600)
        assert self.named(ward, "secrets") == []
        ward.write(SECRETS, mode=0o644)
        (found,) = self.named(ward, "secrets")
        assert found.status is WARNING
        keys = "notify.ops.url, jobs.b.env.DB_PASSWORD, jobs.b.params.pin.default and 1 more"
        assert found.detail == f"everybody can read {ward.file}, which holds secrets as they are: {keys}"
        assert "Bearer" not in str(found)
        ward.write(SECRETS, mode=0o640)
        assert "its group can read" in self.named(ward, "secrets")[0].detail

    def test_the_password_of_the_store(self, ward: Ward) -> None:
        ward.store = "postgresql://me:pw@127.0.0.1:1/x"
        ward.write(JOBS, mode=0o644)
        (found,) = self.named(ward, "secrets")
        assert "jobrunner.store" in found.detail
        ward.store = "postgresql://me@127.0.0.1:1/x?password=${PW}"
        ward.write(JOBS, mode=0o644)
        assert self.named(ward, "secrets") == []

    def test_files_that_references_name(self, ward: Ward) -> None:
        for name, mode in (("open", 0o644), ("escaped", 0o644), ("group", 0o640), ("closed", 0o600), ("deep", 0o604)):
            (ward.file.parent / name).write_text("s")
            (ward.file.parent / name).chmod(mode)
        references = "${file:open} ${file:group} ${file:closed} ${file:missing} ${file:$PLACE/deep} $${file:escaped}"
        ward.write(f"{JOBS}env = {{ X = '{references}' }}\n")
        found = self.named(ward, "secrets", PLACE=str(ward.file.parent))
        assert [finding.detail.split(", which")[0] for finding in found] == [
            f"everybody can read {ward.file.parent / 'open'}",
            f"its group can read {ward.file.parent / 'group'}",
            f"everybody can read {ward.file.parent / 'deep'}",
        ]

    @pytest.mark.parametrize(
        ("mode", "status", "words"),
        [
            (0o600, None, ""),
            (0o640, WARNING, "its group can read"),
            (0o660, WARNING, "its group can write"),
            (0o644, WARNING, "everybody can read"),
            (0o646, FAULT, "everybody can write"),
        ],
    )
    def test_the_store(self, ward: Ward, mode: int, status: Severity | None, words: str) -> None:
        path = ward.file.parent / "jobrunner.db"
        open_store(f"sqlite:///{path}").close()
        path.chmod(mode)
        found = [finding for finding in self.named(ward, "files") if f"{path}," in f"{finding.detail},"]
        assert [finding.status for finding in found] == ([status] if status else [])
        assert all(finding.detail.startswith(words) for finding in found)

    def test_the_log_of_the_store_counts_too(self, ward: Ward) -> None:
        path = ward.file.parent / "jobrunner.db"
        store = open_store(f"sqlite:///{path}")
        store.execute("DELETE FROM audit")
        path.with_name("jobrunner.db-wal").chmod(0o644)
        assert "jobrunner.db-wal" in self.named(ward, "files")[0].detail
        store.close()

    def test_a_folder_in_which_everybody_may_replace_the_store(self, ward: Ward) -> None:
        folder = ward.file.parent / "data"
        folder.mkdir()
        ward.store = "sqlite:///data/jobrunner.db"
        ward.write(JOBS)
        folder.chmod(0o777)
        assert [finding.status for finding in self.named(ward, "files")] == [FAULT]
        folder.chmod(0o1777)
        assert self.named(ward, "files") == []

    def test_folders_in_which_everybody_may_replace_the_file(self, ward: Ward) -> None:
        folder = ward.file.parent / "open" / "closed"
        folder.mkdir(parents=True, mode=0o700)
        ward.file = ward.file.rename(folder / "jobs.toml")
        folder.parent.chmod(0o777)
        (found,) = [finding for finding in self.named(ward, "configuration") if finding.status is WARNING]
        assert found.detail.startswith(f"everybody can write {folder.parent}, and so put another file")
        folder.parent.chmod(0o1777)
        assert self.named(ward, "configuration") == []

    def test_sockets_that_nobody_listens_at(self, ward: Ward) -> None:
        place = ward.file.parent / "jobrunner.db-wake.1.dead"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.bind(os.path.relpath(place))
            assert self.named(ward, "orphans") == []
        (found,) = self.named(ward, "orphans")
        assert found.detail.startswith("1 wake-up socket of servers that are gone")
        assert place.exists()


@pytest.mark.parametrize(
    ("blocks", "free", "files", "files_free", "said"),
    [
        (1000, 500, 100, 50, []),
        (10**7, 10**5, 100, 50, [WARNING]),  # 400 MiB of 40 GiB
        (10**9, 10**8, 0, 0, []),
        (10**9, 9 * 10**6, 0, 0, [WARNING]),  # 35 GiB of 4 TiB
        (1000, 1, 100, 50, [FAULT]),
        (10**9, 10**8, 1000, 19, [WARNING]),
    ],
)
def test_disks(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    blocks: int,
    free: int,
    files: int,
    files_free: int,
    said: list[Severity],
) -> None:
    block = 4096 if blocks > 1000 else 1024 * 1024
    answer = os.statvfs_result((block, block, blocks, free, free, files, files_free, files_free, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: answer)
    found = [finding.status for finding in disk("x", tmp_path) if finding.status is not Severity.OK]
    assert found == said


def test_a_network_file_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places, "network_filesystem", lambda _: "nfs4")
    ward = Ward(tmp_path, "sqlite:///jobrunner.db")
    assert ("store", FAULT, f"{tmp_path}/jobrunner.db is on a network file system (nfs4)") in ward.said()


@pytest.fixture
def release() -> Iterator[Callable[[], list[Finding]]]:
    """Blocks whoever calls it until the test is over."""
    over = threading.Event()

    def wait() -> list[Finding]:
        over.wait(60)
        return []

    yield wait
    over.set()


def test_a_disk_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, release: Callable[[], list[Finding]]
) -> None:
    monkeypatch.setattr("jobrunner.admin.doctor._LOOK_PATIENCE", 0.01)
    monkeypatch.setattr(places, "look", lambda _: release())
    ward = Ward(tmp_path, "sqlite:///jobrunner.db")
    found = ward.look()
    assert any(finding.name == "disk" and "has not answered" in finding.detail for finding in found)
    assert any(finding.name == "store" for finding in found)


def test_the_rules_of_time_zones() -> None:
    version = host.zone_rules()
    assert version is None or version[:2] == "20"


def test_open_files_of_a_process() -> None:
    import resource

    assert processes.open_files(os.getpid()) == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert processes.open_files(2**22 + 1) is None


def test_a_server_that_may_open_too_few_files(well: Ward, db: Database) -> None:
    db.execute("UPDATE servers SET pid = ?, workers = 1000000", (os.getpid(),))
    found = [finding for finding in well.look() if finding.name == "limits"]
    assert [finding.status for finding in found] == [WARNING]
    assert "1000000 workers" in found[0].detail


def test_what_keeps_attempts_together(well: Ward, db: Database) -> None:
    traces.leave(db, 1, mark="x", cgroup=None, containment="no cgroups: nobody may")
    assert ("processes", NOTE, "one: no cgroups: nobody may") in well.said()
    traces.leave(db, 1, mark="x", cgroup="/x", containment="a cgroup for each attempt")
    assert [finding for finding in well.look() if finding.name == "processes"] == []
    assert any(finding.detail == "one: a cgroup for each attempt" for finding in well.all())


def test_orphans(well: Ward, db: Database) -> None:
    mark = f"test{os.getpid()}"
    traces.leave(db, 1, mark=mark, cgroup=None, containment="a cgroup for each attempt")
    db.execute("UPDATE servers SET host = 'here'")
    with subprocess.Popen(["sleep", "60"], env={"JOBRUNNER_PROCESS": f"{mark}.1.7"}) as orphan:
        try:
            assert [finding for finding in well.look() if finding.name == "orphans"] == []
            alive(db, 1, later(-31))
            (found,) = [finding for finding in well.look() if finding.name == "orphans"]
        finally:
            orphan.kill()
    assert found.status is FAULT
    assert found.detail == f"1 process of server one (pid 4711), which is gone: {orphan.pid}"
    assert [finding for finding in well.look() if finding.name == "orphans"] == []
