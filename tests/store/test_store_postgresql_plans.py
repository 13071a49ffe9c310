"""PostgreSQL finds what is asked often by an index, whatever its statistics were gathered from."""

from __future__ import annotations

import pytest
from samples import ending, new, serve, take

from jobrunner.store import Database
from jobrunner.store.runs import add, finish


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_statistics_of_a_moment_when_all_runs_were_queued_mislead_nobody(db: Database) -> None:
    server = serve(db)
    add.add_batch(db, new(), "b", [("{}", None)] * 2000, [])
    db.execute("ANALYZE")
    ran = dict[str, object]()
    db._connections.query_hooks.append(lambda event: ran.setdefault(event.sql.replace("%s", "?"), event.params))
    finish.finish_all(db, [ending(run, server) for run in take(db, server, limit=20)])
    db._connections.query_hooks.clear()
    plans = [db.execute(f"EXPLAIN {sql}", params).fetchall() for sql, params in ran.items() if " runs " in sql]
    steps = [step for plan in plans for (step,) in plan]
    assert any("on runs" in step for step in steps)
    assert [step for step in steps if "Seq Scan on runs" in step] == []
