"""Commands that need only a part of the file: it is found, and what is wrong elsewhere does not stop them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from jobrunner import jobfile
from jobrunner.errors import ConfigError, NotFound

BROKEN_ELSEWHERE = """
[jobs.good]
command = ["echo", "{n}"]
params.n = { type = "int", required = true }
schedule = "not a schedule at all"
[jobs.bad]
queue = 7
[jobs.worse]
commnd = "x"
[notify.x]
"""


def test_trigger_needs_its_job_only(write) -> None:
    settings, job = jobfile.read_job(write(BROKEN_ELSEWHERE), "good")
    assert job.name == "good"
    assert settings.queues[:3] == ("critical", "default", "low")


@pytest.mark.parametrize("schedule", ["7", '{ cron = "x", wrong = 1 }', "[[]]"])
def test_a_schedule_of_no_known_form_does_not_stop_it(schedule, write) -> None:
    _, job = jobfile.read_job(write(f'[jobs.a]\ncommand = "true"\nschedule = {schedule}'), "a")
    assert job.schedules == ()


def test_the_job_is_the_one_of_the_whole_file(write) -> None:
    path = write(
        '[defaults]\ntags = "x"\n[jobs.a]\ncommand = "true"\nschedule = { cron = "@daily", start = 2026-12-01 }'
    )
    assert jobfile.read_job(path, "a")[1] == jobfile.read(path).jobs["a"]


@pytest.mark.parametrize(
    "text",
    [
        '[jobs.a]\ncommand = "true"\nqueue = "x"\n[jobrunner]\nqueues = ["default"]',
        '[jobs.a]\ncommand = ["{x}"]',
        '[jobs.a]\ncommand = "true"\n[defaults]\ntimeout = 7',
        '[jobs.a]\ncommand = "true"\n[jobrunner]\nworkers = 0',
        "[jobs.a]\ncommand =",
    ],
)
def test_faults_that_stop_a_trigger(text, write) -> None:
    with pytest.raises(ConfigError):
        jobfile.read_job(write(text), "a")


def test_no_such_job(write) -> None:
    with pytest.raises(NotFound, match=r'there is no job "bakcup" in .*jobs.toml; did you mean backup\?'):
        jobfile.read_job(write('[jobs.backup]\ncommand = "true"'), "bakcup")


def test_a_job_that_may_be_in_a_broken_file(write) -> None:
    path = write('[jobrunner]\ninclude = "b.toml"\n[jobs.a]\ncommand = "true"')
    write("nonsense", "b.toml")
    assert jobfile.read_job(path, "a")[1].name == "a"
    with pytest.raises(ConfigError, match=r"b\.toml:1:9"):
        jobfile.read_job(path, "b")


@pytest.mark.parametrize("spelled", ["[jobs.a]\n", "[ jobs . a ] # x\n", '[jobs."a"]\n', "[jobs.'a']\n", "[jobs]\na."])
@pytest.mark.parametrize(
    "other",
    [
        "command = true false",
        'command = "x',
        "schedule = [\n  1,\n",
        'command = "x"\n[jobs.other.env]\nA = = 1',
        'command = "x"\nqueue = "mail" # of its own\nqueue.x =',
        'command = """\n[jobs.a]\ncommand = "false" \\"""\nqueue = "none"\n"""""\nx = = 1',
        "command = '''\n[jobs.a.env]\nB = 2\n# \"\"\"\n''''\ndescription = 'it \"\"\" is' # isn't\nx = = 1",
        "# \"\"\" '''\n  # [jobs.a]\nx = = 1",
    ],
)
@pytest.mark.parametrize("large", [0, 9999])
def test_another_job_that_is_no_toml_does_not_stop_it(spelled, other, large, write, monkeypatch) -> None:
    monkeypatch.setattr("jobrunner.jobfile.source._LARGE_BYTES", large)
    path = write(
        f'[jobs.other]\n{other}\n{spelled}command = "true"\n[jobs.a.env]\nB = "1"\n'
        f"[jobs.last]\n{other}\n[queues.mail]\n"
    )
    settings, job = jobfile.read_job(path, "a")
    assert (job.name, dict(job.env)) == ("a", {"B": "1"})
    assert "none" not in settings.queues
    with pytest.raises(ConfigError):
        jobfile.read(path)


