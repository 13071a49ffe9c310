"""Changing jobs.toml: what a new text would mean, and then putting it in place, so that servers load it.

Works without a store, and on a file that is broken: that is what it is needed for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jobrunner import jobfile
from jobrunner.admin import reloading
from jobrunner.admin.context import Context
from jobrunner.domain.clock import Clock
from jobrunner.domain.version import Origin
from jobrunner.errors import ConfigError, NotFound, Refused, StoreUnavailable

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from jobrunner.domain.change import Meaning
    from jobrunner.domain.jobfile import Jobfile
    from jobrunner.domain.server import Reloaded
    from jobrunner.jobfile.layout import Keys
    from jobrunner.jobfile.rewrite import Original

_OF_THE_FILE = frozenset({"timezone", "folder"})
_LOOKED_UP = 1000
"""Jobs whose runs are counted at most: a change of [defaults] may concern a hundred thousand."""


class Part(NamedTuple):
    """What a person edits: a file, or the lines of it that hold one job. ``lines_before`` are not shown."""

    original: Original
    text: str
    lines_before: int = 0
    start: int = 0
    end: int | None = None

    def put(self, text: str) -> str:
        """The whole file with the part replaced; a last line that lacks its end gets one where others follow."""
        raw = self.original.raw
        after = raw[self.end :] if self.end is not None else b""
        if text and after and not text.endswith("\n"):
            text += "\r\n" if b"\r\n" in raw else "\n"
        return (raw[: self.start] + text.encode() + after).decode()


class Proposal(NamedTuple):
    """A text that is valid, and what it means. ``meaning`` is None where the file of before could not be read.

    ``affected`` has the runs that are under way or to come, by job and state, of jobs that are changed or taken out.
    ``remark`` is what a person should know beside it.
    """

    original: Original
    text: str
    config_hash: str
    jobs: int
    meaning: Meaning | None
    affected: Mapping[str, Mapping[str, int]]
    remark: str | None = None


class Applied(NamedTuple):
    """What was written, and what the servers made of it; ``remark`` is why the store knows nothing of it."""

    path: str
    servers: list[Reloaded]
    remark: str | None = None


class Editor:
    """Edits one configuration. ``open_context`` gives what is needed beside the file, and raises ConfigError where the
    file does not even say where its store is."""

    def __init__(self, path: Path, open_context: Callable[[], Context], clock: Clock) -> None:
        self._path = path
        self._open_context = open_context
        self._clock = clock

    def part(self, job: str | None) -> Part:
        """The main file, or the lines of a job's own, wherever it stands.

        Raises:
            ConfigError: the file cannot be read.
            NotFound: there is no such job.
        """
        from jobrunner.jobfile import rewrite
        from jobrunner.jobfile.layout import lines_of_job

        if job is None:
            held = rewrite.original(str(self._path))
            return Part(held, held.text)
        held = rewrite.original(jobfile.home_of(self._path, job))
        lines = lines_of_job(held.text, job)
        if lines is None:
            return Part(held, held.text)
        start, end = lines
        return Part(held, held.raw[start:end].decode(), held.raw[:start].count(b"\n"), start, end)

    def again(self, original: Original) -> Original:
        """The same file as it is now, whichever jobs it holds. Raises ConfigError."""
        from jobrunner.jobfile import rewrite

        return rewrite.original(original.path)

    def end(self) -> Part:
        """The end of the main file, where a new job is written. Raises ConfigError."""
        from jobrunner.jobfile import rewrite

        held = rewrite.original(str(self._path))
        return Part(held, "", held.raw.count(b"\n"), len(held.raw))

    def defaults(self) -> Mapping[str, Any]:
        """The keys of [defaults], as the main file has them; none where it is not TOML. Raises ConfigError."""
        import tomli

        from jobrunner.jobfile import rewrite

        try:
            found = tomli.loads(rewrite.original(str(self._path)).text).get("defaults")
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def now(self) -> datetime:
        """What its clock says."""
        return self._clock.now()

    def propose(self, original: Original, text: str) -> Proposal:
        """What it would mean to put a text in the place of what a file held.

        Raises:
            ConfigError: the configuration would be invalid, with every fault of it.
        """
        return self.weigh(original, text, self.read(original, text), self.before)

    def weigh(
        self, original: Original, text: str, after: Jobfile, before: Callable[[Jobfile], Jobfile | None]
    ) -> Proposal:
        """The same for a text that has been read; ``before`` gives what it takes the place of."""
        was = before(after)
        meaning = None if was is None else self._meaning(was, after)
        return Proposal(
            original=original,
            text=text,
            config_hash=after.config_hash,
            jobs=len(after.jobs),
            meaning=meaning,
            affected=self._affected(meaning),
        )

    def assign(self, job: str, values: Sequence[tuple[Keys, Any]]) -> Proposal:
        """What it would mean to set these keys of a job.

        Raises:
            ConfigError: the file is invalid, or would be.
            NotFound: there is no such job.
            Refused: a key cannot be set in place.
        """
        from jobrunner.jobfile import edit, rewrite

        held = rewrite.original(jobfile.home_of(self._path, job))
        text = held.text
        for keys, value in values:
            text = edit.set_value(text, ("jobs", job, *keys), value)
        return self.propose(held, text)

    def back(self, job: str, number: int) -> Proposal:
        """What it would mean to go back to a version of a job.

        Raises:
            NotFound: there is no such version.
            Refused: it is one by which the job was taken out, or what came out would mean something else.
            ConfigError: the file is invalid, or would be.
        """
        from jobrunner.jobfile import rewrite
        from jobrunner.jobfile.restore import restored

        definition = self._version(job, number)
        try:
            held = rewrite.original(jobfile.home_of(self._path, job))
        except NotFound:
            held = rewrite.original(str(self._path))
        proposal = self.propose(held, restored(held.text, self._path, job, definition))
        return proposal._replace(remark=self._unlike(proposal, job, number, definition))

    def difference(self, file: str | None) -> Meaning:
        """What it would mean to load another file in the place of this one; None: to load this one as it is now,
        where servers have loaded it before.

        Raises:
            ConfigError: the file is invalid.
            NotFound: no server has loaded anything yet.
            StoreUnavailable: what servers have in force cannot be asked.
        """
        from jobrunner.domain.change import meaning

        now = self._clock.now()
        if file is None:
            after = jobfile.read(self._path)
            self._open_context().db  # noqa: B018  # what is in force only the store knows: one that is away is an error
            before = self._in_force(after)
            if before is None:
                raise NotFound("no server has loaded a file yet", hint="`jobrunner check` says whether it is valid")
            return meaning(before, after, now)
        return meaning(jobfile.read(self._path), _in_place_of(self._path, file), now)

    def apply(
        self, proposal: Proposal, *, action: str, target: str, detail: str = "", origin: Origin = Origin.EDIT
    ) -> Applied:
        """Writes a proposal, leaves an entry in the audit trail, and has the servers load it.

        Raises:
            Refused: somebody else has changed the file meanwhile, or it cannot be written.
        """
        from jobrunner.jobfile import rewrite
        from jobrunner.store import reloads

        try:
            context = self._open_context()
            edit = reloads.Edit(context.actor.who, context.actor.host, origin)
            reloads.note_edit(context.db, proposal.config_hash, edit, self._clock.now())
        except (StoreUnavailable, ConfigError) as error:
            rewrite.replace(proposal.original, proposal.text)
            return Applied(proposal.original.path, [], f"not in the audit trail, and no server was told: {error}")
        written = list[bool]()

        def write(_: list[str]) -> None:
            if not written:  # the transaction of the audit trail may be made again, the file is not
                rewrite.replace(proposal.original, proposal.text)
                written.append(True)

        context.act(action, target, write, detail)
        return Applied(proposal.original.path, reloading.answers(context, reloading.ask(context)))

    def zone(self) -> ZoneInfo:
        """The zone of the file, where it says one that can be used, else the host's."""
        from jobrunner.domain.zone import load_zone
        from jobrunner.jobfile.zones import host_zone

        try:
            return load_zone(self._open_context().settings.timezone)
        except ConfigError:
            return load_zone(host_zone(os.environ))

    def read(self, original: Original, text: str) -> Jobfile:
        """The configuration as it would be with a text in the place of what a file held. Raises ConfigError."""
        return jobfile.read(self._path, {original.path: text})

    def before(self, after: Jobfile) -> Jobfile | None:
        """The configuration as it is, else the jobs that servers have in force, with the settings of another file."""
        try:
            return jobfile.read(self._path)
        except ConfigError:
            return self._in_force(after)

    def _meaning(self, before: Jobfile, after: Jobfile) -> Meaning:
        from jobrunner.domain.change import meaning

        return meaning(before, after, self._clock.now())

    def _in_force(self, like: Jobfile) -> Jobfile | None:
        """The jobs that servers have in force, with the settings of another file; None where there are none."""

        from jobrunner.store import versions

        context = self._context()
        if context is None:
            return None
        found = versions.current(context.db)
        if not found:
            return None
        jobs = {one.job: jobfile.job_from_definition(one.job, one.definition) for one in found if one.definition}
        days = {name: dates for one in found for name, dates in one.calendars.items()}
        calendars = {
            name: calendar._replace(dates=days.get(name, calendar.dates)) for name, calendar in like.calendars.items()
        }
        return like._replace(jobs=jobs, calendars=calendars)

    def _affected(self, meaning: Meaning | None) -> dict[str, dict[str, int]]:
        from jobrunner.store.runs import read

        context = self._context() if meaning is not None and meaning.jobs else None
        if context is None or meaning is None:
            return {}
        found = {job: read.unended(context.db, job) for job in meaning.jobs[:_LOOKED_UP]}
        return {job: counts for job, counts in found.items() if counts}

    def _context(self) -> Context | None:
        """What is needed to ask the store; None where there is none yet, or it cannot be reached."""
        try:
            context = self._open_context()
            context.require_store()
            context.db  # noqa: B018
            return context
        except (ConfigError, StoreUnavailable):
            return None

    def _unlike(self, proposal: Proposal, job: str, number: int, definition: str) -> str | None:
        """How a job differs from its version where that is a matter of the whole file. Raises Refused for all else."""
        from jobrunner.domain.change import keys_changed

        after = jobfile.read(self._path, {proposal.original.path: proposal.text})
        differs = {one.key: one for one in keys_changed(after.jobs[job].definition, definition)}
        others = sorted(differs.keys() - _OF_THE_FILE)
        if others:
            raise Refused(
                f"job {job} would differ from version {number} in {', '.join(others)}", hint="use `jobrunner edit`"
            )
        then = [f"{key} {differs[key].after}, and has {differs[key].before} now" for key in sorted(differs)]
        return f"with version {number} the file had {'; '.join(then)}: that is as it is" if then else None

    def _version(self, job: str, number: int) -> str:
        from jobrunner.store import versions

        known = {one.version: one for one in versions.of(self._open_context().db, job)}
        if number not in known:
            hint = f"`jobrunner history {job}` lists them" if known else "no server has ever loaded it"
            raise NotFound(f"job {job} has no version {number}", hint=hint)
        definition = known[number].definition
        if definition is None:
            raise Refused(
                f"by version {number} job {job} was taken out of the file", hint="take it out: jobrunner edit"
            )
        return definition


def _in_place_of(path: Path, file: str) -> Jobfile:
    """The configuration as it would be if ``file`` stood where the main one stands; faults are told of ``file``."""
    from jobrunner.jobfile import rewrite

    held = rewrite.original(file)
    try:
        return jobfile.read(path, {os.path.realpath(path): held.text})
    except ConfigError as error:
        main = str(path)
        raise ConfigError(
            [one._replace(file=held.name) if one.file == main else one for one in error.problems]
        ) from None
