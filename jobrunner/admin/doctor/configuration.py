"""jobs.toml as doctor sees it: its faults and warnings, and whose eyes its secrets are open to."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from jobrunner import jobfile
from jobrunner.admin.doctor.patient import Patient
from jobrunner.domain.finding import Finding, fault, note, ok, warning
from jobrunner.errors import Problem

_MOST = 5
_FOR_OTHERS = 0o044


def look(patient: Patient) -> list[Finding]:
    """What is wrong with the file."""
    if patient.path is None:
        hint = "write one (jobrunner init), or name it: -c FILE, $JOBRUNNER_CONFIG"
        return [fault("configuration", str(problem), hint) for problem in patient.problems]
    checked = jobfile.check(patient.path)
    found = [fault("configuration", str(problem), "mend it: jobrunner check") for problem in checked.problems[:_MOST]]
    found += _more(checked.problems, "errors")
    unheeded, others = _split(checked.warnings)
    found += [warning("configuration", str(each), _advice(each)) for each in others[:_MOST]]
    found += _more(others, "warnings")
    if unheeded:
        keys = "1 key has" if len(unheeded) == 1 else f"{len(unheeded)} keys have"
        found.append(note("configuration", f"{keys} no effect in this version", "jobrunner check names them"))
    if checked.valid:
        jobs = "1 job" if checked.jobs == 1 else f"{checked.jobs} jobs"
        found.append(ok("configuration", f"{os.path.abspath(patient.path)} is valid, {jobs}"))
    return [*found, *_folders(patient.path), *_secrets(patient.path, patient)]


def _advice(problem: Problem) -> str | None:
    return "only the server's own environment counts" if "cannot be resolved here" in problem.message else None


def _split(warnings: Sequence[Problem]) -> tuple[list[Problem], list[Problem]]:
    unheeded = [each for each in warnings if "has no effect yet" in each.message]
    return unheeded, [each for each in warnings if each not in unheeded]


def _more(problems: Sequence[Problem], what: str) -> list[Finding]:
    left = len(problems) - _MOST
    return [note("configuration", f"{left} more {what}", "jobrunner check shows them")] if left > 0 else []


def _folders(path: Path) -> Iterator[Finding]:
    """Folders on the way to the file in which everybody could put another one in its place."""
    for folder in Path(os.path.realpath(path)).parents:
        mode = os.stat(folder).st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            detail = f"everybody can write {folder}, and so put another file in the place of {path.name}"
            yield warning("configuration", detail, f"chmod o-w {folder}")


def _secrets(path: Path, patient: Patient) -> Iterator[Finding]:
    files, written = jobfile.secrets_of(path, patient.environ)
    for file in files:
        if (who := readers(file)) is not None:
            yield warning("secrets", f"{who} can read {file}, which the file takes a secret from", f"chmod go= {file}")
    for file, keys in written.items():
        who = readers(file)
        if who is None:
            continue
        names = ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")
        hint = f"write a reference, ${{file:…}} or ${{VAR}}, or: chmod go= {file}"
        yield warning("secrets", f"{who} can read {file}, which holds secrets as they are: {names}", hint)


def readers(file: str) -> str | None:
    """Who but its owner can read a file; None where nobody can, or it is not there."""
    try:
        mode = os.stat(file).st_mode
    except OSError:
        return None
    if mode & 0o004:
        return "everybody"
    return "its group" if mode & _FOR_OTHERS else None
