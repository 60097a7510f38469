"""What the screens that lie over the playground share: mistakes told, a form for narrow ones, figures written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from textual.screen import Screen

from ..paths import expanded
from .ask import Ask
from .mistakes import TellsMistakes
from .paned import Paned

Result = TypeVar("Result")

WIDE = 100
"""From here on what is to be looked at stands beside the list it is chosen from."""


def covered(screen: Screen[Any]) -> bool:
    """Whether another screen hides this one. Textual paints the top one whole whenever the one right
    below it changes, be that seen or not."""
    top = screen.app.screen
    return top is not screen and top.styles.background.a == 1


class Page(TellsMistakes, Paned[Result], Generic[Result]):
    """Has the class `-narrow` below a width. `PLACE` names the action of the app that shows it, if
    one does."""

    PLACE: ClassVar[str] = ""

    @property
    def leaving(self) -> str:
        """What leaving it would end, in a sentence; empty if nothing."""
        return ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Do nothing while it has no widgets yet: a key pressed just before it opened may arrive then."""
        return self.is_mounted and super().check_action(action, parameters)

    def on_resize(self) -> None:
        self.set_class(self.size.width < WIDE, "-narrow")
        self.tell_too_small()
        self.show_splits()
        self.resized()

    def resized(self) -> None:
        """Do what else another size asks for."""

    async def write_figures(self, what: str, name: str, write: Callable[[Path], str]) -> None:
        """Ask for a file, `name` by itself, and have it written; say what `write` says of that."""
        title = f"Write {what} to a file that ends in .json or .csv"
        answer = await self.app.push_screen_wait(Ask(title, name, name))
        if answer is not None:
            said = await asyncio.to_thread(write, expanded(answer.strip()))
            self.app.notify(said, timeout=5)
