"""The playground as it was left: noted when the app is closed, and had again at the next start."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from textual import work

from ...compare.errors import MISTAKES, CompareError
from ..safe_text import safe_line
from ..widgets.output_board import OutputBoard
from ..widgets.prompt_editor import PromptEditor
from ..widgets.prompt_panel import PromptPanel
from ..widgets.variant_list import VariantList
from .history_actions import HistoryActions
from .page import Page

if TYPE_CHECKING:
    from ...compare.history.entries import Recorded
    from ...compare.history.history import History
    from ...compare.variants import Variant
    from ..app import LlamadiffApp
    from ..last_time import LastTime
    from ..reopening import Reopened


class LastActions(HistoryActions):
    """The part of the playground that goes on where the last start ended."""

    def __init__(self) -> None:
        super().__init__()
        self._last: LastTime | None = None
        """How the app was left, until its outputs are there again."""

    # ----------------------------------------------------------------- leaving

    def note_place(self) -> None:
        """Write down how the app is left."""
        from ..last_time import write

        folder, playground = self._setup.state_dir, self.playground
        if folder is not None and playground.variants and self.query(PromptPanel):
            write(folder, self._as_left())

    def _as_left(self) -> LastTime:
        from ..last_time import VERSION, LastTime, variant_out

        playground, editor = self.playground, self.query_one(PromptEditor)
        board, panel = self.query_one(OutputBoard), self.query_one(PromptPanel)
        panes = {name: board.pane(name) for name in playground.names}
        app, last = cast("LlamadiffApp", self.app), self._last
        pages = [it.PLACE for it in app.own_stack if isinstance(it, Page) and it.PLACE]
        tops = {name: pane.text.top for name, pane in panes.items() if pane and pane.text.top}
        return LastTime(
            VERSION,
            [variant_out(variant) for variant in playground.variants],
            playground.selected,
            playground.baseline,
            dict(playground.values),
            playground.seed,
            playground.exact,
            playground.repeats,
            playground.live or bool(last and last.live),
            playground.view,
            playground.diffing,
            pages[-1] if pages else "",
            panel.tab,
            editor.cursor_location,
            self._focused_part(),
            playground.newest or (last.run if last else ""),
            last.tops if last else tops,
            app.own_splits,
        )

    def _focused_part(self) -> str:
        within = self.focused.ancestors_with_self if self.focused is not None else []
        kinds = {"prompt": PromptPanel, "variants": VariantList, "outputs": OutputBoard}
        found = (part for part, kind in kinds.items() if any(isinstance(it, kind) for it in within))
        return next(found, "")

    # ------------------------------------------------------------------ coming

    async def come_back(self) -> None:
        """Have what was on the screen when the app was closed last; what the command line gives goes
        before."""
        from ..last_time import read

        folder = self._setup.state_dir
        last = None if folder is None else await asyncio.to_thread(read, folder)
        if last is None:
            return
        playground = self.playground
        if not self._setup.configured.sources.get("diff"):
            playground.view, playground.diffing = last.view, last.diffing
        cast("LlamadiffApp", self.app).own_splits = last.splits
        self.show_splits()
        if playground.variants or not last.variants:
            return
        try:
            variants, gone = await asyncio.to_thread(_variants, last)
        except MISTAKES as error:
            logging.warning("how the app was left cannot be had again: %s", error)
            return
        self._last = last
        self._have(last, variants)
        await self._show_place(last)
        if gone:
            said = safe_line(" ".join(gone))
            self.app.notify(said, severity="warning", timeout=15)

    def _have(self, last: LastTime, variants: list[Variant]) -> None:
        playground, setup = self.playground, self._setup
        playground.open(variants)
        if last.selected in playground.names:
            playground.selected = last.selected
        if last.baseline in playground.names:
            playground.baseline = last.baseline
        playground.values.put({**last.values, **setup.values})
        playground.seed = last.seed if setup.seed is None else setup.seed
        playground.exact = last.exact or setup.exact
        playground.repeats = max(1, last.repeats)

    async def _show_place(self, last: LastTime) -> None:
        """Show the screen and the place in it, unless a person went elsewhere meanwhile."""
        panel, editor = self.query_one(PromptPanel), self.query_one(PromptEditor)
        panel.tab = last.tab
        self.changed(())
        if not self.is_current or self.focused not in (None, editor):
            return
        editor.move_cursor(last.cursor)
        board = self.query_one(OutputBoard)
        match last.focus:
            case "prompt":
                panel.focus_tab()
            case "variants" if not board.narrow:
                self.query_one(VariantList).focus()
            case "outputs" | "variants":
                board.focus_pane(self.playground.selected)
            case _:
                pass
        if last.place:
            await self.app.run_action(f"app.{last.place}")

    async def bring_outputs(self) -> None:
        """Have the outputs that were shown, unless there are newer ones, and then live mode."""
        last, history = self._last, self.session.history
        if last is None:
            return
        if last.run and history is not None:
            await self._bring_outputs(last, history)
        self._last = None
        if not self._setup.configured.sources.get("live"):
            self.playground.live = last.live
            self.changed(())

    async def _bring_outputs(self, last: LastTime, history: History) -> None:
        from ...models.engine.client import EngineError

        with suppress(CompareError):
            found = await asyncio.to_thread(_reopened, last.run, history.recorded)
            with suppress(*MISTAKES, EngineError):
                await self.session.learn_variables([*self.playground.variants, *found.variants])
            if not self.playground.outputs:
                self.playground.resume(found)
                self.changed(())
                self.call_after_refresh(self._scroll_outputs, last)

    def _scroll_outputs(self, last: LastTime) -> None:
        board = self.query_one(OutputBoard)
        for name, top in last.tops.items():
            if (pane := board.pane(name)) is not None:
                pane.text.place(top, 0)

    @work(group="afresh", exclusive=True, exit_on_error=False)
    async def action_start_afresh(self) -> None:
        """Have the variants that the app opens with at first."""
        variants = await self.session.ready()
        self.workers.cancel_group(self, "run")
        self.playground.start_afresh(variants)
        self.list_changed(())


def _variants(last: LastTime) -> tuple[list[Variant], list[str]]:
    """The variants that were there, and what is to be said of their files; loads what panes need."""
    from ..last_time import variants_in
    from ..widgets import output_pane

    del output_pane
    return variants_in(last.variants)


def _reopened(run: str, read: Callable[[str], Recorded]) -> Reopened:
    """A run that was on the screen, over by now. Raises CompareError."""
    from ..reopening import reopened

    recorded = read(run)
    recorded.run.give_up()
    return reopened(recorded, read)
