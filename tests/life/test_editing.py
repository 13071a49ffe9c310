"""The file, changed by commands: what is written, what is refused, what is kept, and what servers make of it."""

import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dialogue import typed
from project import Project, until

JOBS = """\
# ours
[defaults]
retries = 1

# the nightly one
[jobs.backup]   # important
command  = ["true"]
schedule = "0 2 * * *"   # quiet then

[jobs.report]
command = "echo report"
"""

Make = Callable[[str], Project]


def editor(folder: Path, body: str) -> str:
    """An editor that is a Python program: it gets the text as ``text`` and writes what it is afterwards."""
    script = folder / "editor.py"
    head = "import pathlib, sys\nfile = pathlib.Path(sys.argv[-1])\ntext = file.read_text()\n"
    script.write_text(head + body + "\nfile.write_text(text)\n")
    return f"{sys.executable} {script}"


def test_set_changes_a_value_says_what_it_means_and_nothing_else(project: Make) -> None:
    where = project(JOBS)
    answer = where.call("set", "backup", "schedule=30 3 * * *", "timeout=1h")
    assert answer.status == 0, answer
    assert where.file.read_text() == JOBS.replace('"0 2 * * *"', '"30 3 * * *"').replace(
        "# quiet then\n", '# quiet then\ntimeout = "1h"\n'
    )
    assert "~ backup" in answer.out
    assert "At 02:00" in answer.out
    assert "At 03:30" in answer.out
    assert "7 fires gained" in answer.out
    assert 'timeout: (none) → "1h"' in answer.out
    assert "no server is running" in answer.err
    assert stat.S_IMODE(where.file.stat().st_mode) == 0o600
    assert where.json("audit")[0] | {"id": 0, "at": ""} == where.json("audit")[0] | {
        "id": 0,
        "at": "",
        "action": "set",
        "target": "job backup",
        "detail": "schedule, timeout",
        "outcome": "done",
    }
    assert where.call("set", "backup", "env.TOKEN=one").status == 0
    assert "env.TOKEN: another value, which is not shown\n" in where.call("set", "backup", "env.TOKEN=two").out


