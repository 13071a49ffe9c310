"""The editor of one job: as a form or as its lines of TOML, with what the change would mean while it is typed.

It is saved by the code of ``edit``: checked as a whole, written at once, loaded by the servers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.message import Message
from textual.widgets import TextArea

from jobrunner.admin.drafting import Draft, Drafting, Preview, Saved, Theirs
from jobrunner.errors import ConfigError, JobrunnerError, Refused
from jobrunner.presentation.counted import counted
from jobrunner.presentation.screen import Screen as Terminal
from jobrunner.tui import keys
from jobrunner.tui.actions.hands import Done, Hands, Undo
from jobrunner.tui.dialogs.confirm import Confirm
from jobrunner.tui.screens.editor_sight import Sight
from jobrunner.tui.screens.editor_typing import FormTyping, TextTyping, Typed, Typing
from jobrunner.tui.screens.unsaved import Unsaved
from jobrunner.tui.selection import NOTHING, Selection
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.keyform import KeyForm
from jobrunner.tui.workshop import Workshop

if TYPE_CHECKING:
    from jobrunner.tui.app import Dashboard

_MOMENT = 0.05
"""Seconds after a letter until the text is read that it makes: what is typed fast is read at once."""

READ_ONLY = "refused: the dashboard was opened with --read-only"


def edit_here(app: Dashboard, selection: Selection) -> None:
    """Opens the editor of the job that is selected."""
    if app.setting.read_only:
        if app.view is not None:
            app.view.say(READ_ONLY, error=True)
    elif selection.kind == "job" and len(selection.ids) == 1:
        app.open(JobEditor(str(selection.ids[0])))


def new_job(app: Dashboard, selection: Selection) -> None:
    """Opens the editor on a job that is not there yet."""
    if not app.setting.read_only:
        app.open(JobEditor(None))
    elif app.view is not None:
        app.view.say(READ_ONLY, error=True)


def _take_back(saved: Saved, hands: Hands) -> Done:
    with hands.editor() as editor:
        Drafting(editor).take_back(saved.proposal)
    return Done(f"{saved.proposal.original.name} is as it was")


class Brought(Message):
    """What the workshop has to say, to be done on the UI thread."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self.work = work


