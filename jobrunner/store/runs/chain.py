"""What comes right before and right after a run or a batch. A batch that follows something does so with all members."""

from __future__ import annotations

from jobrunner.domain.chain import Kind, Step
from jobrunner.domain.job import When
from jobrunner.store.database import Database

_PARENTS = "SELECT parent_id FROM run_parents WHERE child_id = ? LIMIT ?"
_TERMS = "SELECT after_when, after_batch_id FROM runs WHERE id = ?"
_MEMBER = "SELECT id FROM runs WHERE batch_id = ? AND batch_id IS NOT NULL LIMIT 1"
_CHILDREN = (
    "SELECT c.id, c.after_when FROM run_parents p JOIN runs c ON c.id = p.child_id"
    " WHERE p.parent_id = ? AND c.batch_id IS NULL ORDER BY p.child_id LIMIT ?"
)
_CHILD_BATCHES = (
    "SELECT c.batch_id, min(c.after_when) FROM run_parents p JOIN runs c ON c.id = p.child_id"
    " WHERE p.parent_id = ? AND c.batch_id IS NOT NULL GROUP BY c.batch_id LIMIT ?"
)
_AFTER_BATCH = (
    "SELECT id, after_when FROM runs WHERE after_batch_id = ? AND after_batch_id IS NOT NULL ORDER BY id LIMIT ?"
)
_BATCH_OF = "SELECT batch_id FROM runs WHERE id = ?"


def before(db: Database, step: Step, most: int) -> list[Step]:
    """What has to end before it, at most ``most``."""
    run_id = step.id
    if step.kind is Kind.BATCH:
        member = db.execute(_MEMBER, (step.id,)).fetchone()
        if member is None:
            return []
        (run_id,) = member
    found = [Step(Kind.RUN, parent) for (parent,) in sorted(db.execute(_PARENTS, (run_id, most)))]
    terms = db.execute(_TERMS, (run_id,)).fetchone()
    if terms is not None and terms[1] is not None:
        found.append(Step(Kind.BATCH, terms[1]))
    return found[:most]


def after(db: Database, step: Step, most: int) -> list[Step]:
    """What may start when it has ended, at most ``most``; after a run also its batch, where something follows that."""
    if step.kind is Kind.BATCH:
        rows = db.execute(_AFTER_BATCH, (step.id, most))
        return [Step(Kind.RUN, child, _when(when)) for child, when in rows]
    found = [Step(Kind.RUN, child, _when(when)) for child, when in db.execute(_CHILDREN, (step.id, most))]
    found += [Step(Kind.BATCH, batch, _when(when)) for batch, when in db.execute(_CHILD_BATCHES, (step.id, most))]
    row = db.execute(_BATCH_OF, (step.id,)).fetchone()
    if row is not None and row[0] is not None and db.execute(_AFTER_BATCH, (row[0], 1)).fetchone() is not None:
        found.append(Step(Kind.BATCH, row[0], When.DONE))
    return found[:most]


def terms(db: Database, run_id: int) -> When | None:
    """Which end of what it follows starts a run; None where it follows nothing."""
    row = db.execute(_TERMS, (run_id,)).fetchone()
    return _when(row[0]) if row is not None and before(db, Step(Kind.RUN, run_id), 1) else None


def _when(text: str | None) -> When:
    return When(text or When.SUCCESS)
