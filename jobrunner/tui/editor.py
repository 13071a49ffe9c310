"""``jobrunner edit`` while the dashboard has given the terminal back: the command itself, so that both are the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from jobrunner.tui.actions import Done, Hands, command_line

if TYPE_CHECKING:
    from jobrunner.tui.app import Setting


def edit(setting: Setting, job: str | None) -> Callable[[Hands], Done] | None:
    """Runs it in the terminal and waits for Enter; gives what takes the change back, None where nothing was changed."""
    with setting.editor() as opened:
        before = opened.part(job).original
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
    with setting.editor() as opened:
        after = opened.part(job).original
    if after.raw == before.raw:
        return None
    text = before.text

    def undo(hands: Hands) -> Done:
        with hands.editor() as opened:
            original = opened.part(job).original
            opened.apply(opened.propose(original, text), action="edit", target=f"job {job}" if job else "jobs.toml")
        return Done("the file is as it was")

    return undo
