"""A text area that never draws a control character, whatever text is opened in it."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import TextArea

from ..safe_text import safe_text


class SafeTextArea(TextArea):
    """Holds the text as it is and shows it with `safe_text`."""

    def get_line(self, line_index: int) -> Text:
        return Text(safe_text(self.document.get_line(line_index)), end="", no_wrap=True)
