"""Telling servers of what was stored never undoes, fails or slows down what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobrunner import wiring
from jobrunner.admin import Admin
from jobrunner.domain.state import RunState, Trigger
from jobrunner.errors import StoreUnavailable
from jobrunner.queue.redis import RedisQueues
from jobrunner.store import listeners
from jobrunner.store.database import Collision
from jobrunner.store.runs import steer

Maker = Callable[[str], Admin]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Maker]:
    made = list[Admin]()

    def admin(settings: str = "") -> Admin:
        path = tmp_path / "jobs.toml"
        path.write_text(f"[jobrunner]\n{settings}\n[jobs.a]\ncommand = 'true'\n")
        path.chmod(0o600)
        made.append(wiring.make_admin(path, source=Trigger.API, warn=False))
        return made[-1]

    yield admin
    for each in made:
        each.close()


def test_a_broker_that_is_away_is_not_waited_for_at_every_trigger(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = make('broker = "redis://127.0.0.1:1/0"')
    asked = list[int]()
    announce = RedisQueues.announce

    def counted(self: RedisQueues, ready: object) -> None:
        asked.append(1)
        announce(self, ready)  # type: ignore[arg-type]

    monkeypatch.setattr(RedisQueues, "announce", counted)
    for number in range(1, 6):
        assert admin.trigger("a", {}).id == number
    assert len(asked) == 1
    (remark,) = admin.warnings
    assert "the run is stored" in remark


def test_a_store_that_goes_away_after_the_commit_is_no_error(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> list[str]:
        raise StoreUnavailable("away")

    admin = make("")
    monkeypatch.setattr(listeners, "wakes", away)
    run = admin.trigger("a", {}).id
    assert admin.run(run).state is RunState.QUEUED
    assert admin.cancel(run).state is RunState.CANCELLED
    assert admin.warnings == ()


@pytest.mark.parametrize("collisions", [3, 99])
def test_an_action_that_gives_way_to_a_server_is_tried_again(
    make: Maker, monkeypatch: pytest.MonkeyPatch, collisions: int
) -> None:
    admin = make("")
    run = admin.trigger("a", {}).id
    left = [Collision("the store is too busy: deadlock detected")] * collisions
    cancel = steer.cancel

    def collides(*args: Any, **options: Any) -> steer.Steered:
        done = cancel(*args, **options)
        if left:
            raise left.pop()
        return done

    monkeypatch.setattr(steer, "cancel", collides)
    if collisions > 5:
        with pytest.raises(StoreUnavailable, match="too busy"):
            admin.cancel(run)
        assert admin.run(run).state is RunState.QUEUED
        return
    assert admin.cancel(run).state is RunState.CANCELLED
    assert [entry.action for entry in admin.audit(None, 0)] == ["cancel", "trigger"]
