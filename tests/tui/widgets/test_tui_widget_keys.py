"""Keys of widgets are those of the table, so that a person's own keys take their place and the help tells the truth."""

from __future__ import annotations

import pytest
from textual.binding import Binding
from textual.widget import Widget

from jobrunner.tui.keys import KEYS, Group, normal
from jobrunner.tui.widgets.details import Details
from jobrunner.tui.widgets.lanes import Lanes
from jobrunner.tui.widgets.listing import Listing
from jobrunner.tui.widgets.output import Output


def bindings(widget: type[Widget]) -> list[Binding]:
    return [binding for binding in widget.BINDINGS if isinstance(binding, Binding)]


@pytest.mark.parametrize("widget", [Details, Lanes, Listing, Output])
def test_each_binding_has_an_id_and_its_keys(widget: type[Widget]) -> None:
    for binding in bindings(widget):
        assert binding.id in KEYS
        given = {normal(key) for key in binding.key.split(",")}
        assert given == set(KEYS[binding.id].keys), binding.id


@pytest.mark.parametrize(("group", "widget"), [(Group.OUTPUT, Output), (Group.LANES, Lanes)])
def test_each_key_of_the_group_does_something(group: Group, widget: type[Widget]) -> None:
    ids = {binding.id for binding in bindings(widget)}
    assert {id for id, key in KEYS.items() if key.group is group} <= ids
