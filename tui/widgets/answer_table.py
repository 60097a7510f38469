"""The answers to one row of an evaluation: a line each."""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len

from ...compare.evaluation.answers import Checked
from ..asked_rows import mark
from ..safe_text import safe_line
from .chosen_lines import ChosenLines, padded
from .row_table import STYLES

MOST_NAME = 28
BEGINNING = 300
"""Characters of an answer that a line may show."""


class AnswerTable(ChosenLines[Checked]):
    """Each variant's answer with its mark; 1 and 2 are those marked to be compared."""

    HELP = "The answers of all variants, with their marks; {row.diff} compares 1 with 2, the first with the second."  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.names: Mapping[str, str] = {}
        """What the variants are called, with their letters."""
        self.marked: tuple[object, ...] = ()
        """Their keys, two at most, the first one first."""

    def key_of(self, item: Checked) -> object:
        return (item.variant, item.repeat)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return max(1, len(self.items))

    def title_of(self, item: Checked) -> str:
        return self.names[item.variant] + (f" .{item.repeat + 1}" if item.repeat else "")

    def parts_of(self, item: Checked) -> list[tuple[str, str]]:
        names = min(MOST_NAME, max(cell_len(self.title_of(it)) for it in self.items))
        sign = mark([item])
        said = item.error or " ".join(item.answer[:BEGINNING].split()) or "(nothing)"
        key = self.key_of(item)
        marked = f"{self.marked.index(key) + 1} " if key in self.marked else "  "
        return [
            (marked, "bold $accent"), (padded(self.title_of(item), names), ""), ("  ", ""),
            (padded(sign, 2), STYLES.get(sign, "$warning")), ("  ", ""),
            (safe_line(said), "$error" if item.error else "$secondary"),
        ]  # fmt: skip
