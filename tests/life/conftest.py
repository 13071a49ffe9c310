"""Projects for whole-process tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from project import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Callable[[str], Project]]:
    """Makes a project of a jobs.toml in the test's folder; nothing of it survives the test."""
    made = list[Project]()

    def make(jobs: str) -> Project:
        made.append(Project(tmp_path, jobs))
        return made[-1]

    yield make
    for each in made:
        each.close()
