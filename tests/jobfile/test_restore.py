"""A job's table goes back to an older definition: whatever the table says now, and however it is written."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from jobrunner import jobfile
from jobrunner.errors import Refused
from jobrunner.jobfile.restore import restored

TABLES = {
    "small": 'command = "true"\n',
    "array": 'command = ["a", "b"]   # two\nschedule = ["0 2 * * *", "every 5m"]\n',
    "dotted": 'command = "true"\nenv.A = "1"\nenv.B = "2"\nretry_on.exit_codes = [1]\nretries = 2\n',
    "inline": 'command = "true"\nenv = { B = "3", "C.D" = "4" }\nretry_on = { exit_codes = [1, 2] }\nretries = 3\n',
    "tables": 'command = "true"\n[jobs.x.env]\nA = "5"\n# of the table\n[jobs.x.params.n]\ntype = "int"\ndefault = 1\n',
    "param": 'command = ["echo", "{n}"]\nparams.n = { type = "string", secret = true }\ntimeout = "1h"\n',
    "python": 'python = "a:b"\ntags = ["x"]\nenabled = false\n',
    "http": 'http = { url = "http://x/", headers = { A = "1" } }\nschedule = { cron = "@daily", jitter = "1m" }\n',
}
REST = "# above\n[jobs.other]   # stays\ncommand  = 'other'\n"


def definition(path: Path, text: str) -> str:
    return jobfile.read(path, {str(path): text}).jobs["x"].definition


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "jobs.toml"
    path.touch(mode=0o600)
    return path


@pytest.mark.parametrize(("then", "now"), [*itertools.permutations(TABLES, 2)])
def test_it_means_what_it_meant(path: Path, then: str, now: str) -> None:
    defaults = "[defaults]\nretries = 1\n"
    wanted = definition(path, f"{defaults}[jobs.x]\n{TABLES[then]}{REST}")
    path.write_text(f"{defaults}[jobs.x]\n{TABLES[now]}{REST}")
    found = restored(path.read_text(), path, "x", wanted)
    assert definition(path, found) == wanted
    assert found.startswith(defaults)
    assert found.endswith(REST)


@pytest.mark.parametrize("then", TABLES)
def test_a_job_that_is_gone_comes_back(path: Path, then: str) -> None:
    wanted = definition(path, f"[defaults]\nretries = 1\n[jobs.x]\n{TABLES[then]}")
    path.write_text(f"[defaults]\nretries = 1\n{REST}")
    found = restored(path.read_text(), path, "x", wanted)
    assert definition(path, found) == wanted
    assert found.startswith(path.read_text())


def test_other_defaults_are_overruled_where_that_can_be(path: Path) -> None:
    wanted = definition(path, f"[defaults]\nretries = 1\n[jobs.x]\n{TABLES['small']}")
    path.write_text(f"[defaults]\nretries = 5\n[jobs.x]\n{TABLES['array']}")
    assert definition(path, restored(path.read_text(), path, "x", wanted)) == wanted
    path.write_text(f"[defaults]\ntimeout = '1h'\n[jobs.x]\n{TABLES['array']}")
    with pytest.raises(Refused, match="defaults] now gives timeout"):
        restored(path.read_text(), path, "x", wanted)
