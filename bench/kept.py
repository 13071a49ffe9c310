"""A project whose store has a long history with nothing under way, and a job that does nothing beside it.

Made once and shared by the rounds of a measurement. Used by ``growth`` and ``retention``.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from bench import history
from jobrunner.store import open_store

FILE = "nop.toml"
"""The file whose only job is ``nop``; the jobs of the history are in jobs.toml."""

JOBS = 100
"""How many jobs the history is of."""

_NOP = (
    '[jobrunner]\nstore = "{store}"\n[jobs.nop]\npython = "work:nop"\nparams.n = {{ type = "int", required = true }}\n'
)
_WORK = "def nop(n):\n    return n\n"


def make(folder: Path, runs: int, *, store: str | None = None, now: datetime | None = None) -> Path:
    """The path of ``FILE``; ``store`` is the URL of an empty store, without it a file in the folder.

    ``now`` is when the history ends; what it left unfinished is ended, so that a server has nothing else to do.
    """
    store = store or f"sqlite:///{folder}/jobrunner.db"
    history.make(folder, jobs=JOBS, runs=runs, store=store, now=now)
    db = open_store(store, durability="normal")
    db.execute(
        "UPDATE runs SET state = 'cancelled', finished_at = created_at, dead = 0 WHERE state NOT IN"
        " ('succeeded', 'failed', 'cancelled', 'expired', 'skipped')"
    )
    db.execute("UPDATE servers SET state = 'stopped', ended_at = started_at, wake = NULL WHERE ended_at IS NULL")
    db.close()
    (folder / FILE).write_text(_NOP.format(store=store))
    (folder / "work.py").write_text(_WORK)
    return folder / FILE
