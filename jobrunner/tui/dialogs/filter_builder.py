"""A filter, field by field, for whoever does not know how it is written. What is said is applied while it is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from textual import on
from textual.widgets import Input

from jobrunner.domain import filter_text
from jobrunner.domain.filter import Field as Asked
from jobrunner.domain.filter_text import Subject
from jobrunner.errors import UsageError
from jobrunner.presentation.screen import Screen
from jobrunner.tui.dialogs.form import Form
from jobrunner.tui.fields import Field, Values

REST = "text"
"""The field for all that stands without one: texts, patterns, and what is ruled out."""

_LABELS: Mapping[Asked, str] = {
    Asked.STATE: "State",
    Asked.JOB: "Job",
    Asked.TAG: "Tag",
    Asked.QUEUE: "Queue",
    Asked.TRIGGER: "Trigger",
    Asked.KIND: "Kind",
    Asked.SERVER: "Server",
    Asked.SINCE: "Since",
    Asked.UNTIL: "Until",
    Asked.DURATION: "Took",
    Asked.EXIT: "Exit code",
    Asked.BATCH: "Batch",
}

_HELP: Mapping[Asked, str] = {
    Asked.JOB: "names, * and ? stand for others: etl*,backup",
    Asked.TAG: "nightly,etl*",
    Asked.QUEUE: "low,default",
    Asked.TRIGGER: "schedule,manual,api",
    Asked.SERVER: "web1*",
    Asked.SINCE: "2h, 7d, yesterday, 2026-10-31",
    Asked.UNTIL: "2h, 7d, yesterday, 2026-10-31",
    Asked.DURATION: ">60s or <1s",
    Asked.EXIT: "3",
    Asked.BATCH: "b7",
}


class FilterBuilder(Form):
    """Gives the fields when there is nothing wrong with them; ``applied`` is called with each filter on the way."""

    def __init__(
        self,
        screen: Screen,
        text: str,
        *,
        subject: Subject,
        now: datetime,
        zone: ZoneInfo,
        applied: Callable[[str], None],
    ) -> None:
        super().__init__(
            screen,
            title=f"Filter {subject.name}",
            verb="Filter",
            fields=_fields(text, subject),
            faults=lambda values: _faults(values, subject, now, zone),
            command=lambda values: f"/{written(values)}",
        )
        self._applied = applied
        self._last = text

    @on(Input.Changed)
    def _say(self) -> None:
        text = written(self.values)
        if not self._faults(self.values) and text != self._last:
            self._last = text
            self._applied(text)


def written(values: Values) -> str:
    """The filter that these values ask for."""
    said = [f"{name}:{value.strip()}" for name, value in values.items() if name != REST and value.strip()]
    return " ".join([*said, *([values[REST].strip()] if values[REST].strip() else [])])


def _fields(text: str, subject: Subject) -> list[Field]:
    found = list[Field]()
    for asked in (asked for asked in subject.fields if asked in _LABELS):
        values = filter_text.values_of(text, asked)
        text = filter_text.with_values(text, asked, ())
        value = ",".join(map(filter_text.quoted, values))
        found.append(Field(asked, _LABELS[asked], _help(asked, subject), value, otherwise="any"))
    words = "a text, /a pattern/, !what:is-not" if Asked.DEAD not in subject.fields else "a text, /pattern/, !not, dead"
    return [*found, Field(REST, "Text", words, text)]


def _help(asked: Asked, subject: Subject) -> str:
    return {Asked.STATE: ",".join(subject.states), Asked.KIND: ",".join(filter_text.KINDS)}.get(asked, "") or _HELP[
        asked
    ]


def _faults(values: Values, subject: Subject, now: datetime, zone: ZoneInfo) -> dict[str, str]:
    found = dict[str, str]()
    for name, value in values.items():
        said = value.strip() if name == REST else f"{name}:{value.strip()}"
        if not value.strip():
            continue
        try:
            terms = filter_text.parse(said, subject=subject, now=now, zone=zone)
        except UsageError as error:
            found[name] = str(error)
            continue
        if name != REST and len(terms) > 1:
            found[name] = "quote what has spaces"
    return found
