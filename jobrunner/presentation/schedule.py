"""The schedule's words: lanes of fires, what they amount to, and a job's coming fires. Used by the dashboard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from jobrunner.domain.board import JobFacts, Stand
from jobrunner.domain.decision import Decision
from jobrunner.domain.lanes import ClockMark, Lane, Load, Slot
from jobrunner.presentation.details import fields
from jobrunner.presentation.labels import DISABLED, PAUSED
from jobrunner.presentation.marks import REASONS, SLOTS, STANDS
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.presentation.times import Times, absolute, relative

RIGHT = 10
"""Cells for when a job fires next."""

_MOST_DECISIONS = 5
_ONE, _MANY = ("│", "|"), "#"


def cells(lane: Lane, screen: Screen) -> tuple[Cell, ...]:
    """A character for each column of a lane; an empty one where there is nothing."""
    return tuple(_cell(slot, count, screen) for slot, count in lane.cells)


def fires(count: int, screen: Screen) -> str:
    """One character for so many coming fires in a column."""
    return _ONE[0 if screen.unicode else 1] if count == 1 else str(count) if count < 10 else _MANY


def right(lane: Lane, stand: Stand, screen: Screen, times: Times) -> Cell:
    """When it is next, with the glyph of what stands out about it; or why it is not."""
    if lane.next is None:
        label = {Stand.PAUSED: PAUSED, Stand.OFF: DISABLED}.get(stand)
        return Cell("-", "dim") if label is None else Cell(label.text(screen), label.style)
    said = relative(lane.next, times.now)
    if (label := STANDS.get(stand)) is None:
        return Cell(said)
    return Cell(f"{label.glyph if screen.unicode else label.ascii} {said}", label.style)


def amount(
    load: Load | None, missed: Sequence[Decision], marks: Sequence[ClockMark], workers: int | None, times: Times
) -> tuple[Cell, ...]:
    """Peak, missed fires and changes of the clock of a window, in one line; ``workers`` None: it is not known yet."""
    if load is None:
        parts = [Cell("the load is being reckoned", "dim")]
    elif load.peak_at is None:
        parts = [Cell("nothing starts", "dim")]
    else:
        style = "bold yellow" if workers is not None and load.peak > workers else ""
        of = f" ({f'{workers:,}' if workers else 'no'} worker{'s' * (workers != 1)})" if workers is not None else ""
        peak = f"{load.peak:,}/min{of}"
        parts = [Cell("peak ", "dim"), Cell(f"{clock(load.peak_at, times)} {peak}", style)]
    gap = Cell("   ")
    count = sum(decision.fires for decision in missed)
    lost = Cell(f"missed {count:,} ({_named(missed)})", "bold yellow") if missed else Cell("missed none", "dim")
    change = Cell(_changes(marks, times), "bold yellow") if marks else Cell("no clock change", "dim")
    return (Cell(" "), *parts, gap, lost, gap, change)


def clock(at: datetime, times: Times) -> str:
    """An instant as short as it can be told: ``12:15``, or ``Thu 12:15`` where it is not today."""
    there, now = at.astimezone(times.zone), times.now.astimezone(times.zone)
    if abs(at - times.now) > timedelta(days=6):
        return there.strftime("%d %b %H:%M")
    return there.strftime("%H:%M" if there.date() == now.date() else "%a %H:%M")


def legend(lengths: Mapping[str, bool], screen: Screen) -> tuple[Cell, ...]:
    """Which lengths of time there are, the one that is shown in bold and brackets, and what the marks mean."""
    said = [Cell(f" [{name}]" if on else f" {name}", "bold" if on else "dim") for name, on in lengths.items()]
    marks = [Cell("  "), Cell(_ONE[0 if screen.unicode else 1], "cyan"), Cell(" fires", "dim")]
    for slot in (Slot.OK, Slot.FAILED, Slot.MISSED, Slot.PAUSED, Slot.SKIPPED):
        label = SLOTS[slot]
        marks += [
            Cell(f"  {label.glyph if screen.unicode else label.ascii}", label.style),
            Cell(f" {label.word}", "dim"),
        ]
    return (*said, *marks)


def job(value: JobFacts, screen: Screen, times: Times) -> Iterator[str]:
    """When a job fires: its schedules in words, what may surprise, the next fires, what was decided lately."""
    yield screen.paint(plain(value.row.name), "bold")
    if value.row.description:
        yield plain(value.row.description)
    for schedule in value.schedules:
        yield ""
        yield from fields(
            [("schedule", schedule.expression), ("means", schedule.words), ("timezone", schedule.zone)], screen
        )
        yield from (screen.paint(f"note: {plain(note)}", "yellow") for note in schedule.notes)
    if not value.schedules:
        yield from ("", "It has no schedule.")
    yield from _held(value, screen, times)
    yield from _next(value, screen, times)
    if value.decisions:
        yield from ("", screen.paint("decided lately", "bold"))
        yield from (_decided(each, screen, times) for each in value.decisions[:_MOST_DECISIONS])


def _cell(slot: Slot, count: int, screen: Screen) -> Cell:
    if slot is Slot.NOTHING:
        return Cell("")
    if slot is Slot.FIRE:
        return Cell(fires(count, screen), "cyan")
    label = SLOTS[slot]
    return Cell(label.glyph if screen.unicode else label.ascii, label.style)


def _named(missed: Sequence[Decision]) -> str:
    names = list(dict.fromkeys(plain(decision.job) for decision in missed))
    return names[0] if len(names) == 1 else f"{names[0]} +{len(names) - 1}"


def _changes(marks: Sequence[ClockMark], times: Times) -> str:
    first = marks[0]
    more = f" +{len(marks) - 1}" if len(marks) > 1 else ""
    return f"clocks change {clock(first.at, times)} {plain(first.zone)}{more}"


def _held(value: JobFacts, screen: Screen, times: Times) -> Iterator[str]:
    pause = value.row.pause
    if not value.row.enabled:
        yield from ("", screen.paint(DISABLED.text(screen), DISABLED.style))
    if pause is not None:
        until = f" until {times.full(pause.until)}" if pause.until else ""
        reason = f": {plain(pause.reason)}" if pause.reason else ""
        yield from ("", screen.paint(f"{PAUSED.text(screen)} by {plain(pause.who)}{until}{reason}", PAUSED.style))


def _next(value: JobFacts, screen: Screen, times: Times) -> Iterator[str]:
    if value.fires:
        yield from ("", screen.paint("next", "bold"))
    for fire in value.fires:
        if fire.mark:
            yield screen.paint(f"  {fire.mark}", "yellow")
        yield f"  {absolute(fire.at, times.zone)}{screen.paint(f'  {relative(fire.at, times.now)}', 'dim')}"


def _decided(value: Decision, screen: Screen, times: Times) -> str:
    label = REASONS[value.why]
    several = f" x{value.fires:,}" if value.fires > 1 else ""
    return f"  {screen.paint(label.text(screen), label.style)}{several}  {clock(value.last_fire, times)}"
