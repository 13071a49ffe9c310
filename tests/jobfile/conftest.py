"""What the tests of jobs.toml share: a folder with files of a given text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jobrunner import jobfile
from jobrunner.domain.jobfile import Jobfile

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "holidays.txt").write_text("2026-12-26\n")  # which whole.toml names
    (tmp_path / "holidays.txt").chmod(0o644)
    for name in ("JOBRUNNER_CONFIG", "XDG_CONFIG_HOME", "NO_SUCH_VARIABLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _every_file_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out of large files is left out of the small ones of these tests."""
    monkeypatch.setattr("jobrunner.jobfile.source._LARGE_BYTES", 0)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file into the test's folder and gives its path."""

    def _write(text: str | bytes, name: str = "jobs.toml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(0o644)
        return path

    return _write


@pytest.fixture
def read(write: Write) -> Callable[[str], Jobfile]:
    """Reads a file of the given text, whole."""
    return lambda text: jobfile.read(write(text))
