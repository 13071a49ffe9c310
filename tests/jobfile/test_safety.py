"""Files that are unsafe, unreadable, too large, too deep, or no text: refused in one line, with the place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobrunner import jobfile
from jobrunner.errors import ConfigError
from jobrunner.jobfile import source

JOB = '[jobs.a]\ncommand = "true"\n'


def _told(path: Path | str, *, of_a_job: bool = False) -> str:
    (problem,) = jobfile.check(path).problems
    with pytest.raises(ConfigError) as caught:
        jobfile.read(path)
    assert caught.value.problems == (problem,)
    if of_a_job:
        assert jobfile.read_settings(path)[1] == (str(problem),)
        return str(problem).removeprefix(f"{path}:").strip()
    with pytest.raises(ConfigError) as caught:
        jobfile.read_settings(path)
    assert caught.value.problems == (problem,)
    return str(problem).removeprefix(f"{path}:").strip()


def test_everybody_can_write(write) -> None:
    path = write(JOB)
    path.chmod(0o646)
    assert _told(path).startswith("everybody can write it")


def test_third_user(write, monkeypatch) -> None:
    path = write(JOB)
    if os.geteuid() == 0:
        os.chown(path, 54_321, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    assert "neither root nor the user who runs this" in _told(path)


def test_the_group_can_write(write) -> None:
    path = write(JOB)
    path.chmod(0o664)
    result = jobfile.check(path)
    assert result.valid
    assert [str(warning) for warning in result.warnings] == [
        f"{path}: its group can write it; `chmod g-w` it unless that is meant"
    ]


def test_missing(tmp_path) -> None:
    assert _told(tmp_path / "jobs.toml") == "there is no such file"


def test_a_folder(tmp_path) -> None:
    assert _told(tmp_path) == "is a folder; name the file in it"


def test_a_pipe_is_not_waited_for(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert _told(tmp_path / "pipe") == "is not a regular file"


def test_a_link_is_followed_and_its_folder_is_the_one_named(write, tmp_path) -> None:
    write(JOB, "etc/jobs.toml")
    (tmp_path / "jobs.toml").symlink_to("etc/jobs.toml")
    assert jobfile.read("jobs.toml").settings.folder == str(tmp_path)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'[jobs.a]\ncommand = "t\xffrue"\n', "2:13: not UTF-8: byte 0xff"),
        ('[jobs.ä]\ncommand = "é'.encode() + b"\xff", "2:13: not UTF-8: byte 0xff"),
        (JOB.encode("utf-16"), "1:1: not UTF-8 but UTF-16; save it as UTF-8"),
        (b"\xef\xbb\xbf" + JOB.encode(), "1:1: starts with a byte order mark; save it as UTF-8 without one"),
        (b"a\x00b", "1:2: not TOML: expected '=' after a key in a key/value pair"),
    ],
)
def test_what_is_no_text(raw, expected, write) -> None:
    path = write(raw)
    assert _told(path, of_a_job=raw.startswith(b"[jobs.a]")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = " + "[" * 100_000, "1:105: lists and tables are nested more than 100 deep"),
        ("\nx = " + "{a = " * 100_000, "2:505: lists and tables are nested more than 100 deep"),
        ("x = 1\n" + ".".join("a" * 10_000) + " = 1", "2:1: a key of more than 200 parts"),
        ("[" + ".".join(["'a b'"] * 10_000) + "]", "1:2: a key of more than 200 parts"),
        ("x = 1\ny = " + "9" * 5_000, "2:5: a number of too many digits"),
    ],
    ids=["lists", "tables", "dotted", "header", "digits"],
)
def test_bombs(text, expected, write) -> None:
    assert _told(write(text)) == expected


def test_brackets_in_texts_and_comments_are_no_nesting(write) -> None:
    text = '[jobs.a]\ncommand = ["echo", "' + "[" * 300 + '"] # ' + "{" * 300 + "\n"
    text += "description = '" + "{" * 300 + "'\n"
    assert jobfile.check(write(text)).valid


def test_many_dots_in_a_text_are_no_key(write) -> None:
    assert jobfile.check(write(f'[jobs.a]\ncommand = "echo {"." * 5000} {"1.2 " * 500}"')).valid


def test_too_large(write, monkeypatch) -> None:
    path = write(JOB)
    with path.open("r+b") as file:
        file.truncate(source.MAX_BYTES + 1)
    assert _told(path) == "is larger than 16 MiB"


def test_line_ends_of_windows(write) -> None:
    path = write('[jobs.a]\r\ncommand = "true"\r\nretrys = 3\r\n')
    assert _told_line(path) == (3, 1)


def _told_line(path: Path) -> tuple[int | None, int | None]:
    (problem,) = jobfile.check(path).problems
    return problem.line, problem.column
