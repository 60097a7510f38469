"""The line at the bottom: the few keys that matter where the focus is."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
from textual.widget import Widget

from ..key_names import key_name

Hint = tuple[str, str]
"""The ids of one or more bindings, separated by spaces, and what to call them."""

ALWAYS: Sequence[Hint] = [("app.palette", "all commands"), ("app.help", "help")]
"""Shown at the end, whatever else has to give way."""
SHORT: Sequence[Hint] = [("app.palette", "all"), ("app.help", "help")]
"""The same below `NARROW` columns."""
NARROW = 80
ZOOMED: Hint = ("pane.unzoom", "all panes")
"""Shown first while a pane is alone on the screen."""


class KeyBar(Widget):
    """Shows hints with the keys as they are bound now; a click on one presses it."""

    DEFAULT_CSS = """
    KeyBar { height: 1; padding: 0 1; background: $panel; color: $secondary; }
    """

    hints: reactive[Sequence[Hint]] = reactive(())

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def _shown(self) -> list[tuple[str, Content]]:
        """The key to press and the words of each hint that fits."""
        active: dict[str, str] = {}
        for key, binding in self.screen.active_bindings.items():
            if binding.binding.id and binding.enabled:
                active.setdefault(binding.binding.id, key)
        last = self._bound(ALWAYS if self.outer_size.width >= NARROW else SHORT, active)
        room = self.size.width - 2 - sum(hint.cell_length + 2 for _, hint in last)
        shown: list[tuple[str, Content]] = []
        for key, hint in self._bound([ZOOMED, *self.hints], active):
            room -= hint.cell_length + 2
            if room < 0:
                break
            shown.append((key, hint))
        return [*shown, *last]

    @staticmethod
    def _bound(hints: Sequence[Hint], active: dict[str, str]) -> list[tuple[str, Content]]:
        found: list[tuple[str, Content]] = []
        for ids, label in hints:
            keys = [active[name] for name in ids.split() if name in active]
            if keys:
                names = " ".join(key_name(key) for key in keys)
                found.append((keys[0], Content.assemble((names, "bold $accent"), " ", label)))
        return found

    def render(self) -> Content:
        return Content("  ").join(hint for _, hint in self._shown())

    def on_click(self, event: Click) -> None:
        end = 1
        for key, hint in self._shown():
            end += hint.cell_length + 2
            if event.x < end:
                self.app.simulate_key(key)
                return
