"""What is measured with the same verbs: this program and its peers, each in one configuration."""

from __future__ import annotations

from typing import Protocol

from bench.services import Services


class Subject(Protocol):
    @property
    def title(self) -> str: ...

    def enqueue(self, services: Services, count: int) -> float:
        """Runs created a second, one at a time."""

    def batch(self, services: Services, count: int) -> float:
        """Runs created a second, at once."""

    def drain(self, services: Services, count: int) -> float:
        """Runs worked off a second."""
