"""``python -m jobrunner`` and the ``jobrunner`` script. Imports nothing that an interrupted start would show."""

from __future__ import annotations

import os
import sys

_INTERRUPTED = 130


def main() -> int:
    """Runs the command of ``sys.argv`` and gives back its exit status."""
    # Peewee imports every database driver that is installed, and psycopg alone takes longer than all the rest of a
    # trigger. A PostgreSQL store lifts this for itself.
    for driver in ("psycopg", "psycopg2"):
        sys.modules.setdefault(driver, None)  # type: ignore[arg-type]
    try:
        from jobrunner.cli.app import main as run

        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        status = _INTERRUPTED
    if status == _INTERRUPTED:
        # Python remembers an interrupt that fell into an exec(), as in the making of a dataclass, even when it was
        # handled, and would end by SIGINT instead of with the status. Everything has been flushed and closed by now.
        os._exit(status)
    return status


if __name__ == "__main__":
    sys.exit(main())
