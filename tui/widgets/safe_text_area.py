"""A text area for texts of any length and content: no key costs more than what it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.binding import BindingType
from textual.content import Content
from textual.document._document import EditResult, Location
from textual.document._document_navigator import DocumentNavigator
from textual.document._edit import Edit
from textual.strip import Strip
from textual.widgets import TextArea

from ...prompts.files import MAX_BYTES
from ..editing.document import EditedText, plain_ends
from ..editing.rows import Rows
from ..editing.undo_log import new_history
from ..keys import TEXT_KEYS
from ..safe_text import safe_text

FAR_BRACKET = 5_000
"""Characters within which the partner of a bracket is looked for."""


class SafeTextArea(TextArea):
    """Holds the text as it is, in rows as wide as itself, and draws it with `safe_text`.

    Textual's breaks and styles a whole line for each of its rows, and joins the whole text for
    each key. This one goes by rows and by what an edit touched.

    `edited` is called within each edit, where a message would come later: what shows the text
    in between would put the one before the key back.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*TEXT_KEYS]

    def __init__(
        self,
        text: str = "",
        *,
        placeholder: str | Content = "",
        edited: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            text,
            soft_wrap=True,
            compact=True,
            highlight_cursor_line=False,
            placeholder=placeholder,
        )
        self.history = new_history()
        self._edited = edited

    def action_start_or_all(self) -> None:
        """Go to the start of the line; once there, select all: F7, which does in Textual, is zoom."""
        start, end = self.selection
        if start == end and end[1] > 0:
            self.action_cursor_line_start()
        else:
            self.select_all()

    def edit(self, edit: Edit) -> EditResult:
        result = super().edit(edit)
        self._edited()
        return result

    def _undo_batch(self, edits: Sequence[Edit]) -> None:
        super()._undo_batch(edits)
        self._edited()

    def _redo_batch(self, edits: Sequence[Edit]) -> None:
        super()._redo_batch(edits)
        self._edited()

    @property
    def rows(self) -> Rows:
        """The text in rows."""
        assert isinstance(self.wrapped_document, Rows)
        return self.wrapped_document

    def _set_document(self, text: str, language: str | None) -> None:
        self.document = EditedText(text)
        self.wrapped_document = Rows(
            self.document, self.wrap_width, self.indent_width, self.lines_changed
        )
        self.navigator = DocumentNavigator(self.wrapped_document)
        self.text_replaced()
        self._line_cache.clear()
        self.move_cursor((0, 0))
        self._refresh_size()

    def text_replaced(self) -> None:
        """Told that another text is edited now."""

    def lines_changed(self, top: int, bottom: int) -> None:
        """Told that an edit has put others in the place of lines `top` to `bottom`."""

    def styles_of(self, line: int, start: int, end: int) -> Iterable[tuple[int, int, Style]]:
        """What is to be styled of a part of a line: offsets in the line, and how."""
        return ()

    def _build_highlight_map(self) -> None:
        self._line_cache.clear()

    def _replace_via_keyboard(
        self, insert: str, start: Location, end: Location
    ) -> EditResult | None:
        insert = plain_ends(insert)
        if self._too_large(insert):
            limit = f"{MAX_BYTES // 1_000_000} MB"
            self.app.notify(f"That is too large: a prompt has {limit} at most.", severity="warning")
            return None
        return super()._replace_via_keyboard(insert, start, end)

    def _too_large(self, insert: str) -> bool:
        if 4 * (len(self.text) + len(insert)) <= MAX_BYTES:
            return False
        left = len(self.text.encode(errors="replace")) - len(self.selected_text.encode(errors="replace"))  # fmt: skip
        return left + len(insert.encode(errors="replace")) > MAX_BYTES

    def _yield_character_locations(self, start: Location) -> Iterable[tuple[str, Location]]:
        return islice(super()._yield_character_locations(start), FAR_BRACKET)

    def _yield_character_locations_reverse(self, start: Location) -> Iterable[tuple[str, Location]]:
        return islice(super()._yield_character_locations_reverse(start), FAR_BRACKET)

    # --------------------------------------------------------------- drawing

    def _render_line(self, y: int) -> Strip:
        theme, base = self._theme, self._theme.base_style or self.rich_style
        row = self.rows.row(y + self.scroll_offset.y)
        if row is None:
            return Strip.blank(self.size.width, base)
        line, start, end, last = row
        text = Text(safe_text(self.document.get_line(line)[start:end]), end="", no_wrap=True)
        if last:
            text.append(" ")  # where the cursor is at the end of the line
        self._draw_selection(text, line, start, end)
        for begin, finish, style in self.styles_of(line, start, end):
            text.stylize(style, max(0, begin - start), finish - start)
        self._draw_cursor_and_brackets(text, line, start)
        text.expand_tabs(self.indent_width)
        strip = Strip(text.render(self.app.console), text.cell_len)
        width = self.scrollable_content_region.width
        return strip.extend_cell_length(width, theme.base_style).apply_style(base)

    def _draw_selection(self, text: Text, line: int, start: int, end: int) -> None:
        style = self._theme.selection_style
        (top, left), (bottom, right) = sorted(self.selection)
        if style is None or not top <= line <= bottom or self.selection.is_empty:
            return
        first, after = left if line == top else 0, right if line == bottom else end
        if not self.document.get_line(line) and line != self.selection.end[0]:
            text.plain = "▌"
            text.stylize(Style(color=style.bgcolor))
        elif after > start and first < end:
            text.stylize(style, max(0, first - start), min(after, end) - start)

    def _draw_cursor_and_brackets(self, text: Text, line: int, start: int) -> None:
        places: list[tuple[Location, Style | None]] = []
        partner, cursor = self._matching_bracket_location, self.selection.end
        if partner is not None and self.selection.is_empty:
            bracket = self._theme.bracket_matching_style
            places += [(cursor, bracket), (partner, bracket)]
        if self._draw_cursor:
            places.append((cursor, self._theme.cursor_style))
        for (row, column), style in places:
            if row == line and style is not None and 0 <= column - start < len(text):
                text.stylize(style, column - start, column - start + 1)
