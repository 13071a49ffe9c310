"""What the shell offers for a word: names of jobs, ids of runs. Called by typer while somebody presses Tab.

A completion says nothing and never fails: with no configuration, a broken one, or no store there is nothing to offer.
Names of jobs come from the file alone, so that they are there at once.
"""

import os

import typer

from jobrunner.cli.verb import Call

_NEWEST = 100


def job_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of the jobs in the configuration."""
    try:
        from jobrunner import jobfile

        names = jobfile.job_names(jobfile.locate(Call.of(ctx).config, os.environ))
    except Exception:
        return []
    return [name for name in names if name.startswith(incomplete)]


def run_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """Ids of the newest runs."""
    try:
        from jobrunner import wiring
        from jobrunner.domain.filter import RunFilter

        with wiring.open_admin(Call.of(ctx).config) as admin:
            ids = [str(run.id) for run in admin.runs(RunFilter(limit=_NEWEST))]
    except Exception:
        return []
    return [text for text in ids if text.startswith(incomplete)]


def jobs_and_runs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of jobs; ids of runs once a digit is typed, since only then is the store worth its time."""
    runs = run_ids(ctx, incomplete) if incomplete[:1].isdigit() else []
    return job_names(ctx, incomplete) + runs
