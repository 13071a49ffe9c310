"""What reaches terminals that show no Unicode: nothing but ASCII, as wide as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from jobrunner.tui.look import AsciiOnly

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("3 · live…", "3 - live~"),
        ("a → b", "a > b"),
        ("┌──┐▌", "+--+|"),
        ("Grüße 日本", "Gr??e ????"),
        ("plain", "plain"),
    ],
)
def test_characters_have_plain_ones_in_their_place(text: str, shown: str) -> None:
    (found,) = AsciiOnly().apply([Segment(text)], Color(0, 0, 0))
    assert found.text == shown
    assert cell_len(found.text) == cell_len(text)


async def test_no_screen_sends_anything_else(dashboard: Callable[..., Any]) -> None:
    async with dashboard(unicode=False, start="1") as opened:
        strips = opened.app.screen._compositor.render_strips()
        assert "".join(segment.text for strip in strips for segment in strip).isascii()
