"""``python -m jobrunner`` and the ``jobrunner`` script. Imports nothing that an interrupted start would show."""

from __future__ import annotations

import sys


def main() -> int:
    """Runs the command of ``sys.argv`` and gives back its exit status."""
    try:
        from jobrunner.cli.app import main as run

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
