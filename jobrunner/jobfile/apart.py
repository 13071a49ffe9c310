"""A large file read in a process of its own: what reading leaves behind in memory goes with it, and it stands in the
way of nothing here. Used by admin for who watches, where a file of 10,000 jobs would cost 100 MiB and a second.

What comes back are lines of JSON: first what there is beside the jobs, then name and definition of each. The process
ends when its input does: with who asked, however that ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from jobrunner.domain.jobfile import Calendar, Jobfile, Notifier
from jobrunner.errors import ConfigError, Problem
from jobrunner.jobfile.definition import job_from_definition
from jobrunner.jobfile.reader import read, read_settings_alone


def read_apart(path: str | os.PathLike[str]) -> Jobfile:
    """The whole file with its includes and its warnings, as ``read`` gives it. Where no process can be had it is read
    here.

    Raises:
        ConfigError: with every fault of every file, by file and line.
    """
    try:
        found = _ask(path)
    except (OSError, ValueError):
        found = None
    return read(path, warn=True) if found is None else found


def _ask(path: str | os.PathLike[str]) -> Jobfile | None:
    """None: the process ended before it had said everything."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, os.fspath(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        found = _whole(path, process.stdout)
    return found if process.returncode == 0 else None


def _whole(path: str | os.PathLike[str], lines: Iterable[bytes]) -> Jobfile | None:
    told = iter(lines)
    head: dict[str, Any] | None = json.loads(next(told, b"null"))
    if head is None:
        return None
    if head["problems"]:
        raise ConfigError([Problem(*problem) for problem in head["problems"]])
    settings = read_settings_alone(path)  # before the jobs: it takes the text apart, and both would be in memory
    jobs = {name: job_from_definition(name, definition) for name, definition in map(json.loads, told)}
    return Jobfile(
        settings=settings,
        jobs=jobs,
        notifiers={name: Notifier(name=name, url=url, on=tuple(on)) for name, url, on in head["notifiers"]},
        calendars={
            name: Calendar(name=name, dates=tuple(map(date.fromisoformat, dates)), file=file)
            for name, dates, file in head["calendars"]
        },
        limits=head["limits"],
        config_hash=head["config_hash"],
        warnings=tuple(head["warnings"]),
    )


def tell(path: str) -> Iterator[str]:
    """The lines that say what a file holds."""
    try:
        whole = read(path, warn=True)
    except ConfigError as error:
        yield json.dumps({"problems": error.problems})
        return
    head = {
        "problems": [],
        "notifiers": [[each.name, each.url, each.on] for each in whole.notifiers.values()],
        "calendars": [
            [each.name, [day.isoformat() for day in each.dates], each.file] for each in whole.calendars.values()
        ],
        "limits": dict(whole.limits),
        "config_hash": whole.config_hash,
        "warnings": whole.warnings,
    }
    yield json.dumps(head)
    for job in whole.jobs.values():
        yield json.dumps([job.name, job.definition])


def main() -> None:
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        for line in tell(sys.argv[1]):
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(1)  # nobody wants to know any more


def _end_with_input() -> None:
    while os.read(0, 1):  # not sys.stdin: its lock, held here, would be in the way of an ordinary end
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
