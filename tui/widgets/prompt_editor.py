"""The editor of one text of a prompt, with its template parts in amber."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from rich.color import Color as RichColor
from rich.style import Style
from textual._text_area_theme import TextAreaTheme
from textual.binding import BindingType
from textual.color import Color
from textual.document._document import Document, Selection
from textual.document._edit import Edit
from textual.document._history import EditHistory

from ..editing.document import EditedText
from ..editing.template_marks import TemplateMarks, names_in
from ..editing.undo_log import new_history, pack, unpack
from ..keys import EDITOR_KEYS
from .safe_text_area import SafeTextArea


@dataclass
class _Left:
    """How a text was left, to come back to it with its undo steps."""

    text: str
    history: EditHistory
    selection: Selection | None = None


class PromptEditor(SafeTextArea):
    """A text area that edits several texts in turn, each with its own cursor and undo steps."""

    BINDINGS: ClassVar[list[BindingType]] = [*EDITOR_KEYS]
    HELP = (
        "Write the prompt here; {{ name }} stands for a variable's value, underlined in red where "
        "it has none. Changes count at once, for every variant that shares this prompt, and are "
        "kept as a draft until they are saved."
    )

    def __init__(self, edited: Callable[[], None] = lambda: None) -> None:
        super().__init__(edited=edited)
        self._key = ""
        self._left: dict[str, _Left] = {}
        self._missing: frozenset[str] = frozenset()

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._use_app_theme())
        self._use_app_theme()

    def _use_app_theme(self) -> None:
        def colour(name: str) -> RichColor:
            return Color.parse(self.app.theme_variables[name]).rich_color

        styles = {
            "template": Style(color=colour("accent")),
            "comment": Style(color=colour("dim"), italic=True),
            "missing": Style(color=colour("error"), underline=True),
        }
        self.register_theme(TextAreaTheme("prompt", syntax_styles=styles))
        if self.theme == "prompt":
            self._set_theme("prompt")
        else:
            self.theme = "prompt"
        self._line_cache.clear()
        self.refresh()

    # ------------------------------------------------------------------ texts

    @property
    def key(self) -> str:
        """Which text is being edited."""
        return self._key

    def edit_text(self, key: str, text: str) -> None:
        """Edit the text known as `key`, whose words are `text` now.

        Words that differ from how it was left are put there by an edit, which can be undone.
        """
        if key != self._key:
            if self._key:
                self._left[self._key] = _Left(self.text, self.history, self.selection)
            self._key = key
            left = self._left.pop(key, None) or _Left(text, new_history())
            self.history = new_history()  # the one before is kept; loading clears
            self.load_text(left.text)
            self.history = left.history
            if left.selection is None:
                self.move_cursor(self.document.end)
            else:
                self.selection = left.selection
        if text != self.text:
            self._become(text)

    def _become(self, text: str) -> None:
        """Replace what differs from `text`, as one step."""
        old, document = self.text, self.document
        assert isinstance(document, Document)
        if EditedText(text).newline != document.newline:
            self.load_text(text)
            return
        start = _same_start(old, text)
        end = _same_start(old[start:][::-1], text[start:][::-1])
        places = [document.get_location_from_index(at) for at in (start, len(old) - end)]
        self.history.checkpoint()
        self.edit(Edit(text[start : len(text) - end], places[0], places[1], True))
        self.history.checkpoint()

    def undo_steps(self) -> Mapping[str, bytes]:
        """The undo steps of every text that has some, by its key."""
        histories = {key: left.history for key, left in self._left.items()}
        histories[self._key] = self.history
        return {key: pack(it) for key, it in histories.items() if it.undo_stack or it.redo_stack}

    def bring_back(self, key: str, text: str, steps: bytes) -> None:
        """Have these words and undo steps for the text known as `key`."""
        self._left[key] = _Left(text, unpack(steps))
        if key == self._key:
            self._key = ""
            self.edit_text(key, text)

    # ------------------------------------------------------------------ marks

    def mark_missing(self, names: frozenset[str]) -> None:
        """Mark these names where a template looks them up: they have no value."""
        if names != self._missing:
            self._missing = names
            self._line_cache.clear()
            self.refresh()

    def text_replaced(self) -> None:
        self._marks = TemplateMarks(self.document.lines)

    def lines_changed(self, top: int, bottom: int) -> None:
        self._marks.changed(top, bottom)

    def styles_of(self, line: int, start: int, end: int) -> Iterable[tuple[int, int, Style]]:
        marks, styles = self._marks.of(line), self._theme.syntax_styles
        words = self.document.get_line(line)
        # the part before may reach into this row
        for begin, finish, kind in marks[max(0, bisect_left(marks, (start, 0, "")) - 1) :]:
            if begin >= end:
                return
            if finish <= start or kind not in styles:
                continue
            yield begin, finish, styles[kind]
            if kind == "template" and self._missing:
                for first, last in names_in(words, begin, finish):
                    if words[first:last] in self._missing:
                        yield first, last, styles["missing"]

    # ------------------------------------------------------------------- keys

    def action_text_start(self) -> None:
        self.move_cursor(self.document.start)

    def action_text_end(self) -> None:
        self.move_cursor(self.document.end)


def _same_start(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