class JobEditor(Unsaved):
    """Edits a job by its name, or for None a new one."""

    DEFAULT_CSS = """
    JobEditor #editor { layout: vertical; height: 1fr; }
    JobEditor #typing { height: 1fr; width: 1fr; }
    JobEditor #preview { height: 10; border-top: solid $border-blurred; }
    JobEditor.-wide #editor { layout: horizontal; }
    JobEditor.-wide #preview { width: 1fr; height: 1fr; border-top: none; border-left: solid $border-blurred; }
    JobEditor.-low #preview { height: 4; }
    JobEditor.-ascii #preview { border-top: ascii $border-blurred; }
    JobEditor.-wide.-ascii #preview { border-top: none; border-left: ascii $border-blurred; }
    """

    name_shown = "Edit"
    hints: ClassVar = ("save_edit", "turn_edit", "back", "to_mistake", "revert_edit", "next_pane")
    BINDINGS: ClassVar = [
        *keys.bindings(*keys.EDITING),
        *keys.bindings("quit", action="quit_edit"),
        *keys.bindings("page_down", "page_up", action="{}_preview"),
        *keys.bindings("next_pane", "previous_pane", action="other_pane"),
    ]

    def __init__(self, job: str | None) -> None:
        super().__init__()
        self._job = job
        self._draft: Draft | None = None
        self._typing: Typing | None = None
        self._typed = Typed("", {})
        self._behind = False
        self._preview: Preview | None = None
        self._looked = self._known = 0
        self._theirs: Theirs | None = None
        self._saved: Saved | None = None
        self._saving = False
        self._trouble = ""

    def body(self) -> ComposeResult:
        with Container(id="editor"):
            yield Vertical(id="typing")
            yield Details(screen=self.terminal, id="preview")

    def on_mount(self) -> None:
        self.set_class(not self.terminal.unicode, "-ascii")
        self._workshop = Workshop(
            self.app.setting.editor,
            bring=self._bring,
            unexpected=self.app.note_fault,
        )
        self._workshop.start()
        job = self._job
        self._workshop.do(lambda tools: tools.drafting.open(job), self._opened, self._not_opened)

    def on_unmount(self) -> None:
        """What was typed and neither saved nor given up is kept in a file beside the one that it is for."""
        self._workshop.close()
        if self._typing is not None:
            self._typed = self._typing.read()
        if self._draft is not None and self.dirty and not self.given_up:
            try:
                path = self._draft.keep(self._typed.text)
            except Refused as error:
                self.app.farewell.append(str(error))
            else:
                self.app.farewell.append(f"what was typed for {self.what()} and not saved is kept in {path}")

    def _bring(self, work: Callable[[], None]) -> None:
        self.post_message(Brought(work))

    def on_brought(self, message: Brought) -> None:
        if self.app.is_running:
            message.work()

    # --- what it says of itself ---------------------------------------------------------------------------------------

    @property
    def dirty(self) -> bool:
        """Whether anything was typed that is not saved."""
        return self._draft is not None and (self._typed.text != self._draft.start or bool(self._typed.unfit))

    @property
    def ready(self) -> bool:
        """Whether what is shown is about what stands there now."""
        return bool(self._trouble) or (not self._behind and 0 < self._looked == self._known)

    def selection(self) -> Selection:
        return Selection("job", (self._job,)) if self._job is not None else NOTHING

    def way(self) -> Sequence[str]:
        return ("Jobs", self._job, "edit") if self._job is not None else ("Jobs", "new job")

    def remark(self) -> str:
        draft = self._draft
        return f"{draft.part.original.name}:{draft.line}" if draft is not None else ""

    def status(self) -> str:
        if self._draft is None:
            return self._trouble or "reading the file"
        how = "the whole file" if self._draft.whole else "form" if isinstance(self._typing, FormTyping) else "TOML"
        return " · ".join([how, "not saved" if self.dirty else "unchanged", self._standing()])

    def _standing(self) -> str:
        if self._saving:
            return "saving"
        if not self.ready:
            return "checking"
        count = len(self._preview.problems) if self._preview is not None else 0
        if count or self._typed.unfit:
            return counted(count + len(self._typed.unfit), "mistake")
        return "valid"

    def can_press(self, key: str) -> bool:
        return len(keys.shown(key)) > 1

    def command(self) -> Sequence[str]:
        return ("edit", self._job) if self._job is not None else ("edit",)

    def watch_wide(self, wide: bool) -> None:
        self.set_class(wide, "-wide")

    # --- typing -------------------------------------------------------------------------------------------------------

    def _opened(self, draft: Draft) -> None:
        self._draft, self._typed, self._trouble = draft, Typed(draft.start, {}), ""
        self.call_later(self._show_typing, form=not draft.whole)

    def _not_opened(self, error: JobrunnerError) -> None:
        self._trouble = " ".join(str(error).split())
        self.query_one(Details).show(lambda screen: iter([screen.paint(self._trouble, "bold red")]), keep=False)
        self.restate()

    async def _show_typing(self, *, form: bool) -> None:
        """Puts the form, or the text, in the place of what was there."""
        fresh = (self._form() if form else None) or self._lines_of_toml()
        if fresh is None:
            return
        place = self.query_one("#typing", Vertical)
        with self.app.batch_update():
            await place.remove_children()
            self._typing = fresh
            await place.mount(fresh.widget)
        fresh.widget.focus()
        self._look(at_once=True)

    def _form(self) -> FormTyping | None:
        """A form of what stands there; None where that is no job."""
        assert self._draft is not None
        try:
            form = FormTyping(self._draft, self._typed.text, self.terminal)
        except ValueError as error:
            self.say(f"no form: {error}", error=True)
            return None
        self._typed = Typed(self._typed.text, {})
        return form

    def _lines_of_toml(self) -> TextTyping | None:
        assert self._draft is not None
        try:
            return TextTyping(self._draft, self._typed.text, self.terminal)
        except ValueError as error:
            self.say(str(error), error=True)
            return None

    @on(KeyForm.Changed)
    @on(TextArea.Changed)
    def _something_typed(self, event: KeyForm.Changed | TextArea.Changed) -> None:
        """A letter is shown first; what it makes of the text is looked at a moment later, for all that came by then."""
        if self._typing is not None and event.control is self._typing.widget and not self._behind:
            self._behind = True
            self.set_timer(_MOMENT, self.catch_up)

    def catch_up(self) -> None:
        """Reads what stands there, where that has not been done since the last letter."""
        if not self._behind or self._typing is None:
            return
        self._behind = False
        typed = self._typing.read()
        if typed != self._typed:
            self._typed, self._saved = typed, None
            self._look()

    def _look(self, *, at_once: bool = False) -> None:
        """Has what stands there looked at, once nothing is typed for a moment."""
        draft, text = self._draft, self._typed.text
        if draft is not None:
            self._looked += 1
            look = partial(self._previewed, self._looked)
            ask = self._workshop.look_at_once if at_once else self._workshop.look
            ask(lambda tools: tools.drafting.preview(draft, text), look, self._failed)
            self.restate()

    def _previewed(self, number: int, preview: Preview) -> None:
        if number == self._looked:
            self._known, self._preview = number, preview
            self._paint()

    def _paint(self) -> None:
        self.query_one(Details).show(self._lines)
        if isinstance(self._typing, FormTyping):
            self._typing.widget.complain(self._typing.wrong(self._preview, self._typed))
        self.restate()

    def _lines(self, screen: Terminal) -> Iterator[str]:
        sight = Sight(self._draft, self._preview, self._theirs, self._saved, changed=self.dirty, wide=self.wide)
        yield from sight.lines(screen, self.times())

    # --- keys ---------------------------------------------------------------------------------------------------------

    def action_other_pane(self) -> None:
        """From what is typed, out of a form at its end, to the preview and back."""
        preview = self.query_one(Details)
        if self._typing is not None and preview.has_focus:
            self._typing.widget.focus()
        else:
            preview.focus()

    async def action_turn_edit(self) -> None:
        """Form or text."""
        self.catch_up()
        if self._draft is None or self._typing is None:
            return
        if self._typed.unfit:
            self.say("what is marked cannot be written at its place; empty it first", error=True)
            return
        await self._show_typing(form=isinstance(self._typing, TextTyping))

    async def action_revert_edit(self) -> None:
        """As it was when editing began, or as somebody else has left it."""
        if self._draft is None:
            return
        if self._theirs is not None:
            self._draft, self._theirs = self._theirs.draft, None
        self._typed, self._saved, self._behind = Typed(self._draft.start, {}), None, False
        await self._show_typing(form=isinstance(self._typing, FormTyping))
        self.say("as the file has it")

    def action_take_theirs(self) -> None:
        """Goes on with what was typed, on the file as somebody else has left it."""
        if self._theirs is None:
            self.say("nobody else has changed the file")
            return
        self.catch_up()
        self._draft, self._theirs = self._theirs.draft, None
        self._job = self._draft.job
        if isinstance(self._typing, TextTyping):
            self._typing.widget.line_number_start = self._draft.line
        self._look()

    async def action_to_mistake(self) -> None:
        """To the first line, or key, that is wrong."""
        self.catch_up()
        form, preview = self._typing, self._preview
        if isinstance(form, FormTyping) and (wrong := form.wrong(preview, self._typed)):
            form.widget.point_at(next(iter(wrong)))
            return
        lines = [one.line for one in preview.problems if one.line] if preview is not None and self._draft else []
        if not lines:
            self.say("no mistake")
            return
        if isinstance(form, FormTyping):
            await self.action_turn_edit()
        if isinstance(self._typing, TextTyping):
            self._typing.widget.go_to(lines[0])
            self._typing.widget.focus()

    def action_page_down_preview(self) -> None:
        self.query_one(Details).action_page(1)

    def action_page_up_preview(self) -> None:
        self.query_one(Details).action_page(-1)

    def action_save_edit(self) -> None:
        """Saves what stands there, and tells what the servers made of it."""
        self.catch_up()
        draft, text = self._draft, self._typed.text
        if draft is None or self._saving:
            return
        if self.app.setting.read_only:
            self.say(READ_ONLY, error=True)
        elif self._typed.unfit:
            self.say(f"not saved: {next(iter(self._typed.unfit.values()))}", error=True)
        elif draft.job is not None and not self.dirty:
            self.say("nothing was changed")
        elif self.app.admin.settings.production:
            self._confirm(draft, text)
        else:
            self._save(draft, text)

    def _confirm(self, draft: Draft, text: str) -> None:
        """Where jobs are in production, the name has to be typed."""

        def confirmed(yes: bool | None) -> None:
            if yes:
                self._save(draft, text)

        confirm = Confirm(
            self.terminal,
            question=f"Save {self.what()}?",
            verb="Save",
            jobs={},
            notes=["this is production: the servers load it at once"],
            command=self.app.command_line([self.command()]),
            typed=draft.job or draft.name_in(text) or "",
        )
        self.app.push_screen(confirm, confirmed)

    def _save(self, draft: Draft, text: str) -> None:
        self._saving = True
        self.restate()
        self._workshop.do(lambda tools: tools.drafting.save(draft, text), partial(self._is_saved, text), self._failed)

    def _is_saved(self, text: str, saved: Saved) -> None:
        self._saving, self._theirs = False, None
        self.app.acting.remember(Undo(f"edit of {self.what()}", partial(_take_back, saved)))
        draft = saved.draft
        if draft is None:
            self.given_up = True
            self.app.back()
            return
        self._job, self._draft, self._saved = draft.job, draft, saved
        if isinstance(self._typing, FormTyping):
            self._typing.go_on_from(draft)
        if self._typed.text == text:
            self._typed = Typed(draft.start, {})  # a last line may have got its end
        self.say(f"{draft.part.original.name} is written; u undoes it in other views")
        self._look()
        self._paint()

    def _failed(self, error: JobrunnerError) -> None:
        was_saving, self._saving = self._saving, False
        draft = self._draft
        if isinstance(error, ConfigError) and draft is not None:
            self._preview = Preview(self._typed.text, error.problems, None, None)
            self._paint()
            if was_saving:
                self.say("not saved: the file would be invalid", error=True)
            return
        self.say(" ".join(str(error).split()), error=True)
        if isinstance(error, Refused) and draft is not None and was_saving:
            self._workshop.do(lambda tools: tools.drafting.theirs(draft), self._see_theirs, self._not_opened)

    def _see_theirs(self, theirs: Theirs | None) -> None:
        self._theirs = theirs
        self._paint()
        self.query_one(Details).action_top()

    def what(self) -> str:
        return f"job {self._job}" if self._job is not None else "the new job"