def test_queues_that_other_jobs_name_are_known(write) -> None:
    path = write(
        '[jobs.a]\ncommand = "true"\n[jobs.b]\ncommand = "true"\nqueue = "mail"\n[jobs.b.env]\nqueue = "none"\n'
        "[jobs.c]\r\ncommand = 'true'\r\n  queue='etl' # nightly\r\n[jobs.d]\ncommand = 'x'\nqueue = 'mail'\n"
    )
    queues = ("critical", "default", "low", "mail", "etl")
    assert jobfile.read_settings(path)[0].queues == queues
    assert jobfile.read_settings_alone(path).queues == queues
    assert jobfile.read_job(path, "a")[0].queues == queues


def test_a_job_in_two_files_is_not_triggered(write) -> None:
    path = write('[jobrunner]\ninclude = "b.toml"\n[jobs.a]\ncommand = "true"\n[jobs.c]\ncommand = "true"')
    write('[jobs.a]\ncommand = "false"', "b.toml")
    assert jobfile.read_job(path, "c")[1].name == "c"
    with pytest.raises(ConfigError, match="defined twice"):
        jobfile.read_job(path, "a")


def test_settings_with_faults_elsewhere_as_warnings(write) -> None:
    settings, warnings = jobfile.read_settings(write("[jobrunner]\nworkers = 3\n[jobs.bad]\nqueue = 7\n[jobz]"))
    assert settings.workers == 3
    assert [warning.partition("jobs.toml:")[2][:4] for warning in warnings] == ["3:7:", "4:9:", "5:2:"]


@pytest.mark.parametrize("large", [0, 9999])
def test_settings_of_a_file_with_a_job_that_is_no_toml(large, write, monkeypatch) -> None:
    monkeypatch.setattr("jobrunner.jobfile.source._LARGE_BYTES", large)
    path = write("[jobrunner]\nworkers = 3\n[jobs.bad]\ncommand = = 1\n[jobs.good]\nqueue = 'mail'\n")
    settings, warnings = jobfile.read_settings(path)
    assert (settings.workers, settings.queues[-1]) == (3, "mail")
    assert [warning.partition("jobs.toml:")[2] for warning in warnings] == [
        "4:11: not TOML: invalid value; a text needs quotes"
    ]


def test_many_warnings_are_summed_up(write) -> None:
    text = "".join(f"[jobs.j{number}]\nx = 1\n" for number in range(20))
    _, warnings = jobfile.read_settings(write(text))
    assert len(warnings) == 4
    assert warnings[-1].endswith("37 more errors; `jobrunner check` shows them")


@pytest.mark.parametrize("text", ["[jobrunner]\nx = 1", "[retention]\nx = 1", "[queues.low]\nx = 1", "x"])
def test_faults_that_stop_every_command(text, write) -> None:
    with pytest.raises(ConfigError):
        jobfile.read_settings(write(text))


def test_names_for_completion(write) -> None:
    path = write('[jobrunner]\ninclude = ["d/*.toml"]\n[jobs.b]\n[jobs."a\\u001b"]\n[jobs]\nc.command = "x"')
    write("[jobs.a]", "d/1.toml")
    write("nonsense", "d/2.toml")
    assert jobfile.job_names(path) == ["a", "b", "c"]


def test_names_are_told_at_a_glance(write) -> None:
    text = (
        '[jobrunner]\ninclude = "d/*.toml"\n[jobs.b]\ncommand = """\n[jobs.none]\n"""\n[jobs.b.env]\nA = "1"\n'
        "[jobs.c.env]\nB = '2'\n[jobs.\"d\"]\nqueue = 'x'\n[ jobs . e ]\nqueue = 'x'\n[jobs]\nf.command = 'x'\n"
    )
    write("[jobs.a]", "d/1.toml")
    assert jobfile.job_names(write(text)) == ["a", "b", "c", "d", "e", "f"]
    assert jobfile.job_names(write(text + "[[jobs.g]]\n[jobs.-]\n[notify\n")) == []