def test_enable_and_disable_are_one_key(project: Make) -> None:
    where = project(JOBS)
    assert where.call("disable", "report").status == 0
    assert where.file.read_text() == JOBS + "enabled = false\n"
    again = where.call("disable", "report")
    assert (again.status, again.out) == (0, "")
    assert "nothing was changed" in again.err
    assert where.json("enable", "report")["meaning"]["jobs"][0]["keys"] == [
        {"key": "enabled", "before": False, "after": True}
    ]
    assert where.file.read_text() == JOBS + "enabled = true\n"


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (("set", "backup", "timeout=soon"), 78, "timeout is not a duration"),
        (("set", "backup", "tmeout=1h"), 78, 'did you mean "timeout"'),
        (("set", "backup", "schedule=0 0 31 2 *"), 78, "never fires"),
        (("set", "bakup", "timeout=1h"), 3, "did you mean backup?"),
        (("set", "backup", "timeout"), 2, "not KEY=VALUE"),
        (("set", "backup", "a b=1"), 2, "cannot be a key"),
        (("set", "backup", "command.x=1"), 6, "is no table"),
        (("enable", "nothing"), 3, "no job"),
        (("rollback", "backup", "7"), 3, "no server has ever loaded it"),
        (("diff", "absent.toml"), 78, "no such file"),
        (("diff",), 3, "no server has loaded a file yet"),
        (("history", "nothing"), 3, "no job"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_is_wrong_changes_nothing(project: Make, args: tuple[str, ...], status: int, words: str) -> None:
    where = project(JOBS)
    answer = where.call(*args)
    assert (answer.status, answer.out) == (status, "")
    assert words in answer.err
    assert len(answer.err.splitlines()) == 1
    assert where.file.read_text() == JOBS


def test_a_broken_file_can_be_edited_and_not_set(project: Make) -> None:
    broken = JOBS.replace("[defaults]", "[jobrunner]\nworkers = 0\n[defaults]")
    where = project(broken)
    assert where.call("set", "backup", "timeout=1h").status == 78
    fix = editor(where.folder, "text = text.replace('workers = 0', 'workers = 2')")
    answer = where.call("edit", EDITOR=fix)
    assert answer.status == 0, answer
    assert "valid, 2 jobs; the file of before was not" in answer.out
    assert where.file.read_text() == broken.replace("workers = 0", "workers = 2")


def test_edit_without_a_terminal_applies_what_is_valid(project: Make) -> None:
    where = project(JOBS)
    where.file.chmod(0o640)
    real = where.folder / "real.toml"
    where.file.rename(real)
    where.file.symlink_to(real)
    change = editor(where.folder, "text = text.replace('[jobs.report]', '[jobs.weekly]')")
    answer = where.call("edit", VISUAL=change, EDITOR="false")
    assert answer.status == 0, answer
    assert "~ report → weekly  renamed" in answer.out
    assert where.file.is_symlink()
    assert real.read_text() == JOBS.replace("report]", "weekly]")
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert not [name for name in os.listdir(where.folder) if name.endswith((".new", ".rejected"))]


def test_edit_keeps_an_invalid_text_and_names_it(project: Make) -> None:
    where = project(JOBS)
    answer = where.call("edit", EDITOR=editor(where.folder, "text += 'tmeout = 1\\n'"))
    assert answer.status == 78
    assert "jobs.toml:12:1: unknown key" in answer.err
    assert "tmeout = 1" in answer.err
    assert where.file.read_text() == JOBS
    (kept,) = where.folder.glob("jobs.toml.*.rejected")
    assert str(kept) in answer.err
    assert kept.read_text() == JOBS + "tmeout = 1\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_edit_refuses_when_somebody_else_has_changed_the_file(project: Make) -> None:
    where = project(JOBS)
    body = f"text += '# mine\\n'\npathlib.Path({str(where.file)!r}).write_text('# theirs\\n')"
    answer = where.call("edit", EDITOR=editor(where.folder, body))
    assert answer.status == 6
    assert "changed by somebody else meanwhile" in answer.err
    assert where.file.read_text() == "# theirs\n"
    (kept,) = where.folder.glob("jobs.toml.*.rejected")
    assert kept.read_text() == JOBS + "# mine\n"


def test_edit_of_a_job_shows_its_lines_only(project: Make) -> None:
    where = project(JOBS)
    (where.folder / "jobs.d").mkdir()
    included = where.folder / "jobs.d" / "etl.toml"
    included.write_text('[jobs.load]\ncommand = "load"\n\n[jobs.clean]\ncommand = "clean"\n')
    where.write('jobrunner.include = ["jobs.d/*.toml"]\n' + JOBS)
    seen = where.folder / "seen"
    body = f"pathlib.Path({str(seen)!r}).write_text(text)\ntext = text.replace('\"clean\"', '\"clean -v\"')"
    answer = where.call("edit", "clean", EDITOR=editor(where.folder, body))
    assert answer.status == 0, answer
    assert seen.read_text() == '[jobs.clean]\ncommand = "clean"\n'
    assert included.read_text() == '[jobs.load]\ncommand = "load"\n\n[jobs.clean]\ncommand = "clean -v"\n'
    wrong = where.call("edit", "backup", EDITOR=editor(where.folder, "text += 'x = 1\\n'"))
    assert wrong.status == 78
    (kept,) = where.folder.glob("jobs.toml.*.rejected")
    place = kept.read_text().split("\n").index("x = 1") + 1
    assert f"jobs.toml:{place}:1: unknown key" in wrong.err
    assert where.call("edit", "absent", EDITOR="true").status == 3


@pytest.mark.parametrize(
    ("command", "status", "words"),
    [
        ("true", 0, "nothing was changed"),
        ("false", 1, "ended with 1; nothing was changed"),
        ("/no/such/editor", 1, "cannot start the editor"),
        ("'", 1, "$EDITOR cannot be read"),
    ],
)
def test_an_editor_that_changes_nothing_or_fails(project: Make, command: str, status: int, words: str) -> None:
    where = project(JOBS)
    answer = where.call("edit", EDITOR=command)
    assert (answer.status, answer.out) == (status, "")
    assert words in answer.err
    assert where.file.read_text() == JOBS


def test_edit_on_a_terminal_goes_back_on_a_mistake_and_asks_before_it_applies(project: Make) -> None:
    where = project(JOBS)
    body = "text = text.replace('= 9x', '= 2') if '= 9x' in text else text.replace('= 1', '= 9x')"
    said = _typed(
        where, ["edit"], editor(where.folder, body), [("[e]dit again or [q]uit? [e] ", "e\n"), ("[q]uit? [a] ", "\n")]
    )
    assert "not TOML" in said
    assert "retries: 1 → 2" in said
    assert "is written" in said
    assert where.file.read_text() == JOBS.replace("retries = 1", "retries = 2")


def test_edit_on_a_terminal_can_be_given_up(project: Make) -> None:
    where = project(JOBS)
    change = editor(where.folder, "text = text.replace('= 1', '= 4')")
    assert "nothing was changed" in _typed(where, ["edit"], change, [("[q]uit? [a] ", "q\n")])
    interrupted = _typed(where, ["edit"], change, [("[q]uit? [a] ", "\x03")], status=130)
    (kept,) = where.folder.glob("jobs.toml.*.rejected")
    assert str(kept) in interrupted.replace("\r\n", "")
    assert kept.read_text() == JOBS.replace("= 1", "= 4")
    kept.unlink()
    broken = editor(where.folder, "text = text + 'x'")
    said = _typed(where, ["edit"], broken, [("[q]uit? [e] ", "q\n")], status=130)
    (kept,) = where.folder.glob("jobs.toml.*.rejected")
    assert str(kept) in said.replace("\r\n", "")
    assert where.file.read_text() == JOBS


def test_an_editor_that_fails_after_a_mistake_loses_nothing_that_was_typed(project: Make) -> None:
    where = project(JOBS)
    change = editor(where.folder, "if '= 9x' in text: sys.exit(3)\ntext = text.replace('= 1', '= 9x')")
    said = _typed(where, ["edit"], change, [("[q]uit? [e] ", "e\n")], status=6)
    assert "ended with 3" in said
    (kept,) = where.folder.glob("jobs.toml.*.rejected")
    assert str(kept) in said.replace("\r\n", "")
    assert kept.read_text() == JOBS.replace("= 1", "= 9x")


def test_diff_says_what_loading_a_file_would_mean(project: Make) -> None:
    where = project(JOBS)
    other = where.folder / "new.toml"
    other.write_text(
        JOBS.replace("retries = 1", "retries = 3").replace(
            '[jobs.report]\ncommand = "echo report"', '[jobs.new]\ncommand = "echo new"'
        )
    )
    answer = where.call("diff", str(other))
    assert answer.status == 1
    assert "+ new  added" in answer.out
    assert "- report  removed" in answer.out
    assert "retries: 1 → 3" in answer.out
    found = json.loads(where.call("diff", str(other), "--json").out)
    assert [one["job"] for one in found["added"]] == ["new"]
    assert found["changed"] is True
    same = where.call("diff", str(where.file))
    assert (same.status, same.out) == (0, "no change of meaning\n")
    other.write_text("[jobs.x]\n")
    broken = where.call("diff", str(other))
    assert broken.status == 78
    assert "new.toml:1:" in broken.err


def test_a_run_says_which_version_it_ran_and_what_changed_since_the_last_success(project: Make) -> None:
    where = project(JOBS)
    with where.server("--workers", "1"):
        first = where.ended(where.trigger("backup"))
        assert (first["version"], first["success_before"], first["changed_since_success"]) == (1, None, None)
        same = where.ended(where.trigger("backup"))
        assert (same["version"], same["success_before"], same["changed_since_success"]) == (1, first["id"], [])
        assert where.call("set", "backup", 'command=["false"]', "retries=0", "env.TOKEN=hush").status == 0
        for _ in range(2):
            failed = where.ended(where.trigger("backup"))
            assert (failed["version"], failed["success_before"]) == (2, same["id"])
            assert failed["changed_since_success"] == [
                {"key": "command", "before": ["true"], "after": ["false"]},
                {"key": "retries", "before": 1, "after": 0},
                {"key": "env.TOKEN", "before": None, "after": "***"},
            ]
        shown = where.call("show", str(failed["id"])).out
        assert f'changed since the last success, run {same["id"]}\n  command: ["true"] → ["false"]\n' in shown
        alone = where.ended(int(where.call("submit", "--", "true").out))
        assert (alone["version"], alone["success_before"]) == (None, None)
        assert "version" not in where.call("show", str(alone["id"])).out
        assert "hush" not in where.call("history", "backup", "--json").out


def test_a_store_that_is_away_does_not_keep_the_file_from_being_changed(project: Make) -> None:
    where = project('[jobrunner]\nstore = "postgresql://127.0.0.1:1/x"\n' + JOBS)
    answer = where.call("set", "backup", "retries=4")
    assert answer.status == 0
    assert "not in the audit trail, and no server was told" in answer.err
    assert "retries = 4" in where.file.read_text()
    assert where.call("diff").status == 5
    assert where.call("reload").status == 5


def test_servers_load_what_is_changed_and_keep_versions(project: Make) -> None:
    where = project(JOBS)
    with where.server("--workers", "1"):
        assert where.json("reload") == [where.json("reload")[0]]
        before = where.json("servers")[0]["config_hash"]
        done = where.json("set", "backup", "timeout=1h")
        assert [one["loaded"] for one in done["servers"]] == [True]
        assert where.json("servers")[0]["config_hash"] != before
        newest = until(lambda: (found := where.json("history", "backup"))[0]["version"] == 2 and found, "version 2")
        assert newest[0]["origin"] == "edit"
        assert newest[0]["keys"] == [{"key": "timeout", "before": None, "after": "1h"}]
        assert [one["version"] for one in where.json("history", "backup", "--limit", "1")] == [2]
        assert where.call("diff").status == 0

        where.write(JOBS + "nonsense = 1\n")
        until(lambda: where.json("servers")[0]["config_error"], "the complaint")
        refused = where.call("reload")
        assert refused.status == 1
        assert "keeps its last good file" in refused.err
        assert where.call("health").status == 1
        where.write(JOBS + "enabled = false\n")
        until(lambda: where.json("servers")[0]["config_error"] is None, "the end of the complaint")
        assert {one["version"] for one in where.json("history", "backup")} == {1, 2, 3}

        back = where.call("rollback", "backup", "2")
        assert back.status == 0, back
        assert (
            where.file.read_text() == JOBS.replace("quiet then\n", 'quiet then\ntimeout = "1h"\n') + "enabled = false\n"
        )
        found = until(lambda: (all_ := where.json("history", "backup"))[0]["version"] == 4 and all_, "version 4")
        assert found[0]["origin"] == "rollback"
        assert where.call("rollback", "backup", "2").err == "jobrunner: job backup is as version 2 was\n"

        where.write(where.file.read_text().replace("[jobs.backup]", "[jobs.kept]"))
        gone = until(lambda: (all_ := where.json("history", "backup"))[0]["removed"] and all_, "the removal")
        assert (gone[0]["renamed_from"], gone[0]["renamed_to"]) == (None, "kept")
        assert "renamed to kept" in where.call("history", "backup").out
        come = where.json("history", "kept")
        assert [(one["renamed_from"], one["renamed_to"]) for one in come] == [("backup", None)]
        assert "renamed, was backup" in where.call("history").out
        assert where.call("rollback", "backup", "5").status == 6
        where.write('[jobrunner]\ntimezone = "Asia/Tokyo"\n' + where.file.read_text())
        back = where.call("rollback", "backup", "1")
        assert back.status == 0
        note = "note: with version 1 the file had timezone UTC, and has Asia/Tokyo now: that is as it is"
        assert note in back.err
        assert where.json("diff", str(where.file))["changed"] is False


def test_an_included_file_that_comes_changes_and_goes_is_noticed(project: Make) -> None:
    where = project('[jobrunner]\ninclude = ["jobs.d/*.toml"]\n[jobs.one]\ncommand = "true"\n')
    folder = where.folder / "jobs.d"
    folder.mkdir()
    with where.server("--workers", "1"):
        for command in ("one", "two"):
            (folder / "more.toml").write_text(f'[jobs.more]\ncommand = "{command}"\n')
            until(lambda word=command: _in_force(where, "more") == word, command)  # type: ignore[misc]
        (folder / "more.toml").unlink()
        until(lambda: _in_force(where, "more") is None, "the removal")


def test_a_server_told_to_wait_for_a_signal_reads_on_request_only(project: Make) -> None:
    where = project('[jobrunner]\nreload = "signal"\n' + JOBS)
    with where.server("--workers", "1") as server:
        where.write('[jobrunner]\nreload = "signal"\n' + JOBS.replace("report", "weekly"))
        server.signal(signal.SIGHUP)
        server.said(lambda line: "reloaded" in line.get("message", ""))
        where.write('[jobrunner]\nreload = "signal"\n' + JOBS)
        assert where.json("reload")[0]["loaded"] is True
        until(lambda: _in_force(where, "report"), "the job")


def _reloads_under_load(where: Project, rounds: int, tickers: int) -> None:
    """Half of the files are broken; jobs of each second fire all the while, and batches of runs are worked off."""
    tick = '[jobs.tick{}]\ncommand = "true"\nschedule = "* * * * * *"\noverlap = "allow"\n'
    good = "".join(map(tick.format, range(tickers))) + '[jobs.work]\ncommand = "true"\n'
    where.write(good)
    items = where.folder / "items"
    items.write_text("{}\n" * 5)
    with where.server("--workers", "2") as server:
        batches = []
        for number in range(rounds):
            valid, newest = number % 2 == 1, _newest(where)
            where.write(good + (f"retries = {number}\n" if valid else "[jobs.broken]\n"))
            server.signal(signal.SIGHUP)
            batches.append(where.json("trigger", "work", "--each", str(items))["batch_id"])
            until(lambda v=valid: (where.json("servers")[0]["config_error"] is None) == v, "the file read")  # type: ignore[misc]
            until(lambda n=newest: _newest(where) > n, "a fire")  # type: ignore[misc]
        for batch in batches:
            until(lambda b=batch: where.json("show", b)["succeeded"] == 5, "the batch")  # type: ignore[misc]
    answer = where.call("verify", "--since", "1h")
    assert answer.status == 0, answer
    due = sum(one["expected"] for one in where.json("verify", "--since", "1h")["jobs"])
    assert due >= tickers * rounds
    assert {run["state"] for run in where.json("runs", "--limit", "0")} <= {"succeeded", "queued", "scheduled"}


def _newest(where: Project) -> str:
    """The newest fire time that has a run; empty where there is none."""
    return max((run["fire_time"] or "" for run in where.json("runs", "--limit", "20")), default="")


def test_reloads_under_load_lose_no_fire_and_no_run(project: Make) -> None:
    _reloads_under_load(project(""), 4, tickers=3)


@pytest.mark.faults
def test_a_hundred_reloads_under_load_lose_no_fire_and_no_run(project: Make) -> None:
    _reloads_under_load(project(""), 100, tickers=20)


def _in_force(where: Project, job: str) -> Any:
    """The command of a job's newest version, None where it is out of force."""
    found = [one for one in where.json("history") if one["job"] == job]
    return found[0]["definition"]["command"] if found and not found[0]["removed"] else None


def _typed(where: Project, args: list[str], change: str, dialogue: list[tuple[str, str]], status: int = 0) -> str:
    return typed(args, where.folder, where.environment | {"EDITOR": change}, dialogue, status)
