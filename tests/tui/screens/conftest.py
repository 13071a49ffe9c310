"""A store beside the dashboard, to put runs into."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jobrunner.admin import Admin
from jobrunner.store import Database, open_store


@pytest.fixture
def store(admin: Admin) -> Iterator[Database]:
    """The store that the dashboard looks at."""
    database = open_store(admin.settings.store)
    yield database
    database.close()
