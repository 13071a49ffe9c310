"""The one thread that does what a person asks for, one thing after another. The screen goes on meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

from jobrunner.errors import JobrunnerError
from jobrunner.tui.actions.hands import Hands

T = TypeVar("T")

Work = Callable[[], None]


class Performer:
    """Does work in a thread of its own; ``bring`` calls what it is given on the UI thread."""

    def __init__(
        self, hands: Hands, *, bring: Callable[[Work], None], unexpected: Callable[[BaseException], None]
    ) -> None:
        self.hands = hands
        self._bring = bring
        self._unexpected = unexpected
        self._queue = SimpleQueue[Work | None]()
        self._thread = threading.Thread(target=self._run, name="performer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends it after what it is doing, and waits for nothing."""
        self._queue.put(None)

    def do(
        self,
        work: Callable[[Hands], T],
        then: Callable[[T], None],
        failed: Callable[[str], None],
        *,
        apart: bool = False,
    ) -> None:
        """Has work done; ``then`` gets what it gave, ``failed`` one line that says why it gave nothing.

        ``apart``: in a thread of its own, beside everything else.
        """

        def perform() -> None:
            try:
                value = work(self.hands)
            except JobrunnerError as error:
                text = " ".join(str(error).split())
                self._bring(lambda: failed(text))
            except Exception as error:
                self._unexpected(error)
                said = f"unexpected {type(error).__name__}: {error}"
                self._bring(lambda: failed(said))
            else:
                self._bring(lambda: then(value))

        if apart:
            threading.Thread(target=self._once, args=(perform,), name="performer apart", daemon=True).start()
        else:
            self._queue.put(perform)

    def _once(self, work: Work) -> None:
        work()
        self.hands.admin.close(ending=True)

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            work()
        self.hands.admin.close(ending=True)
