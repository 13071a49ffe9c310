"""The file, safely changed: edit, set, enable, disable, diff, history, rollback, reload."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jobrunner.cli import output
from jobrunner.cli.completion import job_names
from jobrunner.cli.verb import Call, verb
from jobrunner.errors import ConfigError, JobrunnerError, Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from jobrunner.admin.editing import Applied, Editor, Part, Proposal
    from jobrunner.cli.texteditor import TextEditor
    from jobrunner.domain.change import InForce
    from jobrunner.presentation.times import Times

Job = Annotated[str, typer.Argument(metavar="JOB", help="A job.", autocompletion=job_names)]


@verb(examples="jobrunner edit\njobrunner edit backup\nEDITOR='code --wait' jobrunner edit")
def edit(
    ctx: typer.Context,
    job: Annotated[
        str | None,
        typer.Argument(metavar="[JOB]", help="Only the table of this job.", autocompletion=job_names),
    ] = None,
) -> int:
    """Edit jobs.toml in $VISUAL or $EDITOR: it is checked, what the change means is shown, and then it is in force.

    A mistake is shown with its line, and nothing that was typed is lost. The file is replaced at once, with its mode
    and owner, unless somebody else has changed it meanwhile; then the servers load it. Without a terminal nothing is
    asked: a valid text is applied, an invalid one is refused (78), kept beside the file, and named.
    """
    call = Call.of(ctx)
    with _editor(call) as editor:
        part = editor.part(job)
        _say_if_whole(part, job)
        proposal = _edited(call, editor, part)
        if proposal is None:
            return 0
        applied = _apply_or_keep(editor, proposal, f"job {job}" if job else "jobs.toml")
        _tell(call, editor, proposal, applied, shown=sys.stdin.isatty())
        return 0


@verb(examples="jobrunner set backup timeout=1h retries=3\njobrunner set backup 'schedule=30 2 * * *' env.LANG=C")
def set_keys(
    ctx: typer.Context,
    job: Job,
    values: Annotated[
        list[str],
        typer.Argument(metavar="KEY=VALUE...", help="What to set; VALUE is TOML where it reads as TOML, else a text."),
    ],
) -> int:
    """Set keys of a job in its file, and leave every other byte as it is. The servers load it.

    What would make the file invalid is refused (78), and nothing changes.
    """
    from jobrunner.jobfile import edit

    return _assign(ctx, "set", job, [edit.parse_assignment(text) for text in values])


@verb(examples="jobrunner enable backup")
def enable(ctx: typer.Context, job: Job) -> int:
    """Set enabled = true: the job fires again. What it missed meanwhile is not caught up."""
    return _assign(ctx, "enable", job, [(("enabled",), True)])


@verb(examples="jobrunner disable backup")
def disable(ctx: typer.Context, job: Job) -> int:
    """Set enabled = false: the job does not fire and is not started by others; by hand it can be."""
    return _assign(ctx, "disable", job, [(("enabled",), False)])


@verb(examples="jobrunner diff new.toml\njobrunner diff\ngit show HEAD~1:jobs.toml > old.toml; jobrunner diff old.toml")
def diff(
    ctx: typer.Context,
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="In the place of jobs.toml (default: jobs.toml itself, as it is now)."),
    ] = None,
) -> int:
    """What loading a file would change: jobs, keys, schedules in words, fires of the coming week.

    Ends with 0 when it changes nothing, with 1 when it does, with 78 when the file is invalid.
    """
    from jobrunner.presentation import changes

    call = Call.of(ctx)
    with _editor(call) as editor:
        found = editor.difference(file)
        if call.json:
            output.write_json(changes.meaning_json(found))
        else:
            output.write_lines(changes.meaning(found, {}, call.screen(), _times(editor)))
    return 0 if found.nothing else 1


@verb(examples="jobrunner history\njobrunner history backup\njobrunner history backup --json | jq '.[0].definition'")
def history(
    ctx: typer.Context,
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB]", help="Of this job only.", autocompletion=job_names)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="The newest N (0: all).")] = 50,
) -> int:
    """The versions of jobs that were in force: since when, by whom, and what changed. Newest first."""
    from jobrunner.presentation import changes

    call = Call.of(ctx)
    with call.admin() as admin:
        found: Sequence[InForce] = admin.history(job, limit)
        times = call.times(admin, job)
    if call.json:
        output.write_json(changes.history_json(found))
    elif found:
        output.write_lines(changes.history(found, call.screen(), times))
    else:
        output.say("no server has loaded a file yet")
    return 0


@verb(examples="jobrunner rollback backup 3    # history shows the numbers")
def rollback(
    ctx: typer.Context,
    job: Job,
    version: Annotated[int, typer.Argument(metavar="VERSION", help="A number that history shows.")],
) -> int:
    """Go back to a version of a job: its keys are set in the file as they were then. The servers load it."""
    from jobrunner.domain.version import Origin

    call = Call.of(ctx)
    with _editor(call) as editor:
        proposal = editor.back(job, version)
        if proposal.remark:
            output.say(f"note: {proposal.remark}")
        if proposal.text == proposal.original.text:
            output.say(f"job {job} is as version {version} was")
            return 0
        applied = editor.apply(
            proposal, action="rollback", target=f"job {job}", detail=f"version {version}", origin=Origin.ROLLBACK
        )
        _tell(call, editor, proposal, applied)
    return 0


@verb(examples="jobrunner reload")
def reload(ctx: typer.Context) -> int:
    """Have every server read jobs.toml again, wait, and tell what each made of it: all of it is in force, or nothing.

    Ends with 1 when a server keeps its old file, or has not answered within 15 s.
    """
    from jobrunner.presentation import changes

    call = Call.of(ctx)
    with call.admin() as admin:
        found = admin.reload()
    if call.json:
        output.write_json(changes.reloaded_json(found))
    else:
        for line in changes.reloaded(found):
            output.say(line)
    return 0 if all(one.error is None and (one.done or not one.live) for one in found) else 1


def _assign(ctx: typer.Context, action: str, job: str, values: "Sequence[tuple[tuple[str, ...], object]]") -> int:
    from jobrunner.jobfile.edit import spell

    call = Call.of(ctx)
    with _editor(call) as editor:
        proposal = editor.assign(job, values)
        if proposal.text == proposal.original.text:
            output.say(f"job {job} is so already; nothing was changed")
            return 0
        # Which keys, not what they were set to: that may be a secret.
        keys = ", ".join(spell(keys) for keys, _ in values)
        applied = editor.apply(proposal, action=action, target=f"job {job}", detail=keys)
        _tell(call, editor, proposal, applied)
    return 0


def _edited(call: Call, editor: "Editor", part: "Part") -> "Proposal | None":
    """What the person wants applied; None when nothing was changed, or it was given up.

    Raises:
        ConfigError: the text is invalid, and nobody is there to be asked.
    """
    from jobrunner.cli.texteditor import TextEditor

    text = part.text
    with TextEditor(part.text, part.original.name) as opened:
        try:
            while (text := _typed(opened, part, text)) != part.text:
                answer, proposal = _reviewed(call, editor, part, text)
                if answer == "a":
                    return proposal
                if answer == "q":
                    break
        except KeyboardInterrupt:
            if text != part.text:
                sys.stderr.write("\n")
                output.say(str(_kept(part, text)))
            raise
    output.say("nothing was changed")
    return None


def _typed(opened: "TextEditor", part: "Part", before: str) -> str:
    """The text as the person leaves it; where the editor fails, what was typed ``before`` is kept. Raises Refused."""
    try:
        return opened.edit()
    except JobrunnerError as error:
        if before == part.text:
            raise
        path = _keep(part, before)
        raise Refused(error.message, hint=f"the text of before is kept in {path}") from None


def _reviewed(call: Call, editor: "Editor", part: "Part", text: str) -> "tuple[str, Proposal | None]":
    """What is to be done with a text: apply it, edit it again, or quit; by the person, where there is one.

    Raises:
        ConfigError: the text is invalid, and nobody is there to be asked.
        Abort: it is, and was given up; it is kept.
    """
    asking = sys.stdin.isatty()
    try:
        proposal = editor.propose(part.original, part.put(text))
    except ConfigError as error:
        _show_problems(error, part, text, whole=not asking)
        if not asking:
            raise ConfigError([_kept(part, text)]) from None
        if _asked("[e]dit again or [q]uit?", "eq", "e") == "q":
            output.say(str(_kept(part, text)))
            raise typer.Abort from None
        return "e", None
    if not asking:
        return "a", proposal
    _show(call, editor, proposal)
    return _asked("[a]pply, [e]dit again or [q]uit?", "aeq", "a"), proposal


def _show_problems(error: ConfigError, part: "Part", text: str, *, whole: bool) -> None:
    """Each problem with the line that it is about, as the person has it in the editor, or as the ``whole`` is kept."""
    from jobrunner.jobfile.rewrite import problems_at

    lines = (part.put(text) if whole else text).split("\n")
    for problem in problems_at(error.problems, part.original.name, lines_before=0 if whole else part.lines_before):
        output.say(str(problem))
        if problem.file == part.original.name and problem.line and problem.line <= len(lines):
            output.say(f"    {lines[problem.line - 1]}")


def _kept(part: "Part", text: str) -> Problem:
    return Problem(part.original.name, None, None, f"not changed; your text is kept in {_keep(part, text)}")


def _keep(part: "Part", text: str) -> str:
    from jobrunner.jobfile.rewrite import keep_beside

    return keep_beside(part.original, part.put(text))


def _apply_or_keep(editor: "Editor", proposal: "Proposal", target: str) -> "Applied":
    from jobrunner.jobfile.rewrite import keep_beside

    try:
        return editor.apply(proposal, action="edit", target=target)
    except Refused as error:
        path = keep_beside(proposal.original, proposal.text)
        raise Refused(error.message, hint=f"your text is kept in {path}") from None


def _tell(call: Call, editor: "Editor", proposal: "Proposal", applied: "Applied", *, shown: bool = False) -> None:
    """What was changed, and what the servers made of it."""
    from jobrunner.presentation import changes

    if call.json:
        meaning = None if proposal.meaning is None else changes.meaning_json(proposal.meaning, proposal.affected)
        output.write_json({"file": applied.path, "meaning": meaning, "servers": changes.reloaded_json(applied.servers)})
        return
    if not shown:
        _show(call, editor, proposal)
    if applied.remark:
        output.say(f"warning: {applied.remark}")
    output.say(f"{applied.path} is written")
    if not applied.remark:
        for line in changes.reloaded(applied.servers):
            output.say(line)


def _show(call: Call, editor: "Editor", proposal: "Proposal") -> None:
    from jobrunner.presentation import changes

    if proposal.meaning is None:
        output.write(f"valid, {proposal.jobs} job{'s' * (proposal.jobs != 1)}; the file of before was not")
    else:
        output.write_lines(changes.meaning(proposal.meaning, proposal.affected, call.screen(), _times(editor)))


def _asked(question: str, choices: str, default: str) -> str:
    """One letter of ``choices``; Enter is the default, the end of input the last."""
    while True:
        sys.stderr.write(f"{question} [{default}] ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            return choices[-1]
        answer = line.strip().lower()[:1] or default
        if answer in choices:
            return answer


def _say_if_whole(part: "Part", job: str | None) -> None:
    if job is not None and part.end is None:
        output.say(f"job {job} has no table of its own in one place; this is the whole of {part.original.name}")


def _editor(call: Call) -> "AbstractContextManager[Editor]":
    from jobrunner import wiring

    return wiring.open_editor(call.config)


def _times(editor: "Editor") -> "Times":
    from jobrunner.domain.clock import SystemClock
    from jobrunner.presentation.times import Times

    return Times(now=SystemClock().now(), zone=editor.zone(), relative=False)
