"""The terms of a filter as SQL over ``runs r``. Used by ``pages``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from jobrunner.domain.clock import to_micros
from jobrunner.domain.filter import Field, Length, Term, is_glob
from jobrunner.store.database import Database

_SEARCHED = ("r.job", "r.error", "r.waiting_detail", "r.params")
"""Where a text is looked for."""

_NAMED = {Field.JOB: "r.job", Field.QUEUE: "r.queue"}
_EQUAL = {Field.STATE: "r.state", Field.TRIGGER: "r.source", Field.EXIT: "r.exit_code", Field.BATCH: "r.batch_id"}
Sql = tuple[str, list[Any]]


def conditions(db: Database, terms: Sequence[Term], now: datetime) -> Sql:
    """What follows WHERE for these terms, each begun with AND; those of a tag have become names of jobs before."""
    sql, params = "", list[Any]()
    for term in terms:
        text, given = _condition(db, term, now)
        sql += f" AND NOT coalesce({text}, FALSE)" if term.negated else f" AND {text}"
        params += given
    return sql, params


def _condition(db: Database, term: Term, now: datetime) -> Sql:
    match term.field:
        case Field.TEXT:
            return _text(db, str(term.values[0]))
        case Field.PATTERN:
            return _pattern(db, str(term.values[0]))
        case Field.JOB | Field.QUEUE:
            return _names(db, _NAMED[term.field], [str(value) for value in term.values])
        case Field.SERVER:
            named, params = _names(db, "name", [str(value) for value in term.values])
            return f"r.server_id IN (SELECT id FROM servers WHERE {named})", params
        case Field.SINCE | Field.UNTIL:
            sign = ">=" if term.field is Field.SINCE else "<="
            return _any_of([_created(sign, at) for at in term.values if isinstance(at, datetime)])
        case Field.DURATION:
            return _any_of([_length(value, now) for value in term.values if isinstance(value, Length)])
        case Field.DEAD:
            return "r.dead = 1", []
        case _:
            marks = ", ".join("?" * len(term.values))
            return f"{_EQUAL[term.field]} IN ({marks})", list(term.values)


def _created(sign: str, at: datetime) -> Sql:
    return f"r.created_at {sign} ?", [to_micros(at)]


def _any_of(parts: Sequence[Sql]) -> Sql:
    return f"({' OR '.join(sql for sql, _ in parts)})", [value for _, given in parts for value in given]


def _length(value: Length, now: datetime) -> Sql:
    sign = ">" if value.longer else "<"
    micros = value.than // timedelta(microseconds=1)
    return f"(coalesce(r.finished_at, ?) - r.started_at {sign} ?)", [to_micros(now), micros]


def _text(db: Database, text: str) -> Sql:
    if db.dialect == "sqlite" and not text.isascii():
        return _pattern(db, re.escape(text))  # its LIKE knows the case of ASCII only
    like = "ILIKE" if db.dialect == "postgresql" else "LIKE"
    found: list[Sql] = [(f"{column} {like} ? ESCAPE '~'", [f"%{_escaped(text)}%"]) for column in _SEARCHED]
    if text.isdecimal() and text.isascii() and len(text) < 19:
        found.append(("r.id = ?", [int(text)]))
    return _any_of(found)


def _pattern(db: Database, pattern: str) -> Sql:
    if db.dialect == "postgresql":
        return _any_of([(f"{column} ~* ?", [pattern]) for column in _SEARCHED])
    db.function("jobrunner_matches", 1 + len(_SEARCHED), _matches)
    return f"jobrunner_matches(?, {', '.join(_SEARCHED)})", [pattern]


def _matches(pattern: str, *texts: str | None) -> bool:
    search = re.compile(pattern, re.IGNORECASE).search
    return any(text is not None and search(text) for text in texts)


def _names(db: Database, column: str, names: Sequence[str]) -> Sql:
    exact = [name for name in names if not is_glob(name)]
    parts = [_glob(db, column, name) for name in names if is_glob(name)]
    if exact or not parts:
        each = {
            "sqlite": "SELECT item.value FROM json_each(?) AS item",
            "postgresql": "SELECT json_array_elements_text(CAST(? AS json))",
        }
        one = len(exact) == 1
        parts.append((f"{column} = ?", exact) if one else (f"{column} IN ({each[db.dialect]})", [json.dumps(exact)]))
    return _any_of(parts)


def _glob(db: Database, column: str, glob: str) -> Sql:
    if db.dialect == "sqlite":
        return f"{column} GLOB ?", [glob.replace("[", "[[]")]
    return f"{column} LIKE ? ESCAPE '~'", [_escaped(glob).replace("*", "%").replace("?", "_")]


def _escaped(text: str) -> str:
    return text.replace("~", "~~").replace("%", "~%").replace("_", "~_")
