"""Screens of panes: one of them alone on the screen, and what room each has."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast

from textual.binding import BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from ..keys import PANE_KEYS
from ..splits import Splits, moved

if TYPE_CHECKING:
    from ..app import LlamadiffApp

Result = TypeVar("Result")

LEAST = (60, 16)
"""Columns and rows below which a screen only says that there are too few."""


class Paned(Screen[Result], Generic[Result]):
    """`PANES` selects the panes, the first of which is meant where none has the focus. Two that are
    the only ones share the screen as `splits` says."""

    PANES: ClassVar[str] = ""
    STAYS: ClassVar[str] = "KeyBar"
    """What a pane alone on the screen leaves where it is."""
    BINDINGS: ClassVar[list[BindingType]] = [*PANE_KEYS]

    zoomed: Widget | None = None
    """The pane that is alone on the screen."""
    _before: Widget | None = None
    """What had the focus outside of it."""

    @property
    def splits(self) -> Splits:
        return cast("LlamadiffApp", self.app).splits

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "zoom":
            return bool(self.PANES)
        if action in ("widen", "even"):
            return bool(self.PANES) and self.zoomed is None and len(self.query(self.PANES)) == 2
        return super().check_action(action, parameters)

    def pane_of(self, widget: Widget | None) -> Widget | None:
        """The pane that a widget is in."""
        within = widget.ancestors_with_self if widget is not None else []
        panes = [*self.query(self.PANES)]
        return next((it for it in panes if it in within), None)

    def tell_too_small(self) -> None:
        """Say so over everything while the terminal is too small."""
        width, height = self.size
        least_width, least_height = LEAST
        small = width < least_width or height < least_height
        self.set_class(small, "-small")
        if not small:
            return
        words = f"terminal too small ({width}x{height}; at least {least_width}x{least_height})"
        if told := self.query("#too-small"):
            told.only_one(Static).update(words)
        else:
            self.mount(Static(words, id="too-small"))

    # -------------------------------------------------------------------- zoom

    def set_focus(
        self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False
    ) -> None:
        """As Textual's; the pane that the focus goes to is the one alone on the screen."""
        if self.zoomed is not None:
            pane = self.pane_of(widget)
            if pane is not None and pane is not self.zoomed:
                self.zoom(pane)
        super().set_focus(widget, scroll_visible, from_app_focus)

    def zoom(self, pane: Widget | None) -> None:
        """Have a pane alone on the screen, or all of them."""
        self.query(".-zoomed").remove_class("-zoomed")
        self.query(".-behind").remove_class("-behind")
        self.zoomed = pane
        stays = {*self.query(self.STAYS), *self.query("#too-small")}
        for it in pane.ancestors_with_self if pane is not None else ():
            if isinstance(it, Screen) or not isinstance(it.parent, Widget):
                break
            it.add_class("-zoomed")
            for other in it.parent.children:
                if other is not it and other not in stays:
                    other.add_class("-behind")
        self.refresh_bindings()
        self.show_splits()
        self.panes_changed()

    def panes_changed(self) -> None:
        """Do what else a pane alone on the screen asks for."""

    def action_zoom(self) -> None:
        if self.zoomed is not None:
            self.unzoom()
            return
        pane = self.pane_of(self.focused)
        if pane is None:
            pane, self._before = self.query(self.PANES).first(), self.focused
        self.zoom(pane)

    def unzoom(self) -> None:
        """Back to all panes, with the focus where it was."""
        self.zoom(None)
        if self._before is not None:
            self._before.focus()
            self._before = None

    # ------------------------------------------------------------------ splits

    def show_splits(self) -> None:
        """Have the panes as wide, or one above the other as high, as they are to be."""
        panes = [*self.query(self.PANES)] if self.PANES else []
        if len(panes) != 2:
            return
        share = self.splits.pages.get(type(self).__name__)
        below = self.has_class("-narrow")
        for pane, part in zip(panes, (share, share and 100 - share), strict=True):
            size = None if part is None else f"{part}fr"
            pane.styles.width = None if below else size
            pane.styles.height = size if below else None

    def action_widen(self, by: int) -> None:
        """Give the pane with the focus more of the screen, or with -1 less."""
        panes = [*self.query(self.PANES)]
        if len(panes) != 2:
            return
        first, other = panes
        below = self.has_class("-narrow")
        sizes = [it.size.height if below else it.size.width for it in (first, other)]
        now = round(100 * sizes[0] / max(1, sum(sizes)))
        share = self.splits.pages.get(type(self).__name__, now)
        sign = -1 if self.pane_of(self.focused) is other else 1
        self.splits.pages[type(self).__name__] = moved(share, sign * by)
        self.show_splits()

    def action_even(self) -> None:
        """Have all panes as wide and high as the style sheet says."""
        self.splits.pages.pop(type(self).__name__, None)
        self.show_splits()
