"""psycopg's connection, made to notice that its server has fallen silent. Imported by ``postgresql``, with psycopg.

PostgreSQL may think for long, and a frozen one, or one behind a wall that swallows packets, looks just the same. So
when an answer takes long, another connection is tried: where that cannot be made either, nobody is there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import psycopg

from jobrunner.domain.clock import SystemClock
from jobrunner.store.database import NO_ANSWER

_monotonic = SystemClock().monotonic


class WatchedConnection(psycopg.Connection[Any]):
    """One whose statements end with OperationalError when after ``patience`` seconds ``ask`` raises that."""

    patience = 5.0
    ask: Callable[[], None]

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        return super().wait(self._watching(gen), *args, **options)

    def _watching(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        # psycopg sends "nothing yet" several times a second while it waits.
        ask_at = _monotonic() + self.patience
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and _monotonic() >= ask_at:
                    self._ask()
                    ask_at = _monotonic() + self.patience
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value

    def _ask(self) -> None:
        try:
            self.ask()
        except psycopg.OperationalError as error:
            if "FATAL" in str(error):
                return  # somebody is there, and says so: too many connections, for one
            self.pgconn.finish()
            raise psycopg.OperationalError(f"{NO_ANSWER} {self.patience:.0f} s, and {error}") from error
