"""One invoice."""

from __future__ import annotations


def invoice(customer: str, hours: int) -> dict[str, object]:
    if hours <= 0:
        raise ValueError(f"nothing to invoice to {customer}")
    return {"customer": customer, "amount": hours * 80}
