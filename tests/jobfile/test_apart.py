"""A file read in a process of its own is the same file; and the settings alone are those of the whole, jobs or not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jobrunner import jobfile
from jobrunner.errors import ConfigError
from jobrunner.jobfile import apart

WHOLE = Path(__file__).with_name("whole.toml").read_text()
JOBS = """
[jobrunner]
workers = 3
[ jobs . a ] # the first
command = "true"
[queues.mail]
max_running = 2
[jobs.b]
command = ["echo"]
"""


def test_it_is_the_same_file(write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(WHOLE)
    monkeypatch.setattr(apart, "read", _never)
    assert jobfile.read_apart(path) == jobfile.read(path, warn=True)


def test_its_faults_are_the_same(write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('[jobs.a]\ncommand = "true"\ncolour = 3\n\n[jobs.b]\n')
    monkeypatch.setattr(apart, "read", _never)
    with pytest.raises(ConfigError) as here:
        jobfile.read(path)
    with pytest.raises(ConfigError) as there:
        jobfile.read_apart(path)
    assert there.value.problems == here.value.problems


def test_without_a_process_it_is_read_here(write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(WHOLE)
    for program in ("/bin/true", "/bin/echo", "/no/such/program"):
        monkeypatch.setattr(sys, "executable", program)
        assert jobfile.read_apart(path) == jobfile.read(path, warn=True)


def test_the_process_ends_with_who_asked(write) -> None:
    path = write(f'[jobs.a]\ncommand = "{"x" * 500_000}"\n')
    program = [sys.executable, "-m", apart.__name__, str(path)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.read(1)
        assert process.poll() is None  # the rest waits for room
        process.stdin.close()
        try:
            assert process.wait(10) == 1
        finally:
            process.kill()


def test_settings_are_those_of_the_whole_file(write) -> None:
    path = write(WHOLE)
    assert jobfile.read_settings_alone(path) == jobfile.read_settings(path)[0]


def test_jobs_are_not_looked_at_for_the_settings(write) -> None:
    settings = jobfile.read_settings_alone(write(JOBS.replace("true", "true\\q")))
    assert settings.workers == 3
    assert "mail" in settings.queues


@pytest.mark.parametrize(
    "job",
    [
        'command = """\n[queues.no]\nmax_running = 1\n"""',
        "command = '''\n[jobs.no]\n'''",
        'command = ["a"]\nafter = [\n["queues"]\n]',
        'command = ["a"]\nafter = [\n[1]\n, [2]]',
    ],
)
def test_what_only_looks_like_a_table_is_none(write, job: str) -> None:
    path = write(f"{JOBS}\n[jobs.c]\n{job}\n[queues.last]\n")
    tree = jobfile.read_settings(path)[0]
    assert jobfile.read_settings_alone(path) == tree
    assert "last" in tree.queues


def test_a_fault_of_the_settings_has_its_line(write) -> None:
    path = write(JOBS.replace("workers = 3", "wrokers = 3"))
    with pytest.raises(ConfigError) as caught:
        jobfile.read_settings_alone(path)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (3, 1)


def _never(path: Path) -> None:
    raise AssertionError("was read here")
