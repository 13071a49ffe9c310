"""How much a measurement does: given on the command line of ``python -m bench``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Options:
    """``rounds``: how often everything is measured, in turn; ``runs``: how many runs the quickest work off in one.

    ``quick``: a look at whether it works; its figures mean little. ``peers``: whose to measure, where not all; ``none``
    is nobody's. ``appendfsync``: how often Redis writes its log through to the disk, ``everysec`` or ``always``.
    ``largest`` is the longest history that is made, in runs.
    """

    rounds: int = 5
    runs: int = 20_000
    quick: bool = False
    peers: tuple[str, ...] = ()
    appendfsync: str = "everysec"
    largest: int = 1_000_000

    def wants(self, peer: str) -> bool:
        return not self.peers or peer in self.peers

    def of(self, usual: int, quick: int) -> int:
        """A number that a quick look makes smaller."""
        return quick if self.quick else usual
