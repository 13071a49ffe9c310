"""``python -m jobrunner`` and the ``jobrunner`` script. Imports nothing that an interrupted start would show."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn

_INTERRUPTED = 130


def main() -> NoReturn:
    """Runs the command of ``sys.argv`` and ends the process with its exit status."""
    # Peewee imports every database driver that is installed, and psycopg alone takes longer than all the rest of a
    # trigger; Huey imports redis, and that asyncio: half the start of a server, and 10 MiB as long as it runs. A
    # PostgreSQL store and a Redis broker lift this for themselves.
    for driver in ("psycopg", "psycopg2", "redis"):
        sys.modules.setdefault(driver, None)  # type: ignore[arg-type]
    # What a command makes it needs until it ends: looking for garbage is a tenth of its time. What stays looks for it.
    gc.disable()
    try:
        from jobrunner.cli.app import main as run

        status = run(sys.argv[1:], ends=True)
    except KeyboardInterrupt:
        status = _INTERRUPTED
    # Everything has been flushed and closed by now. Taking the interpreter apart would cost a trigger a tenth of its
    # time; and an interrupt that fell into an exec(), as in the making of a dataclass, would end it by SIGINT.
    os._exit(status)


if __name__ == "__main__":
    main()
