"""What leaves a file valid and is told all the same, with its place."""

from __future__ import annotations

import pytest

from jobrunner import jobfile
from jobrunner.jobfile.job_keys import JOB
from jobrunner.jobfile.keys import JOBRUNNER, NOT_YET, QUEUE, TOP


def _warnings(path) -> list[tuple[int | None, int | None, str]]:
    result = jobfile.check(path)
    assert result.valid, result.problems
    return [(warning.line, warning.column, warning.message) for warning in result.warnings]


@pytest.mark.parametrize(
    ("text", "place", "fragment"),
    [
        ('[jobs.a]\ncommand = "true"\nenv = { A = "${NO_SUCH_VARIABLE}" }', (3, 13), "NO_SUCH_VARIABLE is not set"),
        ('[jobs.a]\ncommand = "true"\nenv.A = "${file:/no/such}"', (3, 9), "cannot be read: No such file"),
        ('[jobs.a]\nhttp = { url = "http://${NO_SUCH_VARIABLE}" }', (2, 16), "cannot be resolved here"),
        ('[jobs.a]\nhttp = { url = "http://h", json = { a = ["${NO_SUCH_VARIABLE}"] } }', (2, 35), "cannot be"),
        ('[defaults]\nenv = { A = "${NO_SUCH_VARIABLE}" }\n[jobs.a]\ncommand = "true"', (2, 13), "defaults.env.A"),
        ('[jobrunner]\ninclude = ["d/*.toml"]', (2, 12), "matches no file"),
        ('[jobs.a]\ncommand = ["echo", "{x}"]\nparams.x = {}', (2, 20), "empty when not given"),
        ("[jobs.a]\ncommand = ['echo', '{\"a\":{\"b\":1}}']", (2, 20), "doubled one stands for one"),
        ('[jobs.a]\ncommand = ["true"]\nshell = "/bin/bash"', (3, 1), "no effect on a command that is a list"),
        ('[jobs.a]\ncommand = "true"\nretry_delays = ["1s"]\nretry_jitter = 0.5', (4, 1), "no effect beside"),
    ],
)
def test_warning(text, place, fragment, write) -> None:
    ((line, column, message),) = _warnings(write(text))
    assert (line, column) == place
    assert fragment in message


def test_unresolved_notifier(write) -> None:
    found = _warnings(write('[notify.ops]\nurl = "json://${NO_SUCH_VARIABLE}"'))
    assert [warning for warning in found if warning[:2] == (2, 7) and "cannot be resolved" in warning[2]]


def test_not_yet_names_keys_that_exist() -> None:
    known = {*TOP, *(f"jobrunner.{key}" for key in JOBRUNNER.keys), *(f"jobs.*.{key}" for key in JOB.keys)}
    assert known | {f"queues.*.{key}" for key in QUEUE.keys} >= NOT_YET


def test_each_use_of_a_key_without_effect_is_told(write) -> None:
    found = _warnings(
        write('[defaults]\nmax_running = 5\n[jobs.a]\ncommand = "true"\n[jobs.b]\ncommand="x"\nmax_running = 3')
    )
    assert [(line, column) for line, column, message in found if "no effect yet" in message] == [(2, 1), (7, 1)]


def test_warnings_of_a_whole_file_are_lines(write) -> None:
    path = write('[jobs.a]\ncommand = "true"\nenv.A = "${NO_SUCH_VARIABLE}"')
    (warning,) = jobfile.read(path, warn=True).warnings
    assert warning.endswith(
        "jobs.toml:3:9: jobs.a.env.A cannot be resolved here: the environment variable NO_SUCH_VARIABLE is not set"
    )
