"""``import-crontab``, ``import-systemd``: what runs jobs elsewhere, as a jobs.toml. They need no file and no store."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jobrunner.errors import JobrunnerError, NotFound, Refused, UsageError

if TYPE_CHECKING:
    from jobrunner.jobfile.imports.cron_jobs import Host, Origin
    from jobrunner.jobfile.imports.writing import Imported

_SPOOLS = (Path("/var/spool/cron/crontabs"), Path("/var/spool/cron"), Path("/var/cron/tabs"))
_SYSTEM = (Path("/etc/cron.d"), Path("/usr/local/etc/cron.d"))
_UNITS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_USERS_UNITS = ("/etc/systemd/user", "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user")
_BINARY = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


def import_crontab(
    file: str | None = None, *, user: str | None = None, system: bool | None = None, given: bytes = b""
) -> Imported:
    """The jobs of a crontab: of a file (``-``: of the text ``given``), of a user, or the caller's own.

    ``system`` says whether the lines have a user; None: where the file lies, else what stands in it.

    Raises:
        NotFound: there is no such crontab.
        Refused: it may not be read.
        UsageError: it is no crontab, or it cannot be told whether its lines have a user.
    """
    from jobrunner.jobfile.imports import cron_jobs

    raw, origin = _of_file(file, given) if file is not None else _of_user(user)
    if system is not None:
        origin = origin._replace(system=system)
    found = cron_jobs.import_crontab(_text(raw, origin.name), origin, _host())
    refused = next((remark for remark in found.remarks if remark.message.startswith(cron_jobs.REFUSED)), None)
    if refused is not None and not found.jobs:
        raise UsageError(str(refused), hint="no line of it is a job")
    return found


def import_systemd(timers: Sequence[str]) -> Imported:
    """The jobs of timers, each named as a file or as a unit that systemd would find.

    Raises:
        NotFound: there is no such timer, or not its service.
        Refused: one may not be read.
        UsageError: one is no timer, or no unit at all.
    """
    from jobrunner.jobfile.imports import timer_jobs
    from jobrunner.jobfile.imports.units import Units

    home = Path.home()
    own = [home / ".config/systemd/user", *map(Path, _USERS_UNITS), home / ".local/share/systemd/user"]
    everywhere = Units([*map(Path, _UNITS), *own])
    host = timer_jobs.Host(home=_host().home, name=platform.node(), user=_myself())
    return timer_jobs.import_timers([everywhere.timer(said) for said in timers], host, own)


def _of_file(file: str, given: bytes) -> tuple[bytes, Origin]:
    from jobrunner.jobfile.imports.cron_jobs import Origin

    if file == "-":
        return given, Origin("standard input", "a crontab", _myself(), system=None)
    path = Path(file).resolve()
    if path.parent in _SPOOLS:
        return _read(file), Origin(file, file, path.name, given=path.name != _myself())
    system = True if path == Path("/etc/crontab") or path.parent in _SYSTEM else None
    return _read(file), Origin(file, file, _myself(), system=system)


def _of_user(user: str | None) -> tuple[bytes, Origin]:
    from jobrunner.jobfile.imports.cron_jobs import Origin

    owner = user or _myself()
    origin = Origin(f"crontab of {owner}", f"the crontab of {owner}", owner, given=owner != _myself())
    command = ["crontab", *(["-u", user] if user else []), "-l"]
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    except OSError:
        return _of_spool(owner), origin
    if done.returncode == 0:
        return done.stdout, origin
    said = done.stderr.decode(errors="backslashreplace").strip().splitlines() or ["crontab -l failed"]
    if "no crontab" in said[0]:
        raise NotFound(f"{owner} has no crontab", hint="name a FILE, or --user USER")
    raise Refused(f"the crontab of {owner} cannot be read: {said[0]}")


def _of_spool(owner: str) -> bytes:
    """The crontab of a user where there is no program to ask."""
    for folder in _SPOOLS:
        if "/" not in owner and (folder / owner).is_file():
            return _read(str(folder / owner))
    raise NotFound(f"{owner} has no crontab, and there is no program `crontab` here", hint="name a FILE")


def _read(file: str) -> bytes:
    from jobrunner.jobfile.imports.crontab import LONGEST

    try:
        with open(file, "rb") as opened:
            return opened.read(LONGEST + 1)
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {file}") from error
    except IsADirectoryError as error:
        raise UsageError(f"{file} is a folder", hint="name one file in it") from error
    except PermissionError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}") from error
    except OSError as error:
        raise JobrunnerError(f"{file} cannot be read: {error.strerror}") from error


def _text(raw: bytes, name: str) -> str:
    from jobrunner.jobfile.imports.crontab import LONGEST

    if len(raw) > LONGEST:
        raise UsageError(f"{name} is larger than {LONGEST // 1024**2} MiB", hint="that is no crontab")
    return raw.decode("utf-8", "surrogateescape")


def _host() -> Host:
    import pwd

    from jobrunner.jobfile.imports.cron_jobs import Host

    homes = {entry.pw_name: entry.pw_dir for entry in pwd.getpwall()}

    def home(account: str) -> str | None:
        folder = homes.get(account)
        return folder if folder and os.path.isdir(folder) else None

    return Host(accounts=homes.keys(), home=home, needs_shell=_needs_shell)


def _needs_shell(program: str) -> bool:
    """Whether it is a script without a ``#!`` line: a shell runs it, the system does not start it."""
    try:
        with open(program, "rb") as file:
            return not file.read(4).startswith((b"#!", *_BINARY))
    except (OSError, ValueError):
        return False


def _myself() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
