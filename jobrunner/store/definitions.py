"""The definitions that runs were created with, each kept once under a number made from its content."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

from jobrunner.store.database import Database, insert, table


@lru_cache(maxsize=4096)
def number(job: str, body: str) -> int:
    """The number (63 bits) under which a definition is kept: equal contents have equal numbers in every store."""
    digest = blake2b(f"{job}\n{body}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def keep(db: Database, job: str, body: str) -> int:
    """Keeps a definition if it is new, and gives its number."""
    key = number(job, body)
    db.execute("INSERT INTO definitions (id, job, body) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING", (key, job, body))
    return key


def keep_all(db: Database, bodies: Sequence[tuple[str, str]]) -> list[int]:
    """As ``keep``, of many (job, body): gives their numbers, in their order."""
    keys = [number(job, body) for job, body in bodies]
    item, values = table("of_id BIGINT", [(key,) for key in keys])
    new = {key for (key,) in db.execute(item + _UNKNOWN, values)}
    rows = [(key, *body) for key, body in zip(keys, bodies, strict=True) if key in new]
    insert(db, "definitions (id, job, body)", rows, "(id) DO NOTHING")
    return keys


_UNKNOWN = "SELECT of_id FROM item WHERE of_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM definitions WHERE id = of_id)"


def body(db: Database, key: int) -> str | None:
    """The text of a definition, None if it is not there."""
    row = db.execute("SELECT body FROM definitions WHERE id = ?", (key,)).fetchone()
    return row[0] if row else None
