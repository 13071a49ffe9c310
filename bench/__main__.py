"""``python -m bench [NAME …]``: runs the measurements named, or all, and prints a table for each."""

from __future__ import annotations

import importlib
import sys

NAMES = ("cold_start", "pickup", "idle", "drain", "enqueue", "simulation")


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no measurement {unknown[0]!r}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    from bench.machine import describe

    print(describe())
    for name in names or NAMES:
        importlib.import_module(f"bench.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
