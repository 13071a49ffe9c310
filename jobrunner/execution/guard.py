"""The process above the launcher: it only waits, and ends what a killed launcher left behind.

Started by the server as ``python -m jobrunner.execution.guard FD FOLDER LIMITS``, before anything else; FD is the
launcher's end of the server's socket, FOLDER and LIMITS are the place of its cgroups, empty where there is none. Its
token comes in the environment, which others may not read.
"""

from __future__ import annotations

import os
import signal
import sys

from jobrunner.execution import cgroup, sweep
from jobrunner.execution.cgroup import Place


def main(server: int, place: Place) -> None:
    """Forks the launcher, waits for its end, and ends everything that is left."""
    token, asked_by = os.environ[sweep.MARKER].rpartition(".")[0], os.getppid()
    os.set_inheritable(server, False)
    os.chdir("/")
    # A terminal's Ctrl-C and a service manager's SIGTERM are for the server, which decides what becomes of its runs.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    for low in (0, 1, 2, 3):
        _occupy(low)
    sweep.become_subreaper()
    alive, held = os.pipe()
    launcher = os.fork()
    if launcher == 0:
        os.close(held)
        _launch(server, alive, token, place, asked_by)
    os.close(alive)
    os.close(server)
    _wait_for(launcher)
    sweep.end_children()
    _leave(place, token, asked_by)


def _launch(server: int, alive: int, token: str, place: Place, asked_by: int) -> None:
    """``alive`` reads end of file when the guard is gone."""
    status = 1
    try:
        from jobrunner.execution.spawner import run

        run(server, alive, token, place)
        _leave(place, token, asked_by)
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


def _leave(place: Place, token: str, asked_by: int) -> None:
    """Removes what is left in files; a dead server's own, too."""
    cgroup.leave(place, token, asked_by)
    if sweep.is_dead(asked_by):
        from jobrunner.execution.leftovers import remove_files

        remove_files(token.partition(".")[0])


def _wait_for(launcher: int) -> None:
    while True:
        pid, _ = os.wait()
        if pid == launcher:
            return


def _occupy(place: int) -> None:
    """Takes a low descriptor that is free, so that none that a child will need lies there."""
    try:
        os.fstat(place)
    except OSError:
        fd = os.open(os.devnull, os.O_RDWR)
        if fd != place:
            os.dup2(fd, place, inheritable=False)
            os.close(fd)


if __name__ == "__main__":
    main(int(sys.argv[1]), Place(sys.argv[2] or None, tuple(sys.argv[3].split())))
