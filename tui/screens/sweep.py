"""The sweep: one variant over the values of a setting, as curves and as what it said at each."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static
from textual.worker import Worker

from ...compare.errors import MISTAKES
from ...compare.run import State
from ...compare.variants import Variant
from ...models.engine.client import EngineError
from ..configured_app import config_of
from ..diffing import View, view_name
from ..key_names import with_keys
from ..keys import SWEEP_SCREEN_KEYS
from ..safe_text import safe_line
from ..sentences import for_app
from ..session import Session
from ..sweep_lines import pane_state, row, status_of, write_sweep
from ..sweep_words import ABOUT, axis_of, first_axis, repeats_of, told
from ..sweeping import FIRST, OWN, Sweeping, Taken
from ..widgets.curve_plot import CurvePlot
from ..widgets.key_bar import Hint, KeyBar
from ..widgets.lines import Line
from ..widgets.output_pane import OutputPane
from ..widgets.safe_input import SafeInput
from ..widgets.sweep_field import SweepField
from ..widgets.sweep_table import SweepTable
from ..widgets.tab_strip import TabStrip
from .page import Page
from .styles import styles

if TYPE_CHECKING:
    from ..app import LlamadiffApp


class SweepScreen(Page[Taken]):
    """Gives the value to go on with, if one was chosen. It opens with `sweeping`, if that is given."""

    DEFAULT_CSS = styles("sweep.tcss")
    PANES: ClassVar[str] = "#sweep-left, OutputPane"
    BINDINGS: ClassVar[list[BindingType]] = [*SWEEP_SCREEN_KEYS]
    AUTO_FOCUS: ClassVar[str | None] = ""
    LATER = "In the list of values ({sweepfield.down})"

    def __init__(self, session: Session, variant: Variant, sweeping: Sweeping | None) -> None:
        super().__init__()
        self.sweeping = sweeping
        self._session = session
        self._variant = variant
        self._curve = ""
        """The key of the curve that is drawn, once one was chosen."""
        self._against = FIRST
        self._view: View = session.playground.view
        self._text = 0
        """Which of the distinct outputs of a value is shown."""
        self._work: Worker[None] | None = None
        self._scored = 0
        self._measuring = asyncio.Lock()
        self._flushes: Timer | None = None

    def compose(self) -> ComposeResult:
        axis = self.sweeping.typed if self.sweeping else first_axis(self._variant)
        repeats = self.sweeping.repeats if self.sweeping else 1
        yield Line("sweep-title")
        with Horizontal(id="sweep-head"):
            yield Static("over", markup=False)
            yield SweepField(self._variant, axis, "sweep-field")
            yield Static("runs each", markup=False)
            yield SafeInput(str(repeats), id="sweep-repeats", compact=True, type="integer")
        yield Static(id="sweep-told", markup=False)
        yield Static(with_keys(self, ABOUT), id="sweep-about", markup=False)
        with Horizontal(id="sweep-body"):
            with Vertical(id="sweep-left"):
                yield TabStrip()
                yield CurvePlot()
                yield SweepTable()
            yield OutputPane("sweep-output")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(TabStrip).can_focus = False
        self._flushes = self.set_interval(1 / config_of(self).repaints, self._flush, pause=True)
        (self.table if self.sweeping else self.query_one(SweepField)).focus()
        if self.sweeping is not None:
            self.sweeping.look_around()
            self._begin(self._figure(self.sweeping))
        self._show()

    @property
    def table(self) -> SweepTable:
        return self.query_one(SweepTable)

    # ---------------------------------------------------------------- sweeping

    @on(Input.Submitted)
    def action_start(self) -> None:
        try:
            typed = self.query_one(SweepField).value
            axis = axis_of(typed, self._variant)
            repeats = repeats_of(self.query_one("#sweep-repeats", Input).value)
            sweeping = Sweeping(self._session, self._variant, axis, repeats, typed)
        except MISTAKES as error:
            self._say(for_app(str(error)), "$error")
            return
        old, self.sweeping = self.sweeping, sweeping
        if old is not None:
            sweeping.expect_as(old)
        self.table.at = self._text = 0
        self.table.focus()
        self._say("")
        self._begin(self._sweep(sweeping))

    def _begin(self, work: object) -> None:
        assert asyncio.iscoroutine(work)
        self._work = self.run_worker(work, group="sweep", exclusive=True, exit_on_error=False)
        if self._flushes is not None:
            self._flushes.resume()
        self._show()

    async def _sweep(self, sweeping: Sweeping) -> None:
        await self._session.carry_out(sweeping.run)
        await self._figure(sweeping)

    async def _figure(self, sweeping: Sweeping) -> None:
        await self._measure(sweeping)
        if all(it.state is State.DONE for it in sweeping.run.outputs):
            await self._score(sweeping)

    async def _measure(self, sweeping: Sweeping) -> None:
        async with self._measuring:
            sweeping.take(await asyncio.to_thread(sweeping.measured))
        self._show()

    async def _score(self, sweeping: Sweeping) -> None:
        self._scored = 0
        try:
            await sweeping.score(self._score_came)
        except (*MISTAKES, EngineError) as error:
            self._say(for_app(str(error)), "$error")

    def _score_came(self, count: int) -> None:
        self._scored = count
        self._show()

    def _flush(self) -> None:
        pace, sweeping = cast("LlamadiffApp", self.app).pace, self.sweeping
        if sweeping is not None and sweeping.unmeasured and not self._measuring.locked():
            self.run_worker(self._measure(sweeping), group="measure", exit_on_error=False)
        if pace.ready:
            self._show()
            pace.drawn()

    @property
    def leaving(self) -> str:
        if not self._unfinished or self.sweeping is None:
            return ""
        return f"{self.sweeping.over} are done; leaving stops the others."

    @property
    def _busy(self) -> bool:
        return self._work is not None and self._work.is_running

    @property
    def _unfinished(self) -> bool:
        return self._busy and self.sweeping is not None and not self.sweeping.run.over

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.worker is self._work and not self._busy:
            if self._flushes is not None:
                self._flushes.pause()
            self._show()

    # ----------------------------------------------------------------- showing

    def _show(self) -> None:
        """Show all as it is by now; cheap where nothing is new."""
        if not self.is_attached:
            return
        sweeping = self.sweeping
        title = f"{self._variant.name} {self._variant.title}"
        state, style = status_of(sweeping, busy=self._busy, scored=self._scored)
        self.query_one("#sweep-title", Line).say(
            Content.assemble(("llamadiff", "bold $primary"), "  Sweep  ", (safe_line(title), "bold")),
            Content.styled(state, style),
        )  # fmt: skip
        self.query_one("#sweep-about").display = sweeping is None
        self.query_one("#sweep-body").display = sweeping is not None
        self._show_head()
        if sweeping is not None:
            self._show_curves(sweeping)
            self._show_output(sweeping, self.query_one(OutputPane))
        self._show_hints()

    def _show_head(self) -> None:
        """Show the field, where there is room or it is typed in."""
        room = self.sweeping is None or not self.has_class("-narrow")
        self.query_one("#sweep-head").display = room or isinstance(self.focused, Input)

    def _show_curves(self, sweeping: Sweeping) -> None:
        curves = sweeping.curves
        keys = [it.key for it in curves]
        drawn = keys.index(self._curve) if self._curve in keys else 0
        strip = self.query_one(TabStrip)
        tabs = [(it.key, it.name) for it in curves]
        if strip.tabs != tabs:
            strip.tabs = tabs
        strip.chosen = keys[drawn]
        axis = sweeping.axis
        several = sweeping.repeats > 1
        head = (safe_line(axis.name), *(it.short for it in curves), *(["texts"] if several else []))
        fill = partial(with_keys, self)
        rows = [row(sweeping, number, curves, fill) for number in range(len(axis.values))]
        self.table.show(head, rows, drawn)
        self.query_one(CurvePlot).show(curves[drawn], axis.name, axis.values, self.table.at)

    def _show_output(self, sweeping: Sweeping, pane: OutputPane) -> None:
        narrow, diffing = self.has_class("-narrow"), self._session.playground.diffing
        number, against = self.table.at, self._against
        self._text = min(self._text, len(sweeping.groups(number)) - 1)
        pane.show(
            pane_state(
                sweeping, number, self._text, against, view=self._view,
                diffing=diffing, narrow=narrow,
            )
        )  # fmt: skip
        pane.flush()

    def _show_hints(self) -> None:
        back: Hint = ("sweep.leave", "stop" if self._busy else "back")
        if isinstance(self.focused, Input):
            self.query_one(KeyBar).hints = [
                ("sweepfield.run", "run"), ("sweepfield.complete", "complete"), back,
                *([("sweepfield.down", "values")] if self.sweeping else []),
            ]  # fmt: skip
            return
        sweeping = self.sweeping
        several: list[Hint] = [("sweep.left sweep.right", "its outputs")]
        scored: list[Hint] = [("sweep.expected", "expected"), ("sweep.own", "own text")]
        self.query_one(KeyBar).hints = [
            ("values.take", "add variant"), ("lines.up lines.down", "value"), ("sweep.curve", "curve"), back,
            *(several if sweeping and sweeping.repeats > 1 else []),
            ("sweep.against", f"against {self._against}"), ("sweep.diff", f"diff: {view_name(self._view)}"),
            ("sweep.edit", "other values"),
            *(scored if sweeping and sweeping.scores else []), ("sweep.write", "write"),
        ]  # fmt: skip

    def _say(self, sentence: str, style: str = "$dim") -> None:
        """Say this below the field; an empty sentence says what is in the field while it is typed."""
        if not sentence and isinstance(self.focused, Input):
            sentence = told(self.query_one(SweepField).value, self._variant)
        line = self.query_one("#sweep-told", Static)
        line.display = bool(sentence)
        line.update(Content.styled(safe_line(with_keys(self, sentence)), style))

    @on(Input.Changed)
    def _typed(self) -> None:
        self._say("")

    def on_descendant_focus(self) -> None:
        self._show_head()
        self._say("")
        self._show_hints()

    def resized(self) -> None:
        self._show()

    # -------------------------------------------------------------------- keys

    @on(SweepTable.Chosen)
    def _value_chosen(self) -> None:
        self._text = 0
        self._show()

    @on(CurvePlot.Chosen)
    def _point_chosen(self, event: CurvePlot.Chosen) -> None:
        self.table.move(event.number - self.table.at)

    @on(TabStrip.Chosen)
    def _curve_chosen(self, event: TabStrip.Chosen) -> None:
        self._curve = event.key
        self._show()

    def action_curve(self, step: int) -> None:
        self.query_one(TabStrip).action_step(step)

    def action_against(self) -> None:
        if self.sweeping is not None:
            kinds = self.sweeping.bases
            self._against = kinds[(kinds.index(self._against) + 1) % len(kinds)]
            self._show()

    def action_diff_view(self) -> None:
        self._view = self._session.playground.diffing.after(self._view)
        self._show()

    def action_difference(self, by: int) -> None:
        if self.sweeping is not None and not self.query_one(OutputPane).step(by):
            self.app.notify("There is no difference to go to.", timeout=3)

    def action_step(self, step: int) -> None:
        if self.sweeping is not None:
            self._text = (self._text + step) % len(self.sweeping.groups(self.table.at))
            self._show()

    def action_expected(self) -> None:
        sweeping = self.sweeping
        if sweeping is None or not self._can_score(sweeping):
            return
        if not sweeping.texts:
            self.action_own_text()
            return
        texts = sweeping.texts
        at = texts.index(sweeping.expected) if sweeping.expected in texts else -1
        self._expect(sweeping, texts[(at + 1) % len(texts)])

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_own_text(self) -> None:
        from .lens_text import LensText

        sweeping = self.sweeping
        if sweeping is None or not self._can_score(sweeping):
            return
        text = await self.app.push_screen_wait(LensText(sweeping.own))
        if text is not None:
            self._expect(sweeping, OWN, text)

    def _can_score(self, sweeping: Sweeping) -> bool:
        if not sweeping.scores:
            said = (
                f"{sweeping.axis.name} leaves the model's mind as it is: no text becomes likelier."
            )
            self.app.notify(said, timeout=5)
        return sweeping.scores

    def _expect(self, sweeping: Sweeping, name: str, own: str = "") -> None:
        """Have another expected text; it is scored once the sweep has run."""
        sweeping.expect(name, own)
        self._curve = "mean_logprob"
        if self._unfinished or not sweeping.unscored:
            self._show()
        else:
            self._begin(self._score(sweeping))

    def action_edit(self) -> None:
        self.query_one("#sweep-head").display = True
        self.query_one(SweepField).focus()

    def action_to_values(self) -> None:
        if self.sweeping is not None:
            self.table.focus()

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_write(self) -> None:
        sweeping = self.sweeping
        if sweeping is None or self._unfinished:
            self.app.notify("There is nothing to write before the sweep is over.", timeout=3)
            return
        write = partial(write_sweep, sweeping, sweeping.curves)
        await self.write_figures("the figures", "sweep.json", write)

    def action_take(self) -> None:
        sweeping = self.sweeping
        if sweeping is None:
            return
        if self._unfinished:
            self.app.notify("The sweep still runs; {sweep.leave} stops it.", timeout=3)
            return
        self.dismiss(sweeping.taken(self.table.at, self._text))

    async def action_leave(self) -> None:
        sweeping = self.sweeping
        if self._busy and self._work is not None:
            if not (self._unfinished and sweeping and await self._session.stop_run(sweeping.run)):
                self._work.cancel()
        elif isinstance(self.focused, Input) and sweeping is not None:
            self.query_one(SweepField).value = sweeping.typed
            self.query_one("#sweep-repeats", Input).value = str(sweeping.repeats)
            self.table.focus()
        else:
            self.dismiss(None)
