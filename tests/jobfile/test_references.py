"""References: variables, files, systemd credentials, the escape, and what their failures say."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrunner.domain.job import HttpRequest
from jobrunner.domain.params import fill
from jobrunner.jobfile.references import ReferenceFailed, malformed, resolve, resolve_env, resolve_request

ENV = {"USER": "ann", "PW": "s3cret", "EMPTY": "", "BRACES": "{x}}}{{y}"}


@pytest.mark.parametrize(
    ("text", "value", "secrets"),
    [
        ("plain $PW $$ {x}", "plain $PW $$ {x}", ()),
        ("${PW}", "s3cret", ("s3cret",)),
        ("u:${PW}@${USER}:${PW}", "u:s3cret@ann:s3cret", ("s3cret", "ann")),
        ("$${PW} costs ${PW}", "${PW} costs s3cret", ("s3cret",)),
        ("a${EMPTY}b", "ab", ()),
        ("$$${PW}", "$${PW}", ()),
    ],
)
def test_variables(text, value, secrets) -> None:
    assert resolve(text, environ=ENV, where="x") == (value, secrets)


def test_files(write, tmp_path) -> None:
    path = write("tok\nen \r\n\n", "run/token")
    assert resolve(f"<${{file:{path}}}>", environ={}, where="x") == ("<tok\nen >", ("tok\nen ",))
    assert resolve("${file: run/token }", environ={}, where="x", folder=str(tmp_path))[0] == "tok\nen "
    credentials = {"CREDENTIALS_DIRECTORY": str(tmp_path / "run")}
    assert resolve("${file:$CREDENTIALS_DIRECTORY/token}", environ=credentials, where="x")[0] == "tok\nen "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${NOPE}", "^jobs.a.env.X: the environment variable NOPE is not set$"),
        ("${file:$NOPE/x}", "^jobs.a.env.X: the environment variable NOPE is not set$"),
        ("${file:/no/such}", r"^jobs.a.env.X: \$\{file:/no/such\} cannot be read: No such file or directory$"),
        ("${file:x}", r"the path of \$\{file:x\} must be absolute$"),
        ("${file:/}", "Is a directory"),
        ("${file:/dev/zero}", "not a regular file"),
        ("${file:/no/such\n\x1b}", r"\$\{file:/no/such\\n\\x1b\} cannot be read"),
        ("${}", "neither"),
        ("${a b}", "neither"),
        ("${file:}", "neither"),
        ("x ${PW", "does not end"),
    ],
)
def test_failures_are_one_line(text, message) -> None:
    with pytest.raises(ReferenceFailed, match=message) as caught:
        resolve(text, environ={"PW": "x"}, where="jobs.a.env.X")
    assert caught.value.exit_status == 78
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "message"), [(b"\xff", "not UTF-8"), (b"a\0b", "NUL"), (b"x" * 70_000, "larger than 64 KiB")]
)
def test_files_that_hold_no_text(raw, message, write) -> None:
    with pytest.raises(ReferenceFailed, match=message):
        resolve(f"${{file:{write(raw, 's')}}}", environ={}, where="x")


def test_a_pipe_is_not_waited_for(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ReferenceFailed, match="not a regular file"):
        resolve(f"${{file:{tmp_path}/pipe}}", environ={}, where="x")


def test_env() -> None:
    assert resolve_env({"A": "${PW}", "B": "b", "C": "${PW}"}, environ=ENV, where="jobs.a.env") == (
        {"A": "s3cret", "B": "b", "C": "s3cret"},
        ("s3cret",),
    )
    with pytest.raises(ReferenceFailed, match=r"^jobs\.a\.env\.Z: "):
        resolve_env({"Z": "${NOPE}"}, environ=ENV, where="jobs.a.env")


def test_braces_of_a_reference_survive_the_filling_of_parameters() -> None:
    request = HttpRequest(
        url="http://h/${USER}/{id}",
        headers={"X": "${BRACES}{id}"},
        json={"a": ["${BRACES}", 7, {"b": "{id}"}]},
        body=None,
    )
    resolved, secrets = resolve_request(request, environ=ENV, where="jobs.a.http")
    assert fill(resolved.url, {"id": 7}) == "http://h/ann/7"
    assert fill(resolved.headers["X"], {"id": 7}) == ENV["BRACES"] + "7"
    assert fill(resolved.json["a"][0], {"id": 7}) == ENV["BRACES"]
    assert resolved.json["a"][1:] == [7, {"b": "{id}"}]
    assert secrets == ("ann", ENV["BRACES"])


@given(st.text("${}fileXY:/ "))
def test_a_text_is_either_malformed_or_resolves(text) -> None:
    try:
        value, _ = resolve(text, environ={"X": "1", "Y": "2", "XY": "3"}, where="w")
    except ReferenceFailed as failed:
        value, message = None, str(failed)
    else:
        message = ""
    if malformed(text):
        assert message.startswith("w has ")
    elif value is None:
        assert message.startswith("w: ")
