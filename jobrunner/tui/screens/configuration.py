"""The configuration: the file and what is wrong with it, where it is in force, what that would change; versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from textual import on
from textual.app import ComposeResult

from jobrunner.errors import JobrunnerError
from jobrunner.presentation import changes, configuration
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.table import Cell
from jobrunner.tui.selection import Selection
from jobrunner.tui.view import View
from jobrunner.tui.widgets.chart import Chart
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.ink import Pieces
from jobrunner.tui.widgets.listing import Line, Listing
from jobrunner.tui.widgets.rule import rule

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.change import InForce, Meaning
    from jobrunner.domain.configuration import Configuration as Found
    from jobrunner.presentation.screen import Screen as Terminal

_AHEAD_LINES = 6


class Seen(NamedTuple):
    """The answer to the question of this screen; ``meaning`` is what loading the file as it is would change."""

    found: Found
    meaning: Meaning | None


class Configuration(View):
    """Screen 7."""

    name_shown = "Configuration"
    number = "7"
    filterable = True
    hints = ("open", "edit", "reload", "rollback", "next_pane")

    def __init__(self) -> None:
        super().__init__()
        self._seen: Seen | None = None
        self._words = ""
        self._compared: tuple[object, Meaning | None] = (None, None)

    def body(self) -> ComposeResult:
        screen = self.terminal
        yield Chart(screen, self._head, id="head")
        yield Chart(screen, self._versions_head, id="versions-head")
        yield Listing(
            configuration.VERSION_COLUMNS,
            screen=screen,
            id="versions",
            key=_key,
            empty="No server has loaded a file yet.\njobrunner run does.",
        )

    def detail(self) -> ComposeResult:
        yield Details(screen=self.terminal, id="what")

    def question(self) -> Callable[[Admin], object]:
        def look(admin: Admin) -> Seen:
            found = admin.configuration()
            return Seen(found, self._meaning(found))

        return look

    def show(self, answer: Any) -> None:
        self._seen = answer
        self._show_versions()
        self._redraw()

    def tick(self) -> None:
        self.query_one(Listing).again()
        self._redraw()

    def selection(self) -> Selection:
        row = self.query_one(Listing).cursor_row
        if row is None:
            return Selection("file")
        return Selection("version", (f"{row.version.job} {row.version.version}",))

    def filter(self, text: str) -> None:
        self._words = text.casefold()
        self._show_versions()

    def status(self) -> str:
        if self._seen is None:
            return ""
        found = self._seen.found
        count = len(found.problems)
        said = [f"{count:,} problem{'' if count == 1 else 's'}" if count else "valid"]
        said += ["in force everywhere" if found.in_force else "not in force everywhere"] if found.servers else []
        said += [f"filter: {plain(self.filter_text)}"] if self.filter_text else []
        return " · ".join(said)

    def command(self) -> Sequence[str]:
        return ("history",)

    def action_next_pane(self) -> None:
        self.focus_next()

    @on(Listing.Chosen)
    def _chosen(self, event: Listing.Chosen) -> None:
        if (row := event.listing.cursor_row) is not None:
            self.app.open_thing("job", row.version.job)

    # --- what it asks -------------------------------------------------------------------------------------------------

    def _meaning(self, found: Found) -> Meaning | None:
        """Asked in the reader's thread, once for each form of the file and what is in force."""
        if found.in_force or found.problems or found.config_hash is None:
            return None
        key = (found.config_hash, tuple(server.config_hash for server in found.servers if server.live))
        if self._compared[0] != key:
            meaning = None
            try:
                with self.app.setting.editor() as editor:
                    meaning = editor.difference(None)
            except JobrunnerError:
                pass  # nothing was ever loaded, or the file has just become invalid: the next answer says so
            self._compared = (key, meaning)
        return self._compared[1]

    # --- how it is drawn ----------------------------------------------------------------------------------------------

    def _show_versions(self) -> None:
        if self._seen is not None:
            shown = [one for one in self._seen.found.versions if self._fits(one)]
            self.query_one(Listing).show(shown, self._version_row)

    def _fits(self, one: InForce) -> bool:
        text = f"{one.version.job} {one.version.who} {one.version.origin}".casefold()
        return all(word in text for word in self._words.split())

    def _redraw(self) -> None:
        self.query_one("#head", Chart).show(self._head)
        self.query_one("#versions-head", Chart).show(self._versions_head)
        if self.wide and self._seen is not None:
            self.query_one("#what", Details).show(self._written)

    def _version_row(self, value: InForce) -> Line:
        return Line(_key(value), configuration.version(value, self.terminal, self.times()))

    def _head(self, width: int) -> Sequence[Pieces]:
        seen = self._seen
        if seen is None:
            return ((),)
        lines: list[Pieces] = [
            (Cell(" "), *pieces) for pieces in configuration.head(seen.found, width - 2, self.terminal)
        ]
        if seen.meaning is not None and not seen.meaning.nothing:
            said = [line for line in changes.meaning(seen.meaning, {}, self._screen(width), self.times()) if line]
            lines.append((Cell(" Loading it now would change:", "bold"),))
            lines += [(Cell(f" {plain(line)}"),) for line in said[:_AHEAD_LINES]]
            if len(said) > _AHEAD_LINES:
                lines.append((Cell(f" and {len(said) - _AHEAD_LINES} lines more: jobrunner diff", "dim"),))
        return lines

    def _screen(self, width: int) -> Terminal:
        return self.terminal._replace(colour=False, width=max(width - 1, 20))

    def _versions_head(self, width: int) -> Sequence[Pieces]:
        return (rule("VERSIONS IN FORCE", width, self.terminal, right="newest first"),)

    def _written(self, screen: Terminal) -> list[str | Pieces]:
        seen, row = self._seen, self.query_one(Listing).cursor_row
        if seen is None:
            return []
        lines: list[str | Pieces] = list(configuration.about(seen.found))
        if row is not None:
            one = row.version
            lines += ["", (Cell(f"version {one.version} of {plain(one.job)}", "bold"),)]
            lines += [f"put in force {self.times().full(one.applied_at)}", f"by {plain(one.who)} on {plain(one.host)}"]
            lines += [f"replaced {self.times().full(one.replaced_at)}"] if one.replaced_at is not None else []
            lines += [plain(changes.summary(row.version, row.keys, row.renamed, screen))]
        return lines


def _key(value: InForce) -> tuple[str, int]:
    return value.version.job, value.version.version
