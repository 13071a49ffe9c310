"""Redis as the broker, on a real server: order, repetition, what it loses and forgets, and messages that are none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from redis_server import RedisServer
from samples import NOW, later
from worked import CLOCK, PATIENCE, Worked

from jobrunner.domain.queue import Pause
from jobrunner.domain.state import Ready, RunState
from jobrunner.errors import BrokerUnavailable
from jobrunner.queue.redis import RedisFeed, RedisQueues
from jobrunner.store import pauses
from jobrunner.store.runs import read, steer

Make = Callable[..., Worked]


def ready(run_id: int, queue: str = "default", *, priority: int = 0, due: float = 0, attempt: int = 0) -> Ready:
    return Ready(run_id, attempt, queue, priority, later(due))


@pytest.fixture
def redis_queues(redis_server: RedisServer) -> Iterator[RedisQueues]:
    queues = RedisQueues(redis_server.url, namespace="here")
    yield queues
    queues.close()


class TestQueues:
    def test_the_order_is_queue_then_priority_then_due_time_then_id(self, redis_queues: RedisQueues) -> None:
        redis_queues.announce(
            [
                ready(9, "low", priority=100, due=-99),
                ready(100, due=-5),
                ready(20, due=-5),
                ready(3),
                ready(4, priority=-1, due=-999),
                ready(5, priority=2),
                ready(6, priority=2, due=-1),
            ]
        )
        everything = redis_queues.take(["high", "default", "low"], 99)
        assert everything == [(6, 0), (5, 0), (20, 0), (100, 0), (3, 0), (4, 0), (9, 0)]

    def test_no_more_than_asked_for_and_earlier_queues_first(self, redis_queues: RedisQueues) -> None:
        redis_queues.announce([ready(1, "low"), ready(2, "high"), ready(3, "high"), ready(4, "low")])
        assert redis_queues.take(["high", "low"], 1) == [(2, 0)]
        assert redis_queues.take(["high", "low"], 2) == [(3, 0), (1, 0)]
        assert redis_queues.take(["high"], 2) == []
        assert redis_queues.count(["high", "low"]) == {"high": 0, "low": 1}

    def test_announcing_twice_changes_nothing(self, redis_queues: RedisQueues) -> None:
        for _ in range(2):
            redis_queues.announce([ready(1), ready(2)])
        assert redis_queues.count(["default"]) == {"default": 2}
        assert redis_queues.take(["default"], 9) == [(1, 0), (2, 0)]

    def test_attempts_are_told_apart(self, redis_queues: RedisQueues) -> None:
        redis_queues.announce([ready(1), ready(1, attempt=1)])
        assert sorted(redis_queues.take(["default"], 9)) == [(1, 0), (1, 1)]

    def test_stores_do_not_see_each_other(self, redis_server: RedisServer, redis_queues: RedisQueues) -> None:
        other = RedisQueues(redis_server.url, namespace="there")
        other.announce([ready(1)])
        assert redis_queues.count(["default"]) == {"default": 0}
        other.close()

    def test_a_blocked_take_is_woken_by_an_announcement(self, redis_queues: RedisQueues) -> None:
        taken = list[tuple[int, int]]()
        thread = threading.Thread(target=lambda: taken.extend(redis_queues.take(["default"], 1)))
        thread.start()
        redis_queues.announce([ready(1)])
        thread.join(PATIENCE)
        assert taken == [(1, 0)]

    def test_garbage_is_dropped_and_the_rest_is_taken(
        self, redis_queues: RedisQueues, caplog: pytest.LogCaptureFixture
    ) -> None:
        redis_queues.announce([ready(1)])
        connection = redis_queues._storage.conn
        pickled = b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR."
        huge = b'{"run":1,"attempt":0,"queue":"default","more":"' + b"x" * 5_000_000 + b'"}'
        digits = b'{"run":' + b"9" * 4_000 + b',"attempt":0,"queue":"default"}'
        garbage = [
            pickled,
            huge,
            digits,
            b"{}",
            b"[" * 4_000,
            b'{"run":"1","attempt":0,"queue":"default"}',
            b"\xff",
            b"",
        ]
        connection.zadd(f"{redis_queues._prefix}default", dict.fromkeys(garbage, -9))
        assert redis_queues.take(["default"], 9) == [(1, 0)]
        assert caplog.text.count("dropped a message: ") == len(garbage)
        assert len(caplog.text) < 4_000

    @pytest.mark.parametrize("url", ["redis://ana:s3cret@127.0.0.1:1/0", "redis://:s3cret@127.0.0.1:1"])
    def test_one_that_is_not_there(self, url: str) -> None:
        away = RedisQueues(url, namespace="x")
        for action in (lambda: away.take(["a"], 1), lambda: away.count(["a"]), lambda: away.announce([ready(1)])):
            with pytest.raises(BrokerUnavailable) as refused:
                action()
            said = str(refused.value)
            assert said.startswith("the broker redis://127.0.0.1:1")
            assert ("\n" in said, "s3cret" in said) == (False, False)

    @pytest.mark.parametrize("url", ["redis://localhost:port/0", "http://localhost", "redis://localhost/0?db=x"])
    def test_addresses_that_cannot_be_read(self, url: str) -> None:
        with pytest.raises(BrokerUnavailable) as refused:
            RedisQueues(url, namespace="x").count(["a"])
        assert "\n" not in str(refused.value)


class Fed:
    """An engine whose runs come through Redis."""

    def __init__(self, worked: Worked, queues: RedisQueues) -> None:
        self.worked = worked
        self.queues = queues
        self.feed = RedisFeed(queues, worked.engine, worked.db, monotonic=CLOCK.monotonic)

    def put(self, *, announce: bool = True, **changes: object) -> int:
        run_id = self.worked.put(**changes)
        if announce:
            run = read.get(self.worked.db, run_id)
            self.queues.announce([Ready(run.id, run.attempt, run.queue, run.priority, run.run_after)])
        return run_id


@pytest.fixture
def make_fed(
    make_engine: Make, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Fed]]:
    """Starts an engine and its feed; the sweep that looks for what Redis lost comes often."""
    monkeypatch.setattr("jobrunner.queue.redis._SWEEP_SECONDS", 0.05)
    monkeypatch.setattr("jobrunner.queue.redis.BLOCK_SECONDS", 0.05)
    made = list[Fed]()

    def make(*, start: bool = True, **changes: object) -> Fed:
        queues = RedisQueues(redis_server.url, namespace="here")
        fed = Fed(make_engine(broker=queues, **changes), queues)
        made.append(fed)
        if start:
            fed.feed.start()
        return fed

    yield make
    for fed in made:
        fed.feed.stop()
        if fed.feed._thread.is_alive():
            fed.feed.join()
        fed.queues.close()


class TestFeed:
    def test_what_is_announced_is_run(self, make_fed: Callable[..., Fed]) -> None:
        fed = make_fed()
        ids = [fed.put() for _ in range(5)]
        seen = []
        for _ in ids:
            claimed = fed.worked.next()
            seen.append(claimed.id)
            fed.worked.finish(claimed)
        assert sorted(seen) == ids

    def test_no_more_is_taken_than_there_are_idle_workers(self, make_fed: Callable[..., Fed]) -> None:
        fed = make_fed(workers=2, start=False)
        ids = [fed.put() for _ in range(5)]
        fed.feed.start()
        first, second = fed.worked.next(), fed.worked.next()
        assert fed.worked.nothing_more
        assert fed.queues.count(["default"]) == {"default": 3}
        fed.worked.finish(first)
        assert fed.worked.next().id == ids[2]
        fed.worked.finish(second)

    def test_what_an_engine_sets_free_goes_through_redis(self, make_fed: Callable[..., Fed]) -> None:
        fed = make_fed()
        parent = fed.put(announce=False)
        child = fed.put(announce=False, parents=(parent,))
        retried = fed.put(announce=False, max_attempts=2, delay=0.1)
        seen = []
        while len(seen) < 4:
            claimed = fed.worked.next()
            seen.append((claimed.id, claimed.attempt))
            if claimed.id == retried and claimed.attempt == 1:
                fed.worked.finish(claimed, RunState.RETRYING, run_after=CLOCK.now() + timedelta(seconds=0.05))
            else:
                fed.worked.finish(claimed)
        assert sorted(seen) == [(parent, 1), (child, 1), (retried, 1), (retried, 2)]

    def test_what_nobody_announced_is_found(self, make_fed: Callable[..., Fed]) -> None:
        fed = make_fed()
        run_id = fed.put(announce=False)
        assert fed.worked.next().id == run_id

    def test_redis_killed_and_restarted_empty_loses_nothing(
        self, make_fed: Callable[..., Fed], redis_server: RedisServer
    ) -> None:
        fed = make_fed(workers=1)
        ids = {fed.put() for _ in range(5)}
        first = fed.worked.next()
        redis_server.kill()
        fed.worked.finish(first)
        ids.add(fed.put(announce=False))
        redis_server.start()
        seen = {first.id}
        while seen != ids:
            claimed = fed.worked.next()
            assert claimed.id not in seen
            seen.add(claimed.id)
            fed.worked.finish(claimed)
        fed.worked.settle()
        assert {read.state(fed.worked.db, run_id) for run_id in ids} == {RunState.SUCCEEDED}

    def test_redis_away_at_the_start(
        self, make_fed: Callable[..., Fed], redis_server: RedisServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        redis_server.kill()
        fed = make_fed()
        run_id = fed.put(announce=False)
        assert fed.worked.nothing_more
        redis_server.start()
        assert fed.worked.next().id == run_id
        assert caplog.text.count("cannot be reached") <= 1

    def test_a_paused_queue_waits_and_others_go_on(self, make_fed: Callable[..., Fed]) -> None:
        fed = make_fed(queues=("low", "default"), start=False)
        now = CLOCK.now()
        pauses.pause(fed.worked.db, Pause(scope="queue", name="low", who="ana", since=now, until=None, reason=""))
        held, free = fed.put(queue="low"), fed.put()
        fed.feed.start()
        assert fed.worked.next().id == free
        assert fed.worked.nothing_more
        assert fed.queues.count(["low"]) == {"low": 1}
        pauses.resume(fed.worked.db, "queue", "low", CLOCK.now())
        assert fed.worked.next().id == held

    def test_messages_of_runs_that_are_gone_hide_no_lost_one(self, make_fed: Callable[..., Fed]) -> None:
        fed = make_fed(queues=("low", "default"), start=False)
        now = CLOCK.now()
        pauses.pause(fed.worked.db, Pause(scope="queue", name="low", who="ana", since=now, until=None, reason=""))
        for _ in range(3):
            steer.cancel(fed.worked.db, fed.put(queue="low"), at_once=False, now=now)
        lost = fed.put(announce=False)
        fed.feed.start()
        assert fed.worked.next().id == lost

    def test_garbage_and_stale_messages_do_nothing(self, make_fed: Callable[..., Fed]) -> None:
        fed = make_fed(start=False)
        run_id = fed.put()
        fed.queues.announce([Ready(10**15, 0, "default", 9, NOW), Ready(run_id, 7, "default", 9, NOW)])
        fed.queues._storage.conn.zadd(f"{fed.queues._prefix}default", {b"garbage": -99})
        fed.feed.start()
        assert fed.worked.next().id == run_id
        assert fed.worked.nothing_more

    def test_a_queue_that_was_spoiled_holds_its_runs_up_and_nothing_else(self, make_fed: Callable[..., Fed]) -> None:
        fed = make_fed(start=False)
        run_id, key = fed.put(announce=False), f"{fed.queues._prefix}default"
        fed.queues._storage.conn.set(key, b"no sorted set")
        fed.feed.start()
        assert fed.worked.nothing_more
        fed.queues._storage.conn.delete(key)
        assert fed.worked.next().id == run_id

    def test_everything_paused(self, make_fed: Callable[..., Fed]) -> None:
        fed = make_fed(start=False)
        pauses.pause(fed.worked.db, Pause(scope="all", name="", who="a", since=CLOCK.now(), until=None, reason=""))
        run_id = fed.put()
        fed.feed.start()
        assert fed.worked.nothing_more
        pauses.resume(fed.worked.db, "all", "", CLOCK.now())
        assert fed.worked.next().id == run_id

    def test_two_servers_share_the_work_and_run_nothing_twice(self, make_fed: Callable[..., Fed]) -> None:
        one, two = make_fed(workers=2), make_fed(workers=2)
        ids = [one.put() for _ in range(20)]
        seen = list[int]()

        def work(fed: Fed) -> None:
            while len(seen) < len(ids):
                if fed.worked.engine.crew.inbox.empty():
                    fed.worked.settle()
                    continue
                claimed = fed.worked.next()
                seen.append(claimed.id)
                fed.worked.finish(claimed)

        threads = [threading.Thread(target=work, args=(fed,)) for fed in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert sorted(seen) == ids
