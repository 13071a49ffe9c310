"""The verb ``doctor``: looks at everything that a project stands on, and says what is wrong. Called by wiring.

One module for each thing that is looked at; each gives findings and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from jobrunner.admin.checking import within
from jobrunner.admin.doctor import configuration, host, places, store, work
from jobrunner.admin.doctor.patient import Patient
from jobrunner.domain.finding import Finding, fault
from jobrunner.errors import JobrunnerError, StoreUnavailable
from jobrunner.store.database import Database

__all__ = ["Patient", "examine"]

Look = Callable[[], list[Finding]]

_PATIENCE = 30.0
"""Seconds for the store to answer all questions: a large file is read as a whole."""

_LOOK_PATIENCE = 8.0


def examine(patient: Patient) -> list[Finding]:
    """Everything that was looked at, from the file to the host. Never raises: what cannot be looked at is a finding."""
    found = configuration.look(patient)
    if patient.settings is not None:
        found += _in_time("disk", lambda: places.look(patient), _LOOK_PATIENCE)
        found += _in_time("store", lambda: _store(patient), _PATIENCE)
    return found + _in_time("host", lambda: host.look(patient), _LOOK_PATIENCE)


def _store(patient: Patient) -> list[Finding]:
    try:
        db = patient.open_store()
    except StoreUnavailable as error:
        return [_away(error)]
    try:
        found = store.look(patient, db)
        return found if any(finding.name == "schema" for finding in found) else found + _inside(patient, db)
    except StoreUnavailable as error:
        return [_away(error)]
    finally:
        db.close()


def _inside(patient: Patient, db: Database) -> list[Finding]:
    return work.look(patient, db) + store.look_at_broker(patient, db)


def _away(error: StoreUnavailable) -> Finding:
    return fault("store", error.message, error.hint or "see whether it runs, and whether this host reaches it")


def _in_time(name: str, look: Look, seconds: float) -> list[Finding]:
    try:
        return within(seconds, look, what=f"what {name} is examined on")
    except JobrunnerError as error:
        return [fault(name, error.message, error.hint or "see what holds it up")]
