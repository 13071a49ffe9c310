"""The jobs: the second one uses the result of the first."""

from __future__ import annotations

from jobrunner import current_run


def invoice(order: int) -> str:
    return f"invoice-{order}.pdf"


def mail(to: str) -> str:
    """``parent_results`` has the results of the runs that this one follows, by the name of their job."""
    attached = current_run().parent_results["invoice"]
    return f"{attached} sent to {to}"