@pytest.mark.parametrize("other", ["jobs.b.command = 'x'", '"job\\u0073".b.command = "x"'])
def test_a_job_that_stands_elsewhere_has_a_name(other, write) -> None:
    assert jobfile.job_names(write(f"{other}\n[jobrunner]\nworkers = 2\n[jobs.a]\nqueue = 'q'\n")) == ["a", "b"]


def test_a_file_with_a_job_that_is_no_toml_has_names(write) -> None:
    assert jobfile.job_names(write("[jobs.a]\ncommand = = 1\n[jobs.b]\n")) == ["a", "b"]


@pytest.mark.parametrize("text", ["nonsense", b"\xff", "jobs = 1", "[jobrunner]\ninclude = 7", "x=" + "[" * 9999])
def test_no_names_of_a_broken_file(text, write) -> None:
    assert jobfile.job_names(write(text)) == []
    assert jobfile.job_names("no/such/file") == []


def test_locate(write, tmp_path, monkeypatch) -> None:
    explicit, of_variable = write("", "a.toml"), write("", "b.toml")
    of_user, here = write("", "home/.config/jobrunner/jobs.toml"), write("")
    environ = {"JOBRUNNER_CONFIG": str(of_variable), "HOME": str(tmp_path / "home")}
    assert jobfile.locate(str(explicit), environ) == explicit
    assert jobfile.locate(None, environ) == of_variable
    environ["JOBRUNNER_CONFIG"] = ""
    assert jobfile.locate(None, environ).resolve() == here
    here.unlink()
    assert jobfile.locate(None, environ) == of_user
    elsewhere = write("", "xdg/jobrunner/jobs.toml")
    assert jobfile.locate(None, {**environ, "XDG_CONFIG_HOME": str(tmp_path / "xdg")}) == elsewhere


@pytest.mark.parametrize(
    ("explicit", "environ", "message"),
    [
        ("x.toml", {}, "^x.toml: there is no such file; `jobrunner init` writes a starter$"),
        (None, {"JOBRUNNER_CONFIG": "y.toml"}, r"^y.toml: there is no such file \(\$JOBRUNNER_CONFIG names it\)"),
        (None, {"HOME": "/h"}, r"looked|not found in \./jobs.toml, /h/.config/jobrunner/jobs.toml, /etc/jobrunner/"),
    ],
)
def test_nothing_to_locate(explicit, environ, message) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        jobfile.locate(explicit, environ)
    assert "\n" not in str(caught.value)


_PROBE = """
import sys
from jobrunner import jobfile
{call}
print(" ".join(sys.modules))
"""
_HEAVY = ("tree_sitter", "croniter", "tomlkit", "zoneinfo", "difflib", "jobrunner.jobfile.json_schema")


@pytest.mark.parametrize(
    ("call", "absent"),
    [
        ('jobfile.read_job("jobs.toml", "a")', (*_HEAVY, "jobrunner.domain.schedule", "jobrunner.jobfile.positions")),
        ('jobfile.read_settings("jobs.toml")', _HEAVY[:3]),
        (
            'jobfile.job_names("jobs.toml")',
            (*_HEAVY, "dataclasses", "json", "tomli", "jobrunner.errors", "jobrunner.domain"),
        ),
    ],
    ids=["trigger", "settings", "completion"],
)
def test_what_is_imported(call, absent, write) -> None:
    write('[jobrunner]\ntimezone = "UTC"\n[jobs.a]\ncommand = "true"\nschedule = "@daily"')
    probe = subprocess.run([sys.executable, "-c", _PROBE.format(call=call)], capture_output=True, text=True, check=True)
    assert set(probe.stdout.split()).isdisjoint(absent)
