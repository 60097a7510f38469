"""One of two answers: when a person scrolls it, the other goes along."""

from __future__ import annotations

from textual.message import Message

from .output_text import OutputText


class AnswerText(OutputText, can_focus=False):
    """Shows a text; `Scrolled` is posted where a person has brought another line to the top."""

    class Scrolled(Message):
        """Where the sender is by now, it says itself: another text may be in it meanwhile."""

        def __init__(self, sender: AnswerText) -> None:
            super().__init__()
            self.sender = sender

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Scrolled(self))

    def go_to(self, line: int) -> None:
        """Have a line at the top, or as far up as it can be."""
        if line != round(self.scroll_y):
            self.scroll_to(y=line, animate=False, force=True)
