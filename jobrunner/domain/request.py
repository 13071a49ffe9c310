"""A run that is asked for and does not exist yet: built by admin and the scheduler, kept by ``store.runs``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple

from jobrunner.domain.job import Job, Unique, When
from jobrunner.domain.state import Trigger


class NewRun(NamedTuple):
    """Everything that creating a run needs.

    ``params`` and ``secret_params`` are canonical JSON objects: the first as everybody may see it, the second the
    values of ``secret`` parameters, None where there are none. ``run_after`` is when it is due; ``expires`` counts
    from then.
    ``unique_key`` None: not unique; ``unique_for`` None: unique while scheduled or active.
    ``parents`` are ids of runs; ``after_batch`` is a batch; ``when`` says which end of them starts it.
    """

    job: str
    definition: str
    queue: str
    priority: int
    trigger: Trigger
    params: str
    secret_params: str | None
    max_attempts: int
    created_at: datetime
    run_after: datetime
    expires: timedelta | None = None
    unique_key: str | None = None
    unique_for: timedelta | None = None
    fire_time: datetime | None = None
    batch_id: int | None = None
    parents: tuple[int, ...] = ()
    after_batch: int | None = None
    when: When = When.SUCCESS


def new_run(
    job: Job,
    *,
    params: Mapping[str, Any],
    secret_params: Mapping[str, Any],
    trigger: Trigger,
    now: datetime,
    run_after: datetime | None = None,
    queue: str | None = None,
    priority: int | None = None,
    retries: int | None = None,
    fire_time: datetime | None = None,
    parents: tuple[int, ...] = (),
    after_batch: int | None = None,
    when: When = When.SUCCESS,
) -> NewRun:
    """A run of ``job`` under its policies; what is given takes the place of the job's own value.

    ``params`` are shown, with ``"***"`` for secrets; ``secret_params`` holds the secrets' values.
    """
    shown = canonical(params)
    secret = canonical(secret_params) if secret_params else None
    return NewRun(
        job=job.name,
        definition=job.definition,
        queue=queue if queue is not None else job.queue,
        priority=priority if priority is not None else job.priority,
        trigger=trigger,
        params=shown,
        secret_params=secret,
        max_attempts=1 + (retries if retries is not None else job.retry.retries),
        created_at=now,
        run_after=run_after or now,
        expires=job.expires,
        unique_key=unique_key(job, shown, secret),
        unique_for=job.unique.window if job.unique else None,
        fire_time=fire_time,
        parents=parents,
        after_batch=after_batch,
        when=when,
    )


def unique_key(job: Job, params: str, secret_params: str | None) -> str | None:
    """What two runs of a ``unique`` job must share to be the same: its name and all parameters, as 32 hex digits."""
    if not isinstance(job.unique, Unique):
        return None
    return blake2b(f"{job.name}\n{params}\n{secret_params or ''}".encode(), digest_size=16).hexdigest()


def canonical(values: Mapping[str, Any]) -> str:
    """The one JSON text of these parameters: sorted keys, no spaces, no escapes that are not needed."""
    return _encode(values) if values else "{}"


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
