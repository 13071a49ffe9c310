"""What a job is typed in: a form of its keys, or its lines of TOML; and the text that stands there, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from jobrunner.admin.drafting import Draft, Preview
from jobrunner.errors import Refused
from jobrunner.presentation.screen import Screen as Terminal
from jobrunner.tui.screens.editor_sight import complaints
from jobrunner.tui.widgets.keyform import KeyForm, Row
from jobrunner.tui.widgets.tomltext import TomlText


class Typed(NamedTuple):
    """The text of the job, and what of it cannot be written at its place, by key."""

    text: str
    unfit: Mapping[str, str]


class FormTyping:
    """A draft as a form. A new job is given its name in it too; any other is renamed in TOML, where one sees it all."""

    def __init__(self, draft: Draft, text: str, screen: Terminal) -> None:
        """Raises ValueError for a text that is no job."""
        self._draft, self._base = draft, text
        self._keys = {key.name: key for key in draft.keys(text)}
        self._name = draft.name_in(text) if draft.job is None else None
        named = [Row(_NAME, self._name, words="What the job is called", otherwise=_RULE)] if self._name else []
        rows = [Row(key.name, key.shown, key.choices, key.words, key.otherwise) for key in self._keys.values()]
        self.widget = KeyForm([*named, *rows], screen=screen)

    def read(self) -> Typed:
        """The text with all that differs from what the form began with: a key that is emptied and typed anew stays at
        its place."""
        text, unfit = self._base, dict[str, str]()
        for name, key in self._keys.items():
            typed = self.widget.value(name)
            if typed != key.shown:
                try:
                    text = self._draft.put(text, key.path, typed)
                except (ValueError, Refused) as error:
                    unfit[name] = str(error)
        if self._name and (name := self.widget.value(_NAME)) != self._name:
            try:
                text = self._draft.rename(text, name)
            except (ValueError, Refused) as error:
                unfit[_NAME] = str(error)
        return Typed(text, unfit)

    def go_on_from(self, draft: Draft) -> None:
        """What was typed has been saved: what differs from now on differs from that."""
        self._draft, self._base = draft, draft.start
        self._keys = {key.name: key for key in draft.keys(draft.start) if key.name in self.widget.names}
        self._name = draft.job if self._name else None
        named = {_NAME: self._name} if self._name else {}
        self.widget.go_on_from({**named, **{name: key.shown for name, key in self._keys.items()}})

    def wrong(self, preview: Preview | None, typed: Typed) -> dict[str, str]:
        """What is wrong with single keys, by their names."""
        return {**complaints(preview, self._draft.name_in(typed.text), self._keys.values()), **typed.unfit}


class TextTyping:
    """A draft as its lines of TOML."""

    def __init__(self, draft: Draft, text: str, screen: Terminal) -> None:
        """Raises ValueError for a text that would not come back as it was."""
        if not TomlText.can_hold(text):
            raise ValueError("these lines have line breaks of several kinds: E edits them in $EDITOR")
        self.widget = TomlText(text, first=draft.line, screen=screen)

    def read(self) -> Typed:
        return Typed(self.widget.text, {})


_NAME = "name"
_RULE = "letters, digits, dots, dashes and underscores, beginning with a letter or digit"

Typing = FormTyping | TextTyping
