"""A list of lines one of which is chosen; only those in view are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from rich.cells import cell_len
from textual.content import Content
from textual.message import Message

from .line_table import LineTable
from .lines import shortened

Item = TypeVar("Item")
CURSOR = "$block-cursor-foreground on $block-cursor-background"


class ChosenLines(LineTable, Generic[Item], can_focus=True):
    """Shows as many items as fit, the chosen one among them. Subclasses say what a line says."""

    DEFAULT_CSS = "ChosenLines { height: 1fr; }"

    class Chosen(Message):
        """Another item is chosen now, or the same says something else."""

    class Taken(Message):
        """A person clicked on the chosen line again."""

    def __init__(self) -> None:
        super().__init__()
        self.items: Sequence[Item] = ()

    # ------------------------------------------------------ what subclasses say

    def key_of(self, item: Item) -> object:
        """By what an item is known again."""
        raise NotImplementedError

    def head(self) -> Content:
        """The line that stays above the items, where HEAD says that there is one."""
        return Content()

    def parts_of(self, item: Item) -> list[tuple[str, str]]:
        """A line: its parts and their styles."""
        raise NotImplementedError

    def passes(self, item: Item) -> bool:
        """Whether the item is a heading, which cannot be chosen."""
        return False

    # ------------------------------------------------------------------ choosing

    @property
    def chosen(self) -> Item | None:
        if self.at < len(self.items) and not self.passes(self.items[self.at]):
            return self.items[self.at]
        return None

    @property
    def place(self) -> str:
        """Where in the list the chosen line is: `3 of 50`."""
        count = sum(not self.passes(it) for it in self.items)
        before = sum(not self.passes(it) for it in self.items[: self.at + 1])
        return f"{before:,} of {count:,}" if count else ""

    def show(self, items: Sequence[Item], *, keep: bool = True) -> None:
        """Show these; with `keep` the chosen one stays chosen if it is among them."""
        before = self.chosen
        self.items = items
        keys = [self.key_of(item) for item in items]
        if keep and before is not None and self.key_of(before) in keys:
            self.at = keys.index(self.key_of(before))
        else:
            self.at = min(self.at, max(0, len(items) - 1)) if keep else 0
            self.at = self._settled(self.at, 1) if items else 0
        self.told()
        self.refresh()

    def choose(self, key: object) -> None:
        """Choose the item known by this, if it is there."""
        keys = [self.key_of(item) for item in self.items]
        if key in keys:
            self._go(keys.index(key))

    @property
    def count(self) -> int:
        return len(self.items)

    def told(self) -> None:
        self.post_message(self.Chosen())

    def taken(self) -> None:
        self.post_message(self.Taken())

    def move(self, step: int) -> None:
        if self.items:
            at = max(0, min(self.at + step, self.count - 1))
            self._go(self._settled(at, 1 if step > 0 else -1))

    def _go(self, at: int) -> None:
        self.at = at
        self.told()
        self.refresh()

    def _settled(self, at: int, step: int) -> int:
        """The nearest item that can be chosen, in the direction of the step if there is one."""
        ways = (
            range(at, len(self.items) if step > 0 else -1, step),
            range(at, -1 if step > 0 else len(self.items), -step),
        )
        return next((n for way in ways for n in way if not self.passes(self.items[n])), at)

    def in_view(self) -> range:
        if self.items and self.at == self._settled(0, 1) < self.page:
            self._first = 0  # the heading above the first one, too
        return super().in_view()

    # ------------------------------------------------------------------- drawing

    def render(self) -> Content:
        lines = [self._line(self.items[n], n == self.at) for n in self.in_view()]
        return Content("\n").join([self.head(), *lines] if self.HEAD else lines)

    def _line(self, item: Item, chosen: bool) -> Content:
        parts = self.parts_of(item)
        if not chosen or self.passes(item):
            return Content.assemble(*parts).truncate(self.size.width, ellipsis=True)
        return Content.styled(padded("".join(text for text, _ in parts), self.size.width), CURSOR)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """A text in so many cells, cut or with blanks after it, or before it if it is to be `right`."""
    text = shortened(text, width)
    blanks = " " * max(0, width - cell_len(text))
    return blanks + text if right else text + blanks
