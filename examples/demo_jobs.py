"""The Python functions of the demonstration: plain functions, whose keyword arguments are the parameters of the job.

They need no decorator and no import of jobrunner, except where they report progress or trigger other jobs.
"""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Any

from jobrunner import Client, JobCancelled, current_run

CONFIG = Path(__file__).parents[1] / "jobs.toml"


def report(month: str, currency: str) -> dict[str, Any]:
    """What it returns is the result of the run: any value that JSON can hold. What it prints is kept as its output."""
    numbers = random.Random(month)
    orders = numbers.randint(300, 900)
    turnover = round(orders * numbers.uniform(20, 60), 2)
    print(f"{orders} orders in {month}")
    return {"month": month, "orders": orders, "turnover": turnover, "currency": currency}


def import_orders(rows: int) -> dict[str, int]:
    """Progress shows in `jobrunner show`; JobCancelled is raised when the run is cancelled or times out."""
    run = current_run()
    done = 0
    try:
        for done in range(1, rows + 1):
            time.sleep(0.025)
            run.progress(done, total=rows, message=f"order {done}")
    except JobCancelled:
        print(f"stopped after {done} orders; tidying up")
        raise
    return {"imported": done}


async def compare_prices() -> dict[str, Any]:
    """A coroutine is awaited in an event loop of its own."""
    shops = ("north", "south", "east")
    prices = await asyncio.gather(*(_ask(shop) for shop in shops))
    found = dict(zip(shops, prices, strict=True))
    return {"cheapest": min(found, key=found.__getitem__), "prices": found}


def month_end() -> dict[str, Any]:
    """What any application does: open a client, create runs, go on. Nothing waits here; the batch runs by itself."""
    with Client.open(CONFIG) as client:
        batch = client.batch("invoice", [{"id": number} for number in range(1, 7)], name="month end", then="ledger")
    return {"batch": f"b{batch.id}", "invoices": batch.total}


def invoice(id: int) -> str:
    time.sleep(random.uniform(0.1, 0.6))
    print(f"invoice {id} written")
    return f"invoice-{id:04}.pdf"


def ledger() -> str:
    return "all invoices are in the ledger"


async def _ask(shop: str) -> float:
    print(f"asking {shop}")
    await asyncio.sleep(random.uniform(0.2, 0.8))
    return round(random.uniform(9, 12), 2)
