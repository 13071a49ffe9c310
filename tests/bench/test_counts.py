"""The hottest paths need no more statements and commits than they did: counted, so that no noise makes it fail.

A number here is what was counted, and is lowered when there are fewer. Who raises one says why.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench import counts
from bench.counts import Counts, Traced

TRIGGER = Counts(statements=6, commits=1)
ALONE = {"nop": Counts(statements=21, commits=2), "true": Counts(statements=21, commits=2)}
WAITING = {"nop": Counts(statements=3, commits=0.4), "true": Counts(statements=9, commits=1)}
"""A run of many that are worked off together: what is put together depends on the moment, so with some room. That a
group takes no more statements than one run is held by tests of the store, on both databases. Short runs are claimed
ahead; of commands that is not counted on here, since what is short on an idle machine may not be on a busy one."""


@pytest.fixture(scope="module")
def server() -> Iterator[Traced]:
    with counts.traced() as found:
        yield found


def test_a_trigger(server: Traced) -> None:
    _at_most(counts.trigger(server.folder), TRIGGER)


@pytest.mark.parametrize("job", ["nop", "true"])
def test_a_run_from_its_claim_to_its_end(server: Traced, job: str) -> None:
    _at_most(counts.one_run(server, job), ALONE[job])


@pytest.mark.parametrize("job", ["nop", "true"])
def test_a_run_among_many(server: Traced, job: str) -> None:
    _at_most(counts.drained(server, job), WAITING[job])


def _at_most(found: Counts, most: Counts) -> None:
    assert found.statements <= most.statements
    assert found.commits <= most.commits
