"""Whether the store itself is sound: its schema, its file, the settings of its database server. Called by doctor."""

from __future__ import annotations

from jobrunner.store.database import Database
from jobrunner.store.migrations import MIGRATIONS, schema_version

OLDEST_POSTGRESQL = 120_000
"""``server_version_num`` of the oldest one that statements are written for."""

_RISKY = {"fsync": "off", "full_page_writes": "off"}


def schema(db: Database) -> tuple[int, int]:
    """The schema that the store has (0: none yet), and the one that this version knows."""
    return schema_version(db), len(MIGRATIONS)


def product(db: Database) -> tuple[str, int]:
    """The database as people call it, ``PostgreSQL 16.2``, and its version as a number that grows."""
    if db.dialect == "sqlite":
        text = str(db.execute("SELECT sqlite_version()").fetchone()[0])
        major, minor, patch = (int(part) for part in text.split(".")[:3])
        return f"SQLite {text}", major * 1_000_000 + minor * 1_000 + patch
    text, number = db.execute(
        "SELECT current_setting('server_version'), current_setting('server_version_num')"
    ).fetchone()
    return f"PostgreSQL {text.split(' ')[0]}", int(number)


def damage(db: Database) -> list[str]:
    """What SQLite finds wrong with the file, a few lines at most; it reads all of it. Empty for a sound one."""
    if db.dialect != "sqlite":
        return []
    found = [str(line) for (line,) in db.execute("PRAGMA quick_check(3)")]
    return [] if found == ["ok"] else found


def risky_settings(db: Database) -> list[str]:
    """Settings of a PostgreSQL server with which a power cut may damage the store, as ``fsync = off``."""
    if db.dialect == "sqlite":
        return []
    sql = "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') ORDER BY name"
    return [f"{name} = {setting}" for name, setting in db.execute(sql) if _RISKY[name] == setting]
