"""``python -m bench [NAME …]``: runs the measurements named, or all, and prints a table for each.

``python -m bench faults [ROW …]`` injects faults instead, which takes long and is asked for by name only.
"""

from __future__ import annotations

import importlib
import sys

NAMES = ("cold_start", "pickup", "idle", "drain", "enqueue", "schedules", "simulation", "tui")


def main(names: list[str]) -> int:
    if names[:1] == ["faults"]:
        from bench import faults, machine

        print(machine.describe())
        return faults.main(names[1:])
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no measurement {unknown[0]!r}; there are {', '.join(NAMES)}, faults", file=sys.stderr)
        return 2
    from bench.machine import describe

    print(describe())
    for name in names or NAMES:
        importlib.import_module(f"bench.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
