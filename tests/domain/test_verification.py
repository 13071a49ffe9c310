"""Verification: of a whole history it says zero, and of each thing that is taken out or put in exactly that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_due import DAY, EXPRESSIONS, START, due

from jobrunner.domain.due import Due
from jobrunner.domain.verification import (
    GRACE,
    Attention,
    Decided,
    Fired,
    JobCheck,
    Listed,
    Span,
    Stretch,
    Unanswered,
    check,
    unanswered,
)

SECOND = 1_000_000
MINUTE = 60 * SECOND
END = START + 2 * DAY
WATCHED = Attention(END, [(0, END)], 0, END)
KINDS = ("ran", "skipped", "expired", "paused", "missed", "disabled")


@dataclass
class History:
    """What became of the fires of some stretches, as a server would have written it."""

    stretches: Sequence[Stretch]
    runs: list[Fired] = field(default_factory=list)
    spans: list[Decided] = field(default_factory=list)

    @property
    def due(self) -> list[int]:
        return [at for each in self.stretches for at in each.due.fires(each.after, each.until)]

    def write(self, kinds: Iterable[str]) -> History:
        """One answer for each fire; consecutive decisions of a kind are one span."""
        before = ""
        for at, kind in zip(self.due, kinds, strict=False):
            if kind in ("ran", "skipped", "expired"):
                self.runs.append(Fired(at, "succeeded" if kind == "ran" else kind, "schedule"))
            elif kind == before:
                self.spans[-1] = self.spans[-1]._replace(last=at, fires=self.spans[-1].fires + 1)
            else:
                self.spans.append(Decided(at, at, kind, 1))
            before = kind
        return self

    def check(self, attention: Attention = WATCHED) -> JobCheck:
        return check("job", self.stretches, iter(self.runs), iter(self.spans), attention)


def whole(rule: Due, *cuts: int) -> list[Stretch]:
    """Stretches from START to END with changes in between."""
    ends = [START, *sorted({cut for cut in cuts if START < cut < END}), END]
    return [Stretch(start, end, rule, last=end == END) for start, end in pairwise(ends)]


histories = st.builds(
    lambda texts, cuts, kinds: History(whole(due(*texts), *cuts)).write(kinds * 2_000),
    st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=2),
    st.lists(st.integers(START, END), max_size=3),
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=12),
)


def parts(found: JobCheck) -> int:
    answered = found.ran + found.skipped + found.expired + sum(found.decided.values())
    return answered + found.pending.fires + found.missing.fires


@settings(deadline=None, max_examples=50)
@given(histories)
def test_a_whole_history_is_sound(history: History) -> None:
    found = history.check()
    assert (found.sound, found.pending.fires) == (True, 0)
    assert found.expected == len(history.due) == parts(found)
    assert found.ran == sum(run.state == "succeeded" for run in history.runs)
    assert found.skipped == sum(run.state == "skipped" for run in history.runs)
    assert found.decided == {
        kind: count for kind in KINDS if (count := sum(span.fires for span in history.spans if span.kind == kind))
    }


@settings(deadline=None, max_examples=50)
@given(histories, st.data())
def test_what_is_taken_out_is_missing_and_nothing_else_is(history: History, data: st.DataObject) -> None:
    changes = {cut for stretch in history.stretches for cut in (stretch.after, stretch.until)}
    far = [run for run in history.runs if all(abs(run.at - cut) > MINUTE for cut in changes)]
    if not far:
        return
    gone = data.draw(st.sampled_from(far))
    history.runs.remove(gone)
    found = history.check()
    assert found.missing.spans == [Span(gone.at, gone.at, 1)]
    assert not found.sound
    assert found.expected == len(history.due) == parts(found)


@settings(deadline=None, max_examples=50)
@given(histories, st.integers(START + 1, END - 1))
def test_a_run_at_a_time_that_nothing_gives_is_unexpected(history: History, at: int) -> None:
    if at in history.due:
        return
    history.runs = sorted([*history.runs, Fired(at, "succeeded", "schedule")])
    found = history.check()
    assert (found.unexpected.spans, found.expected) == ([Span(at, at, 1)], len(history.due))
    history.runs = [run._replace(trigger="backfill") for run in history.runs]
    assert history.check().unexpected.fires == 0


def test_a_run_and_a_decision_are_double() -> None:
    history = History(whole(due("every 1h"))).write(["ran"] * 100)
    at = history.due[5]
    history.spans.append(Decided(at, at, "paused", 1))
    found = history.check()
    assert (found.double.spans, found.sound) == ([Span(at, at, 1)], False)
    assert found.expected == parts(found)
    history.runs[5] = history.runs[5]._replace(trigger="backfill")
    assert history.check().sound
    before, after = history.due[4], history.due[6]
    history.spans = [Decided(at, at, "paused", 1) for at in history.due[4:7]]
    assert history.check().double.spans == [Span(before, before, 1), Span(after, after, 1)]


def test_a_run_inside_a_span_is_the_answer_to_its_own_fire() -> None:
    history = History(whole(due("every 1h"))).write(["missed"] * 100)
    history.runs.append(Fired(history.due[5], "succeeded", "catchup"))
    found = history.check()
    assert (found.ran, found.decided["missed"], found.sound) == (1, 47, True)


def test_a_span_over_fewer_fires_than_fell_due_hides_none() -> None:
    history = History(whole(due("every 1h"))).write(["paused"] * 100)
    (span,) = history.spans
    history.spans = [span._replace(fires=45)]
    found = history.check()
    assert (found.decided["paused"], found.missing.spans) == (45, [(*span[:2], 3)])
    assert found.expected == parts(found)


def test_a_span_that_begins_before_the_window_is_taken_as_it_is() -> None:
    history = History(whole(due("every 1h"))).write(["paused"] * 100)
    (span,) = history.spans
    history.spans = [span._replace(first=START - DAY, fires=70)]
    assert history.check().sound


def test_consecutive_fires_are_listed_as_spans_and_a_thousand_at_most() -> None:
    history = History(whole(due("every 1h"))).write(["ran"] * 10)
    found = history.check()
    rest = history.due[10:]
    assert found.missing.spans == [Span(rest[0], rest[-1], 38)]
    listed = Listed()
    for at in range(5_000):
        listed.add(at, follows=at % 2 == 1)
    assert (listed.fires, len(listed.spans)) == (5_000, 1_000)
    assert sum(span.fires for span in listed.spans) <= 2_000


class TestUnanswered:
    """What it means that a fire has no answer."""

    rule = due("every 1m")
    former = Stretch(START, START + 60 * MINUTE, rule)
    latter = Stretch(START + 60 * MINUTE, END, rule, last=True)

    def of(self, at: int, stretch: Stretch | None = None, **attention: object) -> Unanswered:
        return unanswered(at, stretch or self.latter, WATCHED._replace(**attention))  # type: ignore[arg-type]

    def test_nobody_has_looked_yet(self) -> None:
        assert self.of(END - MINUTE, until=END - 2 * MINUTE, since=None) is Unanswered.PENDING
        assert self.of(END - MINUTE // 2, until=END - MINUTE) is Unanswered.PENDING
        assert self.of(END - 30 * MINUTE, until=None, since=END - MINUTE // 2) is Unanswered.PENDING

    def test_somebody_should_have_looked(self) -> None:
        assert self.of(END - 2 * GRACE, until=END - 3 * GRACE) is Unanswered.MISSING
        assert self.of(END - 2 * GRACE, until=END - GRACE, since=None) is Unanswered.MISSING

    def test_no_server_until_the_definition_was_replaced(self) -> None:
        at = START + 30 * MINUTE
        assert self.of(at, self.former, served=[(0, at - 1), (self.former.until, END)]) is Unanswered.NO_SERVER
        assert self.of(at, self.former, served=[(0, at - 1), (at + MINUTE, END)]) is Unanswered.MISSING
        assert self.of(at, self.former, served=[(0, END)]) is Unanswered.MISSING

    def test_at_the_moment_of_a_change(self) -> None:
        assert self.of(self.former.until - SECOND, self.former) is Unanswered.CHANGED
        assert self.of(self.latter.after + SECOND, self.latter) is Unanswered.CHANGED
        assert self.of(self.latter.after + 5 * SECOND, self.latter) is Unanswered.MISSING

    def test_up_to_a_fire_whose_run_was_removed(self) -> None:
        at = END - DAY
        assert self.of(at, removed=at) is Unanswered.REMOVED
        assert self.of(at, removed=at - 1) is Unanswered.MISSING

    def test_disabled(self) -> None:
        assert self.of(END - DAY, self.latter._replace(enabled=False)) is Unanswered.DISABLED


@pytest.mark.parametrize(("after", "expected"), [(30 * SECOND, True), (90 * SECOND, False)])
def test_right_after_a_change_another_server_may_still_fire_the_former(after: int, expected: bool) -> None:
    cut = START + DAY
    stretches = [Stretch(START, cut, due("every 30s")), Stretch(cut, END, due("0 0 1 1 *"), last=True)]
    history = History(stretches).write(["ran"] * 5_000)
    history.runs.append(Fired(cut + after, "succeeded", "schedule"))
    found = history.check()
    assert (found.sound, found.unexpected.fires) == (expected, 0 if expected else 1)
