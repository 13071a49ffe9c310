"""Messages: what is written is read, whatever else comes is refused, and nothing of it is ever executed."""

from __future__ import annotations

import json
import pickle

import pytest
from huey.registry import Message
from hypothesis import given
from hypothesis import strategies as st

from jobrunner.queue.serializer import TASK, RunSerializer, message, read_message

IDS = st.integers(1, 2**63 - 1)


@given(run=IDS, attempt=st.integers(0, 1000), queue=st.text())
def test_round_trip(run: int, attempt: int, queue: str) -> None:
    assert read_message(message(run, attempt, queue)) == (run, attempt, queue)
    serializer = RunSerializer()
    huey = serializer.deserialize(message(run, attempt, queue))
    assert (huey.id, huey.name, huey.args, huey.kwargs) == (str(run), TASK, (run, attempt, queue), {})
    assert serializer.serialize(huey) == message(run, attempt, queue)


def test_a_message_is_json_that_people_can_read() -> None:
    assert json.loads(message(7, 0, "default")) == {"run": 7, "attempt": 0, "queue": "default"}


def test_more_keys_are_let_pass() -> None:
    assert read_message(b'{"due":"1","run":7,"attempt":2,"queue":"low"}') == (7, 2, "low")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"7",
        b'[7,0,"default"]',
        b"{}",
        b'{"run":7,"attempt":0}',
        b'{"run":"7","attempt":0,"queue":"default"}',
        b'{"run":7.0,"attempt":0,"queue":"default"}',
        b'{"run":-1,"attempt":0,"queue":"default"}',
        b'{"run":7,"attempt":9223372036854775808,"queue":"default"}',
        b'{"run":true,"attempt":0,"queue":"default"}',
        b'{"run":7,"attempt":null,"queue":"default"}',
        b'{"run":7,"attempt":0,"queue":5}',
        b'{"run":7,"attempt":0,"queue":"default"',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        pickle.dumps(Message("1", "os.system", None, 0, 0, None, ("true",), {})),
    ],
)
def test_garbage_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_message(data)
    with pytest.raises(ValueError, match=r"."):
        RunSerializer().deserialize(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_a_value_error(data: bytes) -> None:
    try:
        run, attempt, queue = read_message(data)
    except ValueError:
        return
    assert (type(run), type(attempt), type(queue)) == (int, int, str)


def test_a_pickle_is_not_loaded() -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return pytest.fail, ("a pickle was executed",)

    with pytest.raises(ValueError, match=r"."):
        RunSerializer().deserialize(pickle.dumps(Trap()))
