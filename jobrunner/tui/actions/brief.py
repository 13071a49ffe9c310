"""What has to be known of a selection before anything is asked of a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from jobrunner.errors import JobrunnerError
from jobrunner.tui.actions.hands import Hands
from jobrunner.tui.selection import Selection

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.job import Job
    from jobrunner.domain.queue import Pause


class Brief(NamedTuple):
    """What is known of a selection before anything is asked. ``jobs`` counts what is selected by job."""

    jobs: Mapping[str, int] = MappingProxyType({})
    definition: Job | None = None
    paused: tuple[Pause, ...] = ()
    running: bool = False
    queues: tuple[str, ...] = ()

    @property
    def is_paused(self) -> bool:
        return bool(self.paused)

    @property
    def secret(self) -> tuple[str, ...]:
        return tuple(param.name for param in self.definition.params if param.secret) if self.definition else ()


def brief(hands: Hands, selection: Selection) -> Brief:
    """Asks what has to be known of a selection. Raises JobrunnerError for what is not there."""
    admin = hands.admin
    queues = tuple(admin.settings.queues)
    if selection.kind == "job":
        names = tuple(map(str, selection.ids))
        held = tuple(pause for pause in admin.pauses() if pause.scope == "job" and pause.name in names)
        one = admin.definition(names[0]) if len(names) == 1 else None
        return Brief(jobs=dict.fromkeys(names, 1), definition=one, paused=held, queues=queues)
    if selection.kind == "queue":
        held = tuple(pause for pause in admin.pauses() if pause.scope == "queue" and pause.name in selection.ids)
        return Brief(paused=held, queues=queues)
    if selection.kind == "run":
        return _of_runs(admin, selection, queues)
    return Brief(paused=tuple(pause for pause in admin.pauses() if pause.scope == "all"), queues=queues)


def _of_runs(admin: Admin, selection: Selection, queues: tuple[str, ...]) -> Brief:
    if len(selection.ids) == 1:
        run = admin.run(int(selection.ids[0]))
        try:
            job = admin.definition(run.job)
        except JobrunnerError:
            job = None  # the run is there, its job no longer is
        return Brief(jobs={run.job: 1}, definition=job, running=run.state == "running", queues=queues)
    jobs = selection.jobs or tuple(admin.jobs_of(tuple(map(int, selection.ids))).values())
    return Brief(jobs=dict(Counter(jobs).most_common()), queues=queues)
