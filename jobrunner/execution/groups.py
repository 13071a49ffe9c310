"""The cgroups of a launcher's attempts: which one is made for an attempt, which is used again, and their removal."""

from __future__ import annotations

from collections.abc import Mapping

from jobrunner.execution import cgroup
from jobrunner.execution.cgroup import Group, Place

_MOST_SPARE = 64


class Groups:
    """Making a group, entering one in which nobody has been yet, and removing it cost as much as a short command. So a
    group that its attempt has left empty is kept for the next one that comes soon after it."""

    def __init__(self, place: Place, serial: str) -> None:
        """``serial`` is the first part of all names; nobody else may use it in this place."""
        self._place = place
        self._serial = serial
        self._home = cgroup.way_home() if place.folder is not None else None
        self._spare: list[Group] = []
        self._occupied: list[Group] = []

    @property
    def in_use(self) -> bool:
        """Whether attempts have groups."""
        return self._place.folder is not None

    def give_up(self) -> None:
        """No attempt gets one from now on."""
        self._place = Place(None)

    def take(self, number: int, limits: Mapping[str, float], *, moves: bool) -> Group | None:
        """A group for an attempt of that number, which only it is in; None where there are none. ``moves``: this is one
        of many starts, and moves cost nothing now."""
        self._occupied = [group for group in self._occupied if not group.remove()]
        if self._place.folder is None:
            return None
        while self._spare and not limits:
            group = self._spare.pop()
            if moves and group.use_again():
                return group
            self._remove(group)
        try:
            return Group(self._place, f"{self._serial}.{number}", dict(limits), self._home if moves else None)
        except OSError:
            return None

    def release(self, group: Group) -> None:
        """Its attempt has ended, and all that could be found of it."""
        if self.in_use and group.lets_in and len(self._spare) < _MOST_SPARE:
            self._spare.append(group)
        else:
            self._remove(group)

    def _remove(self, group: Group) -> None:
        if not group.remove():
            self._occupied.append(group)
