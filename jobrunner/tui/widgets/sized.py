"""Being told of one's size, whatever happens between a change and the layout that follows from it."""

from __future__ import annotations

from textual.geometry import Size
from textual.widget import Widget


class Sized(Widget):
    """A widget that draws to the room it has: ``sized`` is called when that is another.

    Textual's ``Resize`` alone does not say so. It is sent to whom a layout has made larger or smaller than the map of
    the screen had it, and that map is made anew, with sizes that nobody has been told of, when somebody asks where a
    widget is between the change of a style and the layout. ``virtual_size`` is set by every layout.
    """

    _sized: Size | None = None

    def sized(self) -> None:
        """Draws to ``self.size``."""
        raise NotImplementedError

    def on_resize(self) -> None:
        self._look_at_size()

    def watch_virtual_size(self) -> None:
        self.call_later(self._look_at_size)

    def _look_at_size(self) -> None:
        if self.size != self._sized:
            self._sized = self.size
            self.sized()
