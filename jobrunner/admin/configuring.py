"""The configuration as who watches sees it. Nothing of it is in the audit trail.

What it needs is imported when it is asked for: a trigger pays for none of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from jobrunner.admin.context import Context

if TYPE_CHECKING:
    from jobrunner.domain.change import InForce
    from jobrunner.domain.configuration import Configuration

_SHOWN = ("timezone", "workers", "queues", "shutdown_timeout", "durability", "reload", "lost_after", "production")


class _WithHistory(Protocol):
    _context: Context

    def history(self, job: str | None, limit: int) -> list[InForce]: ...


class Configuring:
    """The verb of who asks what is configured."""

    _context: Context

    def configuration(self: _WithHistory, versions: int = 200) -> Configuration:
        """The file as it is, what is wrong with it, who has it in force, and its newest ``versions``."""
        from jobrunner.domain.configuration import Configuration
        from jobrunner.jobfile.include import expand
        from jobrunner.store import servers

        context = self._context
        settings = context.settings
        found = context.jobs.at_hand(settings.include)
        whole = found.whole
        include = whole.settings.include if whole is not None else settings.include
        files = [file for pattern in include for file in expand(pattern, settings.folder)]
        error = found.error
        return Configuration(
            files=(settings.path, *files),
            config_hash=whole.config_hash if whole is not None else None,
            jobs=len(whole.jobs) if whole is not None else None,
            problems=tuple(map(str, error.problems)) or (str(error),) if error is not None else (),
            warnings=whole.warnings if whole is not None else (),
            reading=found.reading,
            settings=tuple(_settings(context)),
            servers=tuple(servers.find(context.db, context.clock.now())),
            versions=tuple(self.history(None, versions)),
        )


def _settings(context: Context) -> Iterator[tuple[str, str]]:
    from jobrunner.domain.configuration import text
    from jobrunner.domain.duration import format_duration
    from jobrunner.store.postgresql import without_password

    settings = context.settings
    yield "store", without_password(settings.store)
    yield "broker", without_password(settings.broker) if settings.broker is not None else "the store"
    for key in _SHOWN:
        value = getattr(settings, key)
        yield key, format_duration(value) if isinstance(value, timedelta) else text(value)
