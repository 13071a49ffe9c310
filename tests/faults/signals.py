"""Servers that are told things under load: to end, to end now, to read the file again, to stand still and go on."""

import signal

from figures import Figures
from load import load
from project import Server, until


def ended(*, runs: int, times: int, patience: str = "30s") -> Figures:
    """SIGTERM to a server at work, and another in its place; it drains, or interrupts when ``patience`` is over."""
    fault = f"SIGTERM, shutdown_timeout {patience}"
    return _one_after_another(fault, runs, times, patience, (signal.SIGTERM,))


def ended_at_once(*, runs: int, times: int) -> Figures:
    """SIGTERM twice."""
    return _one_after_another("SIGTERM twice", runs, times, "1h", (signal.SIGTERM, signal.SIGTERM))


def read_again(*, runs: int, times: int) -> Figures:
    """SIGHUP in a row, each with one job more in the file: the last has to be in force."""
    with load() as work:
        work.add(runs)
        work.serve(1)
        work.progress(runs // 10)
        (server,) = work.servers
        for number in range(times):
            work.project.write(f"{work.project.file.read_text()}\n[jobs.more{number}]\ncommand = 'true'\n")
            server.signal(signal.SIGHUP)
        jobs = len(work.project.json("jobs"))
        server.said(lambda line: line.get("message") == f"reloaded: {jobs} jobs")
        work.finish()
        return work.figures("SIGHUP in a row", times)


def frozen(store: str = "", *, runs: int, times: int) -> Figures:
    """SIGSTOP of one of two servers until the other has declared it lost, then SIGCONT.

    Nobody can keep what it had started from going on meanwhile: that it meets its repetition is no fault here.
    """
    with load(store, lost_after="1s") as work:
        work.add(runs)
        work.serve(2)
        for number in range(times):
            work.progress((number + 1) * runs // (times + 1))
            _freeze(*work.servers, breaks=bool(store))
            work.servers.reverse()
        work.finish()
        where = "PostgreSQL" if store else "SQLite"
        return work.figures(f"SIGSTOP longer than lost_after, {where}", times)._replace(together=0)


def _freeze(sleeper: Server, other: Server, *, breaks: bool) -> None:
    """One that stands still in the middle of a transaction holds the lock of a file: then nobody can write, and it is
    woken and stopped once more. ``breaks``: the store ends such a transaction by itself.
    """
    lost, seen = len(_lines(sleeper, "declared lost")), len(_lines(other, "is lost"))
    while len(_lines(other, "is lost")) == seen:
        sleeper.signal(signal.SIGSTOP)
        until(
            lambda: len(_lines(other, "is lost")) > seen or (not breaks and _complains(other)),
            "the loss of the frozen server",
        )
        sleeper.signal(signal.SIGCONT)
        until(lambda: not _complains(other), "the store, which the frozen server gives back")
    until(lambda: len(_lines(sleeper, "declared lost")) > lost, "that it finds itself lost")


def _complains(server: Server) -> bool:
    """Whether the last that it said of its store is that it is away; it says so once for each time."""
    said = [line for line in server.lines if "cannot be used" in line or "the store is back" in line]
    return bool(said) and "cannot be used" in said[-1]


def _lines(server: Server, words: str) -> list[str]:
    return [line for line in server.lines if words in line]


def _one_after_another(
    fault: str, runs: int, times: int, patience: str, signals: tuple[signal.Signals, ...]
) -> Figures:
    with load() as work:
        work.project.write(
            work.project.file.read_text().replace("[jobrunner]", f'[jobrunner]\nshutdown_timeout = "{patience}"')
        )
        work.add(runs)
        work.serve(1)
        for number in range(times):
            work.progress((number + 1) * runs // (times + 1))
            server = work.servers.pop()
            for one in signals:
                server.signal(one)
            assert server.wait() == 0, server.text()
            server.left_nothing()
            work.serve(1)
        work.finish()
        return work.figures(fault, times)
