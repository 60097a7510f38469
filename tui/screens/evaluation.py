"""One evaluation: its scoreboard and its rows, live while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from ...compare.errors import MISTAKES
from ...compare.evaluation.variants import called
from ..amounts import span
from ..asked_rows import ORDERS, arranged
from ..board_lines import board_heads, board_lines, board_parts
from ..evaluating import Evaluating
from ..key_names import with_keys
from ..keys import EVALUATION_KEYS
from ..reporting import of_evaluation
from ..safe_text import safe_line
from ..sentences import for_app
from ..widgets.decision_table import DecisionTable
from ..widgets.headed_scroll import HeadedScroll, HeadedText
from ..widgets.key_bar import Hint, KeyBar
from ..widgets.lines import Line, Paragraph
from ..widgets.row_table import RowTable
from ..widgets.safe_input import SafeInput
from ..widgets.tab_strip import TabStrip
from .page import Page, covered
from .rate import open_rating
from .styles import styles
from .write_output import write

if TYPE_CHECKING:
    from .evaluate_actions import EvaluateActions

SHOWS_PER_S = 4
MOST_BAR = 40
BOARD, DECISION, ROWS = "board", "decision", "rows"
TABS = ((BOARD, "Scoreboard"), (DECISION, "Decision"), (ROWS, "Rows"))
COMPUTED = "What the answers say is being computed …"
STATES = {
    "starting": ("starting", "$warning"),
    "running": ("running", "$warning"),
    "measuring": ("timing single calls", "$warning"),
    "stopped": ("stopped", "$accent"),
    "done": ("finished", "$success"),
    "failed": ("failed", "$error"),
}


class Evaluation(Page[None]):
    """Shows `evaluating`, which goes on whether it is shown or not."""

    DEFAULT_CSS = styles("evaluate.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [*EVALUATION_KEYS]
    AUTO_FOCUS: ClassVar[str | None] = ""
    HELP = (
        "An evaluation. The bars show the score within its interval of 95 %, all on one scale; "
        "differences are against the baseline ◆, in points of 100. A verdict may be read at any "
        "time: looking often buys no winner. Decision says whether to prompt or to fine-tune. "
        "{Evaluation.leave} stops, {app.playground} and {app.evaluate} leave it running."
    )
    LATER = "In the list of rows ({evaluation.leave})"

    def __init__(self, home: EvaluateActions, evaluating: Evaluating) -> None:
        super().__init__()
        self.evaluating = evaluating
        self._home = home
        self._tab = BOARD
        self._order = ORDERS[0]
        self._only_errors = False
        self._by_tag = False
        self._drawn: object = None
        """What the board was drawn from."""
        self._listed: object = None
        """What the rows were listed from."""

    def compose(self) -> ComposeResult:
        yield Line("evaluation-title")
        yield Line("evaluation-progress")
        yield Paragraph("evaluation-told")
        yield TabStrip()
        with HeadedScroll(id="evaluation-board", classes="evaluation-tab"):
            yield HeadedText()
        with HeadedScroll(id="evaluation-decision", classes="evaluation-tab"):
            yield Paragraph()
            yield DecisionTable()
        with Vertical(id="evaluation-rows", classes="evaluation-tab"):
            with Horizontal(id="evaluation-rows-head"):
                yield SafeInput(placeholder="words of a row or its answers, or tag:NAME", id="evaluation-field", compact=True)  # fmt: skip
                yield Paragraph("evaluation-order")
            yield RowTable()
        yield KeyBar()

    def on_mount(self) -> None:
        strip = self.query_one(TabStrip)
        strip.can_focus = False
        strip.tabs = TABS
        self.set_interval(1 / SHOWS_PER_S, self.show)
        self._open(BOARD)

    # ---------------------------------------------------------------- showing

    def show(self) -> None:
        """Show it as it is by now; look again at what the answers say where that is due."""
        it = self.evaluating
        if not self.is_attached or covered(self):
            return
        if it.due(deciding=self._deciding):
            self.run_worker(self._look, group="board", exit_on_error=False)
        self._show_title()
        told = self.query_one("#evaluation-told", Paragraph)
        said = [it.problem] if it.problem else [*it.notes]
        if it.died and it.state == "done":
            answers = f"{it.died:,} answer{'s' * (it.died != 1)}"
            said.append(f"The engine died with {answers}; {{evaluation.run}} asks again.")
        told.display = bool(said)
        told.set_class(bool(it.problem), "-problem")
        style = "$error" if it.problem else "$warning"
        told.say(Content.styled(safe_line(with_keys(self, " ".join(said))), style))
        self._show_answers()
        self._show_hints()

    @property
    def _deciding(self) -> bool:
        return self._tab == DECISION

    @property
    def decided(self) -> bool:
        """Whether the decision is shown."""
        seen = self.evaluating.seen
        return self._deciding and seen is not None and seen.decided

    async def _look(self) -> None:
        await self.evaluating.look(deciding=self._deciding)
        if self.is_attached and not covered(self):
            self._show_answers()

    def _show_answers(self) -> None:
        self._show_board()
        self._show_decision()
        self._show_rows()

    def _show_title(self) -> None:
        it, plan = self.evaluating, self.evaluating.plan
        said, style = STATES[it.state]
        if it.elsewhere is not None:
            suite, share = it.elsewhere
            said = f"adapters on {safe_line(suite)} {100 * share:.0f} %"
        if it.paused:
            said, style = "paused", "$accent"
        repeats = f" × {plan.repeats}" if plan.repeats > 1 else ""
        count = f"  {len(plan.rows):,} rows × {len(plan.variants)} variants{repeats}"
        left = Content.assemble(
            ("llamadiff", "bold $primary"), "  Evaluate  ", (safe_line(plan.suite.name), "bold"),
            (count, "$dim"),
        )  # fmt: skip
        self.query_one("#evaluation-title", Line).say(left, Content.assemble(("● ", style), said))
        line = self.query_one("#evaluation-progress", Line)
        cells = min(MOST_BAR, max(8, self.size.width // 4))
        full = round(it.share * cells)
        done = f"  {it.done:,} of {plan.answers:,} answers"
        share = "–" if it.refused else f"{100 * it.share:.0f} %"
        rate, left = it.rate, it.left_s
        figures = [f"{rate:,.{int(rate < 10)}f} answers/s"] if rate else []
        figures += [f"{span(left)} left"] if left is not None else []
        figures += [f"took {span(it.took_s)}"] if not it.busy and it.took_s else []
        errors = [(f"{' · ' * bool(figures)}{it.errors:,} without a score", "$error")] * bool(it.errors)  # fmt: skip
        line.say(
            Content.assemble(("━" * full, "$primary"), ("─" * (cells - full), "$dim"), f" {share}", (done, "$dim")),
            Content.assemble((" · ".join(figures), "$dim"), *errors),
        )  # fmt: skip

    def _show_board(self) -> None:
        seen, pane = self.evaluating.seen, self.query_one("#evaluation-board", HeadedScroll)
        width = pane.scrollable_content_region.width or pane.size.width
        key = (seen, width, self._by_tag, self.evaluating.refused)
        if key == self._drawn or self._tab != BOARD:
            return
        self._drawn = key
        text, said = Content.styled(COMPUTED, "$dim"), pane.query_one(HeadedText)
        if self.evaluating.refused:
            text = Content.styled("Nothing was asked.", "$dim")
        elif seen is not None and width:
            parts = board_parts(seen.board, self.evaluating.plan, width, tags=self._by_tag)
            text, said.heads = board_lines(parts), board_heads(parts, width)
        said.say(text)
        pane.call_after_refresh(pane.show_head)

    def _show_decision(self) -> None:
        seen, pane = self.evaluating.seen, self.query_one("#evaluation-decision", HeadedScroll)
        table, said = pane.query_one(DecisionTable), pane.query_one(Paragraph)
        table.display = seen is not None and seen.decided
        text = Content.styled(COMPUTED, "$dim")
        if seen is not None and seen.decided:
            table.decision = seen.decision
            text = Content.styled(with_keys(self, self._missing), "$warning")
        said.say(text)
        said.display = bool(text)
        pane.call_after_refresh(pane.show_head)

    @property
    def _missing(self) -> str:
        """What is not in the decision yet."""
        it = self.evaluating
        if it.state == "done":
            return ""
        if it.state == "measuring":
            return "Adapters are being put to the other suites; what they do there comes in suite by suite."  # fmt: skip
        if it.busy or len(it.answers) < it.plan.answers:
            return "So far: times and other suites come once all rows are answered."
        return "So far: some times or other suites are missing; {evaluation.run} goes on with them."

    def _show_rows(self) -> None:
        seen, table = self.evaluating.seen, self.query_one(RowTable)
        words = tuple(self.query_one(Input).value.split())
        key = (seen, self._order, words, self._only_errors)
        if key == self._listed or self._tab != ROWS or seen is None:
            return
        self._listed = key
        rows = arranged(seen.rows, self._order, words, errors=self._only_errors)
        table.show_rows(rows, [(it.name, called(it)) for it in self.evaluating.plan.variants])

    @on(RowTable.Chosen)
    def _row_chosen(self) -> None:
        said = f"by {self._order}" + ", without a score only" * self._only_errors
        place = self.query_one(RowTable).place or "no row"
        self.query_one("#evaluation-order", Paragraph).say(Content(f"{said}   {place}"))

    def _show_hints(self) -> None:
        it = self.evaluating
        going: list[Hint] = []
        if it.busy:
            going = [("evaluation.leave", "stop"), ("evaluation.pause", "go on" if it.paused else "pause")]  # fmt: skip
        elif it.resumable:
            going = [("evaluation.run", "ask again" if it.state == "done" else "go on")]
        own: list[Hint] = [("evaluation.tags", "by tag")] * (self._tab == BOARD)
        if self._tab == ROWS:
            own = [("rows.open", "open"), ("evaluation.order", f"by {self._next_order}"), ("evaluation.search", "search"), ("evaluation.errors", "all rows" if self._only_errors else "without a score")]  # fmt: skip
        back: list[Hint] = [] if it.busy else [("evaluation.leave", "back")]
        keys = [key for key, _ in TABS]
        following = dict(TABS)[keys[(keys.index(self._tab) + 1) % len(keys)]].lower()
        first, own = own[:1] * (self._tab == ROWS), own[self._tab == ROWS :]
        self.query_one(KeyBar).hints = [
            *going, *first, ("evaluation.tab", following), *own, ("evaluation.rate", "rate"),
            ("evaluation.write", "report"), *back,
        ]  # fmt: skip

    # -------------------------------------------------------------------- tabs

    def _open(self, tab: str) -> None:
        self._tab = tab
        self.query_one(TabStrip).chosen = tab
        for key, _ in TABS:
            self.query_one(f"#evaluation-{key}").set_class(key == tab, "-shown")
        pane: Widget = self.query_one(RowTable) if tab == ROWS else self.query_one(f"#evaluation-{tab}")  # fmt: skip
        pane.focus()
        self.call_after_refresh(self.show)

    @on(TabStrip.Chosen)
    def _tab_chosen(self, event: TabStrip.Chosen) -> None:
        self._open(event.key)

    def action_tab(self, step: int) -> None:
        self.query_one(TabStrip).action_step(step)

    def resized(self) -> None:
        self.call_after_refresh(self.show)

    # --------------------------------------------------------------------- rows

    @property
    def _next_order(self) -> str:
        return ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]

    def action_order(self) -> None:
        self._open(ROWS)
        self._order = self._next_order
        self.show()

    def action_errors(self) -> None:
        self._only_errors = not self._only_errors or self._tab != ROWS
        self._open(ROWS)

    def action_search(self) -> None:
        self._open(ROWS)
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _typed(self) -> None:
        self._show_rows()

    @on(Input.Submitted)
    def _searched(self) -> None:
        self.query_one(RowTable).focus()

    @on(RowTable.Taken)
    def action_open_row(self) -> None:
        from .evaluated_row import EvaluatedRow

        table = self.query_one(RowTable)
        if table.chosen is not None:
            self.app.push_screen(EvaluatedRow(self.evaluating, table.items, table.chosen.place), self._row_left)  # fmt: skip

    def _row_left(self, place: int | None) -> None:
        if place is not None:
            self.query_one(RowTable).choose(place)

    def action_tags(self) -> None:
        if self._tab != BOARD:
            self._open(BOARD)
        self._by_tag = not self._by_tag
        self._show_board()
        if self._by_tag:
            pane = self.query_one("#evaluation-board")
            self.call_after_refresh(pane.scroll_end, animate=False)

    # ------------------------------------------------------------------ running

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not super().check_action(action, parameters):
            return False
        if action == "pause":
            return self.evaluating.busy
        return self.evaluating.resumable if action == "start" else True

    def action_pause(self) -> None:
        it = self.evaluating
        if it.paused:
            it.go_on()
        else:
            it.pause()
        self.show()

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_start(self) -> None:
        it, busy = self.evaluating, self._home.busy
        if busy is not None:
            self.app.notify(f"{busy.plan.suite.name} is running; stop it first.")
            return
        try:
            await self._home.check_going_on(it)
        except MISTAKES as mistake:
            self.tell_error(for_app(str(mistake)))
            return
        if await self._home.may_run(it):
            self._home.evaluate(it)
            self.show()

    async def action_leave(self) -> None:
        """Stop it; else out of the search, else back."""
        field = self.query_one(Input)
        if field.has_focus:
            field.value = ""
            self.query_one(RowTable).focus()
        elif self.evaluating.busy:
            await self._home.stop_evaluating()
            self.show()
        else:
            self.app.pop_screen()

    # -------------------------------------------------------- rating and report

    def action_rate(self) -> None:
        """Have a person judge two answers at a time, not knowing whose they are."""
        it, history = self.evaluating, self._home.history
        if history is None or it.key is None:
            self.app.notify("Only answers that are kept in the history can be rated.", timeout=3)
            return
        open_rating(self.app, history, "evaluation", it.key)

    def on_screen_resume(self) -> None:
        self.evaluating.changed()
        self.show()

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_write(self) -> None:
        if self.evaluating.seen is None or self.evaluating.busy:
            self.app.notify("There is a report once it is over or stopped.", timeout=3)
            return
        await write(self.app, of_evaluation(self.evaluating, self._home.hashes))
