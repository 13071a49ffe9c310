"""What is known of a run, for whoever asks why it stands where it stands. Gathered by admin."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from jobrunner.domain.audit import AuditEntry
from jobrunner.domain.estimate import Estimate
from jobrunner.domain.job import When
from jobrunner.domain.prospect import Line, Start
from jobrunner.domain.queue import Pause
from jobrunner.domain.run import Run
from jobrunner.domain.server import Server


class RunFacts(NamedTuple):
    """What is known of a run now.

    ``servers`` are the living ones, ``pauses`` those in force, ``parents`` the runs that it follows. ``in_the_way`` are
    the runs of its job that it waits for, or was skipped for; ``steered`` is what people did to it, newest first.
    ``line`` and ``start`` are of a queued run, None elsewhere. ``usual`` is how long runs of its job take, where
    history tells; ``expires`` how long it may wait for its start.
    """

    run: Run
    now: datetime
    servers: Sequence[Server]
    pauses: Sequence[Pause]
    parents: Sequence[Run] = ()
    when: When = When.SUCCESS
    in_the_way: Sequence[Run] = ()
    steered: Sequence[AuditEntry] = ()
    line: Line | None = None
    start: Start | None = None
    usual: Estimate | None = None
    expires: timedelta | None = None
