"""The store itself: what it is, its schema, whether it is sound and durable; and the broker beside it."""

from __future__ import annotations

from collections.abc import Iterator

from jobrunner.admin.doctor.patient import Patient
from jobrunner.domain.finding import Finding, fault, note, ok, warning
from jobrunner.errors import BrokerUnavailable
from jobrunner.store import soundness
from jobrunner.store.database import Database

_READ_AT_MOST = 256 * 1024 * 1024


def look(patient: Patient, db: Database) -> list[Finding]:
    """What is wrong with the store; a finding named ``schema`` says that nothing can be asked of it."""
    has, knows = soundness.schema(db)
    if has > knows:
        hint = "update this one; an older version does not touch such a store"
        return [fault("schema", f"a newer jobrunner has written the store (schema {has}, known is {knows})", hint)]
    if has < knows:
        hint = "make a backup; the next server or command brings it up to date"
        return [note("schema", f"an older jobrunner has written the store (schema {has} of {knows})", hint)]
    return [*_product(patient, db), *_soundness(db), *_durability(patient, db)]


def look_at_broker(patient: Patient, db: Database) -> list[Finding]:
    """Whether the broker can be reached."""
    assert patient.settings is not None
    if patient.settings.broker is None:
        return []
    try:
        broker = patient.open_broker(db)
        assert broker is not None
        standing = sum(broker.count(patient.settings.queues).values())
        broker.close()
    except BrokerUnavailable as error:
        hint = error.hint or "start it; queued runs wait until it is back, and none is lost"
        return [fault("broker", error.message, hint)]
    return [ok("broker", f"Redis answers, {standing} messages stand in its queues")]


def _product(patient: Patient, db: Database) -> Iterator[Finding]:
    name, number = soundness.product(db)
    if db.dialect == "postgresql" and number < soundness.OLDEST_POSTGRESQL:
        oldest = soundness.OLDEST_POSTGRESQL // 10_000
        yield fault("store", f"{name} is too old", f"update it: {oldest} or newer is needed")
    else:
        yield ok("store", f"{name} at {_place(patient, db)} answers")


def _place(patient: Patient, db: Database) -> str:
    assert patient.settings is not None
    if db.path is not None:
        return str(db.path)
    from jobrunner.store.postgresql import without_password

    return without_password(patient.settings.store)


def _soundness(db: Database) -> Iterator[Finding]:
    size = db.path.stat().st_size if db.path is not None else 0
    if size > _READ_AT_MOST:
        hint = f"sqlite3 {db.path} 'PRAGMA quick_check' does, and may take a while"
        yield note("store", f"{size // 1024**2} MiB are not read to see whether they are sound", hint)
        return
    for line in soundness.damage(db):
        yield fault("store", f"the file is damaged: {line}", "stop the servers, and restore it from a copy")
    for setting in soundness.risky_settings(db):
        detail = f"the PostgreSQL server has {setting}: a power cut may damage the store"
        yield warning("durability", detail, "switch it on in postgresql.conf")


def _durability(patient: Patient, db: Database) -> Iterator[Finding]:
    assert patient.settings is not None
    if patient.settings.durability != "full":
        yield note("durability", '"normal": a power cut may take the last moments', 'durability = "full" keeps them')
