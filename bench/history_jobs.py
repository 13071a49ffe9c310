"""The jobs.toml of a made-up shop with as many jobs as wanted. Used by ``history``; deterministic."""

from __future__ import annotations

KINDS = ("backup", "etl", "report", "mail", "sync", "billing", "cleanup", "import", "index", "invoice")
QUEUES = ("critical", "default", "low")
_SCHEDULES = ("{m} {h} * * *", "H * * * *", "*/15 * * * *", "{m} 2 * * mon", "every 10m", "0 6 1 * *", "@hourly")
_HEAD = """\
[jobrunner]
timezone = "Europe/Madrid"
workers  = 8

[queues.critical]
max_running = 4
"""
_OF_A_FILE = 50_000
_COMMAND = 'command = ["sh", "-c", "echo {name}; sleep 0.1"]'
_PYTHON = 'python = "shop.{kind}:run"'
_HTTP = 'http = {{ url = "https://example.com/{kind}/{n}", method = "POST" }}'


def name_of(n: int) -> str:
    """The name of job number ``n``, counted from 0."""
    return f"{KINDS[n % len(KINDS)]}-{n:05d}"


def queue_of(n: int) -> str:
    """The queue of job number ``n``."""
    return "critical" if n % 17 == 0 else "low" if n % 5 == 2 else "default"


def files(jobs: int) -> dict[str, str]:
    """A valid jobs.toml with so many jobs: all kinds, some disabled, some with parameters, retries, tags and parents.

    With very many it includes others, by their names: a file has 16 MiB at most.
    """
    first, *others = [range(start, min(start + _OF_A_FILE, jobs)) for start in range(0, jobs, _OF_A_FILE)]
    head = _HEAD.replace("\n\n", '\ninclude = "more-*.toml"\n\n', 1) if others else _HEAD
    found = {"jobs.toml": "\n".join([head, *map(_job, first)])}
    return found | {f"more-{place}.toml": "\n".join(map(_job, part)) for place, part in enumerate(others)}


def _job(n: int) -> str:
    name, kind = name_of(n), KINDS[n % len(KINDS)]
    what = _HTTP if n % 23 == 7 else _PYTHON if n % 4 == 3 else _COMMAND
    lines = [f"[jobs.{name}]", f'description = "{kind.capitalize()} of shop {n}"']
    lines.append(what.format(name=name, kind=kind, n=n))
    lines.append(f'queue = "{queue_of(n)}"')
    lines.append(f'tags = ["{kind}", "{"nightly" if n % 3 else "team-a"}"]')
    if n % 10 == 9 and n >= 10:
        lines.append(f'after = ["{name_of(n - 10 if n % 20 == 19 else n - 1)}"]')
    else:
        schedule = _SCHEDULES[n % len(_SCHEDULES)].format(m=n % 60, h=n % 24)
        lines.append(f'schedule = "{schedule}"')
    if n % 6 == 0:
        lines += ["retries = 3", 'retry_delay = "30s"', 'timeout = "1h"']
    if n % 13 == 5:
        lines.append('params.month = { type = "string", default = "2026-10", description = "YYYY-MM" }')
    if n % 29 == 11:
        lines.append("enabled = false")
    return "\n".join(lines) + "\n"
