"""The use cases: one method for each verb that a person or a program may say. Called by cli and client.

Each is written once, here; each action of a person leaves an entry in the audit trail.
"""

from __future__ import annotations

from jobrunner.admin.answering import Answering
from jobrunner.admin.attending import Attending
from jobrunner.admin.backfilling import Backfilling
from jobrunner.admin.boarding import Boarding
from jobrunner.admin.checking import Checking
from jobrunner.admin.configuring import Configuring
from jobrunner.admin.context import Actor, Context
from jobrunner.admin.explaining import Explaining
from jobrunner.admin.looking import Looking
from jobrunner.admin.outlook import Outlook
from jobrunner.admin.paging import Paging
from jobrunner.admin.reading import Reading
from jobrunner.admin.reloading import Reloading
from jobrunner.admin.simulating import Simulating
from jobrunner.admin.steering import Steering
from jobrunner.admin.triggering import Triggering
from jobrunner.admin.verifying import Verifying
from jobrunner.admin.watching import Watching
from jobrunner.domain.settings import Settings

__all__ = ["Actor", "Admin", "Context"]


class Admin(
    Triggering,
    Steering,
    Looking,
    Reading,
    Paging,
    Watching,
    Attending,
    Boarding,
    Outlook,
    Reloading,
    Configuring,
    Simulating,
    Checking,
    Explaining,
    Answering,
    Verifying,
    Backfilling,
):
    """All use cases on one project. Its methods may be called from several threads."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def settings(self) -> Settings:
        """``[jobrunner]`` of the file."""
        return self._context.settings

    @property
    def warnings(self) -> tuple[str, ...]:
        """Remarks for people that have come up so far."""
        return tuple(self._context.warnings)

    def close(self, *, ending: bool = False) -> None:
        """Closes the calling thread's connection to the store; ``ending``: the process is about to end anyway."""
        self._context.close(ending=ending)
