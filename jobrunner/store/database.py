"""One connection to the store per thread, its transactions and its errors. Used by every module of this room only.

Statements are written once, as SQL with ``?`` for parameters, and run through peewee's ``execute_sql``: its query
builder costs 25 to 50 times the statement. ``INDEXED BY`` stands where SQLite, which keeps no statistics here, would
take the larger of two indexes; PostgreSQL is not shown it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import peewee

from jobrunner.domain.clock import SystemClock
from jobrunner.errors import Interrupted, JobrunnerError, StoreUnavailable

_HINTS = {
    "locked": "another process holds it; try again",
    "lock timeout": "another process holds it; try again",
    "timeout expired": "check that it answers at this address",
    "password authentication": "check the user and the password that [jobrunner] store names",
    "full": "free some room on its disk",
    "readonly": "check the permissions of the file and its folder",
    "disk I/O error": "its disk may be full, or fail",
    "malformed": "restore it from a copy; the file is damaged",
    "not a database": "the file is something else, or damaged; name another in [jobrunner] store",
    "unable to open": "check that its folder exists and that you may write there",
}
NO_ANSWER = "no answer for"
"""Part of the error of a store that has fallen silent: another connection has been tried, and is of no use either."""

_PAUSE = 0.001
"""Seconds between two looks whether another process has let go of a SQLite file: about what a transaction takes."""

_SOME = 1_000
"""Rows that one statement is about."""

_COLLISIONS = ("40P01", "40001")
_CANCELLED = "57014"
_FAULTS = (peewee.IntegrityError, peewee.DataError, peewee.ProgrammingError)


class StatementRefused(StoreUnavailable):
    """The store is there and refuses this statement: it would be refused again."""


class Collision(StoreUnavailable):
    """Two transactions have waited for each other, and this one was undone: it may be tried again at once."""


class Rows:
    """What a statement leaves: rows to fetch, and ``rowcount``, how many it touched."""

    __slots__ = ("_cursor", "_url")

    def __init__(self, cursor: Any, url: str) -> None:
        self._cursor = cursor
        self._url = url

    @property
    def rowcount(self) -> int:
        return int(self._cursor.rowcount)

    def fetchone(self) -> Any:
        try:
            return self._cursor.fetchone()
        except sqlite3.Error as error:
            raise _unavailable(self._url, error) from error

    def fetchall(self) -> list[Any]:
        try:
            return self._cursor.fetchall()  # type: ignore[no-any-return]
        except sqlite3.Error as error:
            raise _unavailable(self._url, error) from error

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())

    def in_parts(self, size: int = 1000) -> Iterator[Any]:
        """All rows, at most ``size`` of them in memory at a time where the database can do that. To be taken to the
        end at once: until then the statement goes on."""
        try:
            while part := self._cursor.fetchmany(size):
                yield from part
        except sqlite3.Error as error:
            raise _unavailable(self._url, error) from error


class Interruption:
    """A stretch of questions of one thread that another one may break off."""

    def __init__(self, dialect: str, driver: Any) -> None:
        self._stop = driver.interrupt if dialect == "sqlite" else driver.cancel
        self._asked = False

    def stop(self) -> None:
        self._asked = True
        try:
            self._stop()
        except sqlite3.Error:
            pass  # it has been closed meanwhile

    def check(self) -> None:
        if self._asked:
            raise Interrupted("interrupted")


class _Open(threading.local):
    """What one thread has under way, and which file its connection was made to."""

    transaction = False
    snapshot = False
    interruption: Interruption | None = None
    place: tuple[int, int] | None = None


class Database:
    """A SQLite file or a PostgreSQL database behind peewee.

    A connection does not outlive a fork of its process, nor the file that it was made to: where another file has taken
    the place of a SQLite store, that one is opened, and where there is none, nothing is written to what is left of it.

    ``dialect`` is ``sqlite`` or ``postgresql``; ``path`` the file of a SQLite store, else None; ``for_update`` what a
    SELECT ends with to hold its rows until the transaction ends, empty where a transaction is alone anyway.
    ``patience``: how many seconds a statement waits while another process writes to the same SQLite file.

    Raises (every method):
        StoreUnavailable: it cannot be opened, read or written.
    """

    def __init__(
        self, connections: peewee.Database, *, dialect: str, url: str, path: Path | None, patience: float = 0.0
    ) -> None:
        self.dialect = dialect
        self.path = path
        self.for_update = " FOR UPDATE" if dialect == "postgresql" else ""
        self._url = url
        self._patience = patience
        self._connections = connections
        self._open = _Open()
        self._interrupting = threading.Lock()
        self._interruptions = set[Interruption]()
        _databases.add(self)

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Rows:
        """Runs one statement; outside of ``transaction`` it is its own transaction.

        Text that a database cannot hold (lone surrogates, on PostgreSQL NUL) is kept with U+FFFD in its place.
        """
        if (interruption := self._open.interruption) is not None:
            interruption.check()
        return self._execute(sql, params)

    def _execute(self, sql: str, params: Sequence[Any] = ()) -> Rows:
        if self.path is not None and not self._inside:
            self._look_at_file(self.path)
        try:
            return Rows(self._connections.execute_sql(sql, params), self._url)  # type: ignore[no-untyped-call]
        except (UnicodeEncodeError, peewee.DataError) as error:
            fit = [_fit(value) for value in params]
            if fit == list(params):
                raise self._failed(error) from error
            return self._execute(sql, fit)
        except peewee.PeeweeException as error:
            if not self._patience or not _is_held(error):
                raise self._failed(error) from error
        return self._execute_when_free(sql, params)

    def _execute_when_free(self, sql: str, params: Sequence[Any]) -> Rows:
        """SQLite's own waiting sleeps ever longer, up to a tenth of a second: whoever has waited long is then passed by
        all who come."""
        clock = SystemClock()
        deadline = clock.monotonic() + self._patience
        while True:
            time.sleep(_PAUSE)
            try:
                return Rows(self._connections.execute_sql(sql, params), self._url)  # type: ignore[no-untyped-call]
            except peewee.PeeweeException as error:
                if not _is_held(error) or clock.monotonic() >= deadline:
                    raise self._failed(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside commit together or not at all; inside another transaction it is part of that one."""
        if self._open.transaction:
            yield
            return
        self._begin("BEGIN IMMEDIATE" if self.dialect == "sqlite" else "BEGIN")
        self._open.transaction = True
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            self._rollback()
            raise
        finally:
            self._open.transaction = False

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reads inside see the same moment. Inside a transaction or snapshot it is part of that one."""
        if self._inside:
            yield
            return
        self._begin("BEGIN" if self.dialect == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._open.snapshot = True
        try:
            yield
        finally:
            self._open.snapshot = False
            self._rollback()

    def lock(self, *names: str) -> None:
        """Keeps other transactions that lock one of the same names waiting until this one ends.

        For what no row stands for; on SQLite a transaction is alone anyway. Several are locked in an order that is the
        same for all.
        """
        if self.dialect == "postgresql":
            digests = [blake2b(name.encode(), digest_size=8).digest() for name in names]
            numbers = sorted(int.from_bytes(digest, signed=True) for digest in digests)
            self.execute("SELECT pg_advisory_xact_lock(number) FROM unnest(?::bigint[]) AS number", (numbers,))

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """What this thread asks inside may be ended by ``interrupt``, from another one; Interrupted is raised then."""
        self._execute("SELECT 1").fetchone()  # where the store is away, that is said here
        interruption = Interruption(self.dialect, self.driver)
        self._open.interruption = interruption
        with self._interrupting:
            self._interruptions.add(interruption)
        try:
            yield
        finally:
            with self._interrupting:
                self._interruptions.discard(interruption)
            self._open.interruption = None

    def interrupt(self) -> None:
        """Ends what is being asked in all threads that are inside ``interruptible``, and nothing that comes later."""
        with self._interrupting:
            for interruption in self._interruptions:
                interruption.stop()

    def function(self, name: str, arguments: int, function: Callable[..., Any]) -> None:
        """Lets statements of this thread on a SQLite store call a function, which is the same for the same values."""
        self.driver.create_function(name, arguments, function, deterministic=True)

    def close(self) -> None:
        """Closes the connection of this thread."""
        if not self._connections.is_closed():
            self._connections.close()

    @property
    def driver(self) -> Any:
        """The driver's own connection of this thread, for what cannot be said in SQL."""
        return self._connections.connection()  # type: ignore[no-untyped-call]

    @property
    def _inside(self) -> bool:
        return self._open.transaction or self._open.snapshot

    def _look_at_file(self, path: Path) -> None:
        try:
            stat = os.stat(path)
        except OSError as error:
            raise StoreUnavailable(
                f"the store {self._url} is gone: {error.strerror}", hint="put its file back"
            ) from error
        place = (stat.st_dev, stat.st_ino)
        if self._open.place not in (None, place):
            # Not closed: that would remove the log of the file that has taken its place.
            _leave(self._connections)
        self._open.place = place

    def _begin(self, sql: str) -> None:
        was_open = not self._connections.is_closed()
        try:
            self.execute(sql)
        except StoreUnavailable as error:
            if not was_open or not self._connections.is_closed() or NO_ANSWER in str(error):
                raise
            # The connection died while nobody used it; nothing was under way, so another may take its place.
            self.execute(sql)

    def _rollback(self) -> None:
        if self._connections.is_closed():
            return
        try:
            self._execute("ROLLBACK")
        except StoreUnavailable:
            self.close()

    def _failed(self, error: Exception) -> JobrunnerError:
        if not self._connections.is_connection_usable():
            self.close()
        return _unavailable(self._url, error)


