"""``init``, ``check``, ``schema``: the file itself, without a store."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobrunner.cli import output
from jobrunner.cli.verb import Call, verb
from jobrunner.errors import ConfigError, JobrunnerError, Problem, Refused, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


@verb(examples="jobrunner init\njobrunner init /srv/billing && cd /srv/billing && jobrunner run")
def init(
    ctx: typer.Context,
    directory: Annotated[str | None, typer.Argument(metavar="[DIR]", help="Where (default: here).")] = None,
) -> int:
    """Write a commented starter jobs.toml that runs as it is. A file that is there is never overwritten."""
    from jobrunner import jobfile

    call = Call.of(ctx)
    if directory and call.config:
        raise UsageError("DIR and --config both say where the file goes", hint="give one of them")
    path = Path(call.config) if call.config else Path(directory or ".") / "jobs.toml"
    _create(path, jobfile.starter())
    if call.json:
        output.write_json({"path": str(path.absolute())})
    else:
        output.write(_shown(path))
        output.say("read it, then: jobrunner check; jobrunner run")
    return 0


@verb(examples="jobrunner check\njobrunner check jobs.d/etl.toml\njobrunner check --json | jq '.errors[]'")
def check(
    ctx: typer.Context,
    file: Annotated[str | None, typer.Argument(metavar="[FILE]", help="The file (default: the one in use).")] = None,
) -> int:
    """Validate a jobs.toml and print every error with its line and column. Ends with 1 if there is one."""
    call = Call.of(ctx)
    if file and call.config and file != call.config:
        raise UsageError("FILE and --config name two files", hint="give one of them")
    name, jobs, errors, warnings = _checked(file or call.config)
    if call.json:
        from jobrunner.presentation import json

        output.write_json(json.check(valid=not errors, jobs=jobs, errors=errors, warnings=warnings))
    else:
        _tell(name, jobs, errors, warnings)
    return 1 if errors else 0


@verb(examples="jobrunner schema > jobs.schema.json")
def schema(ctx: typer.Context) -> int:
    """Print the JSON Schema of jobs.toml. A first line '#:schema ./jobs.schema.json' makes editors use it."""
    from jobrunner import jobfile

    value: dict[str, Any] = jobfile.schema()
    if Call.of(ctx).json:
        output.write_json(value)
    else:
        from jobrunner.presentation.json import document

        output.write(document(value, indent=True))
    return 0


def _create(path: Path, text: str) -> None:
    """Writes a new file, whole or not at all, readable by its owner only."""
    try:
        _make_privately(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Refused(f"{error.filename} exists", hint="init never overwrites; name another folder") from error
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror}") from error
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise JobrunnerError(f"cannot write {path}: {error.strerror}") from error


def _make_privately(folder: Path) -> None:
    """Makes a folder and those above it that are missing; ``mkdir`` with ``parents`` would leave these open to all."""
    for each in [*reversed(folder.parents), folder]:
        if not each.exists():
            each.mkdir(mode=0o700)


def _checked(explicit: str | None) -> "tuple[str, int, Sequence[Problem], Sequence[Problem]]":
    """Name of the file, number of jobs, errors, warnings; a file that cannot be read is an error of it."""
    from jobrunner import jobfile

    try:
        path = jobfile.locate(explicit, os.environ)
        result = jobfile.check(path)
    except ConfigError as error:
        return explicit or "jobs.toml", 0, error.problems, ()
    return str(path), result.jobs, result.problems, result.warnings


def _tell(name: str, jobs: int, errors: "Sequence[Problem]", warnings: "Sequence[Problem]") -> None:
    for problem in errors:
        output.write(_shown(problem))
    for problem in warnings:
        place, message = str(problem)[: -len(problem.message)], problem.message
        output.write(_shown(f"{place}warning: {message}"))
    if errors:
        output.say(f"{name}: {len(errors)} error{'s' * (len(errors) != 1)}")
    else:
        output.write(_shown(f"{name}: valid, {jobs} job{'s' * (jobs != 1)}"))


def _shown(value: object) -> str:
    from jobrunner.presentation.sanitise import plain

    return plain(str(value))
