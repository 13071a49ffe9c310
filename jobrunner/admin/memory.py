"""What one who watches remembers from one look to the next, so that only what is new is asked again."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from jobrunner import jobfile
from jobrunner.admin.behind import Behind, Known
from jobrunner.admin.statistics import LastDay
from jobrunner.admin.usual import Usual
from jobrunner.domain.clock import to_micros
from jobrunner.domain.day import DAY, MOST
from jobrunner.errors import JobrunnerError, StoreUnavailable
from jobrunner.store.runs.under_way import Since

if TYPE_CHECKING:
    from jobrunner.admin.context import Context
    from jobrunner.admin.jobs import AtHand
    from jobrunner.admin.standings import Standings
    from jobrunner.domain.job import Job
    from jobrunner.domain.jobfile import Jobfile
    from jobrunner.domain.lanes import Load, Window
    from jobrunner.domain.upcoming import Ahead

_ROUNDED = 60_000_000
"""A window is reckoned anew when it has moved by so many microseconds."""


class AheadOf:
    """The coming fires of a file; to be used under ``lock``."""

    def __init__(self, whole: Jobfile) -> None:
        from jobrunner.domain.upcoming import Ahead

        self.whole = whole
        self.lock = threading.Lock()
        self.ahead: Ahead = Ahead(whole.jobs.values(), {name: one.dates for name, one in whole.calendars.items()})


class Memory:
    """Made when it is first needed, kept by the context. Thread-safe."""

    def __init__(self, context: Context) -> None:
        def ready() -> None:
            context.jobs.when_read()

        self._context = context
        self.usual = Usual(context.clock)
        self.failed_since = Since(DAY)
        self.hour = Since(timedelta(hours=1))
        self.day = LastDay()
        self._ahead = Behind[AheadOf]("coming fires", ready)
        self._load: Behind[tuple[int, Load]] = Behind("load", ready)

    @cached_property
    def standings(self) -> Standings:
        """How all jobs stand."""
        from jobrunner.admin.standings import Standings

        return Standings(self._context)

    def file(self) -> AtHand:
        """The file as far as it has been read."""
        return self._context.jobs.at_hand(self._context.settings.include)

    def ahead(self) -> Known[AheadOf]:
        """The coming fires of the file as far as it has been read."""
        file = self.file()
        whole = file.whole
        if whole is None:
            return Known(None, False)
        known = self._ahead.ask(whole.config_hash, lambda: AheadOf(whole))
        return known._replace(current=known.current and not file.reading)

    def load(self, window: Window) -> Load | None:
        """What is expected of a window; None while it is reckoned for the first time."""
        known = self.ahead().value
        if known is None:
            return None
        place = (window.start // _ROUNDED, window.end - window.start, window.columns)
        found = self._load.ask((*place, known.whole.config_hash), lambda: (window.columns, self._expect(window, known)))
        return found.value[1] if found.value is not None and found.value[0] == window.columns else None

    def _expect(self, window: Window, known: AheadOf) -> Load:
        from jobrunner.admin.simulating import GUESS
        from jobrunner.domain.lanes import load
        from jobrunner.store import durations

        lengths = {job.name: job.timeout.total_seconds() for job in known.whole.jobs.values() if job.timeout}
        try:
            lengths |= durations.lately(self._context.db, MOST)
        except StoreUnavailable:
            pass  # who asked has been told
        finally:
            self._context.close()
        now = to_micros(self._context.clock.now())
        return load(window, known.ahead, lengths, GUESS.total_seconds(), now)

    def definitions(self, names: Sequence[str]) -> tuple[Mapping[str, Job], bool]:
        """The definitions of these jobs, of the file, or while it is being read those that servers have in force;
        and whether it is."""
        file = self.file()
        if file.whole is not None:
            jobs = file.whole.jobs
            return {name: jobs[name] for name in names if name in jobs}, file.reading
        from jobrunner.store import versions

        found: dict[str, Job] = {}
        for name, definition in versions.definitions_of(self._context.db, names).items():
            try:
                found[name] = jobfile.job_from_definition(name, definition)
            except JobrunnerError:
                continue  # an older one, which this program cannot read any more
        return found, file.reading
