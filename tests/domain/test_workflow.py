"""Cycles of ``after`` edges: all that keep a graph from being acyclic, as paths, without recursion."""

from __future__ import annotations

import graphlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrunner.domain.workflow import cycles

_nodes = st.sampled_from("abcdef")
_graphs = st.dictionaries(_nodes, st.lists(_nodes, max_size=4), max_size=6)


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ({}, ()),
        ({"b": ["a"], "c": ["a", "b"]}, ()),
        ({"a": ["a"]}, (("a", "a"),)),
        ({"a": ["b"], "b": ["c"], "c": ["a"]}, (("a", "b", "c", "a"),)),
        ({"x": ["a"], "a": ["b"], "b": ["a"]}, (("a", "b", "a"),)),
        ({"a": ["b"], "b": ["a"], "c": ["d"], "d": ["c"]}, (("a", "b", "a"), ("c", "d", "c"))),
    ],
)
def test_cycles(edges, expected) -> None:
    assert cycles(edges) == expected


def test_a_long_chain() -> None:
    chain = {str(number): [str(number + 1)] for number in range(50_000)}
    assert cycles(chain) == ()
    (cycle,) = cycles({**chain, "50000": ["0"]})
    assert len(cycle) == 50_002


@given(_graphs)
def test_there_is_a_cycle_exactly_where_graphlib_finds_one(edges) -> None:
    found = cycles(edges)
    for cycle in found:
        assert cycle[0] == cycle[-1]
        assert all(parent in edges[child] for child, parent in itertools.pairwise(cycle))
    try:
        graphlib.TopologicalSorter(edges).prepare()
    except graphlib.CycleError:
        assert found
    else:
        assert not found
