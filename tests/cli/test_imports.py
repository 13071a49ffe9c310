"""``import-crontab`` and ``import-systemd`` as a person uses them: what is printed where, and how each mistake ends."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from program import Process

Runner = Callable[..., Process]

CRONTAB = """\
MAILTO=ops@example.com
GREETING=hello

# Says hello
0 2 * * * cd {folder} && cat - greeting; echo "$GREETING, $0"%from%cron
@reboot /bin/start
"""


@pytest.fixture
def crontab(tmp_path: Path) -> Path:
    path = tmp_path / "crontab.txt"
    path.write_text(CRONTAB.format(folder=tmp_path))
    (tmp_path / "greeting").write_text("a file\n")
    return path


def test_a_crontab_from_standard_input_runs_as_under_cron(jobrunner: Runner, crontab: Path, tmp_path: Path) -> None:
    done = jobrunner("import-crontab", "-", input=crontab.read_text())
    assert done.returncode == 0
    (tmp_path / "jobs.toml").write_text(done.stdout)
    assert jobrunner("check").stdout == "jobs.toml: valid, 2 jobs\n"
    jobs = [job["name"] for job in json.loads(jobrunner("jobs", "--json").stdout)]
    assert jobs == ["cat", "start"]
    assert jobrunner("trigger", "cat").returncode == 0
    assert jobrunner("run", "--burst").returncode == 0
    assert jobrunner("logs", "1").stdout == "from\ncron\na file\nhello, /bin/sh\n"


def test_what_is_not_carried_over_is_said_on_standard_error(jobrunner: Runner, crontab: Path) -> None:
    said = jobrunner("import-crontab", "crontab.txt").stderr.splitlines()
    assert [line.partition(": ")[2].partition(": ")[0] for line in said] == [f"crontab.txt:{n}" for n in (1, 5, 6)]
    assert all(line.startswith("jobrunner: ") for line in said)


def test_json(jobrunner: Runner, crontab: Path) -> None:
    found = json.loads(jobrunner("import-crontab", "crontab.txt", "--json").stdout)
    assert found["jobs"] == ["cat", "start"]
    assert found["toml"] == jobrunner("import-crontab", "crontab.txt").stdout
    assert {tuple(remark) for remark in found["remarks"]} == {("file", "line", "column", "message")}


def test_a_terminal_gets_the_text_as_it_is(terminal: Callable[..., str], crontab: Path) -> None:
    assert "\x1b" not in terminal("import-crontab", "crontab.txt")


def test_whose_lines_have_a_user_may_be_said(jobrunner: Runner, tmp_path: Path) -> None:
    (tmp_path / "c").write_text("0 1 * * * mail /bin/a b\n")
    assert "say --system" in jobrunner("import-crontab", "c").stderr
    assert jobrunner("import-crontab", "c").returncode == 2
    with_user = tomllib.loads(jobrunner("import-crontab", "c", "--system").stdout)
    assert (with_user["defaults"]["user"], list(with_user["jobs"])) == ("mail", ["a"])
    without = tomllib.loads(jobrunner("import-crontab", "c", "--no-system").stdout)
    assert ("user" in without["defaults"], list(without["jobs"])) == (False, ["mail"])


@pytest.fixture
def cron(tmp_path: Path) -> dict[str, str]:
    """A host with the program ``crontab``, on which ana has one and bob has none."""
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\nif [ "$*" = "-u bob -l" ]; then echo "no crontab for bob" >&2; exit 1; fi\n'
        'if [ "$*" = "-u eve -l" ]; then echo "must be privileged to use -u" >&2; exit 1; fi\n'
        "echo \"0 1 * * * /bin/of '$*'\"\n"
    )
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:/usr/bin:/bin"}


def test_crontabs_of_users(jobrunner: Runner, cron: dict[str, str]) -> None:
    own = tomllib.loads(jobrunner("import-crontab", **cron).stdout)
    assert own["jobs"]["of"]["command"] == ["/bin/of", "-l"]
    assert "user" not in own["defaults"]
    another = tomllib.loads(jobrunner("import-crontab", "--user", "ana", **cron).stdout)
    assert (another["jobs"]["of"]["command"], another["defaults"]["user"]) == (["/bin/of", "-u ana -l"], "ana")
    for user, status, words in (("bob", 3, "bob has no crontab"), ("eve", 6, "must be privileged")):
        done = jobrunner("import-crontab", "--user", user, **cron)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1)
        assert words in done.stderr


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (("import-crontab", "none"), 3, "there is no file none"),
        (("import-crontab", "."), 2, ". is a folder; name one file in it"),
        (("import-crontab", "c", "--user", "ana"), 2, "FILE and --user both say whose crontab it is"),
        (("import-crontab", "prose"), 2, "prose:1: not carried over: "),
        (("import-crontab", "huge"), 2, "huge is larger than 1 MiB"),
        (("import-crontab", "--user", "nobody-here"), 3, "there is no program `crontab` here"),
        (("import-systemd",), 2, "TIMER"),
        (("import-systemd", "no-such-timer"), 3, "there is no unit no-such-timer.timer"),
        (("import-systemd", "./none.timer"), 3, "there is no file none.timer"),
        (("import-systemd", "prose.timer"), 2, "prose.timer:1: this is no line of a unit"),
        (("import-systemd", "x.service"), 2, "x.service is no timer"),
    ],
)
def test_mistakes(jobrunner: Runner, tmp_path: Path, args: tuple[str, ...], status: int, words: str) -> None:
    for name in ("prose", "prose.timer"):
        (tmp_path / name).write_text("This is no crontab, but a text of several lines.\nReally.\n")
    (tmp_path / "huge").write_bytes(b"#" * 1_100_000)
    done = jobrunner(*args, PATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1)
    assert words in done.stderr


def test_an_empty_crontab_is_none(jobrunner: Runner) -> None:
    done = jobrunner("import-crontab", "-", input="# nothing\n\nA=b\n")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "jobrunner: there is no job in it\n"


def test_timers(jobrunner: Runner, tmp_path: Path) -> None:
    (tmp_path / "backup.timer").write_text("[Timer]\nOnCalendar=Mon..Fri 2:00\nRandomizedDelaySec=5m\nWakeSystem=yes\n")
    (tmp_path / "backup.service").write_text("[Service]\nType=oneshot\nExecStart=/usr/bin/backup %n %h\nUser=root\n")
    done = jobrunner("import-systemd", "backup.timer")
    job = tomllib.loads(done.stdout)["jobs"]["backup"]
    assert job["command"] == ["/usr/bin/backup", "backup.service", "/root"]
    assert job["schedule"] == {"cron": "0 2 * * mon-fri", "jitter": "5m"}
    assert "not carried over from backup.timer: WakeSystem=yes" in done.stderr
    assert json.loads(jobrunner("import-systemd", "./backup.timer", "--json").stdout)["jobs"] == ["backup"]
