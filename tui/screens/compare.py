"""Two outputs of the history against each other, both in one text or side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content

from ...compare.history.entries import Side
from ...compare.shares import percent
from ..amounts import moment
from ..comparison import Comparison
from ..exporting import of_pair
from ..keys import COMPARE_KEYS
from ..safe_text import safe_line
from ..widgets.key_bar import Hint, KeyBar
from ..widgets.lines import FittedLine, Line
from ..widgets.output_text import Mark, OutputText
from .page import Page
from .styles import styles
from .write_output import write

if TYPE_CHECKING:
    from ...compare.run import Output


@dataclass(frozen=True)
class _Drawn:
    """What a pair comes to: figures in words, and text and marks of each view."""

    figures: list[Content]
    one: tuple[str, list[Mark]]
    beside: tuple[tuple[str, list[Mark]], tuple[str, list[Mark]]]


class Compare(Page[None]):
    """Shows what differs from the first to the second of each pair."""

    DEFAULT_CSS = styles("history.tcss")
    PANES: ClassVar[str] = "#compare-first, #compare-other"
    BINDINGS: ClassVar[list[BindingType]] = [*COMPARE_KEYS]
    AUTO_FOCUS: ClassVar[str | None] = "#compare-other"
    HELP = (
        "Two outputs of the history. In one text, what only the first has is struck through and "
        "what only the second has is underlined; side by side, each underlines its own."
    )

    def __init__(
        self, pairs: Sequence[tuple[Side, Side]], at: int = 0, *, dated: bool = True
    ) -> None:
        """`dated` says when each was made."""
        super().__init__()
        self._dated = dated
        self._pairs = pairs
        self._at = at
        self._beside = False

    def compose(self) -> ComposeResult:
        yield Line("compare-title")
        yield FittedLine(classes="compare-between")
        yield FittedLine(classes="compare-figures")
        with Horizontal(id="compare-body"):
            yield OutputText("compare-first")
            yield OutputText("compare-other")
        yield KeyBar()

    def on_mount(self) -> None:
        self._show()

    def _show(self) -> None:
        self.set_class(self._beside, "-beside")
        several: list[Hint] = [("compare.left compare.right", "output")]
        self.query_one(KeyBar).hints = [
            ("compare.view", "one text" if self._beside else "side by side"),
            *(several * (len(self._pairs) > 1)), ("compare.write", "write"), ("compare.leave", "back"),
        ]  # fmt: skip
        place = f"{self._at + 1} of {len(self._pairs)}" if len(self._pairs) > 1 else ""
        left = Content.assemble(("llamadiff", "bold $primary"), "  Compare")
        self.query_one("#compare-title", Line).say(left, Content.styled(place, "$dim"))
        self.run_worker(self._compare, group="compare", exclusive=True, exit_on_error=False)

    async def _compare(self) -> None:
        first, other = self._pairs[self._at]
        signs = self.app.no_color
        drawn = await asyncio.to_thread(_drawn, first.output, other.output, signs=signs)
        self.query_one(".compare-between", FittedLine).say(_between(first, other, self._dated))
        self.query_one(".compare-figures", FittedLine).say(drawn.figures)
        before, after = self.query_one("#compare-first", OutputText), self.query_one("#compare-other", OutputText)  # fmt: skip
        if self._beside:
            before.show(*drawn.beside[0], rest=_rest(drawn.beside[0][1]))
            after.show(*drawn.beside[1], rest=_rest(drawn.beside[1][1]))
        else:
            after.show(*drawn.one, rest=_rest(drawn.one[1]))

    def action_next_view(self) -> None:
        self._beside = not self._beside
        self._show()

    def action_step(self, step: int) -> None:
        self._at = (self._at + step) % len(self._pairs)
        self._show()

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_write(self) -> None:
        await write(self.app, of_pair(*self._pairs[self._at]))

    def action_leave(self) -> None:
        self.dismiss(None)


def pairs_of(shown: Side, marked: Side | None) -> tuple[Sequence[tuple[Side, Side]], int]:
    """What is compared with what where an output is shown and maybe another marked, and which of
    these pairs is to be seen first; none where there is nothing to compare with."""
    recorded, output = shown.recorded, shown.output
    outputs = recorded.run.outputs
    if marked is None or marked.output is output:
        first, *others = outputs
        pairs = [(Side(recorded, first), Side(recorded, other)) for other in others]
        return pairs, others.index(output) if output in others else 0
    by_name = {it.name: it for it in marked.recorded.run.outputs}
    alike = marked.output.name == output.name and marked.recorded is not recorded
    befores = [by_name.get(it.name, marked.output) if alike else marked.output for it in outputs]
    pairs = [
        (Side(marked.recorded, before), Side(recorded, after))
        for before, after in zip(befores, outputs, strict=True)
    ]
    return pairs, outputs.index(output)


def _between(first: Side, other: Side, dated: bool) -> list[Content]:
    """Which two these are; with seconds where the minutes do not tell the runs apart."""
    sides = (first, other)
    names = [side.output.name for side in sides]
    times = [moment(side.recorded.at) for side in sides]
    if first.recorded.run.id == other.recorded.run.id:
        times = times[:1]
    elif times[0] == times[1]:
        times = [f"{side.recorded.at.astimezone():%H:%M:%S}" for side in sides]
    whens = [f", {time}" for time in times] if len(times) > 1 else ["", f", {times[0]}"]
    whens = whens if dated else ["", ""]
    titles = [safe_line(f" · {side.output.variant.title}") for side in sides]
    return [
        Content.assemble((a, "$removed"), ("  →  ", "bold"), (b, "$added"))
        for a, b in (
            [name + title + when for name, title, when in zip(names, titles, whens, strict=True)],
            [name + when for name, when in zip(names, whens, strict=True)],
        )
    ]


def _drawn(first: Output, other: Output, *, signs: bool) -> _Drawn:
    """Compare the answers of two finished outputs; takes a while for long ones."""
    from ...compare.reasoning import answer_alone, without_answer

    if silent := without_answer(first, other):
        whole = (first.text, []), (other.text, [])
        return _Drawn(
            [Content.styled(f"{silent}: nothing is compared", "$warning")], whole[1], whole
        )
    one, two = answer_alone(first), answer_alone(other)
    unified, there, back = (
        Comparison(one, two, "unified"),
        Comparison(one, two, "words"),
        Comparison(two, one, "words"),
    )
    unified.skipped = len(first.tokens) - len(one.tokens)
    diff = unified.update()
    there.update()
    back.update()
    figures = _figures(unified) if not diff.equal else [Content.styled("the same text", "$success")]
    if one is not first or two is not other:
        left_out = Content.styled(" · answers alone, without their reasoning", "$dim")
        figures = [*(it + left_out for it in figures[:1]), *figures]
    return _Drawn(figures, unified.drawn(signs=signs), (back.drawn(), there.drawn()))


def _figures(comparison: Comparison) -> list[Content]:
    diff = comparison.diff
    assert diff is not None
    counts = Content.assemble((f"+{diff.words_added}", "$success"), " ", (f"−{diff.words_removed}", "$error"))  # fmt: skip
    where = ""
    if comparison.first_token is not None:
        where = f" · parts at token {comparison.first_token + 1:,}"
    elif diff.first_divergence is not None:
        where = f" · parts at character {diff.first_divergence + 1:,}"
    same = percent(diff.similarity)
    ways = [f" words{where} · {same} same", f" words · {same} same", ""]
    return [Content.assemble(counts, (way, "$dim")) for way in ways]


def _rest(marks: Sequence[Mark]) -> int:
    return next((mark.start for mark in marks if mark.kind), 0)
