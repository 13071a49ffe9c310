"""A stretch of a long list of runs that a screen has in memory, and how it moves when more is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jobrunner.admin.paging import SEARCH_SECONDS

if TYPE_CHECKING:
    from jobrunner.admin import Admin
    from jobrunner.domain.filter import Page, RunFilter

_STEP = 200
_MOST = 600


class Stretch(NamedTuple):
    """``size`` runs older than ``older_than``; None: from the newest on."""

    older_than: int | None = None
    size: int = _STEP


class Held(NamedTuple):
    """What a stretch holds now."""

    stretch: Stretch
    page: Page


NEWEST = Stretch()


def held(admin: Admin, wanted: RunFilter, stretch: Stretch, which: str | None, seconds: float = SEARCH_SECONDS) -> Held:
    """The runs of the stretch, moved first to where ``which`` says: ``before`` and ``after`` it, or the ``first`` or
    ``last`` of the list; None: as it was. ``seconds`` is how long they may be searched for."""
    moved = _moved(admin, wanted, stretch, which)
    return Held(moved, admin.page(wanted, older_than=moved.older_than, n=moved.size, seconds=seconds))


def _moved(admin: Admin, wanted: RunFilter, stretch: Stretch, which: str | None) -> Stretch:
    match which:
        case "first":
            return NEWEST
        case "last":
            return _from(admin.page(wanted, newer_than=0, n=_STEP), _STEP)
        case "after" if stretch.size < _MOST:
            return stretch._replace(size=stretch.size + _STEP)
        case "after":
            rows = admin.page(wanted, older_than=stretch.older_than, n=_STEP).rows
            return Stretch(rows[-1].id, _MOST) if rows else stretch
        case "before" if stretch.older_than is not None:
            newer = admin.page(wanted, newer_than=stretch.older_than - 1, n=_STEP)
            return _from(newer, min(stretch.size + _STEP, _MOST))
        case _:
            return stretch


def _from(page: Page, size: int) -> Stretch:
    """Beginning with the first run of a page."""
    if not page.rows or not page.more_before:
        return NEWEST._replace(size=size)
    return Stretch(page.rows[0].id + 1, size)
