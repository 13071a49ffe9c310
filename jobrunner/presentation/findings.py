"""What ``doctor`` and ``health`` say: lines for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jobrunner.domain.finding import Finding, Severity
from jobrunner.domain.health import Health
from jobrunner.presentation.labels import FINDINGS, Label
from jobrunner.presentation.sanitise import plain
from jobrunner.presentation.screen import Screen
from jobrunner.version import __version__

_INDENT = 2


def doctor(found: Sequence[Finding], screen: Screen) -> Iterator[str]:
    """What is wrong first and with what to do; then, without, what is worth knowing and what is well; a sum at the end.

    On a terminal lines are broken at its width; elsewhere each finding is one line.
    """
    order = list(Severity)[::-1]
    for finding in sorted(found, key=lambda each: order.index(each.status)):
        yield from _finding(finding, screen)
    counts = [(severity, sum(each.status is severity for each in found)) for severity in order]
    yield ", ".join(
        f"{count} {severity}{'s' * (count != 1 and severity is not Severity.OK)}"
        for severity, count in counts
        if count or severity is Severity.FAULT
    )


def doctor_json(found: Sequence[Finding]) -> dict[str, Any]:
    checks = [
        {"name": each.name, "status": each.status.value, "detail": each.detail, "hint": each.hint} for each in found
    ]
    return {"ok": not bad(found), "checks": checks}


def bad(found: Sequence[Finding]) -> bool:
    """Whether there is a fault among the findings."""
    return any(finding.status is Severity.FAULT for finding in found)


def health(value: Health) -> str:
    """One line."""
    if not value.healthy:
        return plain(f"unhealthy: {'; '.join(value.problems)}")
    parts = [_count(value.servers, "server"), f"{value.queued} queued", f"{value.running} running"]
    parts.append(_count(value.dead, "dead letter"))
    if value.oldest_wait is not None:
        from jobrunner.presentation.times import elapsed

        parts.append(f"oldest wait {elapsed(value.oldest_wait)}")
    return f"healthy: {', '.join(parts)}"


def health_json(value: Health) -> dict[str, Any]:
    return {
        "healthy": value.healthy,
        "problems": list(value.problems),
        "servers": value.servers,
        "queued": value.queued,
        "running": value.running,
        "dead": value.dead,
        "oldest_wait": value.oldest_wait,
        "version": __version__,
    }


def _finding(finding: Finding, screen: Screen) -> Iterator[str]:
    label = FINDINGS[finding.status]
    if not screen.terminal:
        hint = f"; {finding.hint}" if finding.hint else ""
        yield plain(f"{finding.status}: {finding.name}: {finding.detail}{hint}")
        return
    head = f"{_glyph(label, screen)} {plain(finding.name)}: "
    lines = _wrapped(head + plain(finding.detail), screen.width, "")
    yield screen.paint(head.rstrip(), label.style) + lines[0][len(head) - 1 :]
    yield from lines[1:]
    if finding.hint:
        yield from _wrapped(plain(finding.hint), screen.width, "→ " if screen.unicode else "> ")


def _glyph(label: Label, screen: Screen) -> str:
    return label.glyph if screen.unicode else label.ascii


def _wrapped(text: str, width: int, first: str) -> list[str]:
    """Lines that are indented, but for the first of a finding; long words are broken rather than cut."""
    from textwrap import wrap

    start = " " * _INDENT + first if first else ""
    rest = " " * (_INDENT + len(first))
    return wrap(text, width, initial_indent=start, subsequent_indent=rest, break_on_hyphens=False)


def _count(number: int | None, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
