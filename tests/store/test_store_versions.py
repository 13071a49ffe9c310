"""What servers put in force: versions of jobs, written where something differs, with the days of their calendars."""

from __future__ import annotations

from datetime import date, datetime

from samples import NOW, later, serve

from jobrunner.domain.server import ServerState
from jobrunner.domain.version import Applied, Origin, Version
from jobrunner.store import Database, files, servers, versions
from jobrunner.store.versions import Content, calendars_text

BY = Applied("ana", "web1", "a", Origin.START)
CHRISTMAS = {"holidays": (date(2026, 12, 25), date(2026, 12, 26))}


def apply(db: Database, at: datetime, server: int | None = None, by: Applied = BY, **jobs: str) -> files.InForce:
    contents = {job: Content(text) for job, text in jobs.items()}
    if server is None and servers.hold(db, 1) is False:
        serve(db, by.server)
    return files.apply(db, server or 1, files.File(contents, {job: len(text) for job, text in jobs.items()}), by, at)


def briefly(found: list[Version]) -> list[tuple[int, str | None]]:
    return [(version.version, version.definition) for version in found]


def test_a_version_says_what_when_and_by_whom(db: Database) -> None:
    assert apply(db, NOW, backup="one").before == {"backup": None}
    first = Version("backup", 1, "one", {}, NOW, None, "ana", "web1", "a", Origin.START)
    assert versions.of(db, "backup") == [first]
    changed = apply(db, later(60), by=BY._replace(origin=Origin.RELOAD), backup="two")
    assert changed.before == {"backup": first}
    second = first._replace(version=2, definition="two", applied_at=later(60), origin=Origin.RELOAD)
    assert versions.of(db, "backup") == [first._replace(replaced_at=later(60)), second]
    found = [versions.at(db, "backup", later(seconds)) for seconds in (-1, 0, 59, 60)]
    assert [one and one.version for one in found] == [None, 1, 1, 2]


def test_a_file_that_says_the_same_adds_nothing(db: Database) -> None:
    apply(db, NOW, a="1", b="2")
    assert apply(db, later(60), a="1", b="2").before == {}
    assert list(apply(db, later(90), a="1", b="3").before) == ["b"]
    assert [len(versions.of(db, job)) for job in "ab"] == [1, 2]


def test_taking_a_job_out_is_a_version_and_so_is_putting_it_back(db: Database) -> None:
    apply(db, NOW, a="1")
    apply(db, later(1))
    assert apply(db, later(2)).before == {}
    apply(db, later(3), a="1")
    assert briefly(versions.of(db, "a")) == [(1, "1"), (2, None), (3, "1")]


def test_another_day_in_a_calendar_is_another_version(db: Database) -> None:
    serve(db)
    for second, days in enumerate((CHRISTMAS, CHRISTMAS, {"holidays": (date(2026, 12, 25),)}, {})):
        job = {"a": Content("1", calendars_text(days))}
        files.apply(db, 1, files.File(job, {}), BY, later(second))
    assert [version.calendars for version in versions.of(db, "a")] == [
        CHRISTMAS,
        {"holidays": (date(2026, 12, 25),)},
        {},
    ]


def test_what_was_in_force_in_a_window(db: Database) -> None:
    for second, text in ((0, "1"), (10, "2"), (20, "3")):
        apply(db, later(second), a=text, b="same")
    found = [(version.job, version.definition) for version in versions.in_force(db, later(10), later(20))]
    assert found == [("a", "2"), ("b", "same")]
    assert briefly(list(versions.in_force(db, later(5), later(21), "a"))) == [(1, "1"), (2, "2"), (3, "3")]
    assert list(versions.in_force(db, later(-9), NOW)) == []


def test_thousands_of_jobs_are_versions_of_one_moment(db: Database) -> None:
    jobs = {f"job-{number}": f"definition {number}" for number in range(2_500)}
    assert len(apply(db, NOW, **jobs).before) == 2_500
    assert apply(db, later(1), **jobs).before == {}
    assert sum(1 for _ in versions.in_force(db, NOW, later(9))) == 2_500


class TestServersWithDifferentFiles:
    def test_a_job_that_only_the_other_has_stays_in_force(self, db: Database) -> None:
        one, other = serve(db, "a"), serve(db, "b")
        apply(db, NOW, one, both="1", mine="2")
        found = apply(db, later(1), other, both="1", theirs="22")
        assert (list(found.before), found.left) == (["theirs"], [])
        assert apply(db, later(2), one, both="1", mine="2").attended == {"both": NOW, "mine": NOW}

    def test_what_a_server_gives_up_itself_is_gone_unless_the_other_has_it(self, db: Database) -> None:
        one, other = serve(db, "a"), serve(db, "b")
        apply(db, NOW, one, both="1", mine="22")
        apply(db, NOW, other, both="1")
        found = apply(db, later(1), one)
        assert ([left.job for left in found.left], list(found.before)) == (["mine"], ["mine"])
        assert apply(db, later(2), one, both="1", mine="22").attended == {"both": NOW, "mine": later(2)}

    def test_a_server_that_comes_back_within_a_day_finds_what_it_had(self, db: Database) -> None:
        one, other = serve(db, "a"), serve(db, "b")
        apply(db, NOW, one, mine="1")
        servers.set_state(db, one, ServerState.STOPPED, later(5))
        apply(db, later(9), other)
        assert apply(db, later(20), serve(db, "a"), mine="1").attended == {"mine": NOW}

    def test_one_that_stays_away_for_longer_does_not(self, db: Database) -> None:
        one, other = serve(db, "a"), serve(db, "b")
        apply(db, NOW, one, mine="1")
        servers.set_state(db, one, ServerState.LOST, later(5))
        day = files.AWAY.total_seconds()
        assert [left.job for left in apply(db, later(5 + day), other).left] == ["mine"]
        assert db.execute("SELECT count(*) FROM files").fetchone() == (2,)

    def test_a_server_that_starts_again_with_another_file_gives_up_what_it_had(self, db: Database) -> None:
        one = serve(db, "a")
        apply(db, NOW, one, mine="1")
        servers.set_state(db, one, ServerState.STOPPED, later(5))
        assert [left.job for left in apply(db, later(9), serve(db, "a")).left] == ["mine"]


def test_a_job_that_went_where_another_came_was_renamed(db: Database) -> None:
    one, same, two, three = (f'{{"job":{{"command":"{word}"}}}}' for word in ("one", "same", "two", "three"))
    later_one = '{"job":{"command":"one","timeout":"1h"}}'
    apply(db, NOW, old=one, two=same, three=same, gone=two)
    apply(db, later(10), new=one, four=same, other=three)
    named = versions.renamed(db, [later(10)])
    assert named == {("old", 2): "new", ("new", 1): "old"}
    assert versions.renamed(db, [NOW]) == named  # what is within a minute is looked at
    apply(db, later(100), old=later_one)  # it does the same
    assert versions.renamed(db, [later(100)]) == {("new", 2): "old", ("old", 3): "new"}
    assert versions.renamed(db, [later(500)]) == {}
