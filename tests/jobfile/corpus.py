"""Crontabs and timers as they are found on machines, and what imports make of each: the golden files.

python tests/jobfile/corpus.py     writes what is made of them now, to be read before it is committed
"""

from __future__ import annotations

from pathlib import Path

from jobrunner.jobfile.imports import cron_jobs, timer_jobs
from jobrunner.jobfile.imports.units import Units
from jobrunner.jobfile.imports.writing import Imported

CRONTABS = Path(__file__).with_name("crontabs")
UNITS = Path(__file__).with_name("units")
HOMES = {"root": "/root", "ana": "/home/ana", "shop": "/srv/shop"}
"""The accounts of the machine that the corpus is imported on."""

SCRIPTS = {"/usr/local/bin/no-interpreter"}
NAMES = sorted(path.stem for path in CRONTABS.glob("*.txt"))
TIMERS = {
    "packages": ("apt-daily", "dpkg-db-backup", "e2scrub_all", "fstrim", "logrotate", "man-db", "pg_dump@main"),
    "more-packages": ("certbot", "phpsessionclean", "plocate-updatedb"),
    "whole": ("whole",),
}


def host() -> cron_jobs.Host:
    return cron_jobs.Host(accounts=HOMES.keys(), home=HOMES.get, needs_shell=SCRIPTS.__contains__)


def crontab(text: str, *, system: bool | None = None, name: str = "crontab") -> Imported:
    """The import of a crontab of ana."""
    return cron_jobs.import_crontab(text, cron_jobs.Origin(name, "the crontab of ana", "ana", system=system), host())


def timers(*names: str, folder: Path = UNITS) -> Imported:
    """The import of timers that lie in a folder, by ana."""
    units = Units([folder])
    here = timer_jobs.Host(home=HOMES.get, name="web1.example.com", user="ana")
    return timer_jobs.import_timers([units.timer(name) for name in names], here, [])


def golden(found: Imported) -> str:
    """What was made, and below it what was said."""
    said = (f"# {str(remark).replace(f'{UNITS}/', '')}\n" for remark in found.remarks)
    return found.text + "\n# --- said on standard error ---\n" + "".join(said)


def made() -> dict[Path, str]:
    """Every golden file with what it should be now."""
    crontabs = {CRONTABS / f"{name}.toml": crontab((CRONTABS / f"{name}.txt").read_text()) for name in NAMES}
    units = {UNITS / f"{name}.toml": timers(*members) for name, members in TIMERS.items()}
    return {path: golden(found) for path, found in (crontabs | units).items()}


if __name__ == "__main__":
    for path, text in made().items():
        path.write_text(text)
