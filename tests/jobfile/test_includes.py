"""Files that a file includes: what they may hold, how their faults are told, what several of them may not share."""

from __future__ import annotations

import pytest

from jobrunner import jobfile
from jobrunner.errors import ConfigError

MAIN = '[jobrunner]\ninclude = ["jobs.d/*.toml"]\n'
JOB = '[jobs.{0}]\ncommand = "true"\n'


def _told(path: str = "jobs.toml") -> list[str]:
    return [str(problem) for problem in jobfile.check(path).problems]


def test_jobs_of_all_files(write) -> None:
    write(MAIN + "[defaults]\ntags = ['all']\n" + JOB.format("main"))
    write(JOB.format("b"), "jobs.d/2.toml")
    write(JOB.format("a") + "[limits.x]\nmax = 1\n[queues.low]\nmax_running = 2", "jobs.d/1.toml")
    found = jobfile.read("jobs.toml")
    assert list(found.jobs) == ["a", "b", "main"]
    assert {job.tags for job in found.jobs.values()} == {("all",)}
    assert {job.folder for job in found.jobs.values()} == {found.settings.folder}
    assert found.limits == {"x": 1}
    assert found.settings.queue_limits == {"low": 2}
    assert jobfile.check("jobs.toml").jobs == 3


def test_faults_of_all_files_by_file_and_line(write) -> None:
    write(MAIN + "x = 1\n[jobs.main]\n")
    write("[jobs.b]\nqueue = 1\n", "jobs.d/2.toml")
    write("nonsense\n", "jobs.d/1.toml")
    assert [line.split(" ")[0] for line in _told()] == [
        "jobs.toml:3:1:",
        "jobs.toml:4:7:",
        "jobs.d/1.toml:1:9:",
        "jobs.d/2.toml:1:7:",
        "jobs.d/2.toml:2:9:",
    ]


@pytest.mark.parametrize("table", ["jobs.x", "limits.x", "notify.x", "calendars.x", "queues.x"])
def test_a_name_in_two_files(table, write) -> None:
    bodies = {
        "jobs.x": 'command = "true"',
        "limits.x": "max = 1",
        "notify.x": 'url = "json://h"',
        "calendars.x": "dates = []",
        "queues.x": "max_running = 1",
    }
    write(MAIN + f"\n\n[{table}]\n{bodies[table]}")
    write(f"[{table}]\n{bodies[table]}", "jobs.d/1.toml")
    dot = table.index(".") + 3
    assert _told() == [f"jobs.d/1.toml:1:{dot}: {table} is defined twice; first in jobs.toml:5"]


@pytest.mark.parametrize("table", ["jobrunner", "defaults", "retention"])
def test_tables_of_the_main_file_only(table, write) -> None:
    write(MAIN)
    write(f"[{table}]\n", "jobs.d/1.toml")
    assert _told() == [f"jobs.d/1.toml:1:2: [{table}] belongs into jobs.toml; an included file cannot have it"]


def test_a_glob_leaves_the_main_file_out(write) -> None:
    write('[jobrunner]\ninclude = ["*.toml", "o*.toml"]\n' + JOB.format("a"))
    write(JOB.format("b"), "other.toml")
    assert list(jobfile.read("jobs.toml").jobs) == ["a", "b"]


def test_a_glob_with_a_folder_that_looks_like_one(write, tmp_path) -> None:
    main = write(MAIN, "x[1]/jobs.toml")
    write(JOB.format("a"), "x[1]/jobs.d/a.toml")
    write(JOB.format("b"), "x1/jobs.d/a.toml")
    assert list(jobfile.read(main).jobs) == ["a"]


def test_an_unsafe_include_is_refused(write) -> None:
    write(MAIN)
    write(JOB.format("a"), "jobs.d/a.toml").chmod(0o666)
    with pytest.raises(ConfigError, match=r"jobs.d/a.toml: everybody can write it"):
        jobfile.read("jobs.toml")


def test_one_fault_makes_the_whole_invalid(write) -> None:
    write(MAIN + JOB.format("a"))
    write("[jobs.b]\n", "jobs.d/b.toml")
    with pytest.raises(ConfigError):
        jobfile.read("jobs.toml")
