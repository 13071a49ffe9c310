"""Which thing a word of the command line names: a run (``1042``), a batch (``b7``), or else a job."""

from __future__ import annotations

from jobrunner.errors import NotFound

_LARGEST = 2**63 - 1
_DIGITS = frozenset("0123456789")


def run_id(text: str) -> int:
    """The number of a run.

    Raises:
        NotFound: the text cannot be one.
    """
    number = _number(text)
    if number is None:
        raise NotFound(f"no such run: {text!r}", hint="a run is a number, such as 1042; see `jobrunner runs`")
    return number


def batch_id(text: str) -> int | None:
    """The number of a batch where the text looks like one, else None."""
    return _number(text[1:]) if text.startswith("b") else None


def run_or_batch(text: str) -> tuple[int | None, int | None]:
    """The run or the batch that a word names: one of the two is None.

    Raises:
        NotFound: the text can be neither.
    """
    batch = batch_id(text)
    if batch is not None:
        return None, batch
    if _number(text) is None:
        raise NotFound(f"no such run or batch: {text!r}", hint="a run is a number such as 1042, a batch is like b7")
    return run_id(text), None


def looks_like_run(text: str) -> bool:
    """Whether a word is a number, and so no job's name."""
    return bool(text) and _DIGITS.issuperset(text)


def _number(text: str) -> int | None:
    if not looks_like_run(text) or len(text) > 19:
        return None
    number = int(text)
    return number if number <= _LARGEST else None
