"""A line of input that never holds a control character, wherever its text comes from."""

from __future__ import annotations

from textual.widgets import Input

from ..safe_text import safe_line


class SafeInput(Input):
    """Pasted text and completed file names are shown, and kept, without control characters."""

    def validate_value(self, value: str) -> str:
        return safe_line(value)
