"""The first screen: a prompt, its variants, and what each of them says."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.events import DescendantFocus, Resize
from textual.timer import Timer

from ..collecting import leave_out
from ..configured_app import config_of
from ..key_names import line_of_keys
from ..safe_text import safe_line
from ..session import Session
from ..widgets.key_bar import KeyBar
from ..widgets.lines import FittedLine, Line
from ..widgets.output_board import OutputBoard
from ..widgets.prompt_editor import PromptEditor
from ..widgets.prompt_panel import RENDERED, PromptPanel
from ..widgets.reply_box import ReplyBox
from ..widgets.top_bar import TopBar
from ..widgets.variant_list import VariantList, VariantRow
from ..widgets.welcome import Welcome
from .diff_actions import DiffActions
from .hints import hints_of
from .last_actions import LastActions
from .lens_actions import LensActions
from .noise_actions import NoiseActions
from .prompt_actions import PromptActions
from .split_actions import SplitActions
from .sweep_actions import SweepActions
from .talk_actions import TalkActions
from .tune_actions import TuneActions

if TYPE_CHECKING:
    from ...compare.variants import Variant
    from ...prompts.document import Prompt
    from ..app import LlamadiffApp
    from ..setup import Setup

_LIST_HINT = (
    "{variant.add} add  {variant.adapters} adapters  {prompt.pick} prompt  {variant.remove}"
)
LIVE_PAUSE_S = 0.4
PREVIEW_PAUSE_S = 0.025
WIDE, HIGH = 100, 32
"""From here on outputs stand side by side, and the upper half is high."""
COLUMNS = 180
"""From here on the prompt and the variants stand in a column beside the outputs."""


class Playground(
    SplitActions,
    LastActions,
    NoiseActions,
    LensActions,
    SweepActions,
    TuneActions,
    DiffActions,
    TalkActions,
    PromptActions,
):
    """Prompt, variants and outputs at once; below 100 columns one output at a time."""

    AUTO_FOCUS: ClassVar[str | None] = ""

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        self._setup = setup
        self.session = Session(setup, self._session_changed, self._trouble)
        self._flushes: Timer | None = None
        self._preview_pause: Timer | None = None
        self._live_pause: Timer | None = None
        self._pending: set[str] = set()
        self._opened = False
        """Whether all that a run is made of is there: variants, drafts, the outputs of the last time."""
        self._run_asked = False
        """Whether a run was asked for before that."""

    def compose(self) -> ComposeResult:
        yield TopBar()
        yield Welcome(self._setup.state_dir)
        with Container(id="panes"):
            with Container(id="upper"):
                yield PromptPanel(self._prompt_edited, self._value_changed)
                with Vertical(id="variants-panel"):
                    yield Line("variants-head")
                    yield VariantList()
                    yield FittedLine(classes="variants-hint")
            yield OutputBoard(self.session.playground)
        yield ReplyBox()
        yield KeyBar()

    def on_mount(self) -> None:
        self._flushes = self.set_interval(1 / config_of(self).repaints, self._flush, pause=True)
        self.query_one("#variants-head", Line).say(Content("Variants"), Content("scale"))
        hint = Content(line_of_keys(self, _LIST_HINT))
        self.query_one(".variants-hint", FittedLine).say([hint.append(" remove"), hint])
        self.show()
        self.call_after_refresh(self._begin)

    async def on_unmount(self) -> None:
        self.keep_drafts()
        if (cut := self.cut_off) is not None:
            cast("LlamadiffApp", self.app).unfinished = cut
        await self.stop_evaluating()
        await self.break_off()
        await self.session.close()

    def _begin(self) -> None:
        leave_out(self.app)
        if not self.board.narrow:
            self.query_one(PromptPanel).focus_tab()
        self.run_worker(self._open(), group="open", exit_on_error=False)

    async def _open(self) -> None:
        await self.come_back()
        await self.session.choose()
        await self.begin_drafts(self.query_one(PromptEditor))
        self._pending.clear()  # drafts of the last time are there; running them is the person's
        await self.bring_outputs()
        self._opened = True
        self.focus_first()
        if self._run_asked:
            self.start()
        await self.session.open()
        leave_out(self.app)
        self.changed(())

    def focus_first(self) -> None:
        """Have the focus where it is at first; later it is the person's."""
        if self.board.narrow and self.focused is None:
            self.board.focus_pane(self.playground.selected)

    # ---------------------------------------------------------------- showing

    def show(self) -> None:
        """Show the state as it is now."""
        playground = self.playground
        variant = playground.current
        self.query_one(TopBar).status = self.session.status
        if variant is not None:
            prompt = variant.prompt
            rows = [
                (v, playground.values.of(variant, v)) for v in playground.values.variables(prompt)
            ]
            self.query_one(PromptPanel).show(
                prompt,
                rows,
                document=playground.documents.of(variant),
                state=playground.documents.unsaved(variant),
                drafted=playground.documents.drafted(variant),
                shared_by=playground.documents.sharing(variant),
                missing=playground.values.missing(variant),
                unused=playground.values.unused(prompt),
            )
        self._show_variants()
        self.board.sync()
        self.show_hints()
        self.judge_soon()

    def _show_variants(self) -> None:
        playground = self.playground
        models = {variant.model for variant in playground.variants}
        variants = self.query_one(VariantList)
        variants.rows = [
            VariantRow(
                name=variant.name,
                title=safe_line(variant.short_title),
                stack="+".join(adapter.name for adapter in variant.adapters)
                or (variant.model_name if len(models) > 1 else "base"),
                scale=variant.adapters[-1].scale if variant.adapters else None,
                baseline=variant.name == playground.baseline,
                stale=playground.stale(variant.name),
            )
            for variant in playground.variants
        ]
        variants.selected = playground.selected

    def show_hints(self) -> None:
        """Say in the bottom line which keys matter where the focus is."""
        self.query_one(KeyBar).hints = hints_of(self)

    def on_resize(self, event: Resize) -> None:
        width, height = event.size
        self.board.narrow = width < WIDE
        self.set_class(self.board.narrow, "-narrow")
        self.set_class(height < HIGH, "-low")
        self.set_class(width >= COLUMNS and height >= HIGH, "-columns")
        self.tell_too_small()
        self.show_splits()
        self.board.show()
        self.show_hints()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        self.show_hints()

    def _session_changed(self) -> None:
        if not (bars := self.query(TopBar)):  # what follows a run may end after the app was closed
            return
        bars.first().status = self.session.status
        if self.playground.names != [row.name for row in self.query_one(VariantList).rows]:
            self.show()
        if not self.session.running and self._flushes is not None:
            self._flushes.pause()
            self.board.flush()
            self.show_hints()
            self.judge_soon()

    def _flush(self) -> None:
        pace = cast("LlamadiffApp", self.app).pace
        if pace.ready:
            self.board.flush(one=pace.slow)
            pace.drawn()

    def _trouble(self, sentence: str) -> None:
        self.app.notify(sentence, severity="error", timeout=8)

    def tell_mistake(self, sentence: str) -> None:
        self._trouble(sentence)

    # -------------------------------------------------------- changes and runs

    def changed(self, names: Iterable[str], *, at_once: bool = False) -> None:
        """These variants ask something else now: show it, preview it, and in live mode run it.

        `at_once` is for changes that leave the prompts as they are: those not waiting for a
        preview already are run without one.
        """
        names = set(names)
        live = at_once and self.playground.live
        ready = names - self._pending - self.playground.talk.held if live else set[str]()
        self._pending |= names - ready
        self.keep_soon()
        self.show()
        for pause in (self._preview_pause, self._live_pause):
            if pause is not None:
                pause.stop()
        if ready:
            self.start(ready)
        self._preview_pause = self.set_timer(PREVIEW_PAUSE_S, self._settled)
        self._live_pause = (
            self.set_timer(LIVE_PAUSE_S, self._live) if self.playground.live else None
        )

    def list_changed(self, names: Iterable[str]) -> None:
        held = self.board.has_focus_within
        self.changed(names)
        self.run_worker(self.session.stop_unseen(), group="unseen", exit_on_error=False)
        if held:
            self.board.focus_pane(self.playground.selected)

    def _settled(self) -> None:
        """A person has paused: preview the prompt. A preview under way is given up for it."""
        self.run_worker(self._preview, group="preview", exclusive=True, exit_on_error=False)

    def _live(self) -> None:
        """A person has paused for longer: run what waits and is well."""
        self.run_worker(self._run_pending, group="live", exclusive=True, exit_on_error=False)

    async def _preview(self) -> None:
        panel, variant = self.query_one(PromptPanel), self.playground.current
        if variant is None:
            return
        preview = await self.session.preview(variant)
        if isinstance(preview, str):
            panel.show_problem(preview)
        else:
            panel.show_preview(preview)
        if not self.playground.live:
            self._pending.clear()
        self.show()

    async def _run_pending(self) -> None:
        """Run what waits and can be run; the rest goes on waiting."""
        well: dict[tuple[Prompt, Path], bool] = {}
        for variant in [v for v in self.playground.variants if v.name in self._pending]:
            if _asks(variant) not in well:
                preview = await self.session.preview(variant)
                well[_asks(variant)] = not isinstance(preview, str) and preview.fits
        if self.looking:
            return
        waiting = [v for v in self.playground.variants if v.name in self._pending]
        ready = {v.name for v in waiting if well.get(_asks(v))} - self.playground.talk.held
        self._pending = {v.name for v in waiting} - ready
        if ready:
            self.start(ready)

    def start(self, names: Iterable[str] | None = None, reply: str | None = None) -> None:
        run = self.session.begin(names, reply)
        if run is None or self._flushes is None:
            return
        self.app.clear_notifications()
        self.query_one(Welcome).over()
        self.run_worker(
            partial(self.session.carry_out, run), group="run", exclusive=True, exit_on_error=False
        )
        self._flushes.resume()
        self._show_variants()
        self.board.show()
        self.show_hints()

    def action_run(self) -> None:
        self._pending.clear()
        self._run_asked = True
        if self._opened:
            self.start()

    async def action_stop(self) -> None:
        if self.session.running:
            if not await self.session.stop():
                self.workers.cancel_group(self, "run")
        elif self.query_one(PromptPanel).has_focus_within:
            self.board.focus_pane(self.playground.selected)

    def action_live(self) -> None:
        playground = self.playground
        playground.live = not playground.live
        self.changed(name for name in playground.names if playground.stale(name))

    def action_exact(self) -> None:
        self.playground.exact = not self.playground.exact
        self.changed(self.playground.names)

    # ------------------------------------------------------------------ events

    def _prompt_edited(self, prompt: Prompt) -> None:
        self.changed(self.playground.edit_prompt(prompt))

    @on(PromptPanel.TabChanged)
    def _tab_changed(self, event: PromptPanel.TabChanged) -> None:
        if event.key == RENDERED:
            self._settled()

    def _value_changed(self, name: str, value: str) -> None:
        if changed := self.playground.give_value(name, value):
            self.changed(changed)

    @on(VariantList.Selected)
    def _row_selected(self, event: VariantList.Selected) -> None:
        self.select(event.name)

    @on(OutputBoard.PaneChosen)
    def _pane_chosen(self, event: OutputBoard.PaneChosen) -> None:
        self.select(event.name)
        if self.board.single:
            self.board.focus_pane(event.name)

    @on(OutputBoard.UnifiedChosen)
    def _unified_chosen(self, event: OutputBoard.UnifiedChosen) -> None:
        self.playground.view = "unified" if event.on else self.playground.diffing.unit
        self.show()

    def select(self, name: str) -> None:
        """Select a variant: its prompt is edited, its pane stands out."""
        if name != self.playground.selected:
            self.playground.selected = name
            self.changed(())

    # ------------------------------------------------------------------- moves

    def action_edit(self) -> None:
        panel = self.query_one(PromptPanel)
        if panel.tab == RENDERED:
            panel.open_tab("user")
        panel.focus_tab()

    def action_next_tab(self) -> None:
        self.query_one(PromptPanel).next_tab()

    def action_pane(self, number: int) -> None:
        names = self.playground.names
        if number <= len(names):
            self.select(names[number - 1])
            self.call_after_refresh(self.board.focus_pane, names[number - 1])

    def action_next_pane(self) -> None:
        self._step(1)

    def action_previous_pane(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        """Go to the next output where one is shown at a time, else to the next thing at all."""
        if self.board.single and self.board.has_focus_within:
            self.board.step(by)
        elif by > 0:
            self.focus_next()
        else:
            self.focus_previous()


def _asks(variant: Variant) -> tuple[Prompt, Path]:
    """What a preview depends on."""
    return variant.prompt, variant.model
