"""How far a server claims beyond its idle workers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jobrunner.domain.ahead import AHEAD_SECONDS, MOST_AHEAD, MOST_TOGETHER, Paces, reach, together

JOBS = {"short": 0.0012, "tiny": 0.00001, "long": None}


def test_nothing_is_known_of_a_job_before_it_has_been_short_twice() -> None:
    paces = Paces()
    paces.note("job", 0.031)  # the first one imports its module
    assert paces.seconds("job") is None
    paces.note("job", 0.001)
    assert 0.016 < (paces.seconds("job") or 0) < 0.0162
    for _ in range(4):
        paces.note("job", 0.001)
    assert 0.006 < (paces.seconds("job") or 0) < 0.0062
    assert paces.seconds("other") is None


def test_what_runs_take_follows_the_latest() -> None:
    paces = Paces()
    for _ in range(20):
        paces.note("job", 0.001)
    for _ in range(60):
        paces.note("job", 0.004)
    assert 0.004 < (paces.seconds("job") or 0) < 0.0042


def test_one_long_run_makes_its_job_unknown() -> None:
    paces = Paces()
    for _ in range(50):
        paces.note("job", 0.001)
        paces.note("other", 0.001)
    paces.note("job", 0.05)
    paces.note("job", 0.001)
    assert paces.seconds("job") is None
    assert paces.seconds("other") is not None


def test_one_that_was_held_up_counts_for_a_while() -> None:
    paces = Paces()
    for _ in range(50):
        paces.note("job", 0.001)
    paces.note("job", 0.033)
    assert 0.004 < (paces.seconds("job") or 0) < 0.006
    for _ in range(40):
        paces.note("job", 0.001)
    assert (paces.seconds("job") or 0) < 0.0013


def test_idle_workers_take_whatever_comes_and_nothing_is_overtaken() -> None:
    assert reach(["long"] * 9, 3, JOBS.get) == 3
    assert reach(["long", "tiny", "tiny", "long", "tiny"], 1, JOBS.get) == 3
    assert reach(["long", "tiny"], 0, JOBS.get) == 0
    assert reach([], 3, JOBS.get) == 0


def test_what_is_ahead_is_little_work_and_few_runs_with_what_was_ahead_before() -> None:
    assert reach(["short"] * 99, 2, JOBS.get) == 2 + 8
    assert reach(["short"] * 99, 0, JOBS.get, ["short"] * 4) == 4
    assert reach(["short"] * 99, 2, JOBS.get, workers=3) == 2 + 25
    assert reach(["short"] * 99, 0, JOBS.get, ["short"] * 4, workers=3) == 21
    assert reach(["tiny"] * 200, 2, JOBS.get) == 2 + MOST_AHEAD
    assert reach(["short"] * 200, 2, JOBS.get, workers=99) == 2 + MOST_AHEAD
    assert reach(["tiny"] * 200, 0, JOBS.get, ["tiny"] * 60) == 4


@given(
    st.lists(st.sampled_from(list(JOBS))),
    st.integers(0, 9),
    st.lists(st.sampled_from(["short", "tiny"]), max_size=9),
    st.integers(1, 4),
)
def test_never_more_than_promised(jobs: list[str], room: int, waiting: list[str], workers: int) -> None:
    count = reach(jobs, room, JOBS.get, waiting, workers=workers)
    ahead = jobs[room:count]
    assert min(room, len(jobs)) <= count <= len(jobs)
    assert "long" not in ahead
    assert not ahead or sum(JOBS[job] or 0 for job in [*ahead, *waiting]) <= AHEAD_SECONDS * workers * 1.000001
    assert len(ahead) <= MOST_AHEAD


def test_each_worker_is_handed_its_part_as_far_as_runs_are_known_to_be_short() -> None:
    assert together(["short"] * 9, 2, JOBS.get) == 5
    assert together(["short"] * 9, 9, JOBS.get) == 1
    assert together(["short"] * 200, 2, JOBS.get) == MOST_TOGETHER
    assert together(["tiny", "short", "long", "tiny"], 1, JOBS.get) == 2
    assert together(["long", "tiny"], 1, JOBS.get) == 1


def test_what_is_next_to_nothing_shares_a_child_though_others_are_idle() -> None:
    assert together(["tiny"] * 9, 9, JOBS.get) == 9
    assert together(["tiny", "short", "tiny", "short", "tiny"], 9, JOBS.get) == 3
    assert together(["tiny"] * 200, 200, JOBS.get) == MOST_TOGETHER
    assert together(["tiny", "long"], 9, JOBS.get) == 1


@given(st.lists(st.sampled_from(list(JOBS)), min_size=1), st.integers(1, 9))
def test_never_less_than_one_nor_anything_behind_what_may_be_long(jobs: list[str], workers: int) -> None:
    count = together(jobs, workers, JOBS.get)
    assert 1 <= count <= MOST_TOGETHER
    assert count == 1 or "long" not in jobs[:count]
