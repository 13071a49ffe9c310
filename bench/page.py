"""Puts what was measured into docs/performance.md: ``python -m bench --page [NAME …]``.

Between ``<!-- bench NAME -->`` and ``<!-- end NAME -->`` stand the machine, the tables and the plots of one
measurement; all else is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bench import plots, report
from bench.result import Result, markdown

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


def main(names: Sequence[str]) -> int:
    results = [one for one in report.kept() if not names or one.name in names]
    text = PAGE.read_text()
    for result in results:
        pictures = plots.draw(result, plots.FOLDER)
        text = replaced(text, result.name, part(result, pictures))
    PAGE.write_text(text)
    return 0 if results else 1


def part(result: Result, pictures: Sequence[Path]) -> str:
    """What the page says of one measurement."""
    lines = [f"Measured {result.taken} on: {result.machine}.", ""]
    for table, picture in zip(result.tables, pictures, strict=True):
        lines += [markdown(table), f"![{table.title}](pictures/bench/{picture.name})", ""]
    return "\n".join(lines)


def replaced(text: str, name: str, part: str) -> str:
    """The page with another text between the marks of a measurement.

    Raises:
        ValueError: it has no such marks.
    """
    begin, end = f"<!-- bench {name} -->", f"<!-- end {name} -->"
    if begin not in text or end not in text:
        raise ValueError(f"{PAGE.name} has no {begin} … {end}")
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    return pattern.sub(lambda _: f"{begin}\n{part}{end}", text, count=1)
