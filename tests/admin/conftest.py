"""A project on a store of either kind, for tests of use cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import samples

from jobrunner import wiring
from jobrunner.admin import Admin
from jobrunner.domain.state import Trigger

Project = Callable[[str], Admin]


@pytest.fixture(autouse=True)
def _now(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """``NOW`` of a module that goes by the real clock is the beginning of each of its tests, not that of all tests."""
    if getattr(request.module, "NOW", samples.NOW) != samples.NOW:
        monkeypatch.setattr(request.module, "NOW", datetime.now(UTC))


@pytest.fixture
def project(store_url: str, tmp_path: Path) -> Iterator[Project]:
    """Makes a project of a jobs.toml on an empty store; gives its use cases."""
    opened = list[Admin]()

    def make(jobs: str) -> Admin:
        path = tmp_path / "jobs.toml"
        path.write_text(f'[jobrunner]\nstore = "{store_url}"\ntimezone = "UTC"\n{jobs}')
        path.chmod(0o600)
        opened.append(wiring.make_admin(path, source=Trigger.MANUAL, warn=False))
        return opened[-1]

    yield make
    for admin in opened:
        admin.close()
