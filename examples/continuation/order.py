"""A continuation: the mail goes out when the invoice is written, and not at all if it fails.

The command line says the same: `jobrunner trigger mail -p to=ana@example.com --after RUN`.
"""

from __future__ import annotations

from pathlib import Path

from jobrunner import Client

CONFIG = Path(__file__).with_name("jobs.toml")

with Client.open(CONFIG) as client:
    invoice = client.trigger("invoice", order=7)
    mail = client.trigger("mail", to="ana@example.com", after=invoice)
    print(f"run {mail.id} waits for run {invoice.id}")
    print(mail.result(timeout=60))
