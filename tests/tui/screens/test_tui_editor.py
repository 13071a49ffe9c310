"""The editor of one job: typed as a form or as TOML, seen while it is typed, saved by the code of ``edit``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from keyboard import press
from project import Project

from jobrunner import wiring
from jobrunner.admin import Admin
from jobrunner.domain.state import Trigger
from jobrunner.tui.screens.editor import JobEditor, edit_here
from jobrunner.tui.selection import Selection
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.keyform import KeyForm
from jobrunner.tui.widgets.tomltext import TomlText

pytestmark = pytest.mark.anyio

Editing = Callable[..., Any]


class Edited:
    """An editor under Pilot."""

    def __init__(self, opened: Any, view: JobEditor) -> None:
        self.opened = opened
        self.view = view

    @property
    def form(self) -> KeyForm:
        return self.view.query_one(KeyForm)

    @property
    def text(self) -> TomlText:
        return self.view.query_one(TomlText)

    @property
    def seen(self) -> str:
        """What the preview says, with single spaces: lines are wrapped where they end."""
        return " ".join("\n".join(self.view.query_one(Details).lines).split())

    async def fill(self, name: str, value: str) -> None:
        """Goes to a key and types a value in the place of what is there."""
        self.form.point_at(name)
        self.form.put(name, value)
        await self.checked()

    async def checked(self) -> None:
        await self.opened.pilot.pause()
        await self.opened.until(lambda: self.view.ready)
        await self.opened.pilot.pause()

    async def press(self, *pressed: str) -> None:
        await press(self.opened.pilot, *pressed)

    async def save(self) -> None:
        """Saves, and waits until that is done or refused."""
        await self.press("ctrl+s")
        await self.opened.until(lambda: "saving" not in self.view.status())
        await self.checked()


@pytest.fixture
def editing(dashboard: Editing, where: Project) -> Editing:
    @asynccontextmanager
    async def open(job: str | None = "backup", **more: Any):  # type: ignore[no-untyped-def]
        async with dashboard(config=str(where.file), **more) as opened:
            view = JobEditor(job)
            opened.app.open(view)
            edited = Edited(opened, view)
            await edited.checked()
            yield edited

    return open


async def test_a_form_and_what_is_ahead_are_shown(editing: Editing) -> None:
    async with editing() as edited:
        assert edited.form.value("schedule") == "0 2 * * *"
        assert edited.form.value("queue") == "low"
        assert "At 02:00 (UTC)" in edited.seen
        assert edited.seen.count("02:00 UTC") == 5
        assert "unchanged · valid" in edited.view.status()
        assert "Change" not in edited.seen


async def test_one_value_is_filled_in_and_nothing_else_of_the_file_changes(editing: Editing, where: Project) -> None:
    before = where.file.read_text()
    async with editing() as edited:
        await edited.fill("schedule", "30 4 * * *")
        assert "At 04:30" in edited.seen
        assert 'schedule: "0 2 * * *" → "30 4 * * *"' in edited.seen
        assert "7 fires gained" in edited.seen
        assert "* schedule" in edited.opened.text()
        assert "not saved" in edited.view.status()
        await edited.save()
        assert "is written" in edited.seen
        assert "* schedule" not in edited.opened.text()
        assert "no server is running" in edited.seen
        assert "unchanged" in edited.view.status()
    assert where.file.read_text() == before.replace("0 2 * * *", "30 4 * * *")


async def test_it_is_in_the_audit_trail_as_an_edit(editing: Editing, admin: Admin) -> None:
    async with editing() as edited:
        await edited.fill("priority", "7")
        await edited.save()
    assert [(one.action, one.target) for one in admin.audit(None, 1)] == [("edit", "job backup")]


async def test_a_mistake_is_told_with_its_line_at_its_key_and_is_not_saved(editing: Editing, where: Project) -> None:
    before = where.file.read_text()
    async with editing() as edited:
        await edited.fill("timeout", "soon")
        assert "1 mistake" in edited.view.status()
        assert "line 9 " in edited.seen
        assert "jobs.backup.timeout" in edited.seen
        assert "✗ timeout" in edited.opened.text()
        await edited.save()
        assert "not saved" in edited.opened.text()
    assert where.file.read_text() == before


async def test_text_and_form_are_the_same(editing: Editing, where: Project) -> None:
    async with editing() as edited:
        await edited.fill("queue", "critical")
        await edited.press("ctrl+t")
        assert 'queue = "critical"' in edited.text.text
        assert edited.text.line_number_start == 5
        await edited.press("ctrl+end", "up", *"retries=4")
        await edited.checked()
        assert "retries: (none) → 4" in edited.seen
        await edited.press("ctrl+t")
        assert edited.form.value("retries") == "4"
        assert edited.form.value("queue") == "critical"
        await edited.save()
    assert where.file.read_text().count("retries=4\n") == 1


async def test_broken_toml_is_told_with_its_line_and_the_cursor_goes_there(editing: Editing) -> None:
    async with editing() as edited:
        await edited.press("ctrl+t", "down", "end", "backspace")
        await edited.checked()
        assert "line 6 " in edited.seen
        assert 'command = "true' in edited.seen
        await edited.press("ctrl+home", "ctrl+g")
        assert edited.text.cursor_location[0] == 1
        await edited.press("ctrl+t")
        assert "no form" in edited.opened.text()
        assert edited.text is not None


async def test_a_key_that_is_emptied_and_typed_anew_stays_at_its_place(editing: Editing, where: Project) -> None:
    where.file.write_text(where.file.read_text().replace('"0 2 * * *"', '"0 2 * * *"  # at night'))
    async with editing() as edited:
        await edited.fill("schedule", "")
        assert "no schedule" in edited.seen
        await edited.fill("schedule", "0 3 * * *")
        await edited.save()
    assert 'schedule = "0 3 * * *"  # at night\nqueue' in where.file.read_text()


async def test_what_somebody_else_has_changed_is_not_overwritten_unseen(editing: Editing, where: Project) -> None:
    async with editing() as edited:
        await edited.fill("schedule", "0 5 * * *")
        theirs = where.file.read_text().replace('queue = "low"', 'queue = "critical"')
        where.file.write_text(theirs)
        await edited.save()
        await edited.opened.until(lambda: "Somebody else" in edited.seen)
        assert where.file.read_text() == theirs
        assert '-queue = "low"' in edited.seen
        assert '+queue = "critical"' in edited.seen
        assert edited.form.value("schedule") == "0 5 * * *", "what was typed is kept"
        await edited.press("ctrl+o")
        await edited.checked()
        assert 'queue: "critical" → "low"' in edited.seen, "what saving it now would undo is told"
        await edited.save()
    assert 'schedule = "0 5 * * *"\nqueue = "low"' in where.file.read_text()


async def test_theirs_can_be_taken(editing: Editing, where: Project) -> None:
    async with editing() as edited:
        await edited.fill("schedule", "0 5 * * *")
        where.file.write_text(where.file.read_text().replace("0 2 * * *", "0 6 * * *"))
        await edited.save()
        await edited.opened.until(lambda: "Somebody else" in edited.seen)
        await edited.press("ctrl+r")
        await edited.checked()
        assert edited.form.value("schedule") == "0 6 * * *"
        assert "unchanged" in edited.view.status()


async def test_leaving_asks_where_something_is_not_saved(editing: Editing, where: Project) -> None:
    before = where.file.read_text()
    async with editing() as edited:
        view, app = edited.view, edited.opened.app
        await edited.fill("queue", "critical")
        await edited.press("escape")
        assert "is not saved" in edited.opened.text()
        await edited.press("n")
        assert app.view is view
        await edited.press("escape", "d")
        assert app.view is not view
    assert where.file.read_text() == before
    assert list(where.folder.glob("*.rejected")) == []


async def test_the_key_that_leaves_asks_too_where_it_is_no_letter(editing: Editing) -> None:
    async with editing() as edited:
        await edited.fill("queue", "critical")
        edited.form.point_at(edited.form.names[-1])
        await edited.press("tab", "q")
        assert "is not saved" in edited.opened.text()
        await edited.press("d")


async def test_leaving_can_save(editing: Editing, where: Project) -> None:
    async with editing() as edited:
        await edited.fill("queue", "critical")
        await edited.press("ctrl+q", "s")
        await edited.opened.until(lambda: "is written" in edited.seen)
    assert 'queue = "critical"' in where.file.read_text()


async def test_what_was_typed_is_kept_when_the_dashboard_ends(editing: Editing, where: Project) -> None:
    async with editing() as edited:
        await edited.fill("queue", "critical")
    [kept] = where.folder.glob("*.rejected")
    assert edited.opened.app.farewell == [f"what was typed for job backup and not saved is kept in {kept}"]
    assert 'queue = "critical"' in kept.read_text()


async def test_a_new_job_begins_with_a_few_lines(editing: Editing, where: Project) -> None:
    before = where.file.read_text()
    async with editing(None) as edited:
        await edited.press("ctrl+t", "ctrl+home", "down")
        assert edited.text.text.strip().startswith("[jobs.new-job]")
        edited.text.replace("tidy", (1, 6), (1, 13))
        await edited.checked()
        assert "+ tidy added" in edited.seen
        await edited.save()
        assert edited.view.way() == ("Jobs", "tidy", "edit")
    after = where.file.read_text()
    assert after.startswith(before)
    assert "\n\n[jobs.tidy]\ncommand" in after


async def test_a_new_job_is_named_in_the_form_and_goes_on_from_what_was_saved(editing: Editing, where: Project) -> None:
    before = where.file.read_text()
    async with editing(None) as edited:
        await edited.fill("name", "no name")
        await edited.checked()
        assert "cannot name a job" in edited.opened.text()
        await edited.save()
        assert where.file.read_text() == before
        await edited.fill("name", "tidy")
        await edited.checked()
        assert "+ tidy added" in edited.seen
        await edited.save()
        assert edited.view.way() == ("Jobs", "tidy", "edit")
        await edited.fill("schedule", "0 4 * * *")
        await edited.fill("name", "neat")
        await edited.save()
        assert edited.view.way() == ("Jobs", "neat", "edit")
    added = where.file.read_text().removeprefix(before)
    assert added.split("\n") == ["", "[jobs.neat]", 'command = "true"', 'schedule = "0 4 * * *"', ""]


async def test_a_job_that_is_not_there_is_told(dashboard: Editing, where: Project) -> None:
    async with dashboard(config=str(where.file)) as opened:
        opened.app.open(JobEditor("nobody"))
        await opened.until(lambda: "there is no job" in opened.text())


async def test_nothing_is_edited_where_nothing_may_be_changed(dashboard: Editing, where: Project) -> None:
    async with dashboard(config=str(where.file), read_only=True) as opened:
        edit_here(opened.app, Selection("job", ("backup",)))
        await opened.pilot.pause()
        assert not isinstance(opened.app.view, JobEditor)
        assert "--read-only" in opened.text()


async def test_without_a_store_it_is_edited_all_the_same(editing: Editing, where: Project) -> None:
    async with editing() as edited:
        (where.folder / "jobrunner.db").rename(where.folder / "gone")
        (where.folder / "jobrunner.db").mkdir()
        await edited.fill("schedule", "0 5 * * *")
        assert "At 05:00" in edited.seen
        await edited.save()
        assert "not in the audit trail" in edited.seen
    assert "0 5 * * *" in where.file.read_text()


@pytest.mark.parametrize(("size", "beside"), [((80, 24), False), ((140, 40), True)])
async def test_the_preview_stands_below_or_beside(editing: Editing, size: tuple[int, int], beside: bool) -> None:
    async with editing(size=size) as edited:
        preview, form = edited.view.query_one(Details).region, edited.form.region
        assert (preview.y == form.y) == beside
        assert (preview.x == form.x) != beside


async def test_nothing_that_a_file_says_reaches_the_terminal_unseen(editing: Editing, where: Project) -> None:
    where.file.write_text(where.file.read_text() + '\n[jobs.odd]\ncommand = "a"\n# \x1b[31mred\n')
    async with editing("odd") as edited:
        assert "\x1b[31m" not in edited.opened.text()
        assert "is not TOML" in edited.opened.text() or "not TOML" in edited.seen


async def test_it_is_filled_in_by_the_keyboard_alone(editing: Editing, where: Project) -> None:
    async with editing() as edited:
        await edited.press("down", "end", *["backspace"] * 9, *"@hourly", "enter", "right", "right", "down", *"q:?")
        await edited.checked()
        assert edited.form.value("schedule") == "@hourly"
        assert edited.form.value("enabled") == "false"
        assert edited.form.value("queue") == "lowq:?", "letters are typed, whatever they are elsewhere"
        assert "The queue that its runs wait in." in edited.opened.text()


async def test_the_preview_is_scrolled_while_the_form_has_the_focus(editing: Editing) -> None:
    async with editing() as edited:
        await edited.fill("schedule", "1 2 29 2 *")
        top = edited.opened.text()
        await edited.press("pagedown")
        assert edited.opened.text() != top
        assert "coming week: 7 fires lost" in edited.opened.text()
        await edited.press("pageup")
        assert edited.opened.text() == top
        assert "Change schedule; 0 fires gained, 7 lost in the coming week" in top


async def test_runs_that_are_concerned_are_told(editing: Editing, admin: Admin) -> None:
    admin.trigger("backup", {})
    async with editing() as edited:
        await edited.fill("timeout", "1h")
        assert "runs: 1 queued" in edited.seen
        assert "1 run under way or to come" in edited.seen


async def test_a_terminal_of_ascii_gets_ascii(editing: Editing) -> None:
    async with editing(unicode=False, colour=False) as edited:
        await edited.fill("timeout", "soon")
        assert "X timeout" in edited.opened.text()
        await edited.press("ctrl+t")
        assert edited.opened.text().isascii()


async def test_a_job_without_lines_of_its_own_is_edited_in_the_whole_file(editing: Editing, where: Project) -> None:
    where.file.write_text('jobs.dotted.command = "true"\n\n' + where.file.read_text())
    async with editing("dotted") as edited:
        assert "the whole file" in edited.view.status()
        assert edited.text.text == where.file.read_text()


async def test_a_job_that_is_renamed_is_edited_under_its_new_name(editing: Editing, where: Project) -> None:
    async with editing() as edited:
        await edited.press("ctrl+t")
        edited.text.replace("copies", (0, 6), (0, 12))
        await edited.checked()
        assert "backup → copies renamed" in edited.seen
        await edited.save()
        assert edited.view.selection() == Selection("job", ("copies",))
    assert "[jobs.copies]" in where.file.read_text()


async def test_a_job_that_is_taken_out_is_left(editing: Editing, where: Project) -> None:
    async with editing() as edited:
        await edited.press("ctrl+t")
        edited.text.load_text("")
        await edited.checked()
        assert "- backup removed" in edited.seen
        await edited.press("ctrl+s")
        await edited.opened.until(lambda: edited.opened.app.view is not edited.view)
    assert "backup" not in where.file.read_text()


async def test_an_edit_is_undone(editing: Editing, where: Project) -> None:
    before = where.file.read_text()
    async with editing() as edited:
        await edited.fill("queue", "critical")
        await edited.save()
        assert where.file.read_text() != before
        await edited.press("escape", "u")
        await edited.opened.until(lambda: where.file.read_text() == before)
        await edited.opened.until(lambda: "undone: edit of job backup" in edited.opened.text())


async def test_an_edit_is_not_undone_over_what_somebody_else_has_changed(editing: Editing, where: Project) -> None:
    async with editing(size=(200, 40)) as edited:
        await edited.fill("queue", "critical")
        await edited.save()
        theirs = where.file.read_text() + "# theirs\n"
        where.file.write_text(theirs)
        await edited.press("escape", "u")
        await edited.opened.until(lambda: "has been changed since" in edited.opened.text())
    assert where.file.read_text() == theirs


async def test_in_production_the_name_has_to_be_typed(editing: Editing, where: Project) -> None:
    where.file.write_text(where.file.read_text().replace('"UTC"\n', '"UTC"\nproduction = true\n'))
    before = where.file.read_text()
    admin = wiring.make_admin(str(where.file), source=Trigger.MANUAL, warn=False)
    async with editing(admin=admin) as edited:
        await edited.fill("queue", "critical")
        await edited.press("ctrl+s", "enter")
        assert where.file.read_text() == before
        await edited.press(*"backup", "enter")
        await edited.opened.until(lambda: "is written" in edited.seen)


async def test_the_keys_of_letters_are_not_offered_where_letters_are_typed(editing: Editing) -> None:
    async with editing(size=(140, 40)) as edited:
        last = edited.opened.text().splitlines()[-1]
        assert "ctrl+s Save" in last
        assert "ctrl+p Commands" in last
        assert "? Help" not in last
        assert edited.view.command() == ("edit", "backup")


async def test_it_is_opened_by_its_key_on_a_job(dashboard: Editing, where: Project) -> None:
    async with dashboard(config=str(where.file)) as opened:
        opened.app.act("edit_here", Selection("job", ("report",)))
        await opened.until(lambda: isinstance(opened.app.view, JobEditor) and opened.app.view.ready)
        assert opened.app.view.way() == ("Jobs", "report", "edit")


async def test_tab_goes_from_key_to_key(editing: Editing) -> None:
    async with editing() as edited:
        await edited.press("tab", *"x")
        assert edited.form.value("schedule") == "0 2 * * *x"
        await edited.press("tab", "shift+tab", *"y")
        assert edited.form.value("schedule") == "0 2 * * *xy"


async def test_tab_leaves_a_form_at_its_ends_and_comes_back_to_the_same_key(editing: Editing) -> None:
    async with editing() as edited:
        for end, key in ((-1, "tab"), (0, "shift+tab")):
            edited.form.point_at(edited.form.names[end])
            await edited.press(key)
            assert edited.view.query_one(Details).has_focus
            await edited.press(key, *"x")
            assert edited.form.value(edited.form.names[end]).endswith("x")
        await edited.press("ctrl+t", "tab")
        assert edited.view.query_one(Details).has_focus
        await edited.press("shift+tab")
        assert edited.text.has_focus
