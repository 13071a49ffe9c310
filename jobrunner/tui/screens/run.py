"""One run: what it prints, followed while it does; its attempts, what it was given, its times, why and what changed."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult, SuspendNotSupported

from jobrunner.domain.size import format_size
from jobrunner.presentation import answers, changes, details, lists
from jobrunner.presentation.labels import RUN_STATES
from jobrunner.presentation.sanitise import TerminalFilter, plain
from jobrunner.presentation.table import Cell
from jobrunner.tui import keys, possible
from jobrunner.tui.dialogs.form import Form
from jobrunner.tui.fields import Field, Values
from jobrunner.tui.selection import Selection
from jobrunner.tui.view import View
from jobrunner.tui.widgets import bars
from jobrunner.tui.widgets.chart import Chart
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.ink import Pieces
from jobrunner.tui.widgets.output import Output
from jobrunner.tui.widgets.timeline import stages, timeline

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.answer import Answer
    from jobrunner.domain.at_work import AtWork
    from jobrunner.domain.change import Ran
    from jobrunner.domain.run import Run
    from jobrunner.domain.status import MoreOutput, OutputPart
    from jobrunner.presentation.screen import Screen as Terminal
    from jobrunner.tui.actions.hands import Hands
    from jobrunner.tui.app import Dashboard

T = TypeVar("T")

TABS = ("Output", "Attempts", "Parameters", "Timeline", "Why and what changed")
_BAR = 20
_PAGES_LINE = 2
"""Of the head: where the names of the pages stand."""

_KEPT_BYTES = 1024 * 1024
"""Of output that a view keeps while it is not shown."""

_MOST_AT_WORK = 1_000


class Seen(NamedTuple):
    """The answer to the question of this screen. ``more`` is the output since the place ``since`` of ``attempt``."""

    run: Run
    work: AtWork | None
    ran: Ran | None
    why: Answer | None
    more: MoreOutput | None
    attempt: int | None
    since: Any


class RunView(View):
    """A run, by its number. ``1`` to ``5`` and ``tab`` turn its pages; ``(`` and ``)`` its attempts."""

    name_shown = "Run"
    hints = ("output_follow", "output_search", "output_next_error", "retry", "cancel", "output_save", "output_pager")
    BINDINGS: ClassVar = [
        *keys.bindings("next_pane", "previous_pane"),
        ("left_parenthesis", "attempt(-1)", "The attempt before"),
        ("right_parenthesis", "attempt(1)", "The attempt after"),
    ]

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = int(number)
        self._page = 0
        self._attempt: int | None = None
        self._shown = 0
        self._place: Any = None
        self._seen: Seen | None = None

    def body(self) -> ComposeResult:
        yield Chart(self.terminal, self._draw_head, id="head")
        yield Output(screen=self.terminal, zone=self.times().zone, id="output")
        yield Details(screen=self.terminal, id="told")

    def way(self) -> Sequence[str]:
        return ("Runs", f"{self._number} {plain(self._seen.run.job)}" if self._seen is not None else str(self._number))

    # --- asking and showing -------------------------------------------------------------------------------------------

    def question(self) -> Callable[[Admin], object]:
        number, page, attempt, place = self._number, self._page, self._attempt, self._place

        def look(admin: Admin) -> Seen:
            run = admin.run(number)
            running = run.state == "running"
            work = next((at for at in admin.running(_MOST_AT_WORK) if at.run.id == number), None) if running else None
            waits = run.state in ("waiting", "queued", "scheduled", "retrying")
            ran = admin.ran(run) if page == 4 else None
            why = admin.why_run(number) if page == 4 or (waits and page == 0) else None
            more = admin.more_output(number, attempt, place) if run.attempt else None
            return Seen(run, work, ran, why, more, attempt, place)

        return look

    def show(self, answer: Any) -> None:
        self._seen = answer
        self._take(answer)
        self._draw()

    def _take(self, seen: Seen) -> None:
        """The next of the output, once: the same answer may come again, and one of another attempt too late."""
        output, more = self.query_one(Output), seen.more
        if more is None:
            output.set_empty(self._nothing(seen))
            return
        if seen.attempt != self._attempt or seen.since != self._place:
            return
        if more.attempt != self._shown:
            again = self._shown > 0
            self._shown = more.attempt
            if again and self._attempt is None:
                self._begin_anew()
                return
        output.append(more.parts())
        self._place = more.place
        if more.ended:
            output.end()
            output.set_empty("It printed nothing.")
        if more.chunks:
            self.ask()

    def _begin_anew(self) -> None:
        self._drop_output()
        self.ask()

    def _drop_output(self) -> None:
        self._place = None
        self.query_one(Output).clear("No output yet.")

    def left(self) -> None:
        """Large outputs of views that one may never go back to would add up; the store has them."""
        if any(output.state.size > _KEPT_BYTES for output in self.query(Output)):
            self._drop_output()

    def _nothing(self, seen: Seen) -> str:
        lines = "\n".join(answers.answer(seen.why, self._flat, self.times())) if seen.why is not None else ""
        return f"It has not begun.\n{plain_lines(lines)}".rstrip()

    @property
    def _flat(self) -> Terminal:
        return self.terminal._replace(colour=False)

    def tick(self) -> None:
        self._draw()

    def status(self) -> str:
        state = self.query_one(Output).state
        said = [state.words(self.terminal)] if self._page == 0 else [TABS[self._page]]
        if self._page == 0 and self._shown and self._seen is not None and self._seen.run.attempt > 1:
            said.insert(0, f"attempt {self._shown}")
        if self._page == 0 and self._seen is not None and not self._seen.run.state.final:
            said += ["FOLLOW" if state.following else "f follows"]
        return " · ".join(said)

    def selection(self) -> Selection:
        if self._seen is None:
            return Selection("run", (self._number,))
        run = self._seen.run
        return Selection("run", (self._number,), jobs=(run.job,), possible=possible.with_runs([run]))

    def command(self) -> Sequence[str]:
        if self._page:
            return ("show", str(self._number))
        return ("logs", str(self._number))

    def has_key(self, id: str) -> bool:
        return (self._page == 0 or not id.startswith("output_")) and super().has_key(id)

    # --- pages and attempts -------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        super().on_mount()
        self._turn(self._page)

    def action_open_screen(self, id: str) -> None:
        place = int(id.removeprefix("screen_")) - 1
        if place < len(TABS):
            self._turn(place)
        else:
            super().action_open_screen(id)

    def action_next_pane(self) -> None:
        self._turn((self._page + 1) % len(TABS))

    def action_previous_pane(self) -> None:
        self._turn((self._page - 1) % len(TABS))

    def _turn(self, page: int) -> None:
        self._page = page
        output, told = self.query_one(Output), self.query_one(Details)
        output.display, told.display = page == 0, page != 0
        (told if page else output).focus()
        told.show(self._written, keep=False)
        self._draw()
        self.restate()
        self.ask()

    @on(Chart.Clicked)
    def _head_clicked(self, event: Chart.Clicked) -> None:
        """A click on the name of a page turns to it."""
        right = 1
        for place, cell in enumerate(self._pages(self.size.width)[1:] if event.y == _PAGES_LINE else ()):
            left, right = right, right + cell_len(cell.text)
            if left <= event.x < right:
                self._turn(place)

    def action_attempt(self, way: int) -> None:
        """The output of the attempt before or after the one that is shown."""
        if self._seen is None or not self._shown:
            return
        wanted = self._shown + way
        if not 1 <= wanted <= self._seen.run.attempt:
            self.say(f"there is no attempt {wanted}")
            return
        self._attempt = self._shown = wanted
        self._begin_anew()
        self._draw()

    # --- what the output wishes ---------------------------------------------------------------------------------------

    @on(Output.Changed)
    def _changed(self) -> None:
        self.restate()

    @on(Output.CopyWanted)
    def _copy(self, event: Output.CopyWanted) -> None:
        self.app.copy_to_clipboard(event.text)
        self.say(f"copied {event.lines:,} {'line' if event.lines == 1 else 'lines'}")

    @on(Output.SaveWanted)
    def _save(self, event: Output.SaveWanted) -> None:
        attempt = self._shown or 1

        def chosen(values: Values | None) -> None:
            if values is not None:
                self._write(Path(values["file"]).expanduser(), attempt)

        name = f"run-{self._number}-{attempt}.log"
        field = Field("file", "File", "one that is not there yet", value=name, required=True)
        call = ["logs", str(self._number), "--attempt", str(attempt)]
        form = Form(
            self.terminal,
            title="Save the output",
            verb="Save",
            fields=[field],
            faults=lambda values: {"file": "is there already"} if _is_there(values["file"]) else {},
            command=lambda values: f"{self.app.command_line([call])} > {shlex.quote(values['file'])}",
        )
        self.app.push_screen(form, chosen)

    def _write(self, path: Path, attempt: int) -> None:
        """All that is kept of the attempt's output, byte for byte, to a file that is not there yet."""
        number = self._number

        def save(hands: Hands) -> tuple[str, bool]:
            try:
                with path.open("xb") as file:
                    size = sum(file.write(part.data) for part in hands.admin.output(number, attempt=attempt))
            except OSError as error:
                return f"not saved: {plain(str(error))}", True
            return f"saved {size:,} bytes to {plain(str(path))}", False

        self._do(save, lambda told: self.app.say(told[0], error=told[1]))

    @on(Output.PagerWanted)
    def _pager(self, event: Output.PagerWanted) -> None:
        number, attempt, at = self._number, self._shown or 1, event.line

        def copy(hands: Hands) -> str:
            with tempfile.NamedTemporaryFile(
                "w", suffix=".log", encoding="utf-8", errors="replace", delete=False
            ) as file:
                file.writelines(_shown(hands.admin.output(number, attempt=attempt)))
            return file.name

        self._do(copy, lambda name: self._page_through(name, at))

    def _page_through(self, name: str, line: int) -> None:
        """Gives the terminal to the person's pager for a while, with a file that goes away after it."""
        try:
            pager = shlex.split(os.environ.get("PAGER") or "less -R")
            at = [f"+{line}"] if Path(pager[0]).name in ("less", "more", "most") else []
            if self.is_current:
                with self.app.suspend():
                    subprocess.call([*pager, *at, name])
        except (OSError, ValueError, SuspendNotSupported) as error:
            self.app.say(f"no pager: {plain(str(error))}", error=True)
        finally:
            Path(name).unlink(missing_ok=True)

    def _do(self, work: Callable[[Hands], T], then: Callable[[T], None]) -> None:
        self.app.performer.do(work, then, partial(self.app.say, error=True), apart=True)

    # --- how it is drawn ----------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        self.query_one("#head", Chart).show(self._draw_head)
        if self._page:
            self.query_one("#told", Details).show(self._written)

    def _draw_head(self, width: int) -> Sequence[Pieces]:
        if self._seen is None:
            return ((), (), ())
        return self._first(self._seen), self._second(self._seen), self._pages(width)

    def _first(self, seen: Seen) -> Pieces:
        run, label = seen.run, RUN_STATES[seen.run.state]
        said = f"   attempt {run.attempt} of {run.max_attempts}"
        said += f"   exit {run.exit_code}" if run.exit_code is not None else ""
        said += f"   on {plain(run.server)}" if run.server else ""
        state = label.text(self.terminal) + ("  cancelling" if run.cancelling else "  dead" if run.dead else "")
        return (Cell(" "), Cell(state, label.style), Cell(said))

    def _second(self, seen: Seen) -> Pieces:
        run, times, work = seen.run, self.times(), seen.work
        if run.started_at is None:
            return (Cell(f" {plain(lists.note(run)) or 'due'} {times.short(run.run_after)}"),)
        pieces = [Cell(f" {lists.took(run.started_at, run.finished_at, times)}  ")]
        if work is not None and work.share is not None:
            pieces += [*bars.progress(work.share, 1, _BAR, self.terminal), Cell("  ")]
        if work is not None and work.ends is not None:
            pieces += [Cell(f"ends about {times.short(work.ends)}  ", "bold yellow" if work.slow else "")]
        return (*pieces, Cell(plain(lists.note(run)), "dim"))

    def _pages(self, width: int) -> Pieces:
        pieces = [Cell(" ")]
        for place, name in enumerate(TABS):
            text = f"{place + 1} {name if width >= 70 or place == self._page else name.split()[0]}"
            pieces += [Cell(f"[{text}]", "bold reverse") if place == self._page else Cell(f" {text} ")]
        return tuple(pieces)

    def _written(self, screen: Terminal) -> Sequence[str | Pieces]:
        seen, times = self._seen, self.times()
        if seen is None:
            return []
        if self._page == 1:
            return (
                list(lists.attempts(seen.run.attempts, screen, times)) if seen.run.attempts else ["It has not begun."]
            )
        if self._page == 2:
            return self._given(seen.run, screen)
        if self._page == 3:
            return list(timeline(stages(seen.run, times.now), screen.width, self.terminal, times.zone))
        why = list(answers.answer(seen.why, screen, times)) if seen.why is not None else []
        return [*why, *(changes.since_success(seen.ran, screen) if seen.ran is not None else ())]

    def _given(self, run: Run, screen: Terminal) -> Sequence[str | Pieces]:
        given = [(name, details.compact(value)) for name, value in run.params.items()]
        lines: list[str | Pieces] = [screen.paint("parameters", "bold")]
        lines += details.fields(given, screen, indent=2) if given else ["  none"]
        lines += ["", screen.paint("result", "bold")]
        return [*lines, (Cell(f"  {plain(details.compact(run.result))}"),) if run.result is not None else "  none"]


def open_output(app: Dashboard, selection: Selection) -> None:
    """Of the run that is selected."""
    if selection.kind == "run" and len(selection.ids) == 1:
        app.open(RunView(int(selection.ids[0])))


def _shown(parts: Iterable[OutputPart]) -> Iterator[str]:
    """Output that may be shown on a terminal; each stream is cut where it is cut, not where the other begins."""
    cleaners = defaultdict[str, TerminalFilter](TerminalFilter)
    for part in parts:
        if part.dropped:
            yield f"[{format_size(part.dropped)} were dropped here]\n"
        yield cleaners[part.stream].feed(part.data)
    for cleaner in cleaners.values():
        yield cleaner.end()


def plain_lines(text: str) -> str:
    """Each line fit to be shown."""
    return "\n".join(plain(line) for line in text.splitlines())


def _is_there(name: str) -> bool:
    return bool(name) and Path(name).expanduser().exists()
