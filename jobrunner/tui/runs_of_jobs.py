"""What is done with runs, where jobs are selected: it is meant for those runs that make the jobs stand as they do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jobrunner.domain.board import Ended, JobLine, Stand
from jobrunner.tui import possible
from jobrunner.tui.selection import Selection

_UNDER_WAY = frozenset({Stand.RUNNING, Stand.SLOW, Stand.LATE})
_STANDS: Mapping[str, frozenset[Stand]] = {
    "retry": frozenset({Stand.FAILED}),
    "retry_canary": frozenset({Stand.FAILED}),
    "discard": frozenset({Stand.FAILED}),
    "cancel": _UNDER_WAY,
    "cancel_now": _UNDER_WAY,
}
"""How a job stands that has a run which the action is meant for."""


def runs_for(id: str, lines: Iterable[JobLine], last: Mapping[str, Ended], selection: Selection) -> Selection:
    """The runs of the selected jobs that an action is meant for: none, where it is for runs, and there is no such one.

    ``last`` are the newest runs of the jobs, as far as they are known: they are meant where no other stands out. Any
    other action is for the jobs themselves.
    """
    stands = _STANDS.get(id)
    if stands is None:
        return selection
    chosen = frozenset(map(str, selection.ids))
    found, can = dict[str, int](), frozenset[str]()
    for line in lines:
        if line.name not in chosen:
            continue
        newest = last.get(line.name)
        if line.run_id is not None and line.stand in stands:
            found[line.name] = line.run_id
            can |= possible.WITH_DEAD_LETTERS if line.stand is Stand.FAILED else possible.WITH_WHAT_IS_UNDER_WAY
        elif newest is not None and id in possible.with_state(newest.state):
            found[line.name] = newest.id
            can |= possible.with_state(newest.state)
    made = last_runs(found, selection)
    return made._replace(possible=can) if found else made


def last_runs(runs: Mapping[str, int], selection: Selection) -> Selection:
    """Runs by their jobs as what is selected; without any it still says of which jobs there is none."""
    if not runs:
        return Selection("run", (), jobs=tuple(map(str, selection.ids)))
    return Selection("run", tuple(runs.values()), marked=selection.marked, jobs=tuple(runs))
