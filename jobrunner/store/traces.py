"""By what the processes of a server are known on its host, should it die with all that watches over them.

Called by servers, about themselves and about dead ones.
"""

from __future__ import annotations

from typing import NamedTuple

from jobrunner.store.database import Database


class Trace(NamedTuple):
    """A server that has not said goodbye. ``mark`` is in the environment of all its processes, ``cgroup`` the folder of
    its attempts' groups, None where there is none."""

    server_id: int
    name: str
    pid: int
    identity: str
    mark: str
    cgroup: str | None


def leave(db: Database, server_id: int, *, mark: str, cgroup: str | None, containment: str) -> None:
    """Notes how to find what a server will start; ``containment`` tells people what keeps attempts together."""
    sql = "UPDATE servers SET mark = ?, cgroup = ?, containment = ? WHERE id = ?"
    db.execute(sql, (mark, cgroup, containment, server_id))


def of_host(db: Database, host: str) -> list[Trace]:
    """Of servers of one host: living ones, and those after whom nobody has cleared up yet."""
    sql = "SELECT id, name, pid, identity, mark, cgroup FROM servers WHERE host = ? AND mark IS NOT NULL ORDER BY id"
    return [Trace(*row) for row in db.execute(sql, (host,))]


def forget(db: Database, server_id: int) -> None:
    """Nothing of a server is left."""
    db.execute("UPDATE servers SET mark = NULL WHERE id = ?", (server_id,))


def containments(db: Database) -> list[tuple[str, str]]:
    """The (name, words) of each living server that has said what keeps the processes of its attempts together."""
    sql = (
        "SELECT name, containment FROM servers WHERE state IN ('starting','running','draining')"
        " AND containment IS NOT NULL ORDER BY name, id"
    )
    return [(name, words) for name, words in db.execute(sql)]
