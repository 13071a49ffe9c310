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
    """Answers to one kind of question. Thread-safe; ``work`` runs in a thread of its own, once at a time.

    ``ready`` is called there when an answer has come. An exception of ``work`` is a fault: it leaves the answer before.
    """

    def __init__(self, name: str, work: Callable[[], T], ready: Callable[[], None]) -> None:
        self._name = name
        self._work = work
        self._ready = ready
        self._lock = threading.Lock()
        self._working = False
        self._key: Hashable = None
        self._value: T | None = None

    def ask(self, key: Hashable) -> Known[T]:
        """What is known; where that is not the answer for ``key``, it is worked out."""
        with self._lock:
            current = self._value is not None and self._key == key
            if not current and not self._working:
                self._working = True
                threading.Thread(target=self._run, args=(key,), name=self._name, daemon=True).start()
            return Known(self._value, current)

    def _run(self, key: Hashable) -> None:
        try:
            value = self._work()
            with self._lock:
                self._key, self._value = key, value
        finally:
            with self._lock:
                self._working = False
        self._ready()
