"""What a valid jobs.toml means: every key as a value, defaults merged, schedules in all forms."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from jobrunner import jobfile
from jobrunner.domain.job import (
    After,
    Approval,
    Catchup,
    Command,
    Event,
    HttpRequest,
    Limits,
    OnLost,
    Overlap,
    PythonCall,
    RateLimit,
    RetryPolicy,
    Sla,
    Unique,
    When,
)
from jobrunner.domain.jobfile import Calendar, Notifier
from jobrunner.domain.params import Param, ParamType

WHOLE = Path(__file__).with_name("whole.toml").read_text()


@pytest.fixture
def whole(read, monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    return read(WHOLE)


def test_settings(whole, tmp_path) -> None:
    settings = whole.settings
    assert settings.path == str(tmp_path / "jobs.toml")
    assert settings.folder == str(tmp_path)
    assert settings.timezone == "Europe/Madrid"
    assert settings.store == f"sqlite:///{tmp_path}/data/jobrunner.db"
    assert settings.broker == "redis://localhost:6379/0"
    assert (settings.workers, settings.production, settings.durability) == (8, True, "full")
    assert settings.queues == ("critical", "default", "low")
    assert settings.lost_after == timedelta(minutes=1)
    assert settings.include == ("jobs.d/*.toml",)
    assert settings.retention["succeeded"] == timedelta(days=10)
    assert settings.retention["cancelled"] == timedelta(days=1)
    assert settings.retention["failed"] == timedelta(days=90)
    assert settings.queue_limits == {"critical": 4}


def test_every_key_of_a_job(whole, tmp_path) -> None:
    job = whole.jobs["backup"]
    argv = ("pg_dump", "--file", "{target}", "shop", "{{literal}}", "${LEFT_ALONE}", "{}")
    assert job.kind == Command(argv=argv)
    assert (job.folder, job.timezone) == (str(tmp_path), "Europe/Madrid")
    assert job.description == "Nightly database backup"
    assert [spec.expression for spec in job.schedules] == ["0 2 * * *"]
    assert job.params == (Param(name="target", default="/backup/shop.sql", has_default=True),)
    delays = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
    assert job.retry == RetryPolicy(retries=3, delays=delays, retry_on=(75, 111))
    assert (job.queue, job.priority, job.enabled, job.shadow) == ("low", -5, False, True)
    assert (job.timeout, job.kill_grace) == (timedelta(minutes=45), timedelta(seconds=5))
    assert (job.overlap, job.catchup, job.on_lost) == (Overlap.QUEUE, Catchup.ALL, OnLost.FAIL)
    assert (job.catchup_window, job.expires, job.max_lost) == (timedelta(hours=6), timedelta(hours=2), 5)
    assert job.sla == Sla(start_within=timedelta(minutes=5), finish_within=timedelta(minutes=30))
    assert (job.cwd, job.umask, job.nice, job.user) == ("work", 0o27, 10, "postgres")
    assert job.max_output == 1024**2
    assert job.resources == Limits(
        memory_max=512 * 1024**2, cpu_time=timedelta(minutes=10), open_files=1024, processes=64
    )
    assert (job.dead_letter, job.confirm, job.max_runs) == (False, True, 100)
    assert (job.blackout, job.on_blackout, job.tags) == (("holidays",), "defer", ("db",))
    assert job.notify == ("ops",)
    assert job.env == {"LANG": "C.UTF-8", "TZ": "Europe/Madrid", "PGPASSWORD": "${HOME}"}


def test_schedules_in_every_form(whole) -> None:
    specs = whole.jobs["invoice"].schedules
    assert [spec.expression for spec in specs] == [
        "@daily",
        "every 15m",
        "0 9 * * mon-fri",
        "every 1h30m",
        "at 2026-12-24T18:00:00+01:00",
        "at 2027-01-01T00:00:00+01:00",
        "at 2027-02-01T00:00:00+01:00",
        "at 2027-03-01T12:00:00+01:00",
    ]
    work = specs[2]
    assert (work.timezone, work.jitter) == ("America/New_York", timedelta(minutes=5))
    assert work.start == datetime(2026, 12, 1, 5, tzinfo=UTC)
    assert work.end == datetime(2027, 1, 1, 5, tzinfo=UTC) - timedelta(microseconds=1)
    assert specs[3].start == datetime(2026, 12, 1, 6, tzinfo=UTC)


def test_retries_by_formula(whole) -> None:
    job = whole.jobs["invoice"]
    assert job.kind == Command(line="make invoices > log", shell="/bin/bash")
    assert job.retry == RetryPolicy(
        retries=7,
        delay=timedelta(seconds=1),
        backoff=1.5,
        max_delay=timedelta(minutes=1),
        jitter=0.0,
        no_retry_on=("ValueError", 64),
    )


def test_parameters_of_every_type(whole) -> None:
    params = {param.name: param for param in whole.jobs["ledger"].params}
    assert list(params) == ["tenant", "day", "at", "rate", "dry", "options", "token"]
    assert params["tenant"].choices == (1, 2)
    assert params["tenant"].description == "which one"
    assert params["day"] == Param(name="day", type=ParamType.DATE, default="2026-10-31", has_default=True)
    assert params["at"].default == "2026-10-31T06:00:00+00:00"
    assert (params["rate"].default, type(params["rate"].default)) == (2.0, float)
    assert params["dry"].default is False
    assert params["options"].default == {"deep": [1, "a", "2026-10-31"]}
    assert params["token"].secret


def test_workflow_limits_and_approval(whole) -> None:
    job = whole.jobs["ledger"]
    assert job.kind == PythonCall(target="billing.ledger:Book.update")
    assert job.after == After(jobs=("invoice",), when=When.ANY, delay=timedelta(minutes=1))
    assert job.unique == Unique(window=timedelta(minutes=10))
    assert job.rate_limit == RateLimit(starts=100, per=timedelta(minutes=1))
    assert (job.max_running, job.limits) == (1, ("tenant:{tenant}",))
    assert job.approve == Approval(message="Close the books?", timeout=timedelta(hours=1))


def test_http(whole) -> None:
    job = whole.jobs["ping"]
    assert job.kind == HttpRequest(
        url="https://example.com/${HOME}?id={id}",
        method="POST",
        headers={"Authorization": "Bearer ${HOME}", "X-Id": "{id}"},
        json={"id": "{id}", "when": "2026-10-31"},
        expect=(200, 404),
    )
    assert job.on == Event(file="/srv/in/*.csv", settle=timedelta(seconds=5))
    assert job.unique == Unique()
    assert job.notify == ()


def test_the_other_tables(whole, tmp_path) -> None:
    events = ("failed", "recovered", "late", "overdue", "server_lost")
    url = "mailtos://${HOME}:x@smtp.example.com/?to=ops@example.com"
    assert whole.notifiers == {"ops": Notifier(name="ops", url=url, on=events)}
    days = (date(2026, 12, 25), date(2026, 12, 26))
    assert whole.calendars["holidays"] == Calendar(name="holidays", dates=days, file=str(tmp_path / "holidays.txt"))
    assert whole.limits == {"tenant": 2}


def test_an_empty_file_is_valid(read) -> None:
    found = read("")
    assert found.jobs == {}
    assert found.settings.queues == ("critical", "default", "low")
    assert found.settings.store.endswith("/jobrunner.db")
    assert found.settings.broker is None
    assert found.settings.workers >= 2
    assert found.settings.retention["succeeded"] == timedelta(days=30)


def test_defaults_of_a_job(read) -> None:
    job = read('[jobs.a]\ncommand = ["true"]').jobs["a"]
    assert job.retry == RetryPolicy()
    assert job.timeout is None
    assert job.max_output == 10 * 1024 * 1024
    assert (job.queue, job.enabled, job.dead_letter, job.confirm) == ("default", True, True, False)


def test_own_values_replace_defaults_and_env_and_params_merge(read) -> None:
    job = read(
        """
        [defaults]
        command = ["false"]
        tags = ["all"]
        retries = 5
        retry_delays = ["1s"]
        env = { A = "1", B = "1" }
        params.x = { type = "int", default = 1 }
        params.y = { type = "int", default = 1 }
        [jobs.a]
        python = "m:f"
        tags = ["own"]
        retry_delay = "2s"
        env = { B = "2" }
        params.y = { default = "z" }
        """
    ).jobs["a"]
    assert job.kind == PythonCall(target="m:f")
    assert job.tags == ("own",)
    assert job.retry == RetryPolicy(retries=5, delay=timedelta(seconds=2))
    assert job.env == {"A": "1", "B": "2"}
    assert [(param.name, param.type, param.default) for param in job.params] == [("x", "int", 1), ("y", "string", "z")]


def test_the_default_kind_is_used_where_a_job_has_none(read) -> None:
    found = read('[defaults]\ncommand = ["make", "{what}"]\n[jobs.a]\nparams.what = { default = "all" }')
    assert found.jobs["a"].kind == Command(argv=("make", "{what}"))


def test_retries_follow_the_delays(read) -> None:
    assert read('[jobs.a]\ncommand = "true"\nretry_delays = ["1s", "2s"]').jobs["a"].retry.retries == 2
    assert read('[jobs.a]\ncommand = "true"\nretries = 0\nretry_delays = ["1s"]').jobs["a"].retry.retries == 0


def test_queues_that_jobs_name_exist(read) -> None:
    text = '[queues.slow]\nmax_running = 1\n[jobs.a]\ncommand = "true"\nqueue = "mail"\n[defaults]\nqueue = "bulk"'
    assert read(text).settings.queues == ("critical", "default", "low", "bulk", "mail", "slow")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("sqlite:////srv/x.db", "sqlite:////srv/x.db"),
        ("sqlite:///a/../b.db", "sqlite:///{folder}/b.db"),
        ("sqlite:///${FOLDER}/b.db", "sqlite:////var/lib/b.db"),
        ("postgres://u@h/d", "postgresql://u@h/d"),
        ("postgresql:///d?host=/run/pg", "postgresql:///d?host=/run/pg"),
        ("postgresql://u:${file:secret}@h/d", "postgresql://u:s3cret@h/d"),
    ],
)
def test_store(written, expected, read, write, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("FOLDER", "/var/lib")
    write("s3cret\n", "secret")
    assert read(f'[jobrunner]\nstore = "{written}"').settings.store == expected.format(folder=tmp_path)


def test_the_hosts_zone_is_the_default(read, monkeypatch) -> None:
    monkeypatch.setenv("TZ", ":Asia/Kathmandu")
    assert read("").settings.timezone == "Asia/Kathmandu"


def test_sizes_umasks_and_lone_values(read) -> None:
    job = read(
        '[jobs.a]\ncommand = "true"\nmax_output = 2048\nmemory_max = "1.5 GiB"\n'
        'umask = 0o22\ntags = "db"\nunique = false'
    ).jobs["a"]
    assert (job.max_output, job.resources.memory_max) == (2048, 1536 * 1024**2)
    assert (job.umask, job.tags, job.unique) == (0o22, ("db",), None)


def test_names_that_look_odd_and_are_allowed(read) -> None:
    names = ["b", "b7a", "1042a", "a.b", "A_b-c", "x" * 100]
    text = "".join(f'[jobs."{name}"]\ncommand = "true"\n' for name in names)
    assert set(read(text).jobs) == set(names)


def test_equal_meaning_has_an_equal_hash(read, write) -> None:
    first = read('[jobs.a]\ncommand = "true"\ntimeout = "1h"\n[jobs.b]\ncommand = "true"\ntimeout = "1h"').config_hash
    write('[jobs.a]\ncommand = "true" # the same\n', "d/a.toml")
    second = read(
        '[jobrunner]\ninclude = ["d/*.toml"]\n[defaults]\ntimeout = "1h"\n[jobs.b]\n"command"   =   "true"'
    ).config_hash
    third = read('[jobs.a]\ncommand = "true"\ntimeout = "2h"\n[jobs.b]\ncommand = "true"\ntimeout = "1h"').config_hash
    assert first == second != third
    assert len(first) == 12
    assert int(first, 16) >= 0


@pytest.mark.parametrize(
    "change",
    ["[jobrunner]\nworkers = 3", "[limits.x]\nmax = 1", "[queues.low]\nmax_running = 1", '[jobs.a]\ncommand="x"'],
)
def test_everything_that_has_meaning_is_in_the_hash(change, read) -> None:
    assert read(change).config_hash != read("").config_hash


def test_starter_is_valid_and_without_warnings(write) -> None:
    result = jobfile.check(write(jobfile.starter()))
    assert (result.valid, result.problems, result.warnings) == (True, (), ())
    assert result.jobs >= 3


def test_many_jobs_share_one_fault_of_the_defaults(write) -> None:
    jobs = "".join(f'[jobs.j{number}]\ncommand = "true"\n' for number in range(50))
    result = jobfile.check(write(f'[defaults]\nnotify = ["nobody"]\n{jobs}'))
    assert [problem.line for problem in result.problems] == [2]


def test_the_environment_is_not_changed(whole) -> None:
    assert os.environ["HOME"] == "/home/somebody"
