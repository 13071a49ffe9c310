"""Ctrl-C while a verb waits."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest
import typer

from jobrunner.cli.waiting import _interrupted


class Dropping:
    """Is interrupted while Python finalizes it, where exceptions are dropped."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            pass


def test_one_that_comes_while_python_finalizes_something_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dropped = list[object]()
    monkeypatch.setattr(sys, "unraisablehook", lambda told: dropped.append(told.exc_type))
    before = signal.getsignal(signal.SIGINT)

    def wait() -> None:
        with _interrupted("it goes on"):
            Dropping()
            threading.Event().wait(20)

    with pytest.raises(typer.Exit) as ended:
        wait()
    assert (dropped, ended.value.exit_code) == ([KeyboardInterrupt], 130)
    assert capsys.readouterr().err == "jobrunner: it goes on\n"
    assert signal.getsignal(signal.SIGINT) is before


def test_where_interrupts_are_ignored_they_stay_so(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with _interrupted("it goes on"):
            os.kill(os.getpid(), signal.SIGINT)
        assert capsys.readouterr().err == ""
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