def insert(db: Database, into: str, rows: Sequence[Sequence[Any]], conflict: str = "DO NOTHING") -> None:
    """Adds many rows with few statements; ``into`` is the table with its columns."""
    for places, values in in_parts(rows):
        db.execute(f"INSERT INTO {into} VALUES {places} ON CONFLICT {conflict}", values)


def in_parts(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[str, list[Any]]]:
    """Many rows for few statements: the places of some of them, as they follow VALUES, and their values."""
    for start in range(0, len(rows), _SOME):
        some = rows[start : start + _SOME]
        place = f"({', '.join('?' * len(some[0]))})"
        yield ", ".join([place] * len(some)), [value for row in some for value in row]


def table(columns: str, rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    """Values, of a thousand rows at most, as a table ``item`` that a statement may join: the WITH that it begins with,
    and its values. Rows of nothing but NULL follow, for which the statement must do nothing: as it comes in few lengths
    only, it is mostly prepared.

    ``columns``: names, which no table of the statement should have, with their types, TEXT or BIGINT.
    """
    values = [value for row in rows for value in row]
    length = 1 << (len(rows) - 1).bit_length()
    values += [None] * (len(rows[0]) * (length - len(rows)))
    return _head(columns, length), values


@lru_cache(maxsize=512)
def _head(columns: str, count: int) -> str:
    names, kinds = zip(*(column.split() for column in columns.split(", ")), strict=True)
    first = ", ".join(f"CAST(? AS {kind})" for kind in kinds)  # PostgreSQL asks which types they are
    others = f", ({', '.join('?' * len(names))})" * (count - 1)
    return f"WITH item ({', '.join(names)}) AS (VALUES ({first}){others}) "


_databases = weakref.WeakSet[Database]()


def _before_fork() -> None:
    # SQLite's locks and PostgreSQL's conversation belong to one process: parent and child make connections anew.
    for database in tuple(_databases):
        if not database._inside:
            database.close()


os.register_at_fork(before=_before_fork)


def _leave(connections: peewee.Database) -> None:
    state = connections._state  # type: ignore[attr-defined]
    _left.append(state.conn)
    state.reset()


_left = list[Any]()


def _unavailable(url: str, error: Exception) -> JobrunnerError:
    text = _one_line(str(error)) or type(error).__name__
    if text == "interrupted" or getattr(getattr(error, "orig", None), "sqlstate", None) == _CANCELLED:
        return Interrupted("interrupted")
    if getattr(getattr(error, "orig", None), "sqlstate", None) in _COLLISIONS:
        return Collision(f"the store {url} is too busy: {text}", hint="try again")
    if isinstance(error, _FAULTS):
        return StatementRefused(f"the store {url} refuses a statement: {text}")
    hint = next((words for key, words in _HINTS.items() if key in text), None)
    return StoreUnavailable(f"the store {url} cannot be used: {text}", hint=hint)


def _is_held(error: Exception) -> bool:
    """Whether another process holds the SQLite file, and may let go of it."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", 0)
    return bool(code & 0xFF == sqlite3.SQLITE_BUSY and code != sqlite3.SQLITE_BUSY_SNAPSHOT)


def _one_line(text: str) -> str:
    """What an error says first: not where in a statement, nor the same once more for each address of a host."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    end = next(
        (n for n, line in enumerate(lines) if line.startswith(("LINE 1:", "DETAIL:", "Multiple connection att"))),
        len(lines),
    )
    return "; ".join(line for line in lines[:end] if line)


def _fit(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
