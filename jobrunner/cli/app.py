"""The root of the command line: which verbs there are, and how whatever happens becomes a line and a status.

A verb's module is imported when the verb is asked for, and not before: the start of ``jobrunner trigger`` counts.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from jobrunner.cli import output
from jobrunner.cli.verb import Call, Verb, build, common_options
from jobrunner.errors import JobrunnerError

BROKEN_PIPE_STATUS = 141
"""128 + SIGPIPE: what a shell reports of any program whose reader went away."""

GROUPS = {
    "Configuration": {
        "init": ("file:init", "Write a commented starter jobs.toml."),
        "check": ("file:check", "Validate jobs.toml; print every error with line and column."),
        "schema": ("file:schema", "Print the JSON Schema of jobs.toml, for editors."),
        "explain": ("schedule:explain", "A cron expression in words, and its next fire times."),
        "import-crontab": ("imports:import_crontab", "A crontab as a jobs.toml."),
        "import-systemd": ("imports:import_systemd", "Timers of systemd with their services as a jobs.toml."),
    },
    "Editing": {
        "edit": ("editing:edit", "Edit jobs.toml, or one job, safely."),
        "set": ("editing:set_keys", "Set keys of a job, and nothing else."),
        "enable": ("editing:enable", "Let a job fire again."),
        "disable": ("editing:disable", "Keep a job from firing."),
        "diff": ("editing:diff", "What loading a file would change."),
        "history": ("editing:history", "The versions of jobs, who and when."),
        "rollback": ("editing:rollback", "Go back to a version of a job."),
        "reload": ("editing:reload", "Have the servers read the file again."),
    },
    "Running": {
        "run": ("server:run", "The server: schedule jobs and work off the queues."),
        "trigger": ("trigger:trigger", "Create a run of a job, or a batch of them."),
        "submit": ("trigger:submit", "Run a program once, without a job in the file."),
        "backfill": ("backfill:backfill", "The runs of a past window, as a batch."),
    },
    "Looking": {
        "tui": ("tui:tui", "The dashboard: everything below, live."),
        "jobs": ("lists:jobs", "The jobs of the file, how each stands, when it fires."),
        "runs": ("lists:runs", "What ran, runs and is going to run."),
        "show": ("show:show", "One job, run or batch, whole."),
        "logs": ("show:logs", "The output of a run."),
        "next": ("schedule:next_fires", "The coming fire times."),
        "why": ("answers:why", "Why a job or run did, does or will do what it does."),
        "verify": ("answers:verify", "Every fire time that was due, against what happened."),
        "simulate": ("simulate:simulate", "The schedules played forward: load, delays, collisions."),
        "queues": ("lists:queues", "What stands in each queue."),
        "servers": ("lists:servers", "The servers and what they are doing."),
        "batches": ("lists:batches", "Batches and how far they are."),
        "audit": ("lists:audit", "Who did what, when, to which."),
    },
    "Steering": {
        "retry": ("actions:retry", "Give failed or cancelled runs further attempts."),
        "cancel": ("actions:cancel", "Stop or withdraw runs."),
        "discard": ("actions:discard", "Take failed runs off the list of dead letters."),
        "pause": ("actions:pause", "Hold a job, a queue, or everything."),
        "resume": ("actions:resume", "End a pause."),
    },
    "Operations": {
        "doctor": ("operations:doctor", "What is wrong, or is going to be, and what to do."),
        "health": ("operations:health", "Whether jobs run as they should, for monitoring."),
    },
}
"""The verbs by what they are for: the module and function of each, and its line in the help."""

VERBS = {name: entry for group in GROUPS.values() for name, entry in group.items()}

_STATUSES = """\
0 done; 1 what was waited for did not succeed, check, doctor or health found
a fault, simulate a promise that is going to be broken, or diff a change;
2 wrong usage; 3 no such job, run or batch; 4 timeout of --wait;
5 the store cannot be reached; 6 refused; 78 the configuration is missing,
unsafe or invalid; 130 interrupted"""


def main(args: Sequence[str], *, ends: bool = False) -> int:
    """Runs one command and gives back its exit status. Whatever goes wrong is said here, in one line, and only here.

    ``ends``: the process ends right after it.
    """
    _ensure_standard_streams()
    call = Call(ends=ends)
    try:
        status = _run(call, args)
        output.finish()
        return status
    except output.OutputClosed:
        output.drop()
        return BROKEN_PIPE_STATUS
    except TyperException as error:
        output.say(_usage(error))
        return error.exit_code
    except JobrunnerError as error:
        _debug(call)
        output.say_error(error)
        return error.exit_status
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:
        _debug(call)
        _say_unexpected(call, error)
        return 1


class LazyGroup(TyperGroup):
    """A group that knows its verbs by name and builds only the one that is asked for."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return list(VERBS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Verb | None:  # type: ignore[override]
        if cmd_name not in VERBS:
            return None
        place, summary = VERBS[cmd_name]
        module, _, function = place.partition(":")
        command = build(cmd_name, getattr(import_module(f"jobrunner.cli.{module}"), function))
        command.short_help = summary
        return command

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        name = args[0]
        if name not in VERBS and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"no such command: {name!r}{_nearest(name)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        for title, verbs in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:<8}", summary) for name, (_, summary) in verbs.items()])

    def format_epilog(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        with formatter.section("Exit status"):
            for line in _STATUSES.splitlines():
                formatter.write(f"  {line}\n")


def _root(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """Runs jobs on servers, and lets you see and steer them.

    Jobs are defined in jobs.toml: -c FILE, else $JOBRUNNER_CONFIG, ./jobs.toml, $XDG_CONFIG_HOME/jobrunner/jobs.toml,
    /etc/jobrunner/jobs.toml. `jobrunner COMMAND --help` has examples.
    """
    if version:
        from jobrunner import __version__

        output.write(f"jobrunner {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        sys.stderr.write(ctx.get_help() + "\n")
        raise typer.Exit(2)


def _run(call: Call, args: Sequence[str]) -> int:
    app = typer.Typer(
        cls=LazyGroup,
        rich_markup_mode=None,
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    group = typer.main.get_command(app)
    group.params[:0] = common_options(json=False)
    status = group.main(list(args), prog_name="jobrunner", standalone_mode=False, obj=call)
    return status if isinstance(status, int) else 0


def _usage(error: TyperException) -> str:
    """A usage error in one line that ends with where to read more."""
    context = getattr(error, "ctx", None)
    message = " ".join(error.format_message().split()).removesuffix(".")
    message = message[:1].lower() + message[1:]
    return f"{message}; see `{context.command_path} --help`" if context else message


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, VERBS, n=1)
    return f", did you mean {near[0]!r}?" if near else ""


def _debug(call: Call) -> None:
    if call.debug:
        import traceback

        traceback.print_exc()


def _say_unexpected(call: Call, error: Exception) -> None:
    advice = "" if call.debug else "; run again with --debug to see where"
    output.say(f"unexpected {type(error).__name__}: {error}{advice}")


def _ensure_standard_streams() -> None:
    """Opens what the caller closed (``>&-``): else the next file opened, the store, would be standard output.

    In this order, since a file that is opened gets the lowest free number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
