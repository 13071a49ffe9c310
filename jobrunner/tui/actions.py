"""Everything that a person can do in the dashboard: what it applies to, how it is asked, the same command.

Hints, menu, palette, help and confirmations are made of ``ACTIONS``. Nothing here knows a screen.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from jobrunner.errors import JobrunnerError, NotFound, Refused
from jobrunner.tui import fields
from jobrunner.tui.fields import Field, Values
from jobrunner.tui.selection import Kind, Selection

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.admin.editing import Editor
    from jobrunner.domain.bulk import Canary, Did
    from jobrunner.domain.job import Job
    from jobrunner.domain.queue import Pause
    from jobrunner.domain.run import Run
    from jobrunner.domain.server import Reloaded

MANY = 5
"""More than so many things at once are confirmed by typing how many."""

_NO_VALUES: Values = {}


class Tier(IntEnum):
    """How an action is confirmed: not at all, by a line y/N, by a dialog, by typing the name or the count."""

    NONE = 0
    LINE = 1
    DIALOG = 2
    TYPED = 3


class Hands(NamedTuple):
    """What actions are done with, in the thread that does them; ``editor`` opens the file for a change.

    ``say`` tells a person how far it is; ``stopped`` says whether the dashboard is about to end.
    """

    admin: Admin
    editor: Callable[[], AbstractContextManager[Editor]]
    now: Callable[[], datetime]
    say: Callable[[str], None] = lambda _: None
    stopped: Callable[[], bool] = lambda: False


class Undo(NamedTuple):
    """How to take back what was done; ``words`` say what that is."""

    words: str
    perform: Callable[[Hands], Done]


class Done(NamedTuple):
    """What was done, in one line; what was refused, by id, with the reason; how to take it back."""

    text: str
    refused: tuple[str, ...] = ()
    undo: Undo | None = None


@dataclass(frozen=True, slots=True)
class Brief:
    """What is known of a selection before anything is asked. ``jobs`` counts what is selected by job."""

    jobs: Mapping[str, int] = field(default_factory=dict)
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


Command = Callable[[Selection, Values, Brief], "list[list[str]]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """``words`` begin what it is called; ``verb`` is what a button says. ``many``: it acts on several things at once.

    ``tier`` is the least that it is confirmed by; more, and a production store, raise it. ``command`` gives the
    arguments of the program that do the same, one list for each call. ``single`` False: it needs several. ``apart``: it
    may take as long as a run, and holds up nothing else.
    """

    id: str
    words: str
    verb: str
    kinds: frozenset[Kind | None]
    command: Command
    perform: Callable[[Hands, Selection, Values, Brief], Done]
    tier: Callable[[Selection, Brief], Tier] = lambda _, __: Tier.NONE
    fields: Callable[[Brief], tuple[Field, ...]] | None = None
    faults: Callable[[Brief, Values, Hands], dict[str, str]] = lambda _, __, ___: {}
    many: bool = True
    single: bool = True
    looks: bool = False
    apart: bool = False

    def applies(self, selection: Selection) -> bool:
        """Whether it can be done with what is selected."""
        if not self.single and selection.kind != "batch" and len(selection.ids) < 2:
            return False
        if selection.kind not in self.kinds and None not in self.kinds:
            return False
        return None in self.kinds or (bool(selection.ids) and (self.many or len(selection.ids) == 1))

    def confirmation(self, selection: Selection, brief: Brief, *, production: bool) -> Tier:
        """How it has to be confirmed."""
        if self.looks:
            return Tier.NONE
        if production or (None not in self.kinds and len(selection.ids) > MANY):
            return Tier.TYPED
        return self.tier(selection, brief)


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
        run = admin.run(_number(selection.ids[0]))
        try:
            job = admin.definition(run.job)
        except JobrunnerError:
            job = None  # the run is there, its job no longer is
        return Brief(jobs={run.job: 1}, definition=job, running=run.state == "running", queues=queues)
    jobs = selection.jobs or tuple(admin.jobs_of(tuple(map(_number, selection.ids))).values())
    return Brief(jobs=dict(Counter(jobs).most_common()), queues=queues)


def command_line(calls: Sequence[Sequence[str]], config: str | None) -> str:
    """The calls as a line for a shell, with ``-c`` where a configuration was named."""
    named = ["-c", config] if config is not None else []
    return " && ".join(shlex.join(["jobrunner", *named, *call]) for call in calls)


# --- one after another ------------------------------------------------------------------------------------------------


def _each(ids: Sequence[str | int], act: Callable[[str | int], object]) -> tuple[int, tuple[str, ...]]:
    done, refused = 0, list[str]()
    for one in ids:
        try:
            act(one)
            done += 1
        except (Refused, NotFound) as error:
            refused.append(f"{one}: {error.message}")
    return done, tuple(refused)


def _told(what: str, names: Sequence[str], done: int, refused: tuple[str, ...], undo: Undo | None = None) -> Done:
    if len(names) == 1:
        return Done(f"{names[0]} {what}" if done else "refused", refused, undo if done else None)
    return Done(f"{done:,} of {len(names):,} {what}", refused, undo if done else None)


def _number(id: str | int) -> int:
    return int(id)


def _runs_and_batches(
    on_runs: Callable[[Admin, Sequence[int]], Sequence[Did]],
    on_batch: Callable[[Admin, int], Sequence[Run]] | None,
    what: str,
) -> Callable[[Hands, Selection, Values, Brief], Done]:
    def perform(hands: Hands, selection: Selection, _: Values, __: Brief) -> Done:
        names = [f"{selection.kind} {name}" for name in selection.names]
        if selection.kind == "batch" and on_batch is not None:
            done, refused = _each(selection.ids, lambda one: on_batch(hands.admin, _number(one)))
            return _told(what, names, done, refused)
        found = on_runs(hands.admin, list(map(_number, selection.ids)))
        refused = tuple(f"{did.run_id}: {did.error.message}" for did in found if did.error is not None)
        return _told(what, names, len(found) - len(refused), refused)

    return perform


def _canary(hands: Hands, selection: Selection, _: Values, __: Brief) -> Done:
    """One first, the rest if it succeeds."""
    ids = list(map(_number, selection.ids))
    if selection.kind == "batch":
        ids = [run for batch in ids for run in hands.admin.failed_members(batch)]

    def tell(step: Canary) -> None:
        if step.first is not None and not step.ended:
            hands.say(f"run {step.first.id} goes first: {step.first.state}; {len(step.held):,} more if it succeeds")

    end = hands.admin.retry_canary(ids, progress=tell, stopped=hands.stopped)
    refused = tuple(f"{did.run_id}: {did.error.message}" for did in (*end.refused, *end.rest) if did.error is not None)
    if end.first is None:
        return Done("nothing could be retried", refused)
    if not end.succeeded:
        return Done(f"run {end.first.id} {end.first.state}: {len(end.held):,} others were left alone", refused)
    return Done(f"run {end.first.id} succeeded, and {len(end.rest):,} others are retried", refused)


# --- run --------------------------------------------------------------------------------------------------------------


def _run_command(selection: Selection, values: Values, brief: Brief) -> list[list[str]]:
    more = fields.words(values, brief.secret)
    if selection.kind == "run":
        return [["trigger", next(iter(brief.jobs), "JOB"), "--like", name, *more] for name in selection.names]
    return [["trigger", name, *more] for name in selection.names]


def _run(hands: Hands, selection: Selection, values: Values, brief: Brief) -> Done:
    made = list[int]()
    admin = hands.admin

    def act(one: str | int) -> None:
        like = _number(one) if selection.kind == "run" else None
        job = admin.run(like).job if like is not None else str(one)
        options = fields.options(values, hands.now(), admin.zone(job))
        made.append(admin.trigger(job, fields.params(values), texts=True, like=like, options=options).id)

    done, refused = _each(selection.ids, act)
    if len(selection.ids) == 1 and made:
        return Done(f"run {made[0]} of {next(iter(brief.jobs), selection.names[0])} is created", refused)
    return Done(f"{done:,} of {len(selection.ids):,} runs are created", refused)


def _run_fields(brief: Brief) -> tuple[Field, ...]:
    return fields.of_trigger(brief.definition, brief.queues) if brief.definition else (fields.WHEN,)


def _run_faults(brief: Brief, values: Values, hands: Hands) -> dict[str, str]:
    if brief.definition is None:
        return {}
    return fields.trigger_faults(brief.definition, values, hands.now(), hands.admin.zone())


def _run_tier(selection: Selection, brief: Brief) -> Tier:
    asks = brief.definition is None or brief.definition.confirm
    return Tier.DIALOG if len(selection.ids) > 1 else Tier.LINE if asks else Tier.NONE


# --- pause and resume -------------------------------------------------------------------------------------------------


def _scopes(selection: Selection) -> list[tuple[str, str]]:
    if selection.kind in ("job", "queue"):
        return [(str(selection.kind), name) for name in selection.names]
    return [("all", "")]


def _called(scope: str, name: str) -> str:
    return "everything" if scope == "all" else f"{scope} {name}"


def _scope_words(scope: str, name: str) -> list[str]:
    return {"job": [name], "queue": ["--queue", name], "all": ["--all"]}[scope]


def _pause_command(selection: Selection, values: Values, _: Brief) -> list[list[str]]:
    more = ["--for", values["for"]] if values.get("for") else []
    more += ["--reason", values["reason"]] if values.get("reason") else []
    return [["pause", *_scope_words(*scope), *more] for scope in _scopes(selection)]


def _resume_command(selection: Selection, _: Values, __: Brief) -> list[list[str]]:
    return [["resume", *_scope_words(*scope)] for scope in _scopes(selection)]


def _pause(hands: Hands, selection: Selection, values: Values, _: Brief) -> Done:
    from jobrunner.domain.duration import parse_duration

    until = hands.now() + parse_duration(values["for"]) if values.get("for") else None
    scopes = _scopes(selection)
    for scope, name in scopes:
        hands.admin.pause(scope, name, until=until, reason=values.get("reason", ""))
    what = _several(scopes)
    return Done(f"{what} {_is(scopes)} paused", undo=Undo(f"pause of {what}", lambda hands: _resumed(hands, scopes)))


def _resume(hands: Hands, selection: Selection, _: Values, __: Brief) -> Done:
    return _resumed(hands, _scopes(selection))


def _resumed(hands: Hands, scopes: Sequence[tuple[str, str]]) -> Done:
    were = [hands.admin.resume(scope, name) for scope, name in scopes]
    return Done(f"{_several(scopes)} {'go' if len(scopes) > 1 else 'goes'} on" if any(were) else "nothing was paused")


def _several(scopes: Sequence[tuple[str, str]]) -> str:
    return _called(*scopes[0]) if len(scopes) == 1 else f"{len(scopes):,} {scopes[0][0]}s"


def _is(scopes: Sequence[object]) -> str:
    return "is" if len(scopes) == 1 else "are"


def _pause_tier(selection: Selection, _: Brief) -> Tier:
    return Tier.NONE if selection.kind == "job" and len(selection.ids) == 1 else Tier.DIALOG


# --- the file ---------------------------------------------------------------------------------------------------------


def _set_enabled(hands: Hands, jobs: Sequence[str], enabled: bool) -> Done:
    word = "enable" if enabled else "disable"
    with hands.editor() as editor:
        remarks = list[str]()
        changed = list[str]()
        for job in jobs:
            proposal = editor.assign(job, [(("enabled",), enabled)])
            if proposal.text != proposal.original.text:
                applied = editor.apply(proposal, action=word, target=f"job {job}", detail="enabled")
                changed.append(job)
                remarks += [applied.remark] if applied.remark else []
                remarks += _kept(applied.servers)
    if not changed:
        return Done(f"{_jobs(jobs)} {_is(jobs)} {word}d already")
    undo = Undo(f"{word} of {_jobs(changed)}", lambda hands: _set_enabled(hands, changed, not enabled))
    return Done(f"{_jobs(changed)} {_is(changed)} {word}d", tuple(dict.fromkeys(remarks)), undo)


def _jobs(names: Sequence[str]) -> str:
    return f"job {names[0]}" if len(names) == 1 else f"{len(names):,} jobs"


def _enabler(enabled: bool) -> Callable[[Hands, Selection, Values, Brief], Done]:
    return lambda hands, selection, _, __: _set_enabled(hands, selection.names, enabled)


def _rollback(hands: Hands, selection: Selection, _: Values, __: Brief) -> Done:
    from jobrunner.domain.version import Origin

    job, number = str(selection.ids[0]).rsplit(" ", 1)
    with hands.editor() as editor:
        proposal = editor.back(job, int(number))
        remarks = [proposal.remark] if proposal.remark else []
        if proposal.text == proposal.original.text:
            return Done(f"job {job} is as version {number} was", tuple(remarks))
        applied = editor.apply(
            proposal, action="rollback", target=f"job {job}", detail=f"version {number}", origin=Origin.ROLLBACK
        )
    remarks += [applied.remark] if applied.remark else []
    return Done(f"job {job} is back at version {number}", (*remarks, *_kept(applied.servers)))


def _kept(servers: Sequence[Reloaded]) -> tuple[str, ...]:
    return tuple(f"server {one.name} keeps its old file: {one.error}" for one in servers if one.error)


def _reload(hands: Hands, _: Selection, __: Values, ___: Brief) -> Done:
    found = hands.admin.reload()
    if not found:
        return Done("no server runs that could read the file again")
    kept = tuple(
        f"server {one.name} {f'keeps its old file: {one.error}' if one.error else 'has not answered'}"
        for one in found
        if one.error or (one.live and not one.done)
    )
    good = len(found) - len(kept)
    return Done(f"{good} of {len(found)} servers have read the file again", kept)


def _simple(*words: str) -> Command:
    return lambda selection, _, __: [[*words, *selection.names]]


def _for_each(*words: str) -> Command:
    return lambda selection, _, __: [[*words, name] for name in selection.names]


def _retry_tier(selection: Selection, _: Brief) -> Tier:
    return Tier.LINE if len(selection.ids) == 1 and selection.kind == "run" else Tier.DIALOG


def _dialog(_: Selection, __: Brief) -> Tier:
    return Tier.DIALOG


def _line(selection: Selection, _: Brief) -> Tier:
    return Tier.LINE if len(selection.ids) == 1 else Tier.DIALOG


def _on(*kinds: Kind | None) -> frozenset[Kind | None]:
    return frozenset(kinds)


_ALL = (
    Action(
        id="run_now",
        words="Run now",
        verb="Run",
        kinds=_on("job", "run"),
        tier=_run_tier,
        command=_run_command,
        perform=_run,
    ),
    Action(
        id="run_with",
        words="Run with parameters",
        verb="Run",
        kinds=_on("job", "run"),
        many=False,
        command=_run_command,
        perform=_run,
        fields=_run_fields,
        faults=_run_faults,
    ),
    Action(
        id="run_later",
        words="Run later",
        verb="Run",
        kinds=_on("job", "run"),
        many=False,
        command=_run_command,
        perform=_run,
        fields=lambda brief: tuple(
            one._replace(
                required=one.name == "when" or one.required, otherwise="" if one.name == "when" else one.otherwise
            )
            for one in _run_fields(brief)
        ),
        faults=_run_faults,
    ),
    Action(
        id="retry",
        words="Retry",
        verb="Retry",
        kinds=_on("run", "batch"),
        tier=_retry_tier,
        command=_simple("retry"),
        perform=_runs_and_batches(
            lambda admin, runs: admin.retry_each(runs), lambda admin, batch: admin.retry_batch(batch), "retried"
        ),
    ),
    Action(
        id="retry_canary",
        words="Retry one first, the rest if it succeeds",
        verb="Retry",
        kinds=_on("run", "batch"),
        single=False,
        apart=True,
        tier=_dialog,
        command=lambda selection, _, __: [["retry", *selection.names, "--canary"]],
        perform=_canary,
    ),
    Action(
        id="cancel",
        words="Cancel",
        verb="Cancel them",
        kinds=_on("run", "batch"),
        tier=_dialog,
        command=_simple("cancel"),
        perform=_runs_and_batches(
            lambda admin, runs: admin.cancel_each(runs), lambda admin, batch: admin.cancel_batch(batch), "cancelled"
        ),
    ),
    Action(
        id="cancel_now",
        words="Cancel at once, without grace",
        verb="Kill them",
        kinds=_on("run", "batch"),
        tier=_dialog,
        command=_simple("cancel", "--now"),
        perform=_runs_and_batches(
            lambda admin, runs: admin.cancel_each(runs, now=True),
            lambda admin, batch: admin.cancel_batch(batch, now=True),
            "cancelled",
        ),
    ),
    Action(
        id="discard",
        words="Discard",
        verb="Discard",
        kinds=_on("run"),
        tier=_dialog,
        command=_simple("discard"),
        perform=_runs_and_batches(lambda admin, runs: admin.discard_each(runs), None, "discarded"),
    ),
    Action(
        id="pause",
        words="Pause",
        verb="Pause",
        kinds=_on("job", "queue"),
        tier=_pause_tier,
        command=_pause_command,
        perform=_pause,
        fields=lambda _: (fields.FOR, fields.REASON),
        faults=lambda _, values, __: fields.pause_faults(values),
    ),
    Action(
        id="resume",
        words="Resume",
        verb="Resume",
        kinds=_on("job", "queue"),
        tier=_line,
        command=_resume_command,
        perform=_resume,
    ),
    Action(
        id="enable",
        words="Enable: let it fire",
        verb="Enable",
        kinds=_on("job"),
        tier=_line,
        command=_for_each("enable"),
        perform=_enabler(True),
    ),
    Action(
        id="disable",
        words="Disable: keep it from firing",
        verb="Disable",
        kinds=_on("job"),
        tier=_line,
        command=_for_each("disable"),
        perform=_enabler(False),
    ),
    Action(
        id="rollback",
        words="Go back to version",
        verb="Go back",
        kinds=_on("version"),
        many=False,
        tier=_dialog,
        command=lambda selection, _, __: [["rollback", *str(selection.ids[0]).rsplit(" ", 1)]],
        perform=_rollback,
    ),
    Action(
        id="pause_all",
        words="Pause everything",
        verb="Pause everything",
        kinds=_on(None),
        tier=_dialog,
        command=lambda _, values, brief: _pause_command(Selection(None), values, brief),
        perform=lambda hands, _, values, brief: _pause(hands, Selection(None), values, brief),
        fields=lambda _: (fields.FOR, fields.REASON),
        faults=lambda _, values, __: fields.pause_faults(values),
    ),
    Action(
        id="resume_all",
        words="Resume everything",
        verb="Resume everything",
        kinds=_on(None),
        tier=_dialog,
        command=lambda *_: [["resume", "--all"]],
        perform=lambda hands, *_: _resumed(hands, [("all", "")]),
    ),
    Action(
        id="reload",
        words="Have the servers read the file again",
        verb="Reload",
        kinds=_on(None),
        command=lambda *_: [["reload"]],
        perform=_reload,
    ),
)

ACTIONS: Mapping[str, Action] = {action.id: action for action in _ALL}
"""By id; the order is that of menus."""
