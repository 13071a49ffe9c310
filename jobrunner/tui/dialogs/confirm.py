"""Asking before something is done: a line that is answered with y, a dialog, or the count or name to be typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import Input

from jobrunner.presentation.screen import Screen
from jobrunner.presentation.table import Cell
from jobrunner.tui.dialogs.dialog import Dialog, wrapped
from jobrunner.tui.widgets.button import Push
from jobrunner.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from jobrunner.tui.app import Dashboard

_JOBS_SHOWN = 6


class AskLine(ModalScreen[bool]):
    """``Retry run 1042 of backup? y/N`` in the place of the status line: ``y`` is yes, every other key is no.

    ``ctrl+y`` copies the command and answers nothing.
    """

    app: Dashboard

    DEFAULT_CSS = """
    AskLine { background: transparent; align: left bottom; }
    AskLine Lines { height: 2; width: 100%; background: ansi_default; }
    """

    AUTO_FOCUS: ClassVar = ""

    def __init__(self, screen: Screen, question: str, command: str) -> None:
        super().__init__()
        self._screen = screen
        self._command = command
        self._lines = [[Cell(f" {question} "), Cell("y/N", "bold")], [Cell(f" {command}", "dim")]]

    def compose(self) -> ComposeResult:
        lines = Lines(self._screen)
        lines.show(self._lines)
        yield lines

    def on_key(self, event: events.Key) -> None:
        event.stop()
        if event.key == "ctrl+y":
            self.app.copy(self._command, "the command")
        elif event.key != "ctrl+c":
            self.dismiss(event.key in ("y", "Y"))

    def on_click(self, event: events.Click) -> None:
        self.dismiss(False)


class Confirm(Dialog[bool]):
    """Says what is going to be done to how many, by job, and the command that does the same; the focus is on Cancel.

    ``typed``: what has to be typed for it, None where a button is enough.
    """

    DEFAULT_CSS = """
    Confirm #typing { height: 1; margin-top: 1; }
    Confirm #typing Lines { width: auto; }
    Confirm Input { border: none; height: 1; padding: 0; background: transparent; text-style: underline; width: 1fr; }
    """

    def __init__(
        self,
        screen: Screen,
        *,
        question: str,
        verb: str,
        jobs: Mapping[str, int],
        notes: Sequence[str],
        command: str,
        typed: str | None,
    ) -> None:
        super().__init__(screen, question)
        self._verb = verb
        self._jobs = jobs
        self._notes = notes
        self._command = command
        self._typed = typed

    def inside(self) -> ComposeResult:
        width = min(self.app.size.width, 72) - 6
        lines: list[Cell | str] = [line for note in self._notes for line in wrapped(note, width)]
        if sum(self._jobs.values()) > 1:
            lines += [Cell(line, "bold") for line in wrapped(_counts(self._jobs), width)]
        commands = wrapped(self._command, width)
        lines += ["", *(Cell(line, "dim") for line in commands[:3])]
        if len(commands) > 3:
            lines.append(Cell(self.terminal.ellipsis, "dim"))
        yield self.said(*lines)
        if self._typed is not None:
            with Horizontal(id="typing"):
                label = self.said(f"Type  {self._typed}  to confirm: ")
                label.styles.width = len(f"Type  {self._typed}  to confirm: ")
                yield label
                yield Input(compact=True)
        with Horizontal(classes="buttons"):
            yield Push(self.terminal, "Cancel", id="cancel")
            yield Push(self.terminal, self._verb, id="do")

    def command_shown(self) -> str:
        return self._command

    def on_mount(self) -> None:
        if self._typed is None:
            self.query_one("#cancel").focus()
        else:
            self.query_one("#do").disabled = True
            self.query_one(Input).focus()

    @on(Input.Changed)
    def _typing(self, event: Input.Changed) -> None:
        self.query_one("#do").disabled = not self._fits()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if self._fits():
            self.dismiss(True)

    def _fits(self) -> bool:
        return self._typed is None or self.query_one(Input).value.strip() == self._typed

    @on(Push.Pushed)
    def _pushed(self, event: Push.Pushed) -> None:
        self.dismiss(event.button.id == "do" and self._fits())


def _counts(jobs: Mapping[str, int]) -> str:
    """``backup 3   export 2   and 4 other jobs``."""
    shown = [f"{job} {count:,}" for job, count in list(jobs.items())[:_JOBS_SHOWN]]
    rest = len(jobs) - len(shown)
    return "   ".join([*shown, *([f"and {rest:,} other jobs"] if rest else [])])
