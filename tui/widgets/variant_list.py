"""The list of variants: which prompt on which adapter stack, and at what scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual.binding import BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from ..dialog_keys import VARIANT_LIST_KEYS
from .lines import shortened


@dataclass(frozen=True)
class VariantRow:
    """One line of the list. `scale` is that of the last adapter, None without one."""

    name: str
    title: str
    stack: str
    scale: float | None
    baseline: bool
    stale: bool


class VariantList(Widget, can_focus=True):
    """Up and down select a variant, left and right change its scale."""

    HELP = (
        "The variants that are compared. The selected one is what the prompt panel edits and "
        "what {variant.add}, {variant.adapters}, {variant.model}, {prompt.pick}, {variant.sampling}, "
        "{variant.label}, {variant.baseline} and {variant.remove} act on; ◆ marks the baseline."
    )
    BINDINGS: ClassVar[list[BindingType]] = [*VARIANT_LIST_KEYS]

    rows: reactive[Sequence[VariantRow]] = reactive(())
    selected: reactive[str] = reactive("")

    @dataclass
    class Selected(Message):
        """A person selected the variant with this name."""

        name: str

    def action_step(self, step: int) -> None:
        names = [row.name for row in self.rows]
        if self.selected in names:
            at = names.index(self.selected) + step
            if 0 <= at < len(names):
                self.post_message(self.Selected(names[at]))

    def _first(self) -> int:
        """The row at the top, so that the selected one is in view."""
        names = [row.name for row in self.rows]
        at = names.index(self.selected) if self.selected in names else 0
        return max(0, min(at - self.size.height + 1, len(names) - self.size.height))

    def on_click(self, event: Click) -> None:
        number = self._first() + event.y
        if number < len(self.rows):
            self.post_message(self.Selected(self.rows[number].name))

    def render(self) -> Content:
        first = self._first()
        rows = self.rows[first : first + max(1, self.size.height)]
        return Content("\n").join(self._row(row, self.size.width) for row in rows)

    def _row(self, row: VariantRow, width: int) -> Content:
        stack_width = min(max((cell_len(r.stack) for r in self.rows), default=4), width // 3)
        title_width = max(4, width - 2 - 1 - stack_width - 7)
        mark = " ◆" if row.baseline else ""
        title = shortened(row.title, title_width - cell_len(mark)) + mark
        scale = "–  " if row.scale is None else f"◂{_scale(row.scale)}▸"
        stack = set_cell_size(shortened(row.stack, stack_width), stack_width)
        plain = f"{set_cell_size(title, title_width)} {stack}"
        gap = width - 2 - cell_len(plain)
        if row.name == self.selected:
            whole = f"{row.name} {plain}{scale:>{max(0, gap)}}"
            return Content.styled(
                set_cell_size(whole, width),
                "$block-cursor-foreground on $block-cursor-background"
                if self.has_focus
                else "$block-cursor-blurred-foreground on $block-cursor-blurred-background bold",
            )
        return Content.assemble(
            (f"{row.name} ", "bold $primary"),
            (plain, "$dim" if row.stale else ""),
            (f"{scale:>{max(0, gap)}}", "$dim"),
        )


def _scale(scale: float) -> str:
    return f"{scale:.1f}" if round(scale, 1) == scale else f"{scale:g}"
