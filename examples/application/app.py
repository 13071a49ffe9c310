"""An application that hands its work to jobrunner: 10,000 runs, then their results in threads and in asyncio.

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
        runs = [client.trigger("square", number=number) for number in range(count)]
        print(f"{count} runs created in {time.monotonic() - began:.1f} s, the last one is {runs[-1].id}")

        print("the first one's result:", runs[0].result(timeout=60))
        print("of ten, in threads:", in_threads(runs[:10]))
        print("of ten, in asyncio:", asyncio.run(in_asyncio(runs[-10:])))
        print(f"all done after {time.monotonic() - began:.1f} s")


def in_threads(runs: Sequence[RunHandle]) -> list[int]:
    """A client and its handles may be used by any thread."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda run: run.result(timeout=60), runs))


async def in_asyncio(runs: Sequence[RunHandle]) -> list[int]:
    """``result_async`` leaves the event loop free while it waits."""
    return await asyncio.gather(*(run.result_async(timeout=60) for run in runs))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
