"""Orphans: processes that became the launcher's children though it did not start them, and whose they are."""

from __future__ import annotations

from collections.abc import Mapping

from jobrunner.execution import cgroup, sweep
from jobrunner.execution.started import Started


class Strangers:
    """Knows live orphans by pid. ``by_id`` and ``by_pid`` are the launcher's own tables of what it has started."""

    def __init__(
        self, token: str, place: cgroup.Place, by_id: Mapping[int, Started], by_pid: Mapping[int, Started]
    ) -> None:
        self._token = token
        self._place = place
        self._by_id = by_id
        self._by_pid = by_pid
        self._known: dict[int, tuple[int | None, int]] = {}

    def find(self) -> list[int]:
        """All that are alive now."""
        found = []
        for pid in sweep.children(one_thread=True):
            if pid in self._by_pid:
                continue
            stat = sweep.stat_of(pid)
            if stat is None or stat.state == "Z":
                continue
            if pid not in self._known:
                self._known[pid] = (self._owner(pid, stat.session), stat.start)
            found.append(pid)
        return found

    def belongs(self, pid: int, started: Started) -> bool:
        """A process that hid its session and its environment belongs to the only attempt that can have started it,
        which may be known only when others have ended."""
        if pid not in self._known:
            return False  # it has ended meanwhile
        owner, since = self._known[pid]
        if owner in self._by_id:
            return owner == started.id
        # A warm child keeps its own orphans while it lives.
        return not any(
            other is not started and other.ticks <= since + 1 and (other.ended is not None or not other.warm)
            for other in self._by_id.values()
        )

    def bury(self, pid: int) -> Started | None:
        """Forgets one that has ended and is not waited for yet; whose it was, if that can be told."""
        if pid not in self._known:
            stat = sweep.stat_of(pid)
            if stat is None:
                return None
            self._known[pid] = (self._owner(pid, stat.session), stat.start)
        owner = next((each for each in self._by_id.values() if self.belongs(pid, each)), None)
        del self._known[pid]
        return owner

    def _owner(self, pid: int, session: int) -> int | None:
        for started in self._by_id.values():
            if started.pid == session:
                return started.id
        token, _, number = (sweep.marker_of(pid) or "").rpartition(".")
        if token == self._token and number.isdecimal():
            return int(number)
        name = cgroup.name_of(pid, self._place)
        grouped = ((each.id, each.group) for each in self._by_id.values())
        return next((number for number, group in grouped if group is not None and group.name == name), None)
