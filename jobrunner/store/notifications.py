"""What others say to the servers of a PostgreSQL store (LISTEN). Called by the listener; ``listeners`` tells."""

from __future__ import annotations

from jobrunner.errors import StoreUnavailable
from jobrunner.store.database import Database
from jobrunner.store.listeners import CHANNEL
from jobrunner.store.migrations import store_id


class Notifications:
    """What comes in on this thread's connection, from now on; ``fileno`` becomes readable when something does.

    Raises (every method):
        StoreUnavailable: the connection is cut; another one has to be made.
    """

    def __init__(self, db: Database) -> None:
        db.execute(f'LISTEN "{CHANNEL}{store_id(db)}"')
        self._libpq = db.driver.pgconn

    def fileno(self) -> int:
        return int(self._libpq.socket)

    def take(self) -> list[str]:
        """Who has told of something since the last time."""
        from psycopg import OperationalError

        senders = list[str]()
        try:
            self._libpq.consume_input()
            while (said := self._libpq.notifies()) is not None:
                senders.append(said.extra.decode())
        except OperationalError as error:
            raise StoreUnavailable("the store has cut the connection that listens") from error
        return senders
