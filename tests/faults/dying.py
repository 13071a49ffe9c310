"""``python dying.py``: runs commands that each end by SIGKILL before their Nth SQL statement. A child for each.

A line of standard input is one command as JSON: ``args``, ``folder``, ``environ``, ``log`` (for what it prints) and
``at``, the number of the statement, 0 for none; before that of ``reload`` next.toml takes the place of jobs.toml, and
SIGHUP says so. A line of standard output answers: ``[status, statements]``.
"""

import json
import mmap
import os
import signal
import sys
import threading

from jobrunner import wiring  # noqa: F401 - here once, so that no child has to
from jobrunner.cli import server, trigger  # noqa: F401
from jobrunner.cli.app import main
from jobrunner.server import server as _server  # noqa: F401
from jobrunner.store.database import Database

count = mmap.mmap(-1, 8)
lock = threading.Lock()


def counted(at: int, reload: int) -> None:
    """Puts the count, the signal and the end in front of every statement of this process."""
    execute = Database.execute

    def count_and_execute(self, sql, params=()):
        with lock:
            number = int.from_bytes(count[:8], "little") + 1
            count[:8] = number.to_bytes(8, "little")
            if number == reload:
                os.replace("next.toml", "jobs.toml")
                os.kill(os.getpid(), signal.SIGHUP)
            if number == at:
                os.kill(os.getpid(), signal.SIGKILL)
        return execute(self, sql, params)

    Database.execute = count_and_execute


def child(args: list[str], folder: str, environ: dict[str, str], log: str, at: int, reload: int) -> None:
    os.chdir(folder)
    os.environ.update(environ)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for fd in (1, 2):
        os.dup2(out, fd)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    counted(at, reload)
    os._exit(main(args, ends=True))


for line in sys.stdin:
    command = json.loads(line)
    count[:8] = bytes(8)
    pid = os.fork()
    if pid == 0:
        try:
            child(**command)
        finally:
            os._exit(70)
    status = os.waitpid(pid, 0)[1]
    print(json.dumps([status, int.from_bytes(count[:8], "little")]), flush=True)
