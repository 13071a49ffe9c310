"""The one thread of an editor: it opens and saves, one after another, and looks at what was typed last.

What was typed in between is never looked at: a newer text takes its place.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TypeVar

from jobrunner.admin.drafting import Drafting
from jobrunner.errors import JobrunnerError

if TYPE_CHECKING:
    from jobrunner.admin.editing import Editor

T = TypeVar("T")

Work = Callable[[], None]

QUIET_SECONDS = 0.12
"""How long nothing has to be typed before a text is looked at."""

REST = 2.0
"""A look that took so long is repeated after so many times as long: typing goes on meanwhile, and threads share."""


LONGEST = 2.0
"""Nobody waits longer for a look than so many seconds, and what it takes."""


class Tools:
    """What is worked with: the editor, and the drafts that it has opened."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        self.drafting = Drafting(editor)


class Workshop:
    """Works in a thread of its own until it is closed. ``bring`` calls what it is given on the UI thread.

    ``unexpected`` is told of exceptions that are a fault of ours.
    """

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[Editor]],
        *,
        bring: Callable[[Work], None],
        unexpected: Callable[[BaseException], None],
    ) -> None:
        self._opened = opened
        self._bring = bring
        self._unexpected = unexpected
        self._wake = threading.Condition()
        self._asked = deque[Callable[[Tools], Work]]()
        self._latest: Callable[[Tools], Work] | None = None
        self._typed = 0
        self._took = 0.0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="workshop", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Ends it after what it is doing, and waits for nothing."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()

    def do(
        self, work: Callable[[Tools], T], then: Callable[[T], None], failed: Callable[[JobrunnerError], None]
    ) -> None:
        """Has work done after all that was asked for before; ``then`` gets what it gave, ``failed`` why it did not."""
        with self._wake:
            self._asked.append(lambda tools: self._attempt(work, tools, then, failed))
            self._wake.notify_all()

    def look(
        self, work: Callable[[Tools], T], then: Callable[[T], None], failed: Callable[[JobrunnerError], None]
    ) -> None:
        """Has this done once nothing newer has been given for a moment, in the place of any other such work."""
        with self._wake:
            self._latest = lambda tools: self._timed(work, tools, then, failed)
            self._typed += 1
            self._wake.notify_all()

    def look_at_once(
        self, work: Callable[[Tools], T], then: Callable[[T], None], failed: Callable[[JobrunnerError], None]
    ) -> None:
        """Has this done as ``do``; how long it takes is known before anything is typed."""
        with self._wake:
            self._asked.append(lambda tools: self._timed(work, tools, then, failed))
            self._wake.notify_all()

    def _timed(
        self,
        work: Callable[[Tools], T],
        tools: Tools,
        then: Callable[[T], None],
        failed: Callable[[JobrunnerError], None],
    ) -> Work:
        started = time.monotonic()
        answer = self._attempt(work, tools, then, failed)
        self._took = time.monotonic() - started
        return answer

    def _attempt(
        self,
        work: Callable[[Tools], T],
        tools: Tools,
        then: Callable[[T], None],
        failed: Callable[[JobrunnerError], None],
    ) -> Work:
        try:
            value = work(tools)
        except JobrunnerError as error:
            refused = error
            return lambda: failed(refused)
        return lambda: then(value)

    def _run(self) -> None:
        try:
            with self._opened() as editor:
                tools = Tools(editor)
                while (work := self._next()) is not None:
                    self._bring(work(tools))
        except Exception as error:
            self._unexpected(error)

    def _next(self) -> Callable[[Tools], Work] | None:
        """What is to be done now; waits for it. None: it is over."""
        with self._wake:
            while True:
                if self._asked:
                    return self._asked.popleft()
                if self._closed:
                    return None
                if self._latest is None:
                    self._wake.wait()
                elif self._quiet():
                    work, self._latest = self._latest, None
                    return work

    def _quiet(self) -> bool:
        typed = self._typed
        self._wake.wait(max(QUIET_SECONDS, min(self._took * REST, LONGEST)))
        return self._typed == typed and not self._asked and not self._closed
