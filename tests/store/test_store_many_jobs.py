"""Files of many jobs: what a server asks of its store does not grow with the jobs, whatever has changed in the file."""

from __future__ import annotations

from samples import NOW, later, serve

from jobrunner.domain.version import Applied, Origin
from jobrunner.store import Database, files
from jobrunner.store.files import File, InForce
from jobrunner.store.versions import Content

BY = Applied("ana", "web1", "a", Origin.START)


def file(jobs: int, words: str = "one") -> File:
    names = [f"job{number}of{jobs}" for number in range(jobs)]
    return File(
        {name: Content(words) for name in names}, {name: len(words) + place for place, name in enumerate(names)}
    )


def apply(db: Database, wanted: File, seconds: int) -> tuple[InForce, int]:
    """What it gives, and how many statements it took."""
    said: list[str] = []
    db.driver.set_trace_callback(said.append)
    found = files.apply(db, 1, wanted, BY, later(seconds))
    db.driver.set_trace_callback(None)
    return found, len(said)


def statements(db: Database, jobs: int) -> dict[str, int]:
    steps = {"new": file(jobs), "the same": file(jobs), "changed": file(jobs, "three"), "gone": file(0)}
    return {name: apply(db, wanted, place)[1] for place, (name, wanted) in enumerate(steps.items())}


def test_a_file_of_many_jobs_takes_no_more_statements_than_one_of_few(sqlite_db: Database) -> None:
    serve(sqlite_db)
    few = statements(sqlite_db, 2)
    assert statements(sqlite_db, 300) == few
    assert few["the same"] < few["changed"]


def test_what_became_of_each_is_told_beyond_one_statement(db: Database) -> None:
    jobs = 1_001
    serve(db)
    files.apply(db, 1, file(jobs), BY, NOW)
    found = files.apply(db, 1, file(jobs, "three"), BY, later(60))
    assert len(found.left) == len(found.before) == jobs
    assert {version and version.definition for version in found.before.values()} == {"one"}
    assert set(found.attended.values()) == {later(60)}
    assert {left.seen_until for left in found.left} == {NOW}
    assert files.apply(db, 1, file(0), BY, later(90)).attended == {}
    assert db.execute("SELECT count(*) FROM versions WHERE replaced_at IS NULL").fetchone() == (jobs,)
    assert db.execute("SELECT count(*) FROM schedules").fetchone() == (0,)
