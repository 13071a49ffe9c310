"""Starts one process as a request describes it. Used by the launcher, which has a single thread and may change its
folder and umask on the way."""

from __future__ import annotations

import errno
import math
import os
import resource
import signal
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from jobrunner.execution.cgroup import Group

_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
_LIMITS = {"open_files": resource.RLIMIT_NOFILE}
if sys.platform != "linux":
    # Nobody looks at the whole tree there: each process has the limit for itself.
    _LIMITS |= {"cpu_time": resource.RLIMIT_CPU, "memory_max": resource.RLIMIT_DATA, "processes": resource.RLIMIT_NPROC}


class CannotStart(Exception):
    """Why a process was not started, in one line for people."""


class Account:
    """A user of this host, as a process needs it."""

    __slots__ = ("gid", "groups", "home", "name", "uid")

    def __init__(self, name: str, uid: int, gid: int, groups: list[int], home: str) -> None:
        self.name, self.uid, self.gid, self.groups, self.home = name, uid, gid, groups, home


def start(request: dict[str, Any], fds: list[int], environment: dict[str, str], group: Group | None = None) -> int:
    """Gives back the pid of the new process, the leader of a session and a process group of its own, in that cgroup.

    ``fds`` become its descriptors from 1 upwards; 0 is /dev/null. Descriptors 0 to 3 of this process must be taken.

    Raises:
        CannotStart: with everything as it was before.
        CannotJoin: the same, because of the cgroup.
    """
    account = _account(request.get("user"))
    argv: list[str] = request["argv"]
    env = environment | (_identity(account) if account else {}) | request["env"]
    umask = request.get("umask")
    before = os.umask(umask) if umask is not None else None
    try:
        _enter(request["cwd"])
        program = _find(argv[0], env.get("PATH", os.defpath))
        if (
            (group and not group.lets_in)
            or account
            or request.get("nice") is not None
            or _LIMITS.keys() & (request.get("limits") or {})
        ):
            return _fork(program, argv, env, fds, request, account, group)
        return group.inside(lambda: _spawn(program, argv, env, fds)) if group else _spawn(program, argv, env, fds)
    except ValueError:
        raise CannotStart(_holds_nul(argv[0])) from None
    except OSError as error:
        raise CannotStart(_reason(argv[0], error)) from None
    finally:
        if before is not None:
            os.umask(before)
        os.chdir("/")


def _spawn(program: str, argv: list[str], env: dict[str, str], fds: list[int]) -> int:
    if sys.platform == "darwin":  # knows no setsid in posix_spawn
        return _fork(program, argv, env, fds, {}, None, None)
    actions = [(os.POSIX_SPAWN_DUP2, _null(), 0)]
    actions += [(os.POSIX_SPAWN_DUP2, fd, place) for place, fd in enumerate(fds, start=1)]
    return os.posix_spawn(program, argv, env, file_actions=actions, setsid=True, setsigmask=(), setsigdef=_SIGNALS)


def _fork(
    program: str,
    argv: list[str],
    env: dict[str, str],
    fds: list[int],
    request: dict[str, Any],
    account: Account | None,
    group: Group | None,
) -> int:
    """What posix_spawn cannot do: a cgroup, another user, another priority, limits. An error comes back through a pipe
    that a successful exec closes."""
    reader, writer = os.pipe()
    _ignored()  # here, for what the child finds out is lost
    try:
        pid = group.fork() if group is not None else os.fork()
    except BaseException:
        os.close(reader)
        os.close(writer)
        raise
    if pid == 0:
        _become(program, argv, env, fds, request, account, writer)
    os.close(writer)
    with open(reader, "rb") as pipe:
        fault = pipe.read().decode(errors="replace")
    if fault:
        os.waitpid(pid, 0)
        raise CannotStart(fault)
    return pid


