"""The chain of a run, over graphs of any shape."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from jobrunner.domain.chain import Kind, Step, chain

Edges = set[tuple[int, int]]


def links(edges: Edges, start: int, most: int = 100) -> tuple[list[tuple[int, int]], bool]:
    """The ids and depths of the chain of ``start`` where ``(a, b)`` means that b follows a."""

    def before(step: Step, most: int) -> Sequence[Step]:
        return [Step(Kind.RUN, a) for a, b in sorted(edges) if b == step.id][:most]

    def after(step: Step, most: int) -> Sequence[Step]:
        return [Step(Kind.RUN, b) for a, b in sorted(edges) if a == step.id][:most]

    found = chain(Step(Kind.RUN, start), before, after, most)
    return [(link.step.id, link.depth) for link in found.links], found.whole


def test_alone() -> None:
    assert links(set(), 1) == ([(1, 0)], True)


def test_what_follows_stands_below_what_it_follows() -> None:
    edges = {(1, 2), (2, 3), (3, 4), (3, 5), (4, 6)}
    assert links(edges, 3) == ([(1, -2), (2, -1), (3, 0), (4, 1), (6, 2), (5, 1)], True)


def test_a_diamond_is_given_once() -> None:
    edges = {(1, 2), (1, 3), (2, 4), (3, 4)}
    assert links(edges, 1) == ([(1, 0), (2, 1), (4, 2), (3, 1)], True)
    assert links(edges, 4) == ([(1, -2), (3, -1), (2, -1), (4, 0)], True)


def test_there_are_more_than_are_given() -> None:
    found, whole = links({(0, child) for child in range(1, 9)}, 0, most=3)
    assert (found, whole) == ([(0, 0), (1, 1), (2, 1), (3, 1)], False)
    found, whole = links({(parent, 9) for parent in range(1, 9)}, 9, most=3)
    assert ([one for one, _ in found][-1], len(found), whole) == (9, 4, False)


@given(st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda edge: edge[0] < edge[1])))
def test_everything_that_can_be_reached_is_there_once(edges: Edges) -> None:
    found, whole = links(edges, 4)
    ids = [one for one, _ in found]

    def reached(forward: bool) -> set[int]:
        seen, ahead = set[int](), [4]
        while ahead:
            one = ahead.pop()
            for a, b in edges:
                here, there = (a, b) if forward else (b, a)
                if here == one and there not in seen:
                    seen.add(there)
                    ahead.append(there)
        return seen

    assert whole
    assert sorted(ids) == sorted({4} | reached(True) | reached(False))
    assert {one for one, depth in found if depth < 0} == reached(False)
