"""Work that takes long, done behind the back of who asks: there is always an answer at once, perhaps the one before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Known(NamedTuple, Generic[T]):
    """The newest answer there is, None before the first; ``current`` where it is the one to what was asked."""

    value: T | None
    current: bool


class Behind(Generic[T]):
    """Answers to one kind of question. Thread-safe; they are worked out in a thread of its own, one at a time.

    ``ready`` is called there when an answer has come. An exception of the work is a fault: it leaves the answer before.
    """

    def __init__(self, name: str, ready: Callable[[], None]) -> None:
        self._name = name
        self._ready = ready
        self._lock = threading.Lock()
        self._working = False
        self._key: Hashable = None
        self._value: T | None = None

    def ask(self, key: Hashable, work: Callable[[], T]) -> Known[T]:
        """What is known; where that is not the answer for ``key``, ``work`` finds it."""
        with self._lock:
            current = self._value is not None and self._key == key
            if not current and not self._working:
                self._working = True
                threading.Thread(target=self._run, args=(key, work), name=self._name, daemon=True).start()
            return Known(self._value, current)

    def _run(self, key: Hashable, work: Callable[[], T]) -> None:
        try:
            value = work()
            with self._lock:
                self._key, self._value = key, value
        finally:
            with self._lock:
                self._working = False
        self._ready()