def _become(
    program: str,
    argv: list[str],
    env: dict[str, str],
    fds: list[int],
    request: dict[str, Any],
    account: Account | None,
    writer: int,
) -> NoReturn:
    doing = argv[0]
    try:
        os.setsid()
        for place, fd in enumerate((_null(), *fds)):
            os.dup2(fd, place)
        for number in _ignored():
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if request.get("nice") is not None:
            doing = f"nice = {request['nice']}"
            os.setpriority(os.PRIO_PROCESS, 0, request["nice"])
        for name, kind in _LIMITS.items():
            if (value := (request.get("limits") or {}).get(name)) is not None:
                doing = f"{name} = {value}"
                _limit(kind, math.ceil(value))
        if account:
            doing = f"user = {account.name!r}"
            os.setgroups(account.groups)
            os.setgid(account.gid)
            os.setuid(account.uid)
            _enter(request["cwd"])
        doing = argv[0]
        os.execve(program, argv, env)  # noqa: S606
    except CannotStart as error:
        os.write(writer, str(error).encode(errors="replace"))
    except OSError as error:
        os.write(writer, _reason(doing, error).encode(errors="replace"))
    except ValueError:
        os.write(writer, _holds_nul(doing).encode(errors="replace"))
    except BaseException as error:
        os.write(writer, f"cannot start {doing}: {error}".encode(errors="replace"))
    finally:
        os._exit(127)


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
    # One more second of processor time before SIGKILL, so that SIGXCPU can be seen as the reason.
    above = ceiling + 1 if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else ceiling
    resource.setrlimit(kind, (ceiling, above))


def _account(user: str | None) -> Account | None:
    if user is None:
        return None
    import pwd

    try:
        entry = pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
    except KeyError:
        raise CannotStart(f"user = {user!r}: there is no such user on this host") from None
    if entry.pw_uid == os.geteuid():
        return None
    if os.geteuid() != 0:
        raise CannotStart(f"user = {user!r}: only a server that runs as root can change the user")
    groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, groups, entry.pw_dir)


def _identity(account: Account) -> dict[str, str]:
    return {"HOME": account.home, "USER": account.name, "LOGNAME": account.name}


def _enter(folder: str) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        raise CannotStart(f"cannot work in the folder {folder}: {os.strerror(error.errno or 0).lower()}") from None


def _find(name: str, path: str) -> str:
    """Where the program is; its own PATH counts, not the server's."""
    if "/" in name:
        return name
    denied = None
    for folder in path.split(os.pathsep):
        program = os.path.join(folder or ".", name)
        if os.path.isfile(program):
            if os.access(program, os.X_OK):
                return program
            denied = denied or program
    if denied:
        raise CannotStart(f"cannot start {denied}: it is not executable")
    raise CannotStart(f"cannot start {name!r}: there is no such program in PATH")


def _holds_nul(name: str) -> str:
    return f"cannot start {name!r}: an argument or variable holds a NUL character"


def _reason(what: str, error: OSError) -> str:
    match error.errno:
        case errno.ENOENT if os.path.exists(what):
            return f"cannot start {what}: the interpreter that its #! line names does not exist"
        case errno.ENOENT:
            return f"cannot start {what}: there is no such program"
        case errno.EACCES if os.path.isdir(what):
            return f"cannot start {what}: it is a folder"
        case errno.EACCES if os.path.isfile(what) and not os.access(what, os.X_OK):
            return f"cannot start {what}: it is not executable"
        case errno.ENOEXEC:
            return f"cannot start {what}: it is neither a program nor a script with a #! line"
        case errno.E2BIG:
            return f"cannot start {what}: its arguments and environment are larger than this system takes"
        case errno.EPERM:
            return f"cannot start with {what}: only a server that runs as root may do this"
        case _:
            return f"cannot start {what}: {os.strerror(error.errno or 0).lower()}"


@cache
def _ignored() -> tuple[signal.Signals, ...]:
    """What this process ignores: exec brings all else back to its default. Asked once, for 60 calls are a tenth of a
    fork."""
    return tuple(number for number in _SIGNALS if signal.getsignal(number) not in (signal.SIG_DFL, None))


_null_fd = -1


def _null() -> int:
    global _null_fd
    if _null_fd < 0:
        _null_fd = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    return _null_fd
