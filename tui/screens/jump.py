"""Jump mode: a letter on all that can have the focus here, and the letter goes there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.errors import NoWidget
from textual.events import Key, Resize
from textual.geometry import Offset, Region, Size
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from ..dialog_keys import JUMP_KEYS
from ..widgets.tab_strip import TabStrip

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""In the order in which they are given, from the top left on."""


@dataclass(frozen=True)
class Target:
    """Something to go to: where its letter stands on the screen, and what has the focus then."""

    letter: str
    at: Offset
    widget: Widget


def targets_of(screen: Screen[Any]) -> list[Target]:
    """What can have the focus on a screen, by rows. What is folded away or scrolled out of view is
    gone to at what it is in; its tabs are left out."""
    found: dict[Offset, Widget] = {}
    for widget in screen.focus_chain:
        region = _seen(screen, widget)
        if not region and not isinstance(widget, TabStrip):
            around = (_seen(screen, it) for it in widget.ancestors if isinstance(it, Widget))
            region = next((it for it in around if it), Region())
        if region:
            found.setdefault(region.offset, widget)
    places = sorted(found, key=lambda at: (at.y, at.x))
    return [Target(letter, at, found[at]) for letter, at in zip(LETTERS, places, strict=False)]


def _seen(screen: Screen[Any], widget: Widget) -> Region:
    """The part of a widget that is in view."""
    try:
        return screen.find_widget(widget).visible_region
    except NoWidget:
        return Region()


class Jump(ModalScreen[Widget]):
    """Lies over a screen and gives the widget whose letter was pressed; any other key gives none."""

    BINDINGS: ClassVar[list[BindingType]] = [*JUMP_KEYS]
    AUTO_FOCUS: ClassVar[str | None] = ""
    DEFAULT_CSS = """
    Jump {
        background: $background 50%;
        Static {
            position: absolute; width: 3; height: 1;
            background: $accent; color: $background; text-style: bold;
        }
    }
    """

    def __init__(self, targets: list[Target]) -> None:
        super().__init__()
        self._targets = targets
        self._room: Size | None = None

    def compose(self) -> ComposeResult:
        for target in self._targets:
            mark = Static(f" {target.letter} ", markup=False)
            mark.styles.offset = target.at
            yield mark

    def letter_of(self, selector: str) -> str:
        """The letter on the first widget that a selector finds below; empty where it has none."""
        wanted = {*self.app.screen_stack[-2].query(selector)}
        return next((it.letter for it in self._targets if it.widget in wanted), "")

    def on_key(self, event: Key) -> None:
        event.stop()
        chosen = (it.widget for it in self._targets if it.letter == event.key)
        self.dismiss(next(chosen, None))

    def on_resize(self, event: Resize) -> None:
        """Close where the terminal has another size by now: the letters are in the wrong places."""
        before, self._room = self._room, event.size
        if before not in (None, event.size):
            self.dismiss(None)

    def action_leave(self) -> None:
        self.dismiss(None)
