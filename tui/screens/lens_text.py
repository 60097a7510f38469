"""A text of one's own to look at: an expected answer, something pasted, or a file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Input

from ..dialog_keys import LENS_TEXT_KEYS
from ..paths import expanded
from ..widgets.safe_input import SafeInput
from ..widgets.safe_text_area import SafeTextArea
from .dialog import Dialog

LARGEST = 1_000_000
"""Bytes of a file that is read."""


class LensText(Dialog[str]):
    """Gives the text that was typed or pasted, or that is in the named file."""

    TITLE_TEXT = "A text to look at: an expected answer, or anything pasted"
    KEYS_TEXT = "{lenstext.take} take · tab to the file · {dialog.cancel} cancel"
    BINDINGS: ClassVar[list[BindingType]] = [*LENS_TEXT_KEYS]
    DEFAULT_CSS = """
    LensText SafeTextArea { height: 8; background: $surface; padding: 0 1; border: none; margin-bottom: 1; }
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def body(self) -> Iterable[Widget]:
        area = SafeTextArea(self._text)
        area.add_class("dialog-scroll")
        area.tab_behavior = "focus"
        yield area
        yield SafeInput(placeholder="or the path of a text file", compact=True)

    def on_mount(self) -> None:
        self.query_one(SafeTextArea).focus()

    @on(Input.Submitted)
    async def _submitted(self) -> None:
        await self.action_take()

    async def action_take(self) -> None:
        path = self.query_one(Input).value.strip()
        text = self.query_one(SafeTextArea).text
        if path:
            try:
                text = await asyncio.to_thread(_read, expanded(path))
            except ValueError as error:
                self.problem(str(error))
                return
        if text:
            self.dismiss(text)
        else:
            self.problem("There is no text yet; type or paste one, or name a file.")


def _read(path: Path) -> str:
    """The text of a file. Raises ValueError with a sentence."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from None
    if len(data) > LARGEST:
        raise ValueError(f"{path} is larger than {LARGEST // 1_000_000} MB.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text.") from None
