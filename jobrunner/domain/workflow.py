"""``after`` edges as a graph: does it have cycles. Used by jobfile when a whole file is checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def cycles(edges: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """The cycles that keep a graph from being acyclic, each as a path that ends where it began.

    ``edges`` maps a job to its parents; parents without an entry have none. Every job that lies on a cycle is on one
    of those returned or becomes so when these are broken; the order follows that of the mapping.
    """
    found: dict[frozenset[str], tuple[str, ...]] = {}
    done: set[str] = set()
    for start in edges:
        if start not in done:
            for cycle in _from(start, edges, done):
                found.setdefault(frozenset(cycle), cycle)
    return tuple(found.values())


def _from(start: str, edges: Mapping[str, Sequence[str]], done: set[str]) -> Iterator[tuple[str, ...]]:
    """Walks depth first without recursion, since a chain of jobs may be longer than the stack."""
    path = [start]
    on_path = {start: 0}
    pending = [iter(edges.get(start, ()))]
    while pending:
        parent = next(pending[-1], None)
        if parent is None:
            pending.pop()
            last = path.pop()
            del on_path[last]
            done.add(last)
        elif parent in on_path:
            yield (*path[on_path[parent] :], parent)
        elif parent not in done:
            on_path[parent] = len(path)
            path.append(parent)
            pending.append(iter(edges.get(parent, ())))
