"""Copies of examples with servers on them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from copies import EXAMPLES, Example


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Callable[[str], Example]]:
    """Gives a copy of an example with a server on it."""
    with ExitStack() as stack:

        def start(name: str) -> Example:
            shutil.copytree(EXAMPLES / name, tmp_path / name)
            found = Example(tmp_path / name)
            stack.enter_context(found.server())
            return found

        yield start
