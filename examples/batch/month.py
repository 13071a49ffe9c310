"""Two batches: one that succeeds, and one with a run that fails.

The command line says the same: `jobrunner trigger invoice --each invoices.jsonl --then summary`.
"""

from __future__ import annotations

from pathlib import Path

from jobrunner import Client

CONFIG = Path(__file__).with_name("jobs.toml")
OCTOBER = [{"customer": "north", "hours": 12}, {"customer": "south", "hours": 3}, {"customer": "east", "hours": 8}]
NOVEMBER = [{"customer": "north", "hours": 9}, {"customer": "south", "hours": 0}]

with Client.open(CONFIG) as client:
    for name, items in {"October": OCTOBER, "November": NOVEMBER}.items():
        batch = client.batch("invoice", items, name=name, then="summary", then_on_failure="alarm")
        ended = batch.wait(timeout=60)
        print(f"{name}: {ended.succeeded} of {ended.total} written, {ended.failed} failed, {ended.state}")
