"""A conversation as one text to draw: every turn against the same turn of the baseline's."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..compare.conversation import turns_of
from ..compare.diff.result import same_start
from ..compare.reasoning import Reasoning, reasoning_of
from ..compare.run import Output, State
from .diffing import Diffing, View
from .places import Places, Turn
from .widgets.output_text import Mark

if TYPE_CHECKING:
    from .comparison import Comparison
    from .drawing import Drawing

YOU = "you ▸ "
_CHANGES = {"added", "removed", "arrived", "left"}


@dataclass(frozen=True)
class Look:
    """How a conversation is looked at: `signs` for a terminal without colour, with reasoning in
    full if `thoughts`."""

    view: View
    diffing: Diffing
    signs: bool = False
    thoughts: bool = False


@dataclass(frozen=True)
class Drawn:
    """What there is to draw. `rest` is where to look first; `comparison` that of the last turn.

    `folds` are the places (start, end) of reasoning, folded to a line or not. `anew`: other outputs
    are drawn than the last time. `compared`: any turn is; `marked`: with its differences.
    """

    text: str
    marks: Sequence[Mark]
    rest: int
    comparison: Comparison | None
    folds: Sequence[tuple[int, int]]
    places: Places
    anew: bool
    compared: bool
    marked: bool


class Thread:
    """Draws the conversation of one output after another; what is settled is kept."""

    def __init__(self) -> None:
        self._turns: list[_Turn] = []

    def draw(self, shown: Output, base: Output | None, look: Look) -> Drawn:
        """All turns up to `shown`, each against the same turn of the conversation up to `base`."""
        own, others = turns_of(shown), [] if base in (None, shown) else turns_of(base)
        anew = self._take(own, others)
        text, marks, folds = "", list[Mark](), list[tuple[int, int]]()
        places: list[Turn] = []
        base_end, base_gap = 0, ""
        for turn in self._turns:
            start, gap = len(text), _gap(text)
            turn.update(start, gap, base_gap, look)
            marks = [*marks, *turn.marks] if text else turn.marks
            text += turn.text
            folds += [turn.fold] if turn.fold else []
            place = base_place = (start + len(gap), start + turn.heading, len(text))
            if turn.pair[1] is not None:
                answer = base_end + turn.base_heading
                base_place = (base_end + len(base_gap), answer, base_end + turn.base_size)
            elif others:
                base_place = (base_end, base_end, base_end)
            places.append(Turn(*place, *base_place, turn.drawing))
            base_end, base_gap = base_place[2], turn.base_gap
        return Drawn(
            text,
            marks,
            rest=self._turns[-1].rest,
            comparison=self._turns[-1].comparison,
            folds=folds,
            places=Places(places),
            anew=anew,
            compared=any(turn.comparison for turn in self._turns),
            marked=any(turn.drawing for turn in self._turns),
        )

    def _take(self, own: Sequence[Output], others: Sequence[Output]) -> bool:
        """Have a turn for each of these; False if that is so."""
        pairs = [(turn, others[n] if n < len(others) else None) for n, turn in enumerate(own)]
        old = [turn.pair for turn in self._turns]
        same = 0
        while same < min(len(pairs), len(old)) and pairs[same] == old[same]:
            same += 1
        del self._turns[same:]
        self._turns += [_Turn(*pair) for pair in pairs[same:]]
        return pairs != old


class _Turn:
    """One turn as it is drawn behind those before it."""

    def __init__(self, output: Output, base: Output | None) -> None:
        self.pair = (output, base)
        self.comparison: Comparison | None = None
        self.text = ""
        self.marks: Sequence[Mark] = []
        self.rest = 0
        self.fold: tuple[int, int] | None = None
        self.heading = self.base_heading = self.base_size = 0
        """Characters above the answer, here and in the baseline's turn, and of that in all."""
        self.base_gap = ""
        """What keeps the baseline's next turn apart from this one."""
        self._own, self._base = _Said(output), _Said(base) if base else None
        self._settled: tuple[object, ...] = ()
        """What it is drawn for, for good."""
        self._source: list[Mark] = []
        self._shifted: list[Mark] = []
        self._offset = 0
        self._above: list[Mark] = []

    @property
    def drawing(self) -> Drawing | None:
        """The drawing of the answer, where it is compared."""
        return self.comparison.drawing if self.comparison is not None else None

    def update(self, start: int, gap: str, base_gap: str, look: Look) -> None:
        """Draw what there is by now from `start` on, `gap` behind the turn before."""
        output, base = self.pair
        asked = (start, gap, base_gap, look, output.state, base and base.state)
        if self._settled == asked:
            return
        self._measure_base(base_gap, look)
        answer = self._own.update()
        self._compare(answer, look)
        text, marks = answer.text, list[Mark]()
        if self.comparison is not None:
            text, marks = self.comparison.drawn(signs=look.signs)
        reply, thought = self._own.heading(gap, look)
        self._mark_above(start, len(reply), len(thought))
        self.heading = len(reply) + len(thought)
        self.text = reply + thought + text
        offset = start + self.heading
        self.marks = [*self._above, *self._shift(marks, offset)] if offset else marks
        self.rest = self._rest(start, offset)
        over = output.state.over and (base is None or base.state.over)
        self._settled = asked if over else ()

    def _measure_base(self, gap: str, look: Look) -> None:
        """See how much room the baseline's turn takes where it is drawn alone."""
        if self._base is None:
            return
        answer = self._base.update().text
        above = "".join(self._base.heading(gap, look))
        self.base_heading, self.base_size = len(above), len(above) + len(answer)
        self.base_gap = _gap(answer or above)

    def _compare(self, answer: Output, look: Look) -> None:
        other = self._base.answer if self._base and self.pair[0] is not self.pair[1] else None
        if other is None or _silent(other) or _silent(answer):
            self.comparison = None
            return
        from .comparison import Comparison

        old = self.comparison
        if old is None or old.base is not other or old.other is not answer:
            old = Comparison(other, answer, look.view, look.diffing)
        self.comparison = old.shown_as(look.view, look.diffing)
        self.comparison.skipped = self._base.skipped if self._base else 0
        self.comparison.update()

    def _mark_above(self, start: int, reply: int, thought: int) -> None:
        """Mark what stands above the answer; marks that stay are the same objects."""
        at = start + reply
        self.fold = (at, at + thought - 2) if thought else None
        marks = [Mark(start, at, "said")] if reply else []
        marks += [Mark(*self.fold, "thought")] if self.fold else []
        self._above = self._above if marks == self._above else marks

    def _shift(self, marks: Sequence[Mark], offset: int) -> list[Mark]:
        """The marks `offset` characters further on; those known from the last time are the same."""
        if offset != self._offset:
            self._source, self._shifted, self._offset = [], [], offset
        same = same_start(self._source, marks)
        del self._shifted[same:]
        self._shifted += [Mark(m.start + offset, m.end + offset, m.kind) for m in marks[same:]]
        self._source = list(marks)
        return self._shifted

    def _rest(self, start: int, offset: int) -> int:
        """The first difference; without one what was replied last."""
        comparison, first = self.comparison, 0
        if comparison is not None and comparison.diff is not None:
            if self.drawing is None:
                first = comparison.diff.first_divergence or 0
            else:
                changes = (mark.start for mark in self.drawing.marks if mark.kind in _CHANGES)
                first = next(changes, 0)
        return offset + first if first else start


