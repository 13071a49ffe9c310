"""``jobrunner edit`` while the dashboard has given the terminal back: the command itself, so that both are the same."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from jobrunner.errors import JobrunnerError
from jobrunner.tui.actions.brief import brief
from jobrunner.tui.actions.calls import command_line
from jobrunner.tui.actions.hands import Done, Hands, Undo
from jobrunner.tui.selection import Selection

if TYPE_CHECKING:
    from jobrunner.jobfile.rewrite import Original
    from jobrunner.tui.app import Dashboard
    from jobrunner.tui.setting import Setting

WHAT = "one job is edited at a time, or the whole file from Configuration"


def editable(selection: Selection) -> bool:
    """Whether there is something to edit: one job, the job of one run, or the whole file."""
    return selection.kind in ("file", "version") or (selection.kind in ("job", "run") and len(selection.ids) == 1)


def edit(app: Dashboard, selection: Selection) -> None:
    """Gives the terminal to ``jobrunner edit``, with everything that it asks and says."""
    if app.setting.read_only:
        app.say("refused: the dashboard was opened with --read-only", error=True)
    elif not editable(selection):
        app.say(WHAT, error=True)
    elif selection.kind == "run" and not selection.jobs:
        app.performer.do(
            lambda hands: brief(hands, selection),
            lambda known: _edit_job(app, next(iter(known.jobs))),
            lambda text: app.say(text, error=True),
        )
    else:
        _edit_job(app, job_of(selection))


def _edit_job(app: Dashboard, job: str | None) -> None:
    """``job`` None: the whole file."""
    try:
        before = held(app.setting, job)
        with app.suspend():
            run(app.setting, job)
        undo = undo_since(app.setting, before, job)
    except SuspendNotSupported:
        app.say("this terminal cannot be given to an editor; e edits here", error=True)
        return
    except JobrunnerError as error:
        app.say(" ".join(str(error).split()), error=True)
        return
    if undo is not None:
        app.acting.remember(undo)
        app.say("the file is changed; u undoes it")
    if app.view is not None:
        app.view.ask()


def job_of(selection: Selection) -> str | None:
    """The job that is to be edited, None for the whole file; of a run, ``jobs`` must be known."""
    if selection.kind == "run":
        return selection.jobs[0]
    return str(selection.ids[0]) if selection.kind == "job" else None


def held(setting: Setting, job: str | None) -> Original:
    """The file that a job stands in, or the main one.

    Raises:
        ConfigError: it cannot be read.
        NotFound: there is no such job.
    """
    with setting.editor() as opened:
        return opened.part(job).original


def run(setting: Setting, job: str | None) -> None:
    """Runs it in the terminal, and waits for Enter."""
    call = ["edit", *([job] if job is not None else [])]
    named = ["-c", setting.config] if setting.config is not None else []
    sys.stdout.write(f"$ {command_line([call], setting.config)}\n")
    sys.stdout.flush()
    try:
        subprocess.call([sys.executable, "-m", "jobrunner", *named, *call])
        sys.stdout.write("Enter goes back to the dashboard. ")
        sys.stdout.flush()
        sys.stdin.readline()
    except KeyboardInterrupt:
        pass


def undo_since(setting: Setting, before: Original, job: str | None) -> Undo | None:
    """What takes back all that has changed in a file since, and nothing that changes later; None: nothing has.

    Raises:
        ConfigError: the file cannot be read any more.
    """
    with setting.editor() as opened:
        after = opened.again(before)
    if after.raw == before.raw:
        return None

    def undo(hands: Hands) -> Done:
        with hands.editor() as opened:
            proposal = opened.propose(after, before.text)
            opened.apply(proposal, action="edit", target=f"job {job}" if job else before.name, detail="undone")
        return Done("the file is as it was")

    return Undo(f"edit of {f'job {job}' if job else 'the file'}", undo)
