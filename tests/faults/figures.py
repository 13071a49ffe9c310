"""What a fault came to, in figures: what the jobs themselves counted, against what the store says."""

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jobrunner.store import Database, open_store


class Started(NamedTuple):
    """An attempt that a job noted itself."""

    run: int
    attempt: int


class Figures(NamedTuple):
    """``lost``: runs that succeeded nowhere, or of which only the store says so. ``twice``: attempts that were executed
    more than once, or runs that succeeded more than once. ``stuck``: runs that have not ended. ``together``: attempts
    that met another one of their run alive. ``left``: processes. ``again``: runs executed more often than they failed
    and ended; ``held``: attempts that were running when their server was killed, the most that ``again`` may be.
    """

    fault: str
    injected: int
    runs: int
    lost: int = 0
    twice: int = 0
    stuck: int = 0
    together: int = 0
    left: int = 0
    again: int = 0
    held: int = 0
    seconds: float = 0.0
    wrong: tuple[str, ...] = ()

    @property
    def missed(self) -> list[str]:
        """What is not as it has to be; empty when all is well."""
        found = [f"{name} {getattr(self, name)}" for name in _NONE if getattr(self, name)]
        if self.again > self.held:
            found.append(f"again {self.again}, of {self.held} that were running at a kill")
        return [*found, *self.wrong]


_NONE = ("lost", "twice", "stuck", "together", "left")


def audited(
    url: str,
    *,
    fault: str,
    injected: int,
    starts: Iterable[Started],
    ends: Iterable[Started],
    fine: Iterable[str] = ("succeeded",),
    together: int = 0,
    left: int = 0,
    leftovers: Iterable[str] = (),
    seconds: float = 0.0,
) -> Figures:
    """Compares what the jobs noted with the store at ``url``, whose runs have to end in a state that is ``fine``."""
    db = open_store(url)
    try:
        with db.snapshot():
            runs = db.execute("SELECT id, state, attempt FROM runs").fetchall()
            said = _said(db)
            attempts = db.execute(
                "SELECT run_id, number, outcome FROM attempts"
                " UNION ALL SELECT id, attempt, NULL FROM runs WHERE state = 'running'"
            ).fetchall()
        wrong = _unsound(db.execute("PRAGMA integrity_check").fetchall()) if db.dialect == "sqlite" else ()
    finally:
        db.close()
    started, ended = Counter(starts), set(ends)
    final = ("succeeded", "failed", "cancelled", "skipped", "expired")
    succeeded = Counter(run for run, _, outcome in attempts if outcome == "succeeded")
    known = {Started(run, number) for run, number, _ in attempts}
    failed = Counter(run for run, _, outcome in attempts if outcome == "failed")
    executions = Counter(one.run for one in started)
    return Figures(
        fault=fault,
        injected=injected,
        runs=len(runs),
        lost=sum(
            (state in final and state not in fine) or (state == "succeeded" and Started(run, attempt) not in ended)
            for run, state, attempt in runs
        ),
        twice=sum(times - 1 for times in started.values())
        + sum(times - 1 for times in succeeded.values() if times > 1)
        + len(started.keys() - known),
        stuck=sum(state not in final for _, state, _ in runs),
        together=together,
        left=left,
        again=sum(times > 1 + failed[run] for run, times in executions.items()),
        held=sum(outcome in ("lost", "interrupted") for _, _, outcome in attempts),
        seconds=seconds,
        wrong=(*wrong, *said, *(f"left behind: {name}" for name in leftovers)),
    )


def total(fault: str, parts: Sequence[Figures]) -> Figures:
    """The sum of several, by the name of one fault."""
    sums = [sum(values) for values in zip(*(part[1:-1] for part in parts), strict=True)]
    return Figures(fault, *sums, wrong=tuple(itertools.chain(*(part.wrong for part in parts))))  # type: ignore[arg-type]


def _said(db: Database) -> tuple[str, ...]:
    """Outputs that are another's or not whole: what an attempt says is one line, ``said by RUN ATTEMPT``."""
    kept = dict[tuple[int, int, str], bytes]()
    for run, attempt, job, data in db.execute(
        "SELECT o.run_id, o.attempt, r.job, o.data FROM output o JOIN runs r ON r.id = o.run_id"
        " ORDER BY o.run_id, o.attempt, o.seq"
    ):
        kept[run, attempt, job] = kept.get((run, attempt, job), b"") + bytes(data)
    said = {key: data for key, data in kept.items() if b"said by" in data}
    others = sum(data != b"said by %d %d\n" % key[:2] for key, data in said.items())
    jobs, having = {job for _, _, job in said}, {key[:2] for key in said}
    ended = db.execute("SELECT id, attempt, job FROM runs WHERE state = 'succeeded'").fetchall()
    silent = sum(job in jobs and (run, attempt) not in having for run, attempt, job in ended)
    found = (f"{others} outputs are not what their attempt has said", others), (f"{silent} outputs are missing", silent)
    return tuple(words for words, count in found if count)


def _unsound(rows: list[tuple[str]]) -> tuple[str, ...]:
    return tuple(f"integrity check: {row[0]}" for row in rows if row[0] != "ok")
