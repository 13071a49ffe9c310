"""What every use case needs: the store, the jobs, who acts, and how servers are told. Built by wiring."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from jobrunner.admin.jobs import Jobs
from jobrunner.domain.clock import Clock
from jobrunner.domain.settings import Settings
from jobrunner.domain.state import Ready, Trigger
from jobrunner.errors import BrokerUnavailable, NotFound, Refused, StoreUnavailable
from jobrunner.queue.announce import Announcer
from jobrunner.store import audit, file_of, no_store
from jobrunner.store.database import Collision, Database

if TYPE_CHECKING:
    from jobrunner.admin.memory import Memory

T = TypeVar("T")
R = TypeVar("R")

_BROKER_PAUSE = 5.0
_TRIES = 5


class Actor(NamedTuple):
    """Who acts: the name of the OS user, and the host."""

    who: str
    host: str


class Context:
    """One caller's view of a project. The store is opened when it is first needed.

    ``trigger`` is what runs that the caller creates are marked with. ``warnings`` gathers remarks for people.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        jobs: Jobs,
        open_store: Callable[[], Database],
        announcer: Callable[[Database], Announcer],
        actor: Actor,
        clock: Clock,
        trigger: Trigger,
        warnings: Sequence[str],
    ) -> None:
        self.settings = settings
        self.jobs = jobs
        self.actor = actor
        self.clock = clock
        self.trigger = trigger
        self.warnings = list(warnings)
        self._open_store = open_store
        self._make_announcer = announcer
        self._opening = threading.Lock()
        self._tell_again = 0.0
        self._db: Database | None = None
        self._announcer: Announcer | None = None
        self._memory: Memory | None = None

    @property
    def db(self) -> Database:
        """The store. Raises StoreUnavailable."""
        if self._db is None:
            with self._opening:
                if self._db is None:
                    self._db = self._open_store()
        return self._db

    @property
    def memory(self) -> Memory:
        """What is remembered from one look to the next."""
        if self._memory is None:
            from jobrunner.admin.memory import Memory

            with self._opening:
                if self._memory is None:
                    self._memory = Memory(self)
        return self._memory

    def require_store(self) -> None:
        """Raises StoreUnavailable where there is no store yet, instead of making one."""
        path = file_of(self.settings.store)
        if self._db is None and path is not None and not path.exists():
            raise no_store(path)

    def act(self, action: str, target: str, operation: Callable[[list[str]], T], detail: str = "") -> T:
        """One action in one transaction with its entry in the audit trail; a refused one leaves an entry, too.

        What the operation adds to the list that it is given, such as the run that it made, begins the entry's detail.
        It is done again when the transaction had to give way to another one.
        """
        for tries_left in reversed(range(_TRIES)):
            try:
                return self._act(action, target, operation, detail)
            except Collision:
                if not tries_left:
                    raise
            except (Refused, NotFound) as error:
                self._record(action, target, detail, error.message)
                raise
        raise AssertionError

    def _act(self, action: str, target: str, operation: Callable[[list[str]], T], detail: str) -> T:
        made = list[str]()
        with self.db.transaction():
            value = operation(made)
            self._record(action, target, " ".join([*made, detail]).strip(), "done")
        return value

    def act_on_runs(
        self,
        action: str,
        run_ids: Sequence[int],
        runs: Mapping[int, R],
        operation: Callable[[R], Sequence[Ready]],
        detail: Callable[[R], str],
    ) -> tuple[list[NotFound | Refused | None], list[Ready]]:
        """One action on several runs in one transaction: each is done or refused by itself, and has its own entry.

        Gives what was refused, in the order of the ids, and the runs that became ready.
        """
        for tries_left in reversed(range(_TRIES)):
            refused, ready = list[NotFound | Refused | None](), list[Ready]()
            try:
                with self.db.transaction():
                    for run_id in run_ids:
                        error = self._act_on_run(action, run_id, runs.get(run_id), operation, detail, ready)
                        refused.append(error)
                return refused, ready
            except Collision:
                if not tries_left:
                    raise
        raise AssertionError

    def _act_on_run(
        self,
        action: str,
        run_id: int,
        run: R | None,
        operation: Callable[[R], Sequence[Ready]],
        detail: Callable[[R], str],
        ready: list[Ready],
    ) -> NotFound | Refused | None:
        try:
            if run is None:
                raise NotFound(f"no run {run_id}", hint="`jobrunner runs` lists them")
            ready += operation(run)
        except (NotFound, Refused) as error:
            self._record(action, f"run {run_id}", detail(run) if run is not None else "", error.message)
            return error
        self._record(action, f"run {run_id}", detail(run), "done")
        return None

    def tell(self, ready: Sequence[Ready]) -> None:
        """Tells servers of runs that are ready; a broker that is away is a remark and no error."""
        if self.clock.monotonic() < self._tell_again:
            return
        try:
            self._telling().ready(ready)
        except BrokerUnavailable as error:
            # A program that goes on triggering should not wait for it each time.
            self._tell_again = self.clock.monotonic() + _BROKER_PAUSE
            self._remark(f"{error}; the run is stored, and a server takes it up when the broker is back")
        except StoreUnavailable:
            pass  # what was to be told of is stored, and found a second later

    def tell_changed(self) -> None:
        """Tells the servers of this host that something is to be looked at."""
        try:
            self._telling().changed()
        except StoreUnavailable:
            pass

    def interrupt(self) -> None:
        """Ends what is being asked in other threads, where they allow it."""
        if self._db is not None:
            self._db.interrupt()

    def close(self, *, ending: bool = False) -> None:
        """Closes this thread's connection to the store; ``ending``: the process is about to end anyway."""
        # Closing the last connection of a SQLite file writes its log back and syncs it, which takes longer than a
        # trigger: a process that ends leaves that to the next one. A PostgreSQL server wants to be told.
        if self._db is not None and not (ending and self._db.path is not None):
            self._db.close()

    def _remark(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)

    def _telling(self) -> Announcer:
        db = self.db
        with self._opening:
            if self._announcer is None:
                self._announcer = self._make_announcer(db)
            return self._announcer

    def _record(self, action: str, target: str, detail: str, outcome: str) -> None:
        audit.record(
            self.db,
            at=self.clock.now(),
            who=self.actor.who,
            host=self.actor.host,
            action=action,
            target=target,
            detail=detail,
            outcome=outcome,
        )
