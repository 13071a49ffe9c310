"""``tui``: the dashboard. Nothing of it is imported before it is opened."""

import os
import sys
from typing import Annotated

import typer

from jobrunner.cli import output
from jobrunner.cli.verb import Call, verb

UNUSABLE = 2
_FRAMES = "120"
"""A second. What changes just after a frame waits for one or two: of sixty, that is longer than a person's key may."""


@verb(data=False, examples="jobrunner tui\njobrunner tui --read-only\njobrunner -c /etc/jobrunner/jobs.toml tui")
def tui(
    ctx: typer.Context,
    read_only: Annotated[bool, typer.Option("--read-only", help="Only look: nothing can be changed.")] = False,
) -> int:
    """The dashboard: what needs attention, jobs, runs with their output, queues, the schedule ahead, servers.

    `?` shows the keys of where you are, `:` finds every command, `q` ends it. $XDG_CONFIG_HOME/jobrunner/tui.toml may
    give other keys (`[keys]`) and say `theme = "light"` or `"dark"`; without it COLORFGBG says which, and dark is
    taken where nothing does. It works without a server, and while the store is away. Where standard input and output
    are no terminal, or TERM=dumb, it prints what `health` prints and ends with 2.
    """
    os.environ.setdefault("TEXTUAL_FPS", _FRAMES)  # read by Textual when it is imported
    from jobrunner.tui.driver import usable

    call = Call.of(ctx)
    if not usable(os.environ):
        from jobrunner.cli.operations import look
        from jobrunner.presentation import findings

        output.write(findings.health(look(call)))
        return UNUSABLE
    return _open(call, read_only)


def _open(call: Call, read_only: bool) -> int:
    import socket

    from jobrunner import wiring
    from jobrunner.domain.clock import SystemClock
    from jobrunner.domain.state import Trigger
    from jobrunner.tui import preferences
    from jobrunner.tui.app import Dashboard
    from jobrunner.tui.driver import TerminalDriver
    from jobrunner.tui.look import Look
    from jobrunner.tui.remembered import Remembered
    from jobrunner.tui.setting import Setting

    wanted = preferences.read(os.environ)
    admin = wiring.make_admin(call.config, source=Trigger.MANUAL, warn=False)
    app = Dashboard(
        Setting(
            admin=admin,
            editor=lambda: wiring.open_editor(call.config),
            clock=SystemClock(),
            look=Look.of(sys.stdout, os.environ, wanted.theme),
            keys=wanted.keys,
            host=socket.gethostname() or "localhost",
            remembered=Remembered.of(os.environ),
            config=call.config,
            read_only=read_only,
            debug=call.debug,
        ),
        driver_class=TerminalDriver,
    )
    app.run()
    if call.debug:
        for text in app.tracebacks:
            sys.stderr.write(text)
    for text in app.farewell:
        output.say(text)
    if app.crash is not None:
        raise app.crash
    return app.return_code or 0
