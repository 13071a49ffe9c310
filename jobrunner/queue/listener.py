"""Wake-ups between processes of any host, where the store is PostgreSQL: its NOTIFY, on a connection for nothing else.

A notification says only "look again"; one that is lost costs at most the server's safety query, a second later.
"""

from __future__ import annotations

import logging
import os
import select
import threading

from jobrunner.errors import StoreUnavailable
from jobrunner.store.database import Database
from jobrunner.store.notifications import Notifications

log = logging.getLogger(__name__)

_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.1, 5.0
_CLOSE_SECONDS = 1.0


class Listener:
    """The ear of one server. ``fileno`` becomes readable when somebody else has told the servers of something.

    ``address`` is what the server signs its own notifications with. A connection that is cut is made anew, by itself.
    """

    def __init__(self, db: Database) -> None:
        self.address = os.urandom(8).hex()
        self._db = db
        self._rung = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._end = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._closed = threading.Event()
        self._backoff = _FIRST_BACKOFF
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        return self._rung

    def clear(self) -> None:
        """Takes what was rung so far."""
        try:
            os.eventfd_read(self._rung)
        except BlockingIOError:
            pass

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        os.eventfd_write(self._end, 1)
        self._thread.join(_CLOSE_SECONDS)
        # A thread that is still trying to connect would write into whatever has these numbers next.
        if not self._thread.is_alive():
            os.close(self._rung)
            os.close(self._end)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._listen()
            except StoreUnavailable as error:
                log.debug("%s; listening again in %.1f s", error, self._backoff)
            except Exception:
                log.exception("fault in listening to the store; new runs are found a second late")
                self._backoff = _LONGEST_BACKOFF
            self._db.close()
            self._closed.wait(self._backoff)
            self._backoff = min(self._backoff * 2, _LONGEST_BACKOFF)

    def _listen(self) -> None:
        notifications = Notifications(self._db)
        self._backoff = _FIRST_BACKOFF
        self._ring()  # whatever was said while nobody listened
        poller = select.poll()
        poller.register(self._end, select.POLLIN)
        poller.register(notifications.fileno(), select.POLLIN)
        while not self._closed.is_set():
            poller.poll()
            if any(sender != self.address for sender in notifications.take()):
                self._ring()

    def _ring(self) -> None:
        os.eventfd_write(self._rung, 1)
