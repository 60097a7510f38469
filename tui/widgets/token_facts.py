"""A token as two variants see it: the numbers of both, and what either would rather have said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.binding import BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from ..heat import chance, quoted
from ..keys import ALTERNATIVE_KEYS
from .lines import shortened

if TYPE_CHECKING:
    from ...compare.lens import Alternative, LensToken, View

TALL = 15
"""Lines from which the numbers have a line each."""


@dataclass(frozen=True)
class TokenState:
    """What is shown. `others` are tokens to list besides the likeliest ones, for each variant."""

    names: tuple[str, str]
    token: LensToken
    number: int
    count: int
    others: tuple[Sequence[Alternative], Sequence[Alternative]] = ((), ())
    note: str = ""
    rounding: float | None = None
    """By how many nats a difference moves when it is computed once more; None while not known."""

    @property
    def beside_rounding(self) -> str:
        """Whether the difference is more than rounding."""
        if self.rounding is None:
            return ""
        if not self.rounding:
            return "the same when computed twice"
        within = abs(self.token.delta) <= self.rounding
        return f"{'within' if within else 'beyond'} rounding, {self.rounding:.2g} nats"

    def choices(self, side: int) -> list[Alternative]:
        """The tokens one variant could have said here, likeliest first."""
        view = (self.token.a, self.token.b)[side]
        listed = {it.token for it in view.top}
        found = list(view.top)
        for other in self.others[side]:
            if other.token not in listed:
                listed.add(other.token)
                found.append(other)
        return sorted(found, key=lambda it: -it.logprob)


class TokenFacts(Widget, can_focus=True):
    """Arrows choose among what either variant could have said here."""

    HELP = (
        "What either variant gives this token, and what it would rather have said. {Instead.branch} goes on "
        "from a chosen token in a new variant: the answer begins as the text up to here, then that "
        "token, then whatever the model says."
    )
    BINDINGS: ClassVar[list[BindingType]] = [*ALTERNATIVE_KEYS]

    @dataclass
    class Chosen(Message):
        """A person wants to go on from a token: `side` is 0 for the first variant, 1 for the other."""

        side: int
        choice: Alternative

    def __init__(self) -> None:
        super().__init__()
        self.state: TokenState | None = None
        self.place = (0, 0)
        """The chosen alternative: its side, its row."""
        self._first_row = 0
        """The line of the first alternative that is shown, which is number `_top`."""
        self._top = 0

    def show(self, state: TokenState | None) -> None:
        """Show a token, or nothing."""
        moved = state is None or self.state is None or state.number != self.state.number
        if moved:
            self.place = (self.place[0], 0)
        self.state = state
        self.refresh()

    # --------------------------------------------------------------- drawing

    def render(self) -> Content:
        state = self.state
        if state is None or not self.size.width:
            return Content()
        lines = [*self._head(state), *self._numbers(state)]
        self._first_row = len(lines)
        lines += self._alternatives(state, self.size.height - len(lines))
        return Content("\n").join(lines)

    def _head(self, state: TokenState) -> list[Content]:
        width = self.size.width
        what = f"token {state.number + 1:,} of {state.count:,}"
        said = [state.beside_rounding if self.size.height < TALL else "", state.note]
        note = "".join(f"  {it}" for it in said if it)
        room = max(6, width - len(what) - len(note) - 2)
        word = quoted(state.token.piece, max(3, room - 2))
        head = Content.assemble((word, "bold"), f"  {what}", (note, "$accent"))
        blank = [Content()] if self.size.height >= TALL else []
        return [head.truncate(width, ellipsis=True), *blank]

    def _numbers(self, state: TokenState) -> list[Content]:
        token, (a, b) = state.token, state.names
        delta = f"{token.delta:+.2f}".replace("-", "−")
        sign = "$added" if token.delta > 0 else "$removed" if token.delta < 0 else ""
        if self.size.height < TALL:
            views = [_short(name, view) for name, view in ((a, token.a), (b, token.b))]
            return [
                Content.assemble(
                    *views[0],
                    "   ",
                    *views[1],
                    "   ",
                    (f"{b} − {a} ", "$dim"),
                    (delta, sign),
                ).truncate(self.size.width, ellipsis=True)
            ]
        rows = [
            ("", a, b, f"{b} − {a}"),
            ("chance", chance(token.a.logprob), chance(token.b.logprob), delta),
            ("rank", f"{token.a.rank:,}", f"{token.b.rank:,}", ""),
            ("entropy", f"{token.a.entropy:.2f}", f"{token.b.entropy:.2f}", ""),
        ]
        cell = max(7, min(11, (self.size.width - 9) // 3))
        lines = [
            Content.assemble(
                (f"{name:<9}", "$dim"),
                (f"{one:>{cell}}{two:>{cell}}", "bold" if not name else ""),
                (f"{difference:>{cell}}", sign if name else "$dim"),
            )
            for name, one, two, difference in rows
        ]
        told = f"{delta} {it}" if (it := state.beside_rounding) else ""
        return [*lines, Content.styled(told, "$dim").truncate(self.size.width), Content()]

    def _alternatives(self, state: TokenState, room: int) -> list[Content]:
        half = max(8, self.size.width // 2 - 1)
        columns = [state.choices(side) for side in (0, 1)]
        heads = [f"{name} would say" for name in state.names]
        tall = self.size.height >= TALL
        lines = [Content.styled("  ".join(f"{head:<{half}}" for head in heads), "$dim")] * tall
        self._first_row += tall
        rows, room = max(map(len, columns)), max(1, room - tall)
        at = self.place[1]
        self._top = max(0, min(max(self._top, at - room + 1), at, rows - 1))
        for row in range(self._top, min(rows, self._top + room)):
            cells = [self._cell(state, side, columns[side], row, half) for side in (0, 1)]
            lines.append(Content("  ").join(cells))
        return lines

    def _cell(
        self, state: TokenState, side: int, column: Sequence[Alternative], row: int, width: int
    ) -> Content:
        if row >= len(column):
            return Content(" " * width)
        it = column[row]
        said = chance(it.logprob)
        word = shortened(quoted(it.piece, width), max(3, width - len(said) - 3))
        mark = "◂" if it.token == state.token.token else " "
        gap = " " * max(1, width - cell_len(word) - len(said) - 2)
        style = "bold" if it.token == state.token.token else ""
        if self.has_focus and self.place == (side, row):
            style = "$block-cursor-foreground on $block-cursor-background"
        return Content.styled(f"{word}{gap}{said} {mark}", style)

    # ------------------------------------------------------------------ keys

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def action_choose(self, side: int, rows: int) -> None:
        """Go to the other side, or up and down."""
        if self.state is None:
            return
        side = max(0, min(1, self.place[0] + side))
        most = len(self.state.choices(side))
        row = max(0, min(self.place[1] + rows, most - 1))
        self.place = (side, row)
        self.refresh()

    def action_branch(self) -> None:
        if self.state is None:
            return
        side, row = self.place
        column = self.state.choices(side)
        if row < len(column):
            self.post_message(self.Chosen(side, column[row]))

    def on_click(self, event: Click) -> None:
        row, side = event.y - self._first_row + self._top, int(event.x > self.size.width // 2)
        if self.state and event.y >= self._first_row and row < len(self.state.choices(side)):
            self.place = (side, row)
            self.refresh()


def _short(name: str, view: View) -> list[tuple[str, str]]:
    figures = f"{chance(view.logprob)} #{view.rank:,} {view.entropy:.2f} nats"
    return [(f"{name} ", "bold"), (figures, "")]