class _Said:
    """What an output says: a heading, and then its answer as an output that grows with it."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._reasoning: Reasoning | None = None
        self._end = 0
        self.skipped = 0
        """How many tokens its reasoning took."""
        self.answer = output
        """What it says without its reasoning."""

    def update(self) -> Output:
        """The answer by now."""
        output = self._output
        reasoning = self._reasoning = reasoning_of(output)
        if reasoning is None:
            return output
        cut = self.answer
        if cut is output or (reasoning.end != self._end and cut.tokens):
            cut = self.answer = Output(output.variant, output.repeat, output.seed)
        self._end = reasoning.end
        first = self.skipped = bisect_right(output.token_ends, reasoning.end)
        known = first + len(cut.tokens)
        cut.text, cut.state = output.text[reasoning.end :], output.state
        cut.token_ends += [end - reasoning.end for end in output.token_ends[known:]]
        cut.tokens += output.tokens[known : first + len(cut.token_ends)]
        return cut

    def heading(self, gap: str, look: Look) -> tuple[str, str]:
        """What stands over the answer: what was replied, and the reasoning, folded or not."""
        output, reasoning = self._output, self._reasoning
        reply = f"{gap}{YOU}{output.reply}\n\n" if output.reply else ""
        if reasoning is None:
            return reply, ""
        thought = _folded(output, reasoning)
        if look.thoughts:
            thought += "\n" + output.text[: reasoning.end].rstrip()
        return reply, f"{thought}\n\n"


def _gap(text: str) -> str:
    """What keeps a turn apart from the text before."""
    end = text[-2:]
    return "\n" * (2 - len(end) + len(end.rstrip("\n"))) if text else ""


def _folded(output: Output, reasoning: Reasoning) -> str:
    count = f"{reasoning.tokens:,} token{'s' * (reasoning.tokens != 1)}"
    if reasoning.done:
        return f"⋯ thought for {count}"
    return f"⋯ thought for {count}, no answer" if output.state.over else f"⋯ thinking · {count}"


def _silent(output: Output) -> bool:
    """Whether a variant was kept from saying anything: no text to compare."""
    return output.state in (State.FAILED, State.CANCELLED) and not output.text
