"""Creating runs: of a job, of a batch, of an ad-hoc program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from jobrunner import jobfile
from jobrunner.admin.context import Context
from jobrunner.domain.duration import format_duration
from jobrunner.domain.job import Job, When
from jobrunner.domain.params import Checker, split_secrets
from jobrunner.domain.request import NewRun, canonical, new_run
from jobrunner.domain.state import Ready, Trigger
from jobrunner.domain.trigger import BatchTriggered, Triggered, TriggerOptions
from jobrunner.errors import NotFound, ParameterError, UsageError
from jobrunner.store import listeners
from jobrunner.store.runs import add

if TYPE_CHECKING:
    from jobrunner.domain.run import Run

_PLAIN = TriggerOptions()


class Triggering:
    """The verbs ``trigger`` and ``submit``."""

    _context: Context

    def trigger(
        self,
        job: str,
        params: Mapping[str, Any],
        *,
        texts: bool = False,
        like: int | None = None,
        options: TriggerOptions = _PLAIN,
    ) -> Triggered:
        """Creates a run of a job; with ``like`` its parameters are those of that run, but for the ones given.

        ``texts``: the values are texts as a command line has them.

        Raises:
            NotFound: no such job, run or parent.
            ParameterError: a parameter is wrong, unknown or missing.
            UsageError: no such queue, or options that exclude each other.
            ConfigError, StoreUnavailable: neither can the run be created.
        """
        options.check()
        definition, checker = self._definition(job, like)
        given = checker.read_texts(params) if texts else params
        if like is not None or options.after:
            given = {**self._inherited(definition, like, options.after), **given}
        return self._create(self._new_run(definition, checker.values(given), self._context.trigger, options))

    def trigger_batch(
        self,
        job: str,
        items: Iterable[Mapping[str, Any] | str],
        *,
        texts: bool = False,
        name: str | None = None,
        then: str | None = None,
        then_on_failure: str | None = None,
        options: TriggerOptions = _PLAIN,
    ) -> BatchTriggered:
        """Creates a run for every item, all or nothing; a text is the value of the job's only parameter.

        ``then`` runs once when every member has succeeded, ``then_on_failure`` once when all have ended and not all
        of them so.

        Raises:
            ParameterError: an item is wrong; it names which. As ``trigger`` otherwise.
        """
        options.check()
        definition, checker = self._context.jobs.checked(job)
        template = self._new_run(definition, {}, Trigger.BATCH, options)._replace(unique_key=None)
        rows = _rows(definition, checker, items, texts=texts)
        if not rows:
            raise UsageError("a batch needs at least one item", hint="give one line, or one mapping, for each run")
        follow = [
            self._continuation(continuation, when)
            for continuation, when in ((then, When.SUCCESS), (then_on_failure, When.FAILURE))
            if continuation is not None
        ]

        def create(made: list[str]) -> tuple[int, list[Ready]]:
            batch_id, ready = add.add_batch(self._context.db, template, name or job, rows, follow)
            made.append(f"batch b{batch_id}")
            return batch_id, ready

        batch_id, ready = self._context.act("trigger", job, create, f"of {len(rows)} runs")
        self._context.tell(ready)
        return BatchTriggered(batch_id, len(rows), template.queue)

    def submit(
        self, argv: Sequence[str], *, cwd: str, timeout: timedelta | None = None, options: TriggerOptions = _PLAIN
    ) -> Triggered:
        """Creates a run of a program that is in no file.

        Raises:
            UsageError, StoreUnavailable: it cannot be created.
        """
        options.check()
        program = argv[0].rpartition("/")[2] if argv else ""
        limits = {"timeout": format_duration(timeout)} if timeout is not None else {}
        settings = self._context.settings
        job = jobfile.adhoc(f"submit:{program}", argv, settings=settings, cwd=cwd, options=limits)
        return self._create(self._new_run(job, {}, self._context.trigger, options), _in_words(argv))

    def served(self, queue: str) -> bool:
        """Whether a server that was heard of lately serves a queue: else a run waits there for one."""
        fresh = self._context.clock.now() - self._context.settings.lost_after
        return listeners.serving(self._context.db, queue, fresh_after=fresh)

    def _definition(self, job: str, like: int | None) -> tuple[Job, Checker]:
        try:
            return self._context.jobs.checked(job)
        except NotFound:
            model = self._model(like)
            if model is None or model.job != job or model.definition is None:
                raise
            carried = jobfile.job_from_definition(job, model.definition)
            return carried, Checker(carried.params, job=job)

    def _model(self, like: int | None) -> Run | None:
        from jobrunner.store.runs import read

        return None if like is None else read.get(self._context.db, like)

    def _inherited(self, job: Job, like: int | None, parents: Sequence[int]) -> dict[str, Any]:
        """Values of the run to be like, else those of the parents for parameters that the job declares.

        What was a secret is not made public: it goes to parameters that are secret, too.
        """
        from jobrunner.store.runs import read

        declared = {param.name: param.secret for param in job.params}
        values = dict[str, Any]()
        for model in (like,) if like is not None else parents:
            shown, secrets = read.get(self._context.db, model).params, read.secrets_of(self._context.db, model)
            known = {name: value for name, value in shown.items() if name in declared and name not in secrets}
            known |= {name: value for name, value in secrets.items() if declared.get(name)}
            values = known | values
        return values

    def _new_run(self, job: Job, values: Mapping[str, Any], trigger: Trigger, options: TriggerOptions) -> NewRun:
        now = self._context.clock.now()
        if options.queue is not None and options.queue not in self._context.settings.queues:
            known = ", ".join(self._context.settings.queues)
            raise UsageError(f"no queue {options.queue!r}", hint=f"there are {known}; [jobrunner] queues names them")
        public, secret = split_secrets(job.params, values)
        return new_run(
            job,
            params=public,
            secret_params=secret,
            trigger=trigger,
            now=now,
            run_after=_due(options, now),
            queue=options.queue,
            priority=options.priority,
            retries=options.retries,
            parents=tuple(dict.fromkeys(options.after)),
        )

    def _create(self, new: NewRun, detail: str = "") -> Triggered:
        def create(made: list[str]) -> add.Added:
            added = add.add(self._context.db, new)
            made.append(f"run {added.id}")
            return added

        added = self._context.act("trigger", new.job, create, detail if new.params == "{}" else new.params)
        if added.ready is not None:
            self._context.tell([added.ready])
        elif not added.existing:
            self._context.tell_changed()
        return Triggered(added.id, new.job, new.queue, added.existing)

    def _continuation(self, job: str, when: When) -> NewRun:
        definition, checker = self._context.jobs.checked(job)
        new = self._new_run(definition, checker.values({}), Trigger.AFTER, _PLAIN)
        return new._replace(when=when, unique_key=None)


def _in_words(argv: Sequence[str]) -> str:
    """A program for the audit trail: its arguments may hold secrets that nobody has declared, and are counted."""
    count = len(argv) - 1
    return f"{argv[0]} with {count} argument{'s' * (count != 1)}" if count else argv[0]


def _due(options: TriggerOptions, now: datetime) -> datetime | None:
    return now + options.delay if options.delay is not None else options.at


def _rows(
    job: Job, checker: Checker, items: Iterable[Mapping[str, Any] | str], *, texts: bool
) -> list[tuple[str, str | None]]:
    rows = list[tuple[str, str | None]]()
    secret = any(param.secret for param in job.params)
    for number, item in enumerate(items, 1):
        try:
            values = checker.values(item) if isinstance(item, Mapping) else _only(job, checker, item, texts=texts)
        except ParameterError as error:
            raise ParameterError(f"item {number}: {error.message}", hint=error.hint) from None
        if secret:
            shown, hidden = split_secrets(job.params, values)
            rows.append((canonical(shown), canonical(hidden) if hidden else None))
        else:
            rows.append((canonical(values), None))
    return rows


def _only(job: Job, checker: Checker, item: Any, *, texts: bool) -> dict[str, Any]:
    if len(job.params) != 1:
        raise ParameterError(
            f"a single value needs a job with one parameter, and {job.name} has {len(job.params)}",
            hint="write a JSON object of parameters",
        )
    return checker.texts({job.params[0].name: item}) if texts else checker.values({job.params[0].name: item})
