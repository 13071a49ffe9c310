"""An application that hands its work to jobrunner: 10,000 runs, and results in threads and in asyncio.

jobrunner run            in this folder, in one terminal
python app.py            in another one; `python app.py 500` for fewer
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jobrunner import Client
from jobrunner.client import RunHandle

CONFIG = Path(__file__).with_name("jobs.toml")


def main(count: int) -> None:
    with Client.open(CONFIG) as client:
        began = time.monotonic()
        batch = client.batch("square", ({"number": number} for number in range(count)), name="squares")
        print(f"{batch.total} runs created in {time.monotonic() - began:.2f} s, durably, in one transaction")

        # Each trigger is a transaction of its own. With a higher priority, these need not wait for the 10,000.
        urgent = [client.trigger("square", number=number, priority=10) for number in range(20)]
        print("one result:", urgent[3].result(timeout=60))
        print("ten, in threads:", in_threads(urgent[:10]))
        print("ten, in asyncio:", asyncio.run(in_asyncio(urgent[10:])))

        ended = batch.wait(timeout=300)
        print(f"{ended.succeeded} of {ended.total} succeeded, {time.monotonic() - began:.1f} s after the beginning")


def in_threads(runs: Sequence[RunHandle]) -> list[int]:
    """A client and its handles may be used by any thread."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda run: run.result(timeout=60), runs))


async def in_asyncio(runs: Sequence[RunHandle]) -> list[int]:
    """``result_async`` leaves the event loop free while it waits."""
    return await asyncio.gather(*(run.result_async(timeout=60) for run in runs))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
