"""Results shown on the terminal, and kept in ``bench/results``: NAME.json to plot from, NAME.md to paste."""

from __future__ import annotations

from pathlib import Path

from bench.result import Result, Table, markdown, parts

RESULTS = Path(__file__).parent / "results"


def show(table: Table) -> None:
    """Prints it, in columns."""
    print(f"\n{table.title}")
    for head, body in parts(table):
        widths = [max(len(row[place]) for row in [head, *body]) for place in range(len(head))]
        for row in [head, *body]:
            first, *others = (word.ljust(width) for word, width in zip(row, widths, strict=True))
            print(f"  {'  '.join([first, *others])}".rstrip())
    for note in table.notes:
        print(f"  - {note}")


def keep(result: Result) -> None:
    """Writes both files."""
    RESULTS.mkdir(exist_ok=True)
    result.save(RESULTS / f"{result.name}.json")
    heads = f"<!-- {result.name}, {result.taken} -->\n{result.machine}.\n"
    (RESULTS / f"{result.name}.md").write_text("\n".join([heads, *map(markdown, result.tables)]))


def kept() -> list[Result]:
    """All that were written, by name."""
    return [Result.load(path) for path in sorted(RESULTS.glob("*.json"))]
