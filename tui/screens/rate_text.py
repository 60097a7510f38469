"""Write what an answer should have said, from scratch or from one of the two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from ..dialog_keys import RATE_TEXT_KEYS
from ..widgets.safe_text_area import SafeTextArea
from .dialog import Dialog


class RateText(Dialog[str]):
    """Gives the text; empty takes away what was written before."""

    TITLE_TEXT = "What it should have said"
    KEYS_TEXT = "{ratetext.take} or {dialog.cancel} keep · {ratetext.start} another beginning"
    BINDINGS: ClassVar[list[BindingType]] = [*RATE_TEXT_KEYS]
    DEFAULT_CSS = """
    RateText #dialog { width: 100; }
    RateText SafeTextArea { height: 12; background: $surface; padding: 0 1; border: none; }
    RateText #ratetext-starts { margin-bottom: 1; }
    """

    def __init__(self, first: str, second: str, edited: str) -> None:
        super().__init__()
        self._starts: Sequence[str] = ("what was written", "nothing", "answer 1", "answer 2")
        self._texts = [edited, "", first, second]
        """As they were left, to come back to."""
        if not edited:
            self._starts, self._texts = self._starts[1:], self._texts[1:]
        self._at = 0

    def body(self) -> Iterable[Widget]:
        yield Static(id="ratetext-starts", markup=False)
        area = SafeTextArea(self._texts[0], placeholder="the answer you would have wanted")
        area.add_class("dialog-scroll")
        yield area

    def on_mount(self) -> None:
        self.query_one(SafeTextArea).focus()
        self._show()

    def _show(self) -> None:
        parts = [Content.styled("begin with  ", "$dim")]
        for number, start in enumerate(self._starts):
            here = number == self._at
            parts += [Content.styled(f" {start} ", "reverse" if here else "$dim"), Content(" ")]
        self.query_one("#ratetext-starts", Static).update(Content.assemble(*parts))

    def action_start(self, step: int) -> None:
        area = self.query_one(SafeTextArea)
        self._texts[self._at] = area.text
        self._at = (self._at + step) % len(self._texts)
        area.load_text(self._texts[self._at])
        area.move_cursor(area.document.end)
        self._show()

    def action_cancel(self) -> None:
        """Escape keeps what was typed, as in all other places that texts are written in."""
        self.action_take()

    def action_take(self) -> None:
        self.dismiss(self.query_one(SafeTextArea).text)
