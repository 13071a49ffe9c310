"""What every peer executes, the same for all. Copied beside a peer's ``tasks.py``."""

from __future__ import annotations

import os
import subprocess
import time


def nop(n: int) -> int:
    """Nothing, or ``/bin/true`` where ``$BENCH_WORK`` says so, as a task that calls a program is usually written."""
    if TRUE:
        subprocess.run(["/bin/true"], capture_output=True, check=True)
    return n


def stamp(n: int) -> None:
    """Leaves the time of its first instruction in ``stamps/N``."""
    now = time.time()
    with open(f"stamps/{n}.new", "w") as file:
        file.write(repr(now))
    os.rename(f"stamps/{n}.new", f"stamps/{n}")


TRUE = os.environ.get("BENCH_WORK") == "true"
