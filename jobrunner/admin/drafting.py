"""A job while it is typed: its lines as text and as single keys, and what the text would mean if it were saved now.

What it means comes from the same code as ``edit`` asks; nothing is written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff
from typing import TYPE_CHECKING, Any, NamedTuple

from jobrunner.admin.editing import Applied, Editor, Part, Proposal
from jobrunner.errors import ConfigError, NotFound, Problem, Refused

if TYPE_CHECKING:
    from jobrunner.domain.jobfile import Jobfile
    from jobrunner.domain.outlook import Others, Outlook
    from jobrunner.jobfile.draft_keys import DraftKey
    from jobrunner.jobfile.layout import Keys

_NEW = "new-job"
_STARTER = {"command": "true", "schedule": "0 3 * * *"}


class Draft(NamedTuple):
    """The lines of a job while they are edited. ``job`` is its name in the file, None of one that is new.

    ``start`` is the text that editing began with; ``defaults`` are what the file gives to all jobs.
    """

    part: Part
    job: str | None
    start: str
    defaults: Mapping[str, Any]

    @property
    def whole(self) -> bool:
        """Whether it is the whole file, because the job has no table of its own in one place."""
        return self.job is not None and self.part.end is None

    @property
    def line(self) -> int:
        """The number in the file of its first line."""
        return self.part.lines_before + 1

    def name_in(self, text: str) -> str | None:
        """The name of the job in what is typed; None where that cannot be told."""
        from jobrunner.jobfile.draft_keys import job_in

        return job_in(text, self.job or _NEW)

    def keys(self, text: str) -> tuple[DraftKey, ...]:
        """The keys of the job in what is typed. Raises ValueError where it is not TOML, or has no such job."""
        from jobrunner.jobfile.draft_keys import keys_of

        name = self.name_in(text)
        if name is None:
            raise ValueError("these lines have no job, or several, or are not TOML")
        return keys_of(text, name, self.defaults)

    def put(self, text: str, path: Keys, typed: str) -> str:
        """The text with one key of the job set, or, where nothing is typed, taken out.

        Raises:
            ValueError: the text is not TOML, or has no such job.
            Refused: it cannot be done by changing one place.
        """
        from jobrunner.jobfile.draft_keys import put

        name = self.name_in(text)
        if name is None:
            raise ValueError("these lines have no job, or several, or are not TOML")
        return put(text, name, path, typed)

    def rename(self, text: str, name: str) -> str:
        """The text with another name for its job.

        Raises:
            ValueError: the text is not TOML, or has no such job.
            Refused: there is no such name, or it cannot be done by changing the headers of its tables.
        """
        from jobrunner.jobfile.draft_keys import rename

        job = self.name_in(text)
        if job is None:
            raise ValueError("these lines have no job, or several, or are not TOML")
        return rename(text, job, name)

    def keep(self, text: str) -> str:
        """Keeps a text that was not saved in a file of its own beside that which it is for, and gives its path.

        Raises:
            Refused: it cannot be kept anywhere.
        """
        from jobrunner.jobfile.rewrite import keep_beside

        return keep_beside(self.part.original, self.part.put(text))


class Preview(NamedTuple):
    """What a text would mean. ``proposal`` is None where it is not valid, ``outlook`` where it has no such job."""

    text: str
    problems: tuple[Problem, ...]
    proposal: Proposal | None
    outlook: Outlook | None

    @property
    def valid(self) -> bool:
        return self.proposal is not None


class Saved(NamedTuple):
    """What was written, what the servers made of it, and the lines as they are now; None: the job is not there."""

    proposal: Proposal
    applied: Applied
    draft: Draft | None


class Theirs(NamedTuple):
    """The lines of a draft as somebody else has left them, and how they differ from those that it began with, as a
    difference of texts; no lines: the change is elsewhere in the file."""

    draft: Draft
    lines: tuple[str, ...]


class Drafting:
    """Drafts of one editor, and what they would mean; what does not change while somebody types is read once."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self._before: Jobfile | None = None
        self._known = False
        self._others: Others | None = None

    def open(self, job: str | None) -> Draft:
        """The lines of a job, or for None those that a new one begins with.

        Raises:
            ConfigError: the file cannot be read.
            NotFound: there is no such job.
        """
        from jobrunner.jobfile.edit import add_job

        self._known, self._others = False, None
        if job is not None:
            part = self._editor.part(job)
            return Draft(part, job, part.text, self._editor.defaults())
        part = self._editor.end()
        return Draft(part, None, _gap(part) + add_job("", _NEW, _STARTER), self._editor.defaults())

    def preview(self, draft: Draft, text: str) -> Preview:
        """What it would mean to save a text in the place of a draft's."""
        original, whole = draft.part.original, draft.part.put(text)
        try:
            after = self._editor.read(original, whole)
        except ConfigError as error:
            return Preview(text, error.problems, None, None)
        proposal = self._editor.weigh(original, whole, after, self._was)
        return Preview(text, (), proposal, self._outlook(draft, text, after))

    def save(self, draft: Draft, text: str) -> Saved:
        """Puts a text in the place of a draft's, and has the servers load it, as ``edit`` does.

        Raises:
            ConfigError: the file would be invalid, with every fault of it.
            Refused: somebody else has changed the file meanwhile, or it cannot be written.
        """
        proposal = self._editor.propose(draft.part.original, draft.part.put(text))
        name = draft.name_in(text) or draft.job
        applied = self._editor.apply(proposal, action="edit", target=f"job {draft.job or name}")
        try:
            return Saved(proposal, applied, self.open(name))
        except NotFound:
            return Saved(proposal, applied, None)

    def theirs(self, draft: Draft) -> Theirs | None:
        """What somebody else has made of the file since a draft was opened; None where nobody has changed it.

        Raises:
            ConfigError: the file cannot be read any more.
        """
        try:
            now = self.open(draft.job)
        except NotFound:
            return Theirs(self.open(None)._replace(start=""), ("the job has been taken out of the file",))
        if now.part.original.raw == draft.part.original.raw:
            return None
        lines = unified_diff(draft.part.text.splitlines(), now.part.text.splitlines(), n=1, lineterm="")
        return Theirs(now, tuple(line for line in lines if not line.startswith(("---", "+++", "@@"))))

    def take_back(self, proposal: Proposal) -> None:
        """Puts back what a file held before a proposal was saved, and has the servers load it.

        Raises:
            Refused: the file has been changed since.
            ConfigError: the configuration would be invalid.
        """
        from jobrunner.jobfile import rewrite

        was = proposal.original
        now = rewrite.original(was.path)
        if now.text != proposal.text:
            raise Refused(f"{was.name} has been changed since", hint="nothing was undone")
        self._editor.apply(self._editor.propose(now, was.text), action="edit", target=was.name, detail="undone")

    def _outlook(self, draft: Draft, text: str, after: Jobfile) -> Outlook | None:
        from jobrunner.domain.outlook import Others, outlook

        job = after.jobs.get(draft.name_in(text) or "")
        if job is None:
            return None
        calendars = {name: calendar.dates for name, calendar in after.calendars.items()}
        if self._others is None:
            was = self._was(after) or after
            self._others = Others(was.jobs.values(), calendars)
        return outlook(job, calendars, self._others, self._editor.now(), but=draft.job)

    def _was(self, after: Jobfile) -> Jobfile | None:
        if not self._known:
            self._before, self._known = self._editor.before(after), True
        return self._before


def _gap(part: Part) -> str:
    raw = part.original.raw
    return "" if not raw or raw.endswith(b"\n\n") else "\n" if raw.endswith(b"\n") else "\n\n"
