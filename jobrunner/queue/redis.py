"""The broker on Redis: one sorted set for each queue, popped in the order of the queues with one blocking call.

Redis only delivers. What it loses, doubles or delays is put right from the store: ``RedisFeed`` hands over again what
is queued there and not here.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from jobrunner.domain.clock import to_micros
from jobrunner.domain.state import Ready
from jobrunner.errors import BrokerUnavailable, StoreUnavailable
from jobrunner.queue.serializer import read_message
from jobrunner.store import pauses
from jobrunner.store.database import Database
from jobrunner.store.runs import claim

if TYPE_CHECKING:
    from jobrunner.queue.engine import Engine

log = logging.getLogger(__name__)

BLOCK_SECONDS = 1.0
_SWEEP_SECONDS = 5.0
_LONGEST_BACKOFF = 5.0


class RedisQueues:
    """The sorted sets of one store on a Redis server.

    A member is a message whose first field is its due time, so that members of equal score, which is the negative
    priority, come out by due time and id. Equal runs make equal members: announcing one twice changes nothing.

    Raises (every method):
        BrokerUnavailable: Redis cannot be reached, or refuses.
    """

    def __init__(self, url: str, *, namespace: str) -> None:
        try:
            self._storage = _storage()(
                f"jobrunner.{namespace}", url=_with_timeouts(url), clean_name=False, read_timeout=BLOCK_SECONDS
            )
        except Exception as error:
            raise _unavailable(url, error) from error
        self._url = url
        self._prefix = f"{self._storage.queue_key}."

    def announce(self, ready: Sequence[Ready]) -> None:
        """Tells of runs that a worker may take."""
        by_queue = dict[str, dict[bytes, float]]()
        for run in ready:
            by_queue.setdefault(run.queue, {})[_member(run)] = float(-run.priority)
        with _Translated(self._url), self._storage.conn.pipeline(transaction=False) as pipe:
            for queue, members in by_queue.items():
                pipe.zadd(self._prefix + queue, members)
            pipe.execute()

    def take(self, queues: Sequence[str], limit: int) -> list[tuple[int, int]]:
        """Up to ``limit`` (run, attempts so far); waits a second at most for the first. Earlier queues come first."""
        keys = [self._prefix + queue for queue in queues]
        with _Translated(self._url):
            first = self._storage.conn.bzpopmin(keys, timeout=BLOCK_SECONDS)
            members = [first[1]] if first else []
            for key in keys if first else ():
                if len(members) < limit:
                    members += [member for member, _ in self._storage.conn.zpopmin(key, limit - len(members))]
        return [found for member in members if (found := _named(member)) is not None]

    def count(self, queues: Sequence[str]) -> dict[str, int]:
        """How many messages stand in each of these queues."""
        with _Translated(self._url), self._storage.conn.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.zcard(self._prefix + queue)
            return dict(zip(queues, pipe.execute(), strict=True))

    def close(self) -> None:
        self._storage.conn.close()


class RedisFeed:
    """The thread that pops messages for idle workers, and hands over again what Redis has lost: every few seconds, a
    queue that holds fewer messages than the store has queued runs.

    While Redis is away it goes on trying, at most ``5`` seconds apart, and says so once.
    """

    def __init__(
        self,
        queues: RedisQueues,
        engine: Engine,
        db: Database,
        *,
        monotonic: Callable[[], float],
    ) -> None:
        self._queues = queues
        self._engine = engine
        self._db = db
        self._monotonic = monotonic
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="redis-feed", daemon=True)
        self._away = ""
        self._next_sweep = 0.0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; it may hold a blocking call for a second more, and pops nothing after that."""
        self._stop.set()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        backoff = 0.1
        while not self._stop.is_set():
            try:
                self._step()
                backoff = 0.1
                self._back()
            except (BrokerUnavailable, StoreUnavailable) as error:
                self._gone(error)
                self._stop.wait(backoff)
                backoff = min(backoff * 2, _LONGEST_BACKOFF)
            except Exception:
                log.exception("fault in handing over what Redis delivers")
                self._stop.wait(_LONGEST_BACKOFF)
        self._db.close()

    def _step(self) -> None:
        self._sweep()
        idle = self._engine.wait_for_idle(BLOCK_SECONDS)
        if not idle or self._stop.is_set():
            return
        names = pauses.open_queues(self._db, self._engine.queues)
        if not names:
            self._stop.wait(BLOCK_SECONDS)
            return
        named = self._queues.take(names, idle)
        if named:
            self._engine.offer(named)

    def _sweep(self) -> None:
        if self._monotonic() < self._next_sweep:
            return
        queued, known = claim.count_queued(self._db), self._queues.count(self._engine.queues)
        for queue in self._engine.queues:
            if queued.get(queue, 0) > known[queue]:
                self._announce_all(queue)
        self._next_sweep = self._monotonic() + _SWEEP_SECONDS

    def _announce_all(self, queue: str) -> None:
        page = claim.queued(self._db, queue)
        while page and not self._stop.is_set():
            self._queues.announce(page)
            page = claim.queued(self._db, queue, after=page[-1])

    def _gone(self, error: Exception) -> None:
        if not self._away:
            log.warning("%s; trying again", error)
        self._away = "broker" if isinstance(error, BrokerUnavailable) else "store"
        self._next_sweep = 0.0

    def _back(self) -> None:
        if self._away:
            log.info("the %s is back", self._away)
        self._away = ""


def _storage() -> Any:
    # The command line keeps Huey from importing the client (``__main__``), and a server has loaded Huey by now.
    if sys.modules.get("redis", ...) is None:
        del sys.modules["redis"]
        if "huey.storage" in sys.modules:
            importlib.reload(sys.modules["huey.storage"])
    from huey.storage import PriorityRedisStorage

    return PriorityRedisStorage


def _member(run: Ready) -> bytes:
    # The due time has a fixed width and comes first: equal scores are ordered by the member's bytes.
    due, number = to_micros(run.run_after), run.id
    head = f'{{"due":"{due:020d}","order":"{number:020d}"'
    return f'{head},"run":{number},"attempt":{run.attempt},"queue":{json.dumps(run.queue)}}}'.encode()


def _named(member: bytes) -> tuple[int, int] | None:
    try:
        run, attempt, _ = read_message(member)
    except ValueError as error:
        log.warning("dropped a message: %s", error)
        return None
    return run, attempt


def _with_timeouts(url: str) -> str:
    timeouts = f"socket_connect_timeout=2&socket_timeout={BLOCK_SECONDS + 2:.0f}"
    return f"{url}{'&' if '?' in url else '?'}{timeouts}"


class _Translated:
    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if error is None or not isinstance(error, Exception):
            return
        from redis.exceptions import RedisError

        if isinstance(error, RedisError | OSError):
            raise _unavailable(self._url, error) from error


def _unavailable(url: str, error: Exception) -> BrokerUnavailable:
    address = url.rpartition("@")[2] if "@" in url else url.partition("://")[2]
    if type(error).__name__ == "ConfigurationError" and "not found" in str(error):
        return BrokerUnavailable("a Redis broker needs the redis package", hint="install jobrunner[redis]")
    text = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return BrokerUnavailable(f"the broker redis://{address} cannot be reached: {text}")
