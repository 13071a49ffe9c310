"""What a measurement found: tables of rows, each with one value for every round. Made by the measurements; saved,
written as Markdown and plotted by ``report``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.table import number, ratios, spread


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing that was measured, once a round.

    ``against`` names the row that it is compared with, round by round; ``at`` is the size for which it was measured,
    where one thing is measured for several; ``failed`` says why there are no values.
    """

    name: str
    values: tuple[float, ...] = ()
    against: str | None = None
    at: float | None = None
    note: str = ""
    failed: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows in one unit. ``better`` is ``more`` or ``less``; ``axis`` is what ``at`` counts.

    ``versus`` names rows that every other row is compared with, in a table of its own.
    """

    title: str
    unit: str
    rows: tuple[Row, ...]
    better: str = "more"
    axis: str = ""
    versus: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Result:
    """All that one measurement found, and on what."""

    name: str
    machine: str
    taken: str
    tables: tuple[Table, ...] = field(default_factory=tuple)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")

    @staticmethod
    def load(path: Path) -> Result:
        found = json.loads(path.read_text())
        return Result(**{**found, "tables": tuple(_table(table) for table in found["tables"])})


def _table(found: dict[str, Any]) -> Table:
    rows = tuple(Row(**{**row, "values": tuple(row["values"])}) for row in found["rows"])
    return Table(**{**found, "rows": rows, "versus": tuple(found["versus"]), "notes": tuple(found["notes"])})


def in_turn(rounds: int, work: Mapping[str, Callable[[], float]]) -> tuple[Row, ...]:
    """Measures everything once, then everything once more, and so on; what cannot be measured says why."""
    values: dict[str, list[float]] = {name: [] for name in work}
    failed: dict[str, str] = {}
    for turn in range(rounds):
        for name, measure in work.items():
            if name in failed:
                continue
            try:
                values[name].append(measure())
            except Exception as error:
                failed[name] = first_line(error)
            said = failed.get(name) or f"{values[name][-1]:,.2f}"
            print(f"  round {turn + 1}: {name}: {said}", file=sys.stderr, flush=True)
    return tuple(
        Row(name=name, failed=failed[name]) if name in failed else Row(name=name, values=tuple(values[name]))
        for name in work
    )


def against(rows: Sequence[Row], pairs: Mapping[str, str]) -> tuple[Row, ...]:
    """The rows, each with what it is compared with: ``pairs`` from the name of a row to that of the other."""
    return tuple(replace(row, against=pairs.get(row.name)) for row in rows)


def first_line(error: BaseException) -> str:
    """An error in a line of at most 160 characters."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:160]


def markdown(table: Table) -> str:
    """The table with its title and notes, to be pasted into a page."""
    lines = [f"### {table.title}"]
    for head, body in parts(table):
        lines += ["", _line(head), _line(["---", *["---:"] * (len(head) - 1)])]
        lines += [_line(row) for row in body]
    if table.notes:
        lines += ["", *(f"- {note}" for note in table.notes)]
    return "\n".join(lines) + "\n"


Cells = tuple[list[str], list[list[str]]]
"""The head and the rows of a table in words."""


def parts(table: Table) -> list[Cells]:
    """What was measured, and what it is compared with; several sizes of one thing have a column each."""
    if any(row.at is not None for row in table.rows):
        return [_by_size(table)]
    return [_figures(table), *([_versus(table)] if table.versus else [])]


def _figures(table: Table) -> Cells:
    rows = {row.name: row for row in table.rows}
    compares = any(row.against for row in table.rows)
    notes = any(row.note for row in table.rows)
    head = ["", f"{table.unit}, median (least–most)", *(["ratio"] if compares else []), *(["also"] if notes else [])]
    body = []
    for row in table.rows:
        line = [row.name, spread(row.values) if row.values else f"not measured: {row.failed}"]
        line += [_ratio(row, rows)] if compares else []
        line += [row.note] if notes else []
        body.append(line)
    return head, body


def _versus(table: Table) -> Cells:
    rows = {row.name: row for row in table.rows}
    ours = [rows[name] for name in table.versus if name in rows]
    head = [f"({table.better} is better)", *(f"{row.name} :" for row in ours)]
    others = [row for row in table.rows if row.values and row not in ours]
    return head, [[row.name, *(_quotient(one, row) for one in ours)] for row in others]


def _by_size(table: Table) -> Cells:
    sizes = sorted({row.at for row in table.rows if row.at is not None})
    names = list(dict.fromkeys(row.name for row in table.rows))
    found = {(row.name, row.at): row for row in table.rows}
    compares = len(sizes) > 1
    head = ["", *(f"{number(size)} {table.axis}" for size in sizes), *(["last : first"] if compares else [])]
    body = []
    for name in names:
        line = [name]
        for size in sizes:
            row = found.get((name, size))
            line.append("" if row is None else spread(row.values) if row.values else f"not measured: {row.failed}")
        if compares:
            first, last = found.get((name, sizes[0])), found.get((name, sizes[-1]))
            line.append(_quotient(last, first) if first and last else "")
        body.append(line)
    return head, body


def _ratio(row: Row, rows: Mapping[str, Row]) -> str:
    other = rows.get(row.against or "")
    return "" if other is None else _quotient(row, other)


def _quotient(row: Row, other: Row) -> str:
    if not row.values or len(other.values) != len(row.values) or min(other.values) <= 0:
        return ""
    return ratios(row.values, other.values)


def _line(words: Sequence[str]) -> str:
    return "| " + " | ".join(word.replace("|", "\\|") for word in words) + " |"
