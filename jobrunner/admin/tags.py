"""Tags in filters of runs: they are of the file, and the store knows nothing of them. Called by the verbs that list."""

from __future__ import annotations

from jobrunner.admin.context import Context
from jobrunner.domain.filter import Field, RunFilter, Term
from jobrunner.domain.job_filter import Searched


def without_tags(context: Context, wanted: RunFilter) -> RunFilter:
    """The filter with the names of the jobs that have a tag in the place of the tag. Raises ConfigError."""
    if not any(term.field is Field.TAG for term in wanted.terms):
        return wanted
    jobs = context.jobs.all().jobs

    def resolved(term: Term) -> Term:
        if term.field is not Field.TAG:
            return term
        tagged = Searched(jobs).fitting(jobs, [term._replace(negated=False)])
        return Term(Field.JOB, tuple(tagged), term.negated)

    return wanted._replace(terms=tuple(map(resolved, wanted.terms)))
