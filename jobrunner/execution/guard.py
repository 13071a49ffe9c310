"""The process above the launcher: it only waits, and ends what a killed launcher left behind.

Started by the server as ``python -m jobrunner.execution.guard FD TOKEN``, before anything else; FD is the launcher's
end of the server's socket.
"""

from __future__ import annotations

import os
import signal
import sys

from jobrunner.execution import sweep


def main(server: int, token: str) -> None:
    """Forks the launcher, waits for its end, and ends everything that is left."""
    os.set_inheritable(server, False)
    os.chdir("/")
    # A terminal's Ctrl-C and a service manager's SIGTERM are for the server, which decides what becomes of its runs.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    for place in (0, 1, 2, 3):
        _occupy(place)
    sweep.become_subreaper()
    alive, held = os.pipe()
    launcher = os.fork()
    if launcher == 0:
        os.close(held)
        _launch(server, alive, token)
    os.close(alive)
    os.close(server)
    _wait_for(launcher)
    sweep.end_children()


def _launch(server: int, alive: int, token: str) -> None:
    """``alive`` reads end of file when the guard is gone."""
    status = 1
    try:
        from jobrunner.execution.spawner import run

        run(server, alive, token)
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


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
    main(int(sys.argv[1]), sys.argv[2])
