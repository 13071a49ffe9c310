"""What the dashboard asks again and again: pages of runs, what is new, output from a place on, and when to ask.

What a verb needs of the store is imported when it is said: a trigger pays for none of it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from jobrunner.admin.context import Context
from jobrunner.errors import NotFound

if TYPE_CHECKING:
    from jobrunner.domain.filter import Page, RunFilter, Term
    from jobrunner.domain.filter_completion import Known
    from jobrunner.domain.status import MoreOutput
    from jobrunner.store.output import Place
    from jobrunner.store.signal import ChangeSignal

SEARCH_SECONDS = 0.25
"""How long a page may be searched for before it says how far it has come."""

MOST_NEWER = 100
_CHUNK_BYTES = 8 * 1024 * 1024


class Paging:
    """The verbs of who watches. Nothing of them is in the audit trail."""

    _context: Context

    def filter(self, text: str) -> RunFilter:
        """The runs that a text asks for, as of now. Raises UsageError, of one line."""
        from jobrunner.domain.filter import RunFilter

        return RunFilter(terms=self.terms(text))

    def terms(self, text: str, *, jobs: bool = False) -> tuple[Term, ...]:
        """The terms of a filter of runs, or of jobs, as of now. Raises UsageError, of one line."""
        from zoneinfo import ZoneInfo

        from jobrunner.domain.filter_text import JOBS, RUNS, parse

        zone = ZoneInfo(self._context.settings.timezone)
        return parse(text, subject=JOBS if jobs else RUNS, now=self._context.clock.now(), zone=zone)

    def filter_names(self) -> Known:
        """The names that a filter can be completed with. Raises ConfigError, StoreUnavailable."""
        from jobrunner.domain.filter_completion import Known
        from jobrunner.store import servers

        jobs = self._context.jobs.all().jobs
        return Known(
            jobs=tuple(sorted(jobs)),
            tags=tuple(sorted({tag for job in jobs.values() for tag in job.tags})),
            queues=self._context.settings.queues,
            servers=tuple(
                dict.fromkeys(each.name for each in servers.find(self._context.db, self._context.clock.now()))
            ),
        )

    def page(
        self,
        wanted: RunFilter,
        *,
        older_than: int | None = None,
        newer_than: int | None = None,
        n: int = 100,
        seconds: float | None = SEARCH_SECONDS,
    ) -> Page:
        """At most ``n`` runs that a filter asks for, newest first: the newest of all, or those right after or before
        one in the list (``older_than``, ``newer_than``; ``newer_than=0`` is the end of the list).

        ``seconds`` bounds the search; None: it goes to the end. ``limit`` of the filter says nothing here.
        """
        from jobrunner.admin.tags import without_tags
        from jobrunner.store.runs import pages

        db, clock = self._context.db, self._context.clock
        wanted = without_tags(self._context, wanted)
        return pages.page(db, wanted, older_than=older_than, newer_than=newer_than, n=n, clock=clock, seconds=seconds)

    def newer(self, wanted: RunFilter, run_id: int) -> int:
        """How many runs that a filter asks for have come since one, at most 100."""
        from jobrunner.admin.tags import without_tags
        from jobrunner.store.runs import pages

        wanted = without_tags(self._context, wanted)
        return pages.newer(self._context.db, wanted, run_id, most=MOST_NEWER, now=self._context.clock.now())

    def runs_about(self) -> int:
        """About how many runs there are, at no cost."""
        from jobrunner.store.runs import pages

        low, high = pages.extent(self._context.db)
        return high - low + 1 if high else 0

    def more_output(self, run_id: int, attempt: int | None = None, place: Place | None = None) -> MoreOutput:
        """What an attempt (None: the last) has printed since a place (None: all), about 8 MiB at most.

        To be asked again while there are chunks, and, until ``ended``, whenever something has changed.

        Raises:
            NotFound: no such run or attempt.
        """
        from jobrunner.domain.status import MoreOutput
        from jobrunner.store import output
        from jobrunner.store.output import Place

        db, place = self._context.db, place or Place()
        with db.snapshot():
            had = output.attempts(db, run_id)
            number = had if attempt is None else attempt
            if not 0 <= number <= had or attempt == 0:
                raise NotFound(f"run {run_id} has no attempt {number}", hint=f"it has had {had}")
            ended = output.attempt_ended(db, run_id, number)
            chunks, after = output.chunks(db, run_id, number, place=place, most=_CHUNK_BYTES)
        return MoreOutput(tuple(chunks), after, number, ended and not chunks)

    def changes(self) -> ChangeSignal:
        """Waits for changes in the thread that calls it, until another one pokes it."""
        from jobrunner.store.signal import ChangeSignal

        return ChangeSignal(self._context.db)

    def interruptible(self) -> AbstractContextManager[None]:
        """What this thread asks inside can be ended by ``interrupt``: Interrupted is raised then."""
        return self._context.db.interruptible()

    def interrupt(self) -> None:
        """Ends what other threads are asking inside ``interruptible``; what they ask next is not."""
        self._context.interrupt()
