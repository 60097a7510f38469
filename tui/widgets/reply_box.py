"""Where a reply is written: a line under the outputs that grows with what is typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.widgets import Static, TextArea

from ..key_names import keys_of
from ..keys import REPLY_KEYS
from .safe_text_area import SafeTextArea

MOST_ROWS = 6


class ReplyText(SafeTextArea):
    """The text of a reply; enter sends it."""

    BINDINGS: ClassVar[list[BindingType]] = [*REPLY_KEYS]
    HELP = (
        "Say something to the answers above: each variant goes on with its own conversation, each "
        "of its repeats too where a run makes as many, and each turn is compared with the "
        "baseline's same turn."
    )

    def __init__(self) -> None:
        super().__init__(placeholder="what you say to these answers")

    async def _on_key(self, event: Key) -> None:
        """Leave to the bindings what is bound here. They act once what was typed before is in the
        text, which bindings with priority would not wait for."""
        if any(event.key in keys_of(self, it.id) for it in REPLY_KEYS if it.id):
            event.prevent_default()

    def lines_changed(self, top: int, bottom: int) -> None:
        self.call_later(self.fit)

    def on_resize(self) -> None:
        self.fit()

    def fit(self) -> None:
        """Be as high as the text, within limits."""
        height = min(MOST_ROWS, max(1, self.rows.height))
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height

    def action_send(self) -> None:
        self.post_message(ReplyBox.Sent(self.text))

    def action_whom(self) -> None:
        self.post_message(ReplyBox.WhomAsked())

    def action_new_line(self) -> None:
        self.insert("\n")

    def action_leave(self) -> None:
        self.post_message(ReplyBox.Left())


class ReplyBox(Horizontal):
    """A reply that is being written, and to whom it goes. Hidden until `open`."""

    DEFAULT_CSS = """
    ReplyBox {
        display: none; height: auto; padding: 0 1;
        & > Horizontal {
            height: auto; background: $panel; padding: 0 1; border-left: outer $primary;
        }
        Static { width: auto; color: $accent; text-style: bold; }
        ReplyText, ReplyText:focus {
            width: 1fr; height: 1; padding: 0; border: none; background: $panel;
        }
    }
    """

    @dataclass
    class Sent(Message):
        """A person is done with a reply."""

        text: str

    class WhomAsked(Message):
        """A person wants it to go to the others."""

    class Left(Message):
        """A person left the box; what was written stays in it."""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(markup=False)
            yield ReplyText()

    @property
    def area(self) -> ReplyText:
        return self.query_one(ReplyText)

    def open(self, whom: str) -> None:
        """Show it, with the cursor in it."""
        self.say_whom(whom)
        self.display = True
        self.area.focus()

    def say_whom(self, whom: str) -> None:
        self.query_one(Static).update(Content(f"{whom} ▸ "))

    def propose(self, text: str) -> None:
        """Put a text into it, unless something is written there."""
        if not self.area.text:
            self.area.text = text
            self.area.move_cursor(self.area.document.end)

    def close(self, *, keep: bool) -> None:
        """Hide it, with what was written or without."""
        if not keep:
            self.area.text = ""
        self.display = False

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.area.fit()
