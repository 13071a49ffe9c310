"""``import-crontab`` and ``import-systemd``: what runs elsewhere, printed as a jobs.toml."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jobrunner.cli import output
from jobrunner.cli.verb import Call, verb
from jobrunner.errors import UsageError

if TYPE_CHECKING:
    from jobrunner.jobfile.imports.writing import Imported


@verb(
    examples="""
    jobrunner import-crontab > jobs.toml && jobrunner check
    jobrunner import-crontab /etc/cron.d/backup
    ssh web1 crontab -l | jobrunner import-crontab -
    """
)
def import_crontab(
    ctx: typer.Context,
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="The crontab; - is standard input (default: your own).")
    ] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="U", help="The crontab of this user.")] = None,
    system: Annotated[
        bool | None,
        typer.Option("--system/--no-system", help="Lines have a user or not (default: seen from place and lines)."),
    ] = None,
) -> int:
    """Print a crontab as a jobs.toml. What cannot be carried over is named on stderr, and above the job."""
    from jobrunner.admin import importing

    if file is not None and user is not None:
        raise UsageError("FILE and --user both say whose crontab it is", hint="give one of them")
    given = sys.stdin.buffer.read() if file == "-" else b""
    return _tell(ctx, importing.import_crontab(file, user=user, system=system, given=given))


@verb(
    examples="""
    jobrunner import-systemd logrotate.timer
    jobrunner import-systemd backup report > jobs.toml
    jobrunner import-systemd ./backup.timer
    """
)
def import_systemd(
    ctx: typer.Context,
    timers: Annotated[list[str], typer.Argument(metavar="TIMER...", help="Timers, by name or as files.")],
) -> int:
    """Print timers of systemd with their services as a jobs.toml. What cannot be carried over is named on stderr,
    and above the job."""
    from jobrunner.admin import importing

    return _tell(ctx, importing.import_systemd(timers))


def _tell(ctx: typer.Context, found: "Imported") -> int:
    """Remarks come last, so that on a terminal they are what is seen."""
    if Call.of(ctx).json:
        from jobrunner.presentation import json

        output.write_json(json.imported(toml=found.text, jobs=found.jobs, remarks=found.remarks))
    elif found.jobs:
        output.write_piece(found.text)
    for remark in found.remarks:
        output.say(str(remark))
    if not found.jobs:
        output.say("there is no job in it")
    return 0
