"""The list of the History: one line a run, newest first, one line chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.message import Message

from ..amounts import moment
from ..listed import asked_of, marks_of, said_of
from ..safe_text import safe_line
from .line_table import LineTable
from .lines import shortened

if TYPE_CHECKING:
    from ...compare.history.entries import RunEntry

AHEAD = 30
"""So many lines before the end of what is loaded more is asked for."""
LEAST_TEXT = 32
"""Cells for what was said below which the models, then the prompts, give way."""
MOST_PROMPT, MOST_MODEL = 26, 16
LEAST_PROMPT = 10


class RunTable(LineTable, can_focus=True):
    """Shows as many runs as fit, the chosen one among them."""

    HELP = "Runs already made, newest first; ◂ is the marked one."
    DEFAULT_CSS = "RunTable { height: 1fr; }"

    @dataclass
    class Chosen(Message):
        """Another run is chosen now; None if there is none."""

        run: RunEntry | None

    @dataclass
    class Taken(Message):
        """A person clicked on the chosen line again."""

    class NearEnd(Message):
        """The chosen line is close to the end of what is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: Sequence[RunEntry] = ()
        self.more = False
        """There are others below."""
        self.marked = ""
        """The id of the marked run."""
        self._models_differ = False
        """Whether a column of models tells one run from another."""

    @property
    def chosen(self) -> RunEntry | None:
        return self.runs[self.at] if self.at < len(self.runs) else None

    @property
    def count(self) -> int:
        return len(self.runs)

    @property
    def place(self) -> str:
        """Where in the list the chosen line is: `3 of 50 …`."""
        if not self.runs:
            return ""
        return f"{self.at + 1:,} of {len(self.runs):,}{'+' * self.more}"

    def show(self, runs: Sequence[RunEntry], *, more: bool, keep: bool = True) -> None:
        """Show these; with `keep` the chosen one stays chosen if it is among them."""
        before = self.chosen
        ids = [run.id for run in runs]
        self.runs, self.more = runs, more
        models = {variant.model for run in runs for variant in run.variants}
        self._models_differ = len(models) > 1
        if keep and before is not None and before.id in ids:
            self.at = ids.index(before.id)
        else:
            self.at = min(self.at, max(0, len(runs) - 1)) if keep else 0
        self.told()
        self.refresh()

    def move(self, step: int) -> None:
        super().move(step)
        if self.more and self.runs and self.at + AHEAD > len(self.runs):
            self.post_message(self.NearEnd())

    def told(self) -> None:
        self.post_message(self.Chosen(self.chosen))

    def taken(self) -> None:
        self.post_message(self.Taken())

    def render(self) -> Content:
        shown = self.in_view()
        rows = [_Row(self.runs[number]) for number in shown]
        times = max((cell_len(row.time) for row in rows), default=0)
        prompts = min(MOST_PROMPT, max((cell_len(row.prompts) for row in rows), default=0))
        models = min(MOST_MODEL, max((cell_len(row.models) for row in rows), default=0))
        room = self.size.width - 2 - times - 2
        prompts = min(prompts, max(LEAST_PROMPT, room // 3 - 2))
        if not self._models_differ or room - prompts - models - 4 < LEAST_TEXT:
            models = 0
        widths = (times, prompts, models)
        lines = [
            self._line(row, number == self.at, widths)
            for number, row in zip(shown, rows, strict=True)
        ]
        return Content("\n").join(lines)

    def _line(self, row: _Row, chosen: bool, widths: tuple[int, int, int]) -> Content:
        times, prompts, models = widths
        mark = "◂ " if row.id == self.marked else "  "
        parts = [(mark, "bold $accent"), (_padded(row.time, times), "$dim"), ("  ", "")]
        if prompts:
            parts += [(row.prompts_in(prompts), ""), ("  ", "")]
        if models:
            parts += [(_padded(row.models, models), "$secondary"), ("  ", "")]
        room = self.size.width - sum(cell_len(text) for text, _ in parts)
        tags = shortened(row.marks, max(0, room // 2)) if row.marks else ""
        if tags:
            parts += [(f"{tags} · ", "$accent")]
            room -= cell_len(tags) + 3
        parts.append((_padded(row.text(max(0, room)), max(0, room)), "$secondary"))
        if chosen:
            style = "$block-cursor-foreground on $block-cursor-background"
            return Content.styled("".join(text for text, _ in parts), style)
        return Content.assemble(*parts)


class _Row:
    """What a line says of a run."""

    def __init__(self, run: RunEntry) -> None:
        self.id = run.id
        self.time = moment(run.at)
        prompts = dict.fromkeys(variant.prompt for variant in run.variants)
        self._count = f" ×{len(run.variants)}" if len(run.variants) > len(prompts) else ""
        self._prompts = safe_line(", ".join(prompts))
        self.models = safe_line(", ".join(dict.fromkeys(variant.model for variant in run.variants)))
        self.marks = safe_line(
            " ".join([*marks_of(run), *(f"#{tag}" for tag in run.tags), *["✎"] * bool(run.note)])
        )
        self.asked = "" if run.excerpt else safe_line(asked_of(run))
        self.said = safe_line(" ".join(run.excerpt.split()) or said_of(run))

    @property
    def prompts(self) -> str:
        """What was asked by how many variants."""
        return self._prompts + self._count

    def prompts_in(self, room: int) -> str:
        """The same in so many cells; the names give way, not how many."""
        return _padded(shortened(self._prompts, room - cell_len(self._count)) + self._count, room)

    def text(self, room: int) -> str:
        """What was asked and what was said, as far as there is room."""
        if not self.asked:
            return shortened(self.said, room)
        asked = shortened(self.asked, max(room * 2 // 3, room - cell_len(self.said) - 3))
        return shortened(f"{asked} → {self.said}" if self.said else asked, room)


def _padded(text: str, width: int) -> str:
    text = shortened(text, width)
    return text + " " * max(0, width - cell_len(text))
