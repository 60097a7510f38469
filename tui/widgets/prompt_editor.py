"""The editor of one text of a prompt, with its template parts in amber."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rich.style import Style
from textual._text_area_theme import TextAreaTheme
from textual.document._document import Selection
from textual.document._history import EditHistory

from .safe_text_area import SafeTextArea

_TEMPLATE = re.compile(r"\{\{.*?(?:\}\}|$)|\{%.*?(?:%\}|$)|\{#.*?(?:#\}|$)")


@dataclass
class _Left:
    """How a text was left, to come back to it with its undo steps."""

    text: str
    history: EditHistory
    selection: Selection


class PromptEditor(SafeTextArea):
    """A text area that edits several texts in turn, each with its own cursor and undo steps."""

    HELP = (
        "Write the prompt here; {{ name }} stands for a variable's value. Changes count at once, "
        "for every variant that shares this prompt."
    )

    def __init__(self) -> None:
        super().__init__(soft_wrap=True, compact=True, highlight_cursor_line=False)
        self._key = ""
        self._left: dict[str, _Left] = {}
        self._opened = self._opened_as = ""

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._use_app_theme())
        self._use_app_theme()

    def _use_app_theme(self) -> None:
        colour = self.app.theme_variables["accent"]
        style = Style(color=colour)
        self.register_theme(TextAreaTheme("prompt", syntax_styles={"template": style}))
        if self.theme == "prompt":
            self._set_theme("prompt")
        else:
            self.theme = "prompt"
        self._line_cache.clear()
        self.refresh()

    @property
    def key(self) -> str:
        """Which text is being edited."""
        return self._key

    @property
    def edited_text(self) -> str:
        """The text, exactly as it was opened unless a person has changed it.

        A text area makes one kind of line end of all that Unicode knows.
        """
        return self._opened if self.text == self._opened_as else self.text

    def edit_text(self, key: str, text: str) -> None:
        """Edit the text known as `key`; without effect when it is open and unchanged."""
        if key == self._key and text == self.edited_text:
            return
        if self._key:
            self._left[self._key] = _Left(self.edited_text, self.history, self.selection)
        self._key = key
        left = self._left.pop(key, None)
        self.history = EditHistory(50, 2.0, 100)
        self.load_text(text)
        self._opened, self._opened_as = text, self.text
        if left is not None and left.text == text:
            self.history = left.history
            self.selection = left.selection
        else:
            self.move_cursor(self.document.end)

    def _build_highlight_map(self) -> None:
        self._line_cache.clear()
        self._highlights.clear()
        for row, line in enumerate(self.document.lines):
            if "{" not in line:
                continue
            at = end = 0
            for match in _TEMPLATE.finditer(line):
                start = end + len(line[at : match.start()].encode())
                at, end = match.end(), start + len(match.group().encode())
                self._highlights[row].append((start, end, "template"))
