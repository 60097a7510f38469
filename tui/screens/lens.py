"""The lens: a text token by token under two variants, and what either would rather have said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static
from textual.worker import Worker

from ...compare.errors import MISTAKES
from ...compare.shares import percent
from ..heat import Measure, measures, token_text
from ..key_names import with_keys
from ..keys import LENS_SCREEN_KEYS
from ..lens_lines import choices, legend, nth, totals, write_lens
from ..lens_source import OWN, Branch, LensSource, Pair, beginning_at, made_ready
from ..parting_words import parting_words
from ..safe_text import safe_line
from ..sentences import for_app
from ..session import Session
from ..widgets.heat_text import HeatText
from ..widgets.key_bar import Hint, KeyBar
from ..widgets.lines import FittedLine, Line
from ..widgets.tab_strip import TabStrip
from ..widgets.token_facts import TokenFacts, TokenState
from .page import Page
from .styles import styles

if TYPE_CHECKING:
    from ...compare.lens import Lens
    from ...compare.parting import Parting

WAIT_S = 0.1
KEEP_UP_S = 0.3


class LensScreen(Page[Branch]):
    """Gives the branch to go on with, if one was chosen.

    `pair` are the names of the variants compared, `text` that of the one whose output is looked at.
    With `at_parting` it opens where the two outputs part.
    """

    DEFAULT_CSS = styles("lens.tcss")
    PANES: ClassVar[str] = "#lens-left, #lens-right"
    BINDINGS: ClassVar[list[BindingType]] = [*LENS_SCREEN_KEYS]
    AUTO_FOCUS: ClassVar[str | None] = "HeatText"

    def __init__(
        self, session: Session, pair: Pair, text: str, *, at_parting: bool = False
    ) -> None:
        super().__init__()
        self._source = LensSource(session, pair)
        self._chosen = text
        self._at_parting = at_parting
        self._lens: Lens | None = None
        self._measure = 0
        self._marking = self._measures[0]
        self._noted = Content()
        self._order: list[int] = []
        """The tokens by how much they differ, the largest first."""
        self._place: list[int] = []
        """For each token its place in that order."""
        self._scoring: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        yield Line("lens-title")
        yield FittedLine(classes="lens-totals")
        with Horizontal(id="lens-body"):
            with Vertical(id="lens-left"):
                yield TabStrip(id="lens-texts")
                yield HeatText()
                yield Static(id="lens-note", markup=False)
                yield TabStrip(id="lens-measures")
                yield FittedLine(classes="lens-legend")
            with Vertical(id="lens-right"):
                yield TokenFacts()
        yield KeyBar()

    def on_mount(self) -> None:
        for strip in self.query(TabStrip):
            strip.can_focus = False
        self._look(self._go_to_parting if self._at_parting else None)
        self.set_interval(KEEP_UP_S, self._keep_up)

    # ---------------------------------------------------------------- scoring

    def _look(self, then: Callable[[], object] | None = None) -> None:
        """Score the chosen text, unless that was done, and show it."""
        self._scoring = self.run_worker(
            partial(self._score, then), group="score", exclusive=True, exit_on_error=False
        )

    def _keep_up(self) -> None:
        """Look again where another output has taken the place of one that was looked at."""
        lens = self._lens
        if lens is not None and not self._busy and not self._source.shows(lens, self._chosen):
            self._choose(self._chosen)

    async def _score(self, then: Callable[[], object] | None) -> None:
        from ...models.engine.client import EngineError

        source = self._source
        await self._run_over()
        try:
            lens = await source.lens(self._chosen, partial(self._progress, self._chosen))
            if then is not None:
                await source.find_parting(self._progress)
        except (*MISTAKES, EngineError) as error:
            self._show_lens(None)
            self._say(for_app(str(error)), "$error")
            return
        heat = self.query_one(HeatText)
        width = heat.wrap_width
        text, lines, self._order, self._place = await asyncio.to_thread(made_ready, lens, width)
        self._lens = lens
        self._marking = self._measures[self._measure]
        heat.show(text, self._kind_of, lines, width)
        self._show_frame()
        self._show_token()
        if then is not None:
            then()
        self.run_worker(
            partial(self._round, lens), group="round", exclusive=True, exit_on_error=False
        )

    async def _run_over(self) -> None:
        """Wait for a run that goes on: the engine has no room for scoring before, and what it says
        is whole then."""
        self._show_frame()
        while self._source.session.running:
            self._say("waits for the run to end · {lens.leave} stops waiting", "$warning")
            await asyncio.sleep(WAIT_S)
        self._show_frame()
        self._say("")

    async def _round(self, lens: Lens) -> None:
        from ...models.engine.client import EngineError

        with suppress(*MISTAKES, EngineError):  # then it is not told
            await self._source.measure_rounding(lens)
            if lens is self._lens:
                self._take_measure(self._measure)
                self._show_facts()

    def _progress(self, chosen: str, fraction: float) -> None:
        what = OWN if chosen == OWN else f"{chosen}'s output"
        self._say(f"scoring {what} {percent(fraction)} · {{lens.leave}} stops", "$warning")

    # ---------------------------------------------------------------- showing

    @property
    def scored(self) -> bool:
        """Whether the text is shown with what was found."""
        return self._lens is not None

    @property
    def _pair(self) -> Pair:
        return self._source.pair

    def _kind_of(self, token: int) -> str:
        """How a token is marked."""
        if self._lens is None:
            return ""
        return self._marking.kind(self._lens.tokens[token])

    @property
    def _measures(self) -> list[Measure]:
        moved = self._lens and self._source.rounding(self._lens)
        return measures(*self._pair, moved or 0.0)

    def _show_frame(self) -> None:
        """Show everything around the text and its token."""
        playground = self._source.session.playground
        a, b = self._source.variants
        names = [f"{it.name} {safe_line(it.title)}" for it in (a, b)]
        stale = [it.name for it in (a, b) if playground.stale(it.name)]
        right = f"changed since its run: {', '.join(stale)}" if stale else ""
        title = Content.assemble(
            ("llamadiff", "bold $primary"), "  Lens  ", (names[0], "bold"), ("  against  ", "$dim"),
            (names[1], "bold"),
        )  # fmt: skip
        self.query_one("#lens-title", Line).say(title, Content.styled(right, "$accent"))
        texts = self.query_one("#lens-texts", TabStrip)
        said = f"turn {self._source.turn}" if self._source.turn > 1 else "output"
        texts.tabs = [(it, it if it == OWN else f"{it}'s {said}") for it in self._source.texts]
        texts.chosen = self._chosen
        strip = self.query_one("#lens-measures", TabStrip)
        strip.tabs = [(str(i), it.title) for i, it in enumerate(self._measures)]
        strip.chosen = str(self._measure)
        self.query_one(".lens-legend", FittedLine).say(
            legend(self._measures[self._measure], b.name)
        )
        said = [Content()] if self._lens is None else totals(self._lens)
        self.query_one(".lens-totals", FittedLine).say(said)
        self._show_hints()

    def _show_hints(self) -> None:
        back: Hint = ("lens.leave", "stop" if self._busy else "back")
        if self.query_one(TokenFacts).has_focus:
            self.query_one(KeyBar).hints = [
                ("instead.branch", "go on from it"), ("instead.up instead.down", "choose"), back,
                ("lens.next lens.previous", "largest"), ("lens.part", "where they part"),
            ]  # fmt: skip
            return
        self.query_one(KeyBar).hints = [
            ("heat.left heat.right", "token"), ("lens.next lens.previous", "largest"),
            ("lens.measure", "show"), back, ("heat.instead", "instead"),
            ("lens.part", "where they part"), ("lens.text", "text"),
            ("lens.own", "own text"), ("lens.against", "variant"), ("lens.write", "write"),
        ]  # fmt: skip

    def _show_lens(self, lens: Lens | None) -> None:
        self._lens = lens
        if lens is None:
            self.query_one(HeatText).show(token_text([]), lambda token: "")
            self.query_one(TokenFacts).show(None)
        self._show_frame()

    def _say(self, sentence: str, style: str = "") -> None:
        self._note(Content.styled(safe_line(with_keys(self, sentence)), style))

    def _note(self, content: Content) -> None:
        """Show this below the text; a new layout only where it differs from what is there."""
        note = self.query_one("#lens-note", Static)
        if not content.is_same(self._noted):
            self._noted = content
            note.display = bool(content)
            note.update(content)

    def _tell(self, sentences: Sequence[str]) -> None:
        """Say what the last sentence explains; a line for each where there is room."""
        between = " " if self.has_class("-narrow") else "\n"
        lines = [safe_line(it) for it in sentences]
        said = Content(between).join([*map(Content, lines[:-1]), Content.styled(lines[-1], "$dim")])
        self._note(said)

    @property
    def _busy(self) -> bool:
        return self._scoring is not None and self._scoring.is_running

    @property
    def _parting(self) -> Parting | None:
        """The parting, where the text shown is one of the two that part."""
        return self._source.parting() if self._chosen in self._pair else None

    @on(HeatText.Looked)
    def _looked(self, event: HeatText.Looked) -> None:
        self._show_token(event.index)

    def _show_token(self, hovered: int | None = None) -> None:
        """Show the cursor's token, or the one under the mouse, and what is to be said of it."""
        if self._lens is None:
            return
        self._show_facts(hovered)
        parting = self._parting
        if parting is not None and parting.index == self.query_one(HeatText).cursor:
            self._tell(
                parting_words(parting, *self._pair, self._source.ended, self._source.thoughts)
            )
        else:
            self._say("")

    def _show_facts(self, hovered: int | None = None) -> None:
        if self._lens is not None:
            index = self.query_one(HeatText).cursor if hovered is None else hovered
            self.query_one(TokenFacts).show(self._state(self._lens, index))

    def _state(self, lens: Lens, index: int) -> TokenState:
        token, parting = lens.tokens[index], self._parting
        here = parting is not None and parting.index == index
        apart = [it for it in (parting.first, parting.second) if it] if here and parting else []
        others = (choices([token, *apart], 0), choices([token, *apart], 1))
        note = f"{nth(self._place[index] + 1)} difference" if token.delta else ""
        note = "where they part" if here else note
        moved = self._source.rounding(lens)
        return TokenState(self._pair, token, index, len(lens.tokens), others, note, moved)

    # ------------------------------------------------------------------- keys

    def action_largest(self, step: int) -> None:
        heat = self.query_one(HeatText)
        if self._lens is None or not heat.count:
            return
        target = self._place[heat.cursor] + step if self._visited else 0
        self._visited = True
        if 0 <= target < len(self._order):
            heat.go_to(self._order[target])

    _visited = False
    """Whether a person has gone to a largest difference of this text."""

    def action_parting(self) -> None:
        missing = next((name for name in self._pair if not self._source.tokens_of(name)), None)
        if missing is not None:
            self.app.notify(f"{missing} has not said anything yet.", timeout=3)
            return
        if self._chosen not in self._pair:
            self._choose(self._pair[1], self._go_to_parting)
        else:
            self._look(self._go_to_parting)

    def _go_to_parting(self) -> None:
        parting = self._source.parting()
        a, b = self._pair
        if parting is None:
            self._say(f"{a} and {b} say the same: there is nothing where they part.")
            return
        shown = parting.first if self._chosen == a else parting.second
        if shown is None:
            self._choose(b if self._chosen == a else a, self._go_to_parting)
        else:
            self.query_one(HeatText).go_to(parting.index)

    def action_measure(self, step: int) -> None:
        self._take_measure((self._measure + step) % len(self._measures))

    def _take_measure(self, number: int) -> None:
        self._measure = number
        self._marking = self._measures[number]
        if self._lens is not None:
            self.query_one(HeatText).paint(self._kind_of)
        self._show_frame()

    def action_text(self) -> None:
        texts = [it for it in self._source.texts if it != OWN or self._source.own]
        if not texts:
            self.action_own_text()
            return
        at = texts.index(self._chosen) if self._chosen in texts else -1
        self._take_text(texts[(at + 1) % len(texts)])

    def _take_text(self, chosen: str) -> None:
        if chosen == OWN and not self._source.own:
            self.action_own_text()
        else:
            self._choose(chosen)

    def _choose(self, chosen: str, then: Callable[[], object] | None = None) -> None:
        self._chosen, self._lens, self._visited = chosen, None, False
        self._look(then)

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_own_text(self) -> None:
        from .lens_text import LensText

        text = await self.app.push_screen_wait(LensText(self._source.own))
        if text is not None:
            self._source.own = text
            self._choose(OWN)

    def action_against(self) -> None:
        if self._source.go_round():
            self._choose(self._chosen)
        else:
            self.app.notify("There is no other variant to compare with.", timeout=3)

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_write(self) -> None:
        if self._lens is not None:
            write = partial(write_lens, self._lens, self._source.rounding(self._lens))
            await self.write_figures("the lens", "lens.json", write)

    def action_leave(self) -> None:
        if self._busy and self._scoring is not None:
            self._scoring.cancel()
            if self._lens is None:
                self._say(
                    "Scoring was stopped; {lens.text} takes another text, {lens.leave} goes back."
                )
            self._show_hints()
        else:
            self.dismiss(None)

    @on(TabStrip.Chosen, "#lens-texts")
    def _text_chosen(self, event: TabStrip.Chosen) -> None:
        self._take_text(event.key)

    @on(TabStrip.Chosen, "#lens-measures")
    def _measure_chosen(self, event: TabStrip.Chosen) -> None:
        self._take_measure(int(event.key))

    @on(TokenFacts.Chosen)
    def _branch_chosen(self, event: TokenFacts.Chosen) -> None:
        lens, state = self._lens, self.query_one(TokenFacts).state
        if lens is None or state is None:
            return
        said = self._source.said_in(self._chosen) if state.number else ""
        beginning = beginning_at(lens, state.number, event.choice, said)
        self.dismiss(Branch(self._pair[event.side], beginning, lens.turns[event.side]))

    def on_descendant_focus(self) -> None:
        self._show_hints()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.worker is self._scoring:
            self._show_hints()
