"""What an action acts on: things of one kind, by name or number."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["job", "run", "queue", "batch", "server", "file", "version"]


class Selection(NamedTuple):
    """``ids`` are names of jobs, queues and servers, numbers of runs and batches, ``backup 3`` for version 3 of job
    backup; ``marked``: by the person.

    ``jobs`` has the job of each run where it is known, in the order of ``ids``: a confirmation counts by them.
    ``possible``: ids of the actions that hang on how things stand, and that can be done with at least one of these;
    None: it is not known how they stand.
    """

    kind: Kind | None
    ids: tuple[str | int, ...] = ()
    marked: bool = False
    jobs: tuple[str, ...] = ()
    possible: frozenset[str] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The ids as the command line has them: ``b7`` for a batch."""
        return tuple(f"b{one}" if self.kind == "batch" else str(one) for one in self.ids)


NOTHING = Selection(None)
