"""The command line by itself: help, wrong usage, statuses, closed and broken streams, completion."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from program import clean_environment

from jobrunner.cli.app import VERBS
from jobrunner.cli.verb import build

Process = subprocess.CompletedProcess[str]
Runner = Callable[..., Process]

COMMON = {"--help", "-h", "--config", "-c", "--debug"}


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_help_with_examples(jobrunner: Runner, verb: str) -> None:
    result = jobrunner(verb, "--help")
    assert result.returncode == 0
    assert result.stdout.startswith(f"Usage: jobrunner {verb}")
    assert f"\nExamples:\n  jobrunner {verb}" in result.stdout
    assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", result.stdout)) >= COMMON
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "[[" not in result.stdout


def test_the_help_names_every_verb_and_status(jobrunner: Runner) -> None:
    result = jobrunner("--help")
    assert result.returncode == 0
    for verb, (_, summary) in VERBS.items():
        assert re.search(rf"^  {verb} +{re.escape(summary)}$", result.stdout, re.MULTILINE)
    assert max(map(len, result.stdout.splitlines())) <= 80
    for later in ("web", "stats"):
        assert not re.search(rf"^  {later} ", result.stdout, re.MULTILINE)


def test_version(jobrunner: Runner) -> None:
    from jobrunner import __version__

    assert jobrunner("--version").stdout == f"jobrunner {__version__}\n"


def test_no_command_is_wrong_usage_and_shows_the_help(jobrunner: Runner) -> None:
    result = jobrunner()
    assert result.returncode == 2
    assert result.stdout == ""
    assert "Usage: jobrunner" in result.stderr


def test_no_annotation_of_a_verb_is_a_text_that_has_to_be_compiled() -> None:
    for place, _ in VERBS.values():
        module, _, name = place.partition(":")
        function = getattr(import_module(f"jobrunner.cli.{module}"), name)
        assert not [text for text in function.__annotations__.values() if isinstance(text, str)], place


def test_every_option_of_every_verb_has_a_test() -> None:
    rooms = (Path(__file__).parent.parent / room for room in ("cli", "admin", "life"))
    text = "".join(path.read_text() for room in rooms for path in room.glob("test_*.py"))
    for verb, (place, _) in VERBS.items():
        module, _, function = place.partition(":")
        command = build(verb, getattr(import_module(f"jobrunner.cli.{module}"), function))
        options = [param for param in command.params if param.param_type_name == "option"]
        for spelling in [spelling for option in options for spelling in option.opts]:
            assert f'"{spelling}"' in text, f"{verb} {spelling}"


WRONG_USAGE = [
    (["runn"], "no such command: 'runn', did you mean 'run'?"),
    (["runs", "--stat", "failed"], "--state"),
    (["runs", "--state", "done"], "'--state': 'done' is not one of 'scheduled'"),
    (["runs", "--limit", "-1"], "'--limit'"),
    (["runs", "--limit", "many"], "'many' is not a valid int"),
    (["queues", "extra"], "extra"),
    (["trigger"], "missing argument 'JOB'"),
    (["trigger", "a", "--delay"], "--delay"),
    (["trigger", "a", "-p", "month"], "not a parameter: 'month'; write it like -p name=value"),
    (["trigger", "a", "-p", "=x"], "not a parameter: '=x'"),
    (["trigger", "a", "-p", "k=1", "-p", "k=2"], "parameter 'k' is given twice"),
    (["trigger", "a", "--timeout", "5s"], "--timeout needs --wait or --follow"),
    (["trigger", "a", "--wait", "--timeout", "soon"], "--timeout: not a duration: 'soon'"),
    (["trigger", "a", "--then", "b"], "--then and --then-on-failure need --each"),
    (["trigger", "a", "--then-on-failure", "b"], "--then and --then-on-failure need --each"),
    (["trigger", "a", "--each", "-", "-p", "k=1"], "--each and --param exclude each other"),
    (["trigger", "a", "--each", "-", "--like", "1"], "--each and --like exclude each other"),
    (["trigger", "a", "--each", "-", "--follow"], "--each and --follow exclude each other"),
    (["trigger", "a", "--each", "missing.txt"], "--each: cannot read missing.txt: No such file or directory"),
    (["trigger", "a", "--each", "-"], "--each: standard input has no items"),
    (["trigger", "a", "--priority", "101"], "'--priority'"),
    (["trigger", "a", "--retries", "-1"], "'--retries'"),
    (["submit"], "missing argument 'PROG [ARG]...'"),
    (["submit", "--run-timeout", "x", "--", "true"], "--run-timeout: not a duration"),
    (["submit", "--", "echo", "\udcff"], "not UTF-8: '\\udcff'"),
    (["submit", "--cwd", "\udcff", "ls"], "not UTF-8"),
    (["run", "--workers", "0"], "'--workers'"),
    (["run", "--log-format", "xml"], "'--log-format'"),
    (["retry"], "nothing to retry"),
    (["retry", "1", "--dead"], "RUN and --dead exclude each other"),
    (["retry", "1", "--job", "a"], "--job needs --dead"),
    (["cancel"], "nothing to cancel"),
    (["discard"], "missing argument 'RUN...'"),
    (["pause"], "nothing named; give exactly one of JOB, --queue Q and --all"),
    (["pause", "a", "--all"], "more than one thing named"),
    (["resume", "--queue", "q", "--all"], "more than one thing named"),
    (["pause", "a", "--for", "ever"], "--for: not a duration"),
    (["next", "-n", "0"], "'-n'"),
    (["explain"], "missing argument 'EXPR'"),
    (["explain", "61 * * * *"], "61"),
    (["explain", "0 0 30 2 *"], "never"),
    (["explain", "@daily", "--timezone", "Mars/Base"], "no such time zone: 'Mars/Base'"),
    (["explain", "@daily", "--timezone", "UTC", "--from", "yesteryear"], "--from: "),
    (["check", "a.toml", "-c", "b.toml"], "FILE and --config name two files"),
    (["init", "here", "-c", "b.toml"], "DIR and --config"),
    (["logs", "1", "--stream", "stdin"], "'--stream'"),
    (["logs", "1", "--attempt", "0"], "'--attempt'"),
    (["logs", "1", "--tail", "-1"], "'--tail'"),
]


@pytest.mark.parametrize(("args", "message"), WRONG_USAGE, ids=[" ".join(args) for args, _ in WRONG_USAGE])
def test_wrong_usage_is_one_line_and_status_2(jobrunner: Runner, args: list[str], message: str) -> None:
    result = jobrunner(*args)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("jobrunner: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


@pytest.mark.parametrize("word", ["abc", "b7", "99999999999999999999", "1.5", "١٢", ""])
def test_what_cannot_be_a_run_is_status_3(jobrunner: Runner, word: str) -> None:
    result = jobrunner("logs", word)
    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr.startswith("jobrunner: no such run: ")
    assert result.stderr.count("\n") == 1


def test_what_a_person_typed_cannot_reach_the_terminal_raw(jobrunner: Runner) -> None:
    for args in (["\x1b[2J"], ["logs", "\x1b[2J\n"], ["runs", "--\x1b[2J"], ["trigger", "a", "-p", "\x1b[2J"]):
        assert "\x1b" not in jobrunner(*args).stderr


@pytest.mark.parametrize("before", [True, False])
def test_config_before_and_after_the_verb(jobrunner: Runner, before: bool) -> None:
    option = ["-c", "/nowhere/jobs.toml"]
    for verb in ("check", "runs", "queues"):
        result = jobrunner(*option, verb) if before else jobrunner(verb, *option)
        assert result.returncode == (1 if verb == "check" else 78), result.stderr
        assert "/nowhere/jobs.toml" in result.stdout + result.stderr


def test_a_missing_configuration_says_where_it_was_looked_for(jobrunner: Runner) -> None:
    result = jobrunner("runs")
    assert (result.returncode, result.stdout) == (78, "")
    assert result.stderr.startswith("jobrunner: ")
    assert "jobs.toml" in result.stderr


def test_init_writes_a_file_that_check_accepts_and_never_overwrites(jobrunner: Runner, tmp_path: Path) -> None:
    result = jobrunner("init", "project")
    path = tmp_path / "project" / "jobs.toml"
    assert (result.returncode, result.stdout) == (0, "project/jobs.toml\n")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert jobrunner("check", str(path)).returncode == 0

    text = path.read_text()
    again = jobrunner("init", "project")
    assert (again.returncode, again.stdout) == (6, "")
    assert "project/jobs.toml exists" in again.stderr
    assert path.read_text() == text


def test_init_elsewhere(jobrunner: Runner, tmp_path: Path) -> None:
    result = jobrunner("init", "-c", "other.toml", "--json")
    assert json.loads(result.stdout) == {"path": str(tmp_path / "other.toml")}
    assert (tmp_path / "other.toml").exists()
    (tmp_path / "file").touch()
    assert jobrunner("init", "file").returncode == 6


BROKEN = '[jobs.a]\ncommand = "true"\nretrys = 1\n\n[jobs.b]\nschedule = "61 * * * *"\ncommand = "true"\n'


def test_check_prints_every_error_with_its_place(jobrunner: Runner, tmp_path: Path) -> None:
    (tmp_path / "jobs.toml").write_text(BROKEN)
    result = jobrunner("check")
    lines = result.stdout.splitlines()
    assert result.returncode == 1
    assert [re.search(r"jobs\.toml:(\d+):\d+: ", line)[1] for line in lines] == ["3", "6"]  # type: ignore[index]
    assert result.stderr.endswith(": 2 errors\n")

    shape = json.loads(jobrunner("check", "--json").stdout)
    assert (shape["valid"], [error["line"] for error in shape["errors"]]) == (False, [3, 6])
    assert set(shape["errors"][0]) == {"file", "line", "column", "message"}


def test_check_of_a_valid_and_of_a_missing_file(jobrunner: Runner, tmp_path: Path) -> None:
    (tmp_path / "jobs.toml").write_text('[jobs.a]\ncommand = "true"\n')
    result = jobrunner("check")
    assert (result.returncode, result.stdout) == (0, "jobs.toml: valid, 1 job\n")
    assert json.loads(jobrunner("check", "jobs.toml", "--json").stdout)["jobs"] == 1

    missing = jobrunner("check", "missing.toml", "--json")
    shape = json.loads(missing.stdout)
    assert (missing.returncode, shape["valid"], shape["jobs"]) == (1, False, 0)
    assert shape["errors"][0]["line"] is None


def test_schema_is_a_json_schema(jobrunner: Runner) -> None:
    assert "$schema" in json.loads(jobrunner("schema").stdout)
    assert jobrunner("schema", "--json").stdout.count("\n") == 1


def test_explain_needs_no_configuration(jobrunner: Runner) -> None:
    result = jobrunner("explain", "30 2 * * 1", "--timezone", "Europe/Madrid", "--from", "2026-03-27", "-n", "2")
    assert result.returncode == 0
    assert "2026-03-30 02:30:00 CEST" in result.stdout
    shape = json.loads(jobrunner("explain", "@daily", "--json", TZ="Asia/Kathmandu").stdout)
    assert (shape["timezone"], len(shape["next"])) == ("Asia/Kathmandu", 5)
    assert shape["next"][0].endswith("T00:00:00+05:45")


def test_explain_takes_the_zone_of_the_configuration(jobrunner: Runner, tmp_path: Path) -> None:
    (tmp_path / "jobs.toml").write_text('[jobrunner]\ntimezone = "Europe/Madrid"\n')
    assert json.loads(jobrunner("explain", "@daily", "--json").stdout)["timezone"] == "Europe/Madrid"

    (tmp_path / "jobs.toml").write_text("[jobrunner\n")
    result = jobrunner("explain", "@daily", "--json", TZ="UTC")
    assert (result.returncode, json.loads(result.stdout)["timezone"]) == (0, "UTC")
    assert "jobs.toml is not used" in result.stderr
    assert jobrunner("-c", "jobs.toml", "explain", "@daily").returncode == 78


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "jobrunner", "schema"]
    result = subprocess.run(
        command, cwd=tmp_path, env=clean_environment(tmp_path), stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert (result.returncode, result.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "jobrunner", "schema"],
            cwd=tmp_path,
            env=clean_environment(tmp_path),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert result.returncode == 1
    assert result.stderr == "jobrunner: cannot write standard output: No space left on device\n"


def test_closed_streams_are_no_error_and_their_numbers_stay_taken(tmp_path: Path) -> None:
    script = (
        "import os, sys; from jobrunner.cli.app import main; status = main(sys.argv[1:]);"
        "sys.exit(status if all(os.path.samestat(os.fstat(n), os.stat(os.devnull)) for n in range(3)) else 99)"
    )
    for args, status in (("explain @daily", 0), ("trigger a --each -", 2)):
        command = f"{sys.executable} -c '{script}' {args} <&- >&- 2>&-"
        result = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=clean_environment(tmp_path))
        assert result.returncode == status


def test_a_fault_of_ours_is_one_line_and_debug_shows_where(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from jobrunner.cli import app, file\n"
        "def broken(ctx):\n    raise KeyError('what')\n"
        "broken.__dict__.update(file.schema.__dict__)\n"
        "broken.__annotations__ = {'ctx': file.schema.__globals__['typer'].Context}\n"
        "file.schema = broken\n"
        "sys.exit(app.main(sys.argv[1:]))\n"
    )

    def run(*args: str) -> Process:
        return subprocess.run(
            [sys.executable, "-c", script, *args],
            cwd=tmp_path,
            env=clean_environment(tmp_path),
            capture_output=True,
            text=True,
        )

    plain, debugged = run("schema"), run("schema", "--debug")
    assert plain.returncode == debugged.returncode == 1
    assert plain.stderr == "jobrunner: unexpected KeyError: 'what'; run again with --debug to see where\n"
    assert debugged.stderr.startswith("Traceback")


def complete(jobrunner: Runner, words: str, **environ: str) -> list[str]:
    place = len(words.split(" ")) - 1
    result = jobrunner(_JOBRUNNER_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(place), **environ)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.split()


def test_completion_of_verbs_options_and_jobs(jobrunner: Runner, tmp_path: Path) -> None:
    (tmp_path / "jobs.toml").write_text('[jobs.backup]\ncommand = "true"\n[jobs.build]\ncommand = "true"\n')
    assert complete(jobrunner, "jobrunner tri") == ["trigger"]
    assert complete(jobrunner, "jobrunner trigger --w") == ["--wait"]
    assert complete(jobrunner, "jobrunner trigger b") == ["backup", "build"]
    assert complete(jobrunner, "jobrunner runs --job bu") == ["build"]
    assert complete(jobrunner, "jobrunner show ba") == ["backup"]
    assert complete(jobrunner, "jobrunner runs --state f") == ["failed"]
    assert complete(jobrunner, "jobrunner -c missing.toml trigger b") == []


def test_completion_of_a_broken_configuration_offers_nothing(jobrunner: Runner, tmp_path: Path) -> None:
    (tmp_path / "jobs.toml").write_text("[jobs")
    assert complete(jobrunner, "jobrunner trigger ") == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_in_other_shells(jobrunner: Runner, tmp_path: Path, shell: str) -> None:
    (tmp_path / "jobs.toml").write_text('[jobs.backup]\ncommand = "true"\n')
    result = jobrunner(
        _JOBRUNNER_COMPLETE=f"complete_{shell}",
        _TYPER_COMPLETE_ARGS="jobrunner trigger b",
        _TYPER_COMPLETE_FISH_ACTION="get-args",
    )
    assert "backup" in result.stdout


def loaded_by(tmp_path: Path, *args: str, **environ: str) -> set[str]:
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "jobrunner", *args],
        cwd=tmp_path,
        env=clean_environment(tmp_path) | environ,
        capture_output=True,
        text=True,
    )
    return {line.rpartition("|")[2].strip() for line in result.stderr.splitlines() if line.startswith("import time:")}


def test_completion_of_jobs_loads_no_store(tmp_path: Path) -> None:
    (tmp_path / "jobs.toml").write_text('[jobs.backup]\ncommand = "true"\n')
    environ = {"_JOBRUNNER_COMPLETE": "complete_bash", "COMP_WORDS": "jobrunner trigger b", "COMP_CWORD": "2"}
    loaded = loaded_by(tmp_path, **environ)
    assert "jobrunner.jobfile" in loaded
    assert not loaded & {"peewee", "rich", "jobrunner.wiring", "jobrunner.store"}


def test_help_loads_no_verb_and_nothing_heavy(tmp_path: Path) -> None:
    loaded = loaded_by(tmp_path, "--help")
    assert "jobrunner.cli.app" in loaded
    assert not loaded & {"peewee", "rich", "huey"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_show_completion(jobrunner: Runner, shell: str) -> None:
    result = jobrunner("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert result.returncode == 0
    assert "_JOBRUNNER_COMPLETE" in result.stdout


def test_install_completion(jobrunner: Runner, tmp_path: Path) -> None:
    result = jobrunner("--install-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert result.returncode == 0
    assert "_JOBRUNNER_COMPLETE" in (tmp_path / ".bash_completions" / "jobrunner.sh").read_text()
