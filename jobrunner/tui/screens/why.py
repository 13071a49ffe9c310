"""Why: what a run waits for and how it ended, what became of a fire of a job, what may keep the next one from a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual.app import ComposeResult

from jobrunner.presentation import answers
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.schedule import clock
from jobrunner.tui import keys, possible
from jobrunner.tui.selection import Selection
from jobrunner.tui.view import View
from jobrunner.tui.widgets.details import Details

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.answer import Answer
    from jobrunner.domain.clock import Clock
    from jobrunner.domain.run import Run
    from jobrunner.presentation.screen import Screen as Terminal
    from jobrunner.tui.app import Dashboard

_STEPS = ("lanes_earlier", "lanes_later", "lanes_now")
_AROUND = ("the fire before:", "the fire after:")


class Seen(NamedTuple):
    """The answer, and the fires of the job before and after the time that it is about."""

    why: Answer
    before: datetime | None = None
    after: datetime | None = None


class WhyRun(View):
    """Why a run stands where it stands."""

    name_shown = "Why"
    hints: ClassVar[tuple[str, ...]] = ("open", "output", "retry")
    BINDINGS: ClassVar = [*keys.bindings("open")]

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self._seen: Seen | None = None

    def body(self) -> ComposeResult:
        yield Details(screen=self.terminal, id="answer")

    def question(self) -> Callable[[Admin], object]:
        number = self._number
        return lambda admin: Seen(admin.why_run(number))

    def show(self, answer: Any) -> None:
        self._seen = answer
        self.tick()

    def tick(self) -> None:
        self.query_one(Details).show(self._written)

    def way(self) -> Sequence[str]:
        return ("Why", f"run {self._number}")

    def selection(self) -> Selection:
        run = self._seen.why.run if self._seen is not None else None
        return _of(run) if run is not None else Selection("run", (self._number,))

    def status(self) -> str:
        return self._seen.why.verdict.replace("_", " ") if self._seen is not None else ""

    def command(self) -> Sequence[str]:
        return ["why", str(self._number)]

    def has_key(self, id: str) -> bool:
        return id != "why" and super().has_key(id)

    def action_open(self) -> None:
        selection = self.selection()
        if selection.kind is not None:
            self.app.open_thing(selection.kind, selection.ids[0])

    def _written(self, screen: Terminal) -> list[str]:
        seen = self._seen
        if seen is None:
            return []
        lines, fire = list(answers.answer(seen.why, screen, self.times())), seen.why.fire
        if fire is not None and fire.expression is not None:
            version = f", version {fire.version} of the job" if fire.version is not None else ""
            lines += ["", screen.paint(f"due by {plain(fire.expression)} ({plain(fire.zone or '')}){version}", "dim")]
        around = [f"{word} {clock(at, self.times())}" for word, at in zip(_AROUND, seen[1:], strict=True) if at]
        return [*lines, "", screen.paint("   ".join(around), "dim")] if around else lines


class WhyJob(WhyRun):
    """Why a job runs or does not: now, or at a time that is typed after ``/``, or gone to from fire to fire."""

    filterable = True
    hints = (*_STEPS, "open", "run_now", "decisions")
    BINDINGS: ClassVar = [*keys.bindings(*_STEPS)]

    def __init__(self, job: str, at: datetime | None = None) -> None:
        super().__init__(0)
        self._job = job
        self._at = at

    def question(self) -> Callable[[Admin], object]:
        job, at, now = self._job, self._at, self.app.setting.clock
        return lambda admin: _of_job(admin, job, at, now)

    def way(self) -> Sequence[str]:
        return ("Why", f"{plain(self._job)} {self._when()}".strip())

    def selection(self) -> Selection:
        run = self._seen.why.run if self._seen is not None else None
        return Selection("job", (self._job,)) if run is None else _of(run)

    def status(self) -> str:
        return f"{super().status()} {self._when()}".strip()

    def command(self) -> Sequence[str]:
        at = ["--at", self._at.isoformat()] if self._at is not None else []
        return ["why", self._job, *at]

    def has_key(self, id: str) -> bool:
        return id in _STEPS or super().has_key(id)

    def filter(self, text: str) -> None:
        """The time that is asked about; nothing: now."""
        from jobrunner.domain.timepoint import parse_time

        app = self.app
        self._go(parse_time(text, now=app.setting.clock.now(), zone=app.admin.zone()) if text.strip() else None)

    def action_lanes_earlier(self) -> None:
        self._step(self._seen.before if self._seen is not None else None, "there is no fire before")

    def action_lanes_later(self) -> None:
        self._step(self._seen.after if self._seen is not None else None, "there is no fire after")

    def action_lanes_now(self) -> None:
        self.filter_text = ""
        self._go(None)

    def _when(self) -> str:
        return f"at {clock(self._at, self.times())}" if self._at is not None else ""

    def _step(self, at: datetime | None, otherwise: str) -> None:
        if at is None:
            self.say(otherwise)
            return
        self.filter_text = ""
        self._go(at)

    def _go(self, at: datetime | None) -> None:
        if at != self._at:
            self._at = at
            self.ask(interrupt=True)
            self.restate()


def _of(run: Run) -> Selection:
    return Selection("run", (run.id,), jobs=(run.job,), possible=possible.with_runs([run]))


def open_why(app: Dashboard, selection: Selection) -> None:
    """Of the run or the job that is selected."""
    if len(selection.ids) == 1 and selection.kind in ("run", "job"):
        (id,) = selection.ids
        app.open(WhyRun(int(id)) if selection.kind == "run" else WhyJob(str(id)))


def _of_job(admin: Admin, job: str, at: datetime | None, now: Clock) -> Seen:
    return Seen(admin.why_job(job, at), *admin.fires_around(job, at if at is not None else now.now()))
