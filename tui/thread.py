"""A conversation as one text to draw: every turn against the same turn of the baseline's."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..compare.conversation import turns_of
from ..compare.reasoning import Reasoning, reasoning_of
from ..compare.run import Output, State
from .state import View
from .widgets.output_text import Mark, same_start

if TYPE_CHECKING:
    from .comparison import Comparison

YOU = "you ▸ "


@dataclass(frozen=True)
class Drawn:
    """What there is to draw. `rest` is where to look first; `comparison` that of the last turn.

    `folds` are the places (start, end) of reasoning, folded to a line or not.
    """

    text: str
    marks: Sequence[Mark]
    rest: int
    comparison: Comparison | None
    folds: Sequence[tuple[int, int]] = ()


_Asked = tuple[Output, Output | None, View, bool, bool]
"""A turn, the baseline's, and how they are looked at: the view, with signs, with reasoning."""


class Thread:
    """Draws the conversation of one output after another; what is settled is kept."""

    def __init__(self) -> None:
        self._turns: list[_Turn] = []

    def draw(
        self, shown: Output, base: Output | None, view: View, *, signs: bool, thoughts: bool
    ) -> Drawn:
        """All turns up to `shown`, with the reasoning of each in full if `thoughts`."""
        own = turns_of(shown)
        others: list[Output | None] = [] if base in (None, shown) else [*turns_of(base)]
        others += [None] * (len(own) - len(others))
        pairs = zip(own, others, strict=False)
        wanted: list[_Asked] = [(turn, other, view, signs, thoughts) for turn, other in pairs]
        same = 0
        while same < min(len(wanted), len(self._turns)) and self._turns[same].asked == wanted[same]:
            same += 1
        del self._turns[same:]
        self._turns += [_Turn(asked) for asked in wanted[same:]]
        last = self._turns[-1]
        text, marks, folds = "", list[Mark](), list[tuple[int, int]]()
        for turn in self._turns:
            turn.update(text)
            marks = [*marks, *turn.marks] if text else turn.marks
            text += turn.text
            folds += [turn.fold] if turn.fold else []
        return Drawn(text, marks, last.rest, last.comparison, folds)


class _Turn:
    """One turn as it is drawn behind those before it."""

    def __init__(self, asked: _Asked) -> None:
        self.asked = asked
        output, base, *_ = asked
        self.comparison: Comparison | None = None
        self.text = ""
        self.marks: list[Mark] = []
        self.rest = 0
        self.fold: tuple[int, int] | None = None
        self._answer, self._other = _Answer(output), _Answer(base) if base else None
        self._settled: tuple[object, ...] = ()
        """Behind how many characters, and for which ends of both, it is drawn for good."""
        self._source: list[Mark] = []
        self._shifted: list[Mark] = []
        self._offset = 0
        self._heading: tuple[str, int, list[Mark]] = ("", 0, [])

    def update(self, before: str) -> None:
        """Draw what there is by now behind `before`."""
        output, base, view, signs, thoughts = self.asked
        ends = (len(before), output.state, base and base.state)
        if self._settled == ends:
            return
        answer = self._answer.update()
        self._compare(answer, view)
        text, marks = self.comparison.drawn(signs=signs) if self.comparison else (answer.text, [])
        heading = self._head(before, self._answer.reasoning, thoughts)
        offset = len(before) + len(heading)
        self.marks = self._shift(marks, offset) if offset else marks
        if heading:
            self.marks = [*self._heading[2], *self.marks]
        self.text = heading + text
        self.rest = self._rest(before, offset, marks)
        over = output.state.over and (base is None or base.state.over)
        self._settled = ends if over else ()

    def _compare(self, answer: Output, view: View) -> None:
        other = self._other.update() if self._other else None
        if other is None or _silent(other) or _silent(answer):
            self.comparison = None
            return
        from .comparison import Comparison

        old = self.comparison
        if old is None or old.base is not other or old.other is not answer:
            old = self.comparison = Comparison(other, answer, view)
        old.update()

    def _head(self, before: str, reasoning: Reasoning | None, thoughts: bool) -> str:
        """What stands over the answer: what was replied, and the reasoning, folded or not."""
        output = self.asked[0]
        reply, thought = "", ""
        if output.follows is not None:
            gap = "\n" * max(0, 2 - (len(before) - len(before.rstrip("\n")))) if before else ""
            reply = f"{gap}{YOU}{output.reply}\n\n"
        if reasoning is not None:
            thought = _folded(output, reasoning)
            if thoughts:
                thought += "\n" + output.text[: reasoning.end].rstrip()
            thought += "\n\n"
        start = len(before) + len(reply)
        self.fold = (start, start + len(thought) - 2) if thought else None
        if self._heading[:2] != (reply + thought, len(before)):
            marks = [Mark(len(before), start, "said")] if reply else []
            marks += [Mark(*self.fold, "thought")] if self.fold else []
            self._heading = (reply + thought, len(before), marks)
        return reply + thought

    def _shift(self, marks: Sequence[Mark], offset: int) -> list[Mark]:
        """The marks `offset` characters further on; those known from the last time are the same."""
        if offset != self._offset:
            self._source, self._shifted, self._offset = [], [], offset
        same = same_start(self._source, marks)
        del self._shifted[same:]
        self._shifted += [Mark(m.start + offset, m.end + offset, m.kind) for m in marks[same:]]
        self._source = list(marks)
        return self._shifted

    def _rest(self, before: str, offset: int, marks: Sequence[Mark]) -> int:
        """The first difference; without one what was replied last."""
        comparison, first = self.comparison, 0
        if comparison is not None and comparison.diff is not None:
            if comparison.view == "unified":
                first = marks[0].start if marks else 0
            else:
                first = comparison.diff.first_divergence or 0
        return offset + first if first else len(before)


class _Answer:
    """What an output says without its reasoning, as an output that grows with it."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._cut: Output | None = None
        self._end = 0
        self.reasoning: Reasoning | None = None

    def update(self) -> Output:
        output = self._output
        reasoning = self.reasoning = reasoning_of(output)
        if reasoning is None:
            return output
        cut = self._cut
        if cut is None or reasoning.end != self._end:
            if cut is None or cut.tokens:
                cut = self._cut = Output(output.variant, output.repeat, output.seed)
            self._end = reasoning.end
        first = bisect_right(output.token_ends, reasoning.end)
        known = first + len(cut.tokens)
        cut.text, cut.state = output.text[reasoning.end :], output.state
        cut.token_ends += [end - reasoning.end for end in output.token_ends[known:]]
        cut.tokens += output.tokens[known : first + len(cut.token_ends)]
        return cut


def _folded(output: Output, reasoning: Reasoning) -> str:
    count = f"{reasoning.tokens:,} token{'s' * (reasoning.tokens != 1)}"
    if reasoning.done:
        return f"⋯ thought for {count}"
    return f"⋯ thought for {count}, no answer" if output.state.over else f"⋯ thinking · {count}"


def _silent(output: Output) -> bool:
    """Whether a variant was kept from saying anything: no text to compare."""
    return output.state in (State.FAILED, State.CANCELLED) and not output.text
