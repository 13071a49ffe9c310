"""Running a job, or a run once more with other parameters."""

from __future__ import annotations

from jobrunner.tui import fields
from jobrunner.tui.actions.action import Tier
from jobrunner.tui.actions.brief import Brief
from jobrunner.tui.actions.each import each
from jobrunner.tui.actions.hands import Done, Hands
from jobrunner.tui.fields import Field, Values
from jobrunner.tui.selection import Selection


def command(selection: Selection, values: Values, brief: Brief) -> list[list[str]]:
    """``trigger`` for each."""
    more = fields.words(values, brief.secret)
    if selection.kind == "run":
        job = next(iter(brief.jobs or selection.jobs), "JOB")
        return [["trigger", job, "--like", name, *more] for name in selection.names]
    return [["trigger", name, *more] for name in selection.names]


def run(hands: Hands, selection: Selection, values: Values, brief: Brief) -> Done:
    """Creates a run of each job, or one like each run."""
    made = list[int]()
    admin = hands.admin

    def act(one: str | int) -> None:
        like = int(one) if selection.kind == "run" else None
        job = admin.run(like).job if like is not None else str(one)
        options = fields.options(values, hands.now(), admin.zone(job))
        made.append(admin.trigger(job, fields.params(values), texts=True, like=like, options=options).id)

    done, refused = each(selection.ids, act)
    if len(selection.ids) == 1 and made:
        return Done(f"run {made[0]} of {next(iter(brief.jobs), selection.names[0])} is created", refused)
    return Done(f"{done:,} of {len(selection.ids):,} runs are created", refused)


def asked(brief: Brief) -> tuple[Field, ...]:
    """What may be said of a run: the parameters of its job, and when, where and how it is to run."""
    return fields.of_trigger(brief.definition, brief.queues) if brief.definition else (fields.WHEN,)


def asked_later(brief: Brief) -> tuple[Field, ...]:
    """The same, and when has to be said."""
    return tuple(one._replace(required=True, otherwise="") if one.name == "when" else one for one in asked(brief))


def faults(brief: Brief, values: Values, hands: Hands) -> dict[str, str]:
    """What of the values cannot be, by field."""
    if brief.definition is None:
        return {}
    return fields.trigger_faults(brief.definition, values, hands.now(), hands.admin.zone())


def tier(selection: Selection, brief: Brief) -> Tier:
    """Not at all, but for a job that says ``confirm``, and for several."""
    asks = brief.definition is None or brief.definition.confirm
    return Tier.DIALOG if len(selection.ids) > 1 else Tier.LINE if asks else Tier.NONE
