"""The one thread that asks: the question of the view on top and the pulse, when they are new or something has changed.

Nothing else of the dashboard reads the store, so that a slow answer never holds up a key.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from jobrunner.domain.clock import Clock
from jobrunner.errors import ConfigError, JobrunnerError, StoreUnavailable

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.pulse import Pulse
    from jobrunner.store.signal import ChangeSignal

Question = Callable[["Admin"], object]

LEAST_SECONDS = 0.5
"""The least between two answers to changes; a new question is answered at once."""

LONGEST_SECONDS = 3.0
"""After which it asks again although nobody has committed anything: servers fall silent, files change."""

CALM_SECONDS = 3.0
"""The least between two answers while nobody looks: the terminal has lost the focus."""

RETRY_SECONDS = 1.0
"""How often a store is tried again that is away."""

REST = 4.0
"""An answer that took so long is not asked for again, on a change, within this many times as long."""


class Asked(NamedTuple):
    """A question, and who wants to know: ``view`` and ``serial`` come back with the answer."""

    view: object
    serial: int
    question: Question


class Trouble(NamedTuple):
    """Why there is no answer, in one line. ``away``: the store cannot be reached, which is tried again."""

    text: str
    away: bool = False


class Told(NamedTuple):
    """What came of a question. ``answer`` is of use where ``answered``; ``pulse`` None where it could not be asked."""

    asked: Asked
    answered: bool
    answer: object
    pulse: Pulse | None
    trouble: Trouble | None
    at: datetime


class Reader:
    """Asks in a thread of its own, until it is stopped; ``tell`` is called there with what came of it.

    No change in the store, no question. ``unexpected`` is told of exceptions that are a fault of ours.
    """

    def __init__(
        self,
        admin: Admin,
        *,
        clock: Clock,
        tell: Callable[[Told], None],
        unexpected: Callable[[BaseException], None],
    ) -> None:
        self._admin = admin
        self._clock = clock
        self._tell = tell
        self._unexpected = unexpected
        self._wake = threading.Condition()
        self._asked: Asked | None = None
        self._new = False
        self._busy = False
        self._ended = False
        self._calm = False
        self._frozen = False
        self._signal: ChangeSignal | None = None
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)

    def start(self) -> None:
        self._admin.when_ready(self.look)
        self._thread.start()

    def look(self) -> None:
        """Asks what was asked last once more: more is known now. Any thread."""
        with self._wake:
            self._new = self._new or not self._frozen
            self._notify()

    def stop(self, seconds: float = 0.3) -> None:
        """Ends it; a question that is under way is interrupted, and not waited for longer than ``seconds``."""
        with self._wake:
            self._ended = True
            self._notify()
            if self._busy:
                self._interrupt()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def ask(self, asked: Asked, *, interrupt: bool = False) -> None:
        """Has this asked next, in the place of any other; ``interrupt``: what is under way is not wanted any more."""
        with self._wake:
            self._asked, self._new = asked, True
            if interrupt and self._busy:
                self._interrupt()
            self._notify()

    def calm(self, calm: bool) -> None:
        """Whether nobody looks; back from that it looks at once."""
        with self._wake:
            self._calm = calm
            self._new = self._new or not calm
            self._notify()

    def freeze(self, frozen: bool) -> None:
        """Whether changes are not to be shown; what is asked anew still is."""
        with self._wake:
            self._frozen = frozen
            self._new = self._new or not frozen
            self._notify()

    def _interrupt(self) -> None:
        self._admin.interrupt()

    def _notify(self) -> None:
        self._wake.notify_all()
        if self._signal is not None:
            self._signal.poke()

    def _run(self) -> None:
        try:
            while (asked := self._next()) is not None:
                started = self._clock.monotonic()
                told = self._answer(asked)
                with self._wake:
                    self._busy = False
                    outdated = self._asked is not asked
                if not (outdated and told.trouble):
                    self._tell(told)
                away = told.trouble is not None and told.trouble.away
                took = self._clock.monotonic() - started
                least = CALM_SECONDS if self._calm else LEAST_SECONDS
                self._rest(RETRY_SECONDS if away else max(took * REST, least), away=away)
        except Exception as error:
            self._unexpected(error)
        finally:
            self._admin.close(ending=True)

    def _next(self) -> Asked | None:
        """What is to be asked now; waits for it. None: it is over."""
        while True:
            with self._wake:
                if self._ended:
                    return None
                if self._asked is not None and self._new:
                    self._new, self._busy = False, True
                    return self._asked
            changed = self._changed()
            with self._wake:
                self._new = self._new or (changed and not self._frozen)

    def _changed(self) -> bool:
        """Waits until something has changed, is asked, or could have changed without a word in the store."""
        try:
            if self._signal is None:
                self._signal = self._admin.changes()
            if self._signal.wait(LONGEST_SECONDS):
                return True
        except StoreUnavailable:
            self._rest(RETRY_SECONDS, away=False)
            return True
        with self._wake:
            return not self._new

    def _rest(self, seconds: float, *, away: bool) -> None:
        """Leaves the processor to others; a new question ends the rest."""
        with self._wake:
            self._wake.wait_for(lambda: self._ended or self._new, seconds)
            self._new = self._new or (away and not self._ended)

    def _answer(self, asked: Asked) -> Told:
        pulse: Pulse | None = None
        try:
            with self._admin.interruptible():
                pulse = self._admin.pulse()
                return self._told(asked, pulse, answer=asked.question(self._admin), answered=True)
        except StoreUnavailable as error:
            return self._told(asked, None, Trouble(str(error), away=True))
        except ConfigError as error:
            return self._told(asked, pulse, Trouble(str(error.problems[0]) if error.problems else str(error)))
        except JobrunnerError as error:
            return self._told(asked, pulse, Trouble(str(error)))
        except Exception as error:
            self._unexpected(error)
            return self._told(asked, pulse, Trouble(f"unexpected {type(error).__name__}: {error}"))

    def _told(
        self,
        asked: Asked,
        pulse: Pulse | None,
        trouble: Trouble | None = None,
        *,
        answer: object = None,
        answered: bool = False,
    ) -> Told:
        return Told(asked, answered, answer, pulse, trouble, self._clock.now())
