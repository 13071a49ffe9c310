"""A pane that is read: fields, sections and paragraphs, wrapped to its width. Beside a list, or a whole screen.

What it shows is written by ``presentation``, with the same words as ``show`` prints; only the paint is another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from rich.cells import cell_len, chop_cells
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip

from jobrunner.presentation.screen import Screen, painted
from jobrunner.presentation.table import Cell
from jobrunner.tui.widgets.ink import Pieces, ground, line
from jobrunner.tui.widgets.sized import Sized

Write = Callable[[Screen], Iterable["str | Pieces"]]
"""Lines for a screen of this width: texts that ``Screen.paint`` has painted, or pieces."""

_WHEEL = 3


class Details(Sized, can_focus=True):
    """Lines that can be scrolled through. A line that is too long goes on below, under where its value began."""

    DEFAULT_CSS = "Details { height: 1fr; }"
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_by(1)", "Down", show=False, id="down"),
        Binding("k,up", "scroll_by(-1)", "Up", show=False, id="up"),
        Binding("g,home", "top", "To the top", show=False, id="top"),
        Binding("G,end", "bottom", "To the end", show=False, id="bottom"),
        Binding("pagedown,ctrl+f", "page(1)", "A page down", show=False, id="page_down"),
        Binding("pageup,ctrl+b", "page(-1)", "A page up", show=False, id="page_up"),
    ]

    def __init__(self, *, screen: Screen, id: str | None = None) -> None:
        super().__init__(id=id)
        self._screen = screen
        self._write: Write = lambda screen: ()
        self._lines: list[tuple[Cell, ...]] = []
        self._top = 0
        self._seen: list[tuple[Cell, ...]] = []

    def show(self, write: Write, *, keep: bool = True) -> None:
        """What writes the lines from now on; ``keep`` False: from the top, because it is about something else."""
        self._write = write
        self._top = self._top if keep else 0
        self._again()

    @property
    def lines(self) -> list[str]:
        """What it says, line by line as it is wrapped."""
        return ["".join(cell.text for cell in pieces) for pieces in self._lines]

    @property
    def more_below(self) -> int:
        """How many lines there are below what is in sight."""
        return max(len(self._lines) - self._top - self.size.height, 0)

    def action_scroll_by(self, lines: int) -> None:
        self._go(self._top + lines)

    def action_page(self, pages: int) -> None:
        self._go(self._top + pages * max(self.size.height - 1, 1))

    def action_top(self) -> None:
        self._go(0)

    def action_bottom(self) -> None:
        self._go(len(self._lines))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._go(self._top + _WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._go(self._top - _WHEEL)

    def sized(self) -> None:
        self._again()

    def watch_has_focus(self, value: bool) -> None:
        super().watch_has_focus(value)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        pieces = self._seen[y] if y < len(self._seen) else ()
        mark = (Cell("▌" if self._screen.unicode else "|", "bold"),) if self.has_focus and y == 0 else (Cell(" "),)
        return line((*mark, *pieces), self.size.width, self._screen, ground(self))

    def _again(self) -> None:
        width = self.size.width - 1
        if width > 0:
            # Colours tell labels from values, also where none are shown: ``line`` leaves them out.
            screen = self._screen._replace(terminal=True, width=max(width, 20), colour=True)
            self._lines = [row for said in self._write(screen) for row in wrapped(_pieces(said), width)]
            self._go(self._top)

    def _go(self, top: int) -> None:
        self._top = min(max(top, 0), max(len(self._lines) - self.size.height, 0))
        had, self._seen = self._seen, self._lines[self._top : self._top + self.size.height]
        if len(had) != len(self._seen):
            self.refresh()
            return
        differing = [y for y, (old, new) in enumerate(zip(had, self._seen, strict=True)) if old != new]
        if differing:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in differing))


def wrapped(pieces: Pieces, width: int) -> Iterator[tuple[Cell, ...]]:
    """The line as lines of at most so many cells, broken between words; what follows stands under the value."""
    if sum(cell_len(piece.text) for piece in pieces) <= width:
        yield tuple(pieces)
        return
    hang = _hang(pieces, width)
    row, left = list[Cell](), width
    for piece in pieces:
        for text in _parts(piece.text, width - hang):
            if cell_len(text.rstrip()) > left:
                yield _trimmed(row)
                row, left = [Cell(" " * hang)], width - hang
                text = text.lstrip()
            row.append(Cell(text, piece.style))
            left -= cell_len(text)
    yield _trimmed(row)


def _trimmed(row: list[Cell]) -> tuple[Cell, ...]:
    """Without the spaces at its end, which may be one more than fits."""
    last = row[-1].text.rstrip()
    return (*row[:-1], Cell(last, row[-1].style)) if last else tuple(row[:-1])


def _pieces(said: str | Pieces) -> Pieces:
    return tuple(Cell(text, style) for text, style in painted(said)) if isinstance(said, str) else said


def _hang(pieces: Pieces, width: int) -> int:
    """Where the value begins that a dim label stands before; a little where there is no such label."""
    before = 0
    for place, piece in enumerate(pieces):
        if piece.style == "dim" and place < len(pieces) - 1:
            after = pieces[place + 1].text
            hang = before + cell_len(piece.text) + len(after) - len(after.lstrip())
            return hang if hang <= width // 2 else 2
        if piece.text.strip():
            break
        before += cell_len(piece.text)
    return 2


def _parts(text: str, width: int) -> Iterator[str]:
    """Words with the spaces behind them; those that are too long in pieces."""
    start = 0
    while start < len(text):
        end = text.find(" ", start)
        end = len(text) if end < 0 else end
        while end < len(text) and text[end] == " ":
            end += 1
        word = text[start:end]
        yield from [word] if cell_len(word.rstrip()) <= width else chop_cells(word, max(width, 1))
        start = end
