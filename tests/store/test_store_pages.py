"""Pages of runs: any filter, from either end, on both databases; what they cost is in the plans and in bench."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from samples import later, new, put, run_to, serve, start
from test_store_query_plans import faults, full, full_url, plans, used

from bench import history
from jobrunner.domain.clock import Clock
from jobrunner.domain.filter import Page, RunFilter
from jobrunner.domain.filter_text import parse
from jobrunner.domain.run import Run
from jobrunner.domain.state import RunState, Trigger
from jobrunner.store import Database, output
from jobrunner.store.output import Place
from jobrunner.store.runs import add, pages, read

__all__ = ["full", "full_url"]


class Standing(Clock):
    """It is NOW, and each look at the stopwatch takes ``step`` seconds."""

    def __init__(self, step: float = 0.0) -> None:
        self.step, self.at = step, 0.0

    def now(self):
        return later(3_600)

    def monotonic(self) -> float:
        self.at += self.step
        return self.at


def asked(text: str) -> RunFilter:
    return RunFilter(terms=parse(text, now=later(3_600), zone=ZoneInfo("UTC")))


def look(db: Database, text: str = "", *, clock: Clock | None = None, seconds: float | None = None, **how) -> Page:
    given = {"older_than": None, "newer_than": None, "n": 100, **how}
    return pages.page(db, asked(text), clock=clock or Standing(), seconds=seconds, **given)


def ids(page: Page) -> list[int]:
    return [run.id for run in page.rows]


@pytest.fixture
def some(db: Database) -> Database:
    """Ten runs of all sorts, numbered from 1."""
    server = serve(db, "web1")
    run_to(db, put(db, "etl-a", params='{"month":"2026-10"}'), server, at=later(90))
    run_to(db, put(db, "etl-b"), server, RunState.FAILED, error="Connection refused", exit_code=3, at=later(2))
    run_to(db, put(db, "mail", queue="low", trigger=Trigger.SCHEDULE), server, RunState.FAILED, error="Ünlesbar: 100%")
    put(db, "mail", queue="low", created_at=later(1_800))
    start(db, put(db, "etl-a", created_at=later(1_801)), server)
    put(db, "backup", run_after=later(9_999), created_at=later(1_802))
    add.add_batch(db, new("etl-a", created_at=later(1_803)), "b", [("{}", None)] * 3, [])
    put(db, "mail_x", queue="lo_w", created_at=later(3_000))
    return db


ANSWERS: dict[str, list[int]] = {
    "": [10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
    "state:failed": [3, 2],
    "state:failed,running": [5, 3, 2],
    "!state:queued": [6, 5, 3, 2, 1],
    "!state:queued !state:failed": [6, 5, 1],
    "state:failed state:running": [],
    "job:mail": [4, 3],
    "job:mail state:failed": [3],
    "job:etl*": [9, 8, 7, 5, 2, 1],
    "job:etl-?": [9, 8, 7, 5, 2, 1],
    "job:mail,backup": [6, 4, 3],
    "job:mail_*": [10],
    "!job:etl*": [10, 6, 4, 3],
    "queue:low": [4, 3],
    "queue:lo_w": [10],
    "trigger:schedule": [3],
    "server:web1": [5, 3, 2, 1],
    "server:w*": [5, 3, 2, 1],
    "!server:web1": [10, 9, 8, 7, 6, 4],
    "exit:3": [2],
    "!exit:3": [10, 9, 8, 7, 6, 5, 4, 3, 1],
    "batch:b1": [9, 8, 7],
    "batch:b1 state:failed": [],
    "dead": [3, 2],
    "!dead": [10, 9, 8, 7, 6, 5, 4, 1],
    "dead job:mail": [3],
    "dur:>60s": [5, 1],
    "dur:<60s": [3, 2],
    "since:40m": [10, 9, 8, 7, 6, 5, 4],
    "until:40m": [3, 2, 1],
    "since:40m until:20m job:mail": [4],
    "connection": [2],
    "REFUSED": [2],
    "ünlesbar": [3],
    "100%": [3],
    "%": [3],
    "2026-10": [1],
    "4": [4],
    "!etl state:failed": [3],
    "/^connection|ünles/": [3, 2],
    "!/etl/ state:failed": [3],
}


@pytest.mark.parametrize("text", ANSWERS)
def test_what_a_filter_finds(some: Database, text: str) -> None:
    assert ids(look(some, text)) == ANSWERS[text]
    assert ids(look(some, text, newer_than=0)) == ANSWERS[text]
    assert pages.newer(some, asked(text), 3, most=5, now=later(3_600)) == min(5, sum(n > 3 for n in ANSWERS[text]))


def test_filters_of_names_and_of_terms_are_the_same(some: Database) -> None:
    named = RunFilter(jobs=("mail",), states=(RunState.FAILED,), limit=0)
    found = pages.page(some, named, older_than=None, newer_than=None, n=9, clock=Standing(), seconds=None)
    assert ids(found) == [run.id for run in read.find(some, named)] == [3]


@pytest.mark.parametrize("text", ["", "etl", "state:queued,running,failed", "job:etl-a,mail"])
def test_pages_go_through_the_whole_list_both_ways(some: Database, text: str) -> None:
    whole = ids(look(some, text))
    down, up = list[int](), list[int]()
    page = look(some, text, n=2)
    while True:
        down += ids(page)
        assert page.more_after == (len(down) < len(whole))
        if not page.more_after:
            break
        page = look(some, text, n=2, older_than=down[-1])
        assert page.more_before
    page = look(some, text, n=2, newer_than=0)
    assert not page.more_after
    while True:
        up = ids(page) + up
        assert page.more_before == (len(up) < len(whole))
        if not page.more_before:
            break
        page = look(some, text, n=2, newer_than=up[0])
        assert page.more_after
    assert down == up == whole


def test_an_empty_store_has_an_empty_page(db: Database) -> None:
    assert look(db, "text") == look(db) == Page((), False, False)
    assert pages.extent(db) == (0, 0)


def test_rows_are_whole_but_for_results(some: Database) -> None:
    rows = look(some).rows
    assert all(isinstance(run, Run) for run in rows)
    assert [run.server for run in rows if run.server] == ["web1"] * 4


@pytest.fixture(scope="module")
def history_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("history")
    history.make(folder, jobs=20, runs=50_000)
    return f"sqlite:///{folder / 'jobrunner.db'}"


def test_a_search_that_takes_long_says_how_far_it_has_come(history_url: str) -> None:
    from jobrunner.store import open_store

    db = open_store(history_url)
    page = look(db, "nowhere-to-be-found", clock=Standing(step=1), seconds=0.5)
    assert page.rows == ()
    assert page.more_after
    assert page.searched_to is not None
    assert page.searched_to > 1
    assert page.searched_back_to is not None
    rest = look(db, "nowhere-to-be-found", older_than=page.searched_to)
    assert (rest.more_after, rest.searched_to) == (False, None)
    other_end = look(db, "nowhere-to-be-found", newer_than=0, clock=Standing(step=1), seconds=0.5)
    assert other_end.more_before
    assert other_end.searched_to is not None
    db.close()


PLANS: dict[str, set[str]] = {
    "": {"INTEGER PRIMARY KEY"},
    "state:failed": {"INTEGER PRIMARY KEY", "runs_listed"},
    "state:failed,expired": {"INTEGER PRIMARY KEY", "runs_listed"},
    "job:job1": {"INTEGER PRIMARY KEY", "runs_job"},
    "job:job1,job2 state:failed": {"INTEGER PRIMARY KEY", "runs_job_listed"},
    "state:running": {"INTEGER PRIMARY KEY", "runs_running"},
    "dead": {"INTEGER PRIMARY KEY", "runs_dead"},
    "batch:b5": {"INTEGER PRIMARY KEY", "runs_batch"},
    "since:1h": {"INTEGER PRIMARY KEY"},
    "text": {"INTEGER PRIMARY KEY"},
    "job:job1 text": {"INTEGER PRIMARY KEY", "runs_job"},
}


@pytest.mark.parametrize("text", PLANS)
@pytest.mark.parametrize("how", [{}, {"older_than": 150_000}, {"newer_than": 0}])
def test_no_page_grows_with_the_history(full: Database, text: str, how: dict[str, int]) -> None:
    found = plans(full, lambda: look(full, text, n=50, **how))
    assert [fault for fault in faults(found, sorts=True) if "SCAN CONSTANT" not in fault] == []
    assert used(found) == PLANS[text]


def test_neither_do_the_other_questions_of_who_watches(full: Database) -> None:
    found = plans(full, lambda: pages.newer(full, asked("state:failed"), 150_000, most=100, now=later(0)))
    found |= plans(full, lambda: pages.extent(full))
    found |= plans(full, lambda: output.chunks(full, 200_000, 1, place=Place(), most=10))
    found |= plans(full, lambda: output.attempt_ended(full, 200_000, 1))
    assert [fault for fault in faults(found, sorts=False) if "SCAN CONSTANT" not in fault] == []
    assert used(found) == {"runs_listed"}
