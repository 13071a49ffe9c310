"""What the editor of a job says beside what is typed: mistakes, what is ahead, what the change means, what it did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from jobrunner.admin.drafting import Draft, Preview, Saved, Theirs
from jobrunner.presentation import outlook
from jobrunner.presentation.screen import Screen
from jobrunner.presentation.times import Times

if TYPE_CHECKING:
    from jobrunner.jobfile.draft_keys import DraftKey


class Sight(NamedTuple):
    """What is known of a draft while it is typed. ``changed``: there is something to save; ``wide``: there is room."""

    draft: Draft | None
    preview: Preview | None
    theirs: Theirs | None
    saved: Saved | None
    changed: bool
    wide: bool

    def lines(self, screen: Screen, times: Times) -> Iterator[str]:
        """The most urgent first."""
        if self.theirs is not None:
            yield from outlook.theirs(self.theirs.lines, screen)
            yield "ctrl+o goes on with your text on the file as it is now; ctrl+r takes theirs"
            yield ""
        if self.saved is not None:
            applied, name = self.saved.applied, self.saved.proposal.original.name
            yield from outlook.saved(name, applied.remark, applied.servers, screen)
            yield ""
        if self.draft is not None and self.preview is not None:
            yield from self._of(self.draft, self.preview, screen, times)

    def _of(self, draft: Draft, preview: Preview, screen: Screen, times: Times) -> Iterator[str]:
        if preview.problems:
            name = draft.part.original.name
            yield from outlook.problems(preview.problems, preview.text, draft.line, name, screen)
        proposal = preview.proposal if self.changed or draft.job is None else None
        if proposal is not None and proposal.meaning is not None and not self.wide:
            yield from outlook.in_short(proposal.meaning, proposal.affected, screen)
        if preview.outlook is not None:
            yield from outlook.ahead(preview.outlook, screen, times)
        if proposal is not None:
            yield ""
            yield from outlook.change(proposal.meaning, proposal.affected, screen, times)


def complaints(preview: Preview | None, job: str | None, keys: Iterable[DraftKey]) -> dict[str, str]:
    """What is wrong with single keys of a job, by their names: problems whose message begins with the key."""
    from jobrunner.jobfile.edit import spell

    found = dict[str, str]()
    if preview is None or job is None:
        return found
    wholes = {key.name: spell(("jobs", job, *key.path)) for key in keys}
    for problem in preview.problems:
        for name, whole in wholes.items():
            rest = problem.message.removeprefix(whole)
            if rest != problem.message and rest[:1] in (" ", "[", ".", ":"):
                found.setdefault(name, rest.lstrip(" :"))
    return found
