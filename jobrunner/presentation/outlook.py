"""What is ahead of a job that is being edited, and what a change of it means, in lines. Used by the dashboard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from jobrunner.domain.change import Meaning
from jobrunner.domain.duration import format_duration
from jobrunner.domain.outlook import Ahead, Outlook, Planned
from jobrunner.domain.server import Reloaded
from jobrunner.errors import Problem
from jobrunner.presentation import changes
from jobrunner.presentation.changes import Affected
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.times import Times, relative


def problems(found: Sequence[Problem], text: str, first: int, file: str, screen: Screen) -> Iterator[str]:
    """Each problem, below it the line that it is about, where that is one of the lines of a text.

    ``first`` is the number in the file of the text's first line.
    """
    lines = text.split("\n")
    for one in found:
        here = one.file == file
        place = f"line {one.line}" if here and one.line is not None else f"{one.file}:{one.line or 1}"
        yield f"{screen.paint(place, 'bold red')} {plain(one.message)}"
        if here and one.line is not None and first <= one.line < first + len(lines):
            yield screen.paint(f"    {plain(lines[one.line - first].strip())}", "dim")


def ahead(value: Outlook, screen: Screen, times: Times) -> Iterator[str]:
    """The schedules in words, the next fires with what is special about each, and what may surprise."""
    if not value.planned:
        yield "no schedule: it runs when somebody or something starts it"
        return
    for one in value.planned:
        yield _words(one, several=len(value.planned) > 1)
    if value.idle:
        yield screen.paint(f"{value.idle[:1].upper()}{value.idle[1:]}", "yellow")
    if not value.fires:
        yield screen.paint("it never fires again", "yellow")
    for fire in value.fires:
        yield f"  {_fire(fire, screen, times)}"
    for one in value.planned:
        yield from (screen.paint(f"! {plain(remark)}", "yellow") for remark in one.remarks)


def in_short(value: Meaning, affected: Affected, screen: Screen) -> Iterator[str]:
    """The change in one line, for where the whole is out of sight: keys, fires of the coming week, runs."""
    parts = list[str]()
    for one in (*value.changed, *value.renamed, *value.added, *value.removed):
        keys = ", ".join(plain(key.key) for key in one.keys)
        what = "is added" if one in value.added else "is taken out" if one in value.removed else "has another name"
        parts.append(keys or f"{plain(one.job)} {what}")
        if one.fires is not None and (one.fires.gained or one.fires.lost):
            gained, least = one.fires.gained, "" if one.fires.counted else "at least "
            fires = f"{gained:,} fire{'s' * (gained != 1)} gained, {one.fires.lost:,} lost"
            parts.append(f"{least}{fires} in the coming week")
        if runs := sum(affected.get(one.was or one.job, {}).values()):
            parts.append(f"{runs:,} run{'s' * (runs != 1)} under way or to come")
    if parts:
        yield f"{screen.paint('Change', 'bold')} {'; '.join(parts)}"


def change(value: Meaning | None, affected: Affected, screen: Screen, times: Times) -> Iterator[str]:
    """What the change means; None where the file of before could not be read."""
    yield screen.paint("Change", "bold")
    if value is None:
        yield "valid; the file of before was not"
    else:
        yield from changes.meaning(value, affected, screen, times)


def theirs(lines: Sequence[str], screen: Screen) -> Iterator[str]:
    """What somebody else has changed in the same lines meanwhile, and what can be done about it."""
    yield screen.paint(
        "Somebody else has changed the file meanwhile: nothing was written, your text is kept", "bold red"
    )
    if not lines:
        yield "these lines are as they were: the change is elsewhere in the file"
    for one in lines:
        yield screen.paint(plain(one), {"+": "green", "-": "red"}.get(one[:1], "dim"))


def saved(path: str, remark: str | None, servers: Sequence[Reloaded], screen: Screen) -> Iterator[str]:
    """What became of a change that was saved: where it is written, and what each server made of it."""
    yield screen.paint(f"{plain(path)} is written", "bold green")
    if remark is not None:
        yield screen.paint(f"warning: {plain(remark)}", "yellow")
    else:
        yield from changes.reloaded(servers)


def _words(one: Planned, *, several: bool) -> str:
    expression = f"{plain(one.expression)}: " if several else ""
    return f"{expression}{plain(one.words)} ({plain(one.zone)})"


def _fire(fire: Ahead, screen: Screen, times: Times) -> str:
    # The day of the week is what people check a schedule by; seconds are told where there are any.
    clock = "%H:%M:%S" if fire.at.second else "%H:%M"
    parts = [fire.at.strftime(f"%a %Y-%m-%d {clock} %Z"), screen.paint(relative(fire.at, times.now), "dim")]
    if fire.moved:
        parts.append(screen.paint(f"! clock {_moved(fire.moved)}", "bold yellow"))
    if fire.day_off is not None:
        parts.append(screen.paint(f"! day of {plain(fire.day_off)}", "bold yellow"))
    if fire.others:
        parts.append(f"with {_others(fire, screen)}")
    return "  ".join(parts)


def _moved(by: timedelta) -> str:
    """``+1h``: by how much the clock was changed before it."""
    return f"+{format_duration(by)}" if by > timedelta(0) else f"-{format_duration(-by)}"


def _others(fire: Ahead, screen: Screen) -> str:
    named = ", ".join(map(plain, fire.names))
    more = f", {screen.ellipsis}" if fire.others > len(fire.names) else ""
    return f"{fire.others:,} other{'s' * (fire.others != 1)} ({named}{more})"
