"""What a person does with the differences: views, options, from one to the next, folding."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import work

from ..widgets.output_board import OutputBoard
from .variant_actions import VariantActions

if TYPE_CHECKING:
    from ..diffing import Diffing, View
    from ..widgets.compared_text import ComparedText
    from ..widgets.output_pane import OutputPane


class DiffActions(VariantActions):
    """The part of the playground that goes through differences."""

    @property
    def board(self) -> OutputBoard:
        return self.query_one(OutputBoard)

    def show(self) -> None:
        """Show the state as it is now."""
        raise NotImplementedError

    def compare_as(self, view: View, diffing: Diffing) -> None:
        """Show differences this way from now on."""
        self.playground.view, self.playground.diffing = view, diffing
        self.show()
        pane = self.board.pane(self.playground.selected)
        if pane is not None:
            pane.walk.bring()
        if diffing.together:
            self.board.align(self.playground.selected)

    def action_diff_view(self) -> None:
        state = self.playground
        self.compare_as(state.diffing.after(state.view), state.diffing)

    def action_fold(self) -> None:
        state = self.playground
        self.compare_as(state.view, replace(state.diffing, fold=not state.diffing.fold))

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_diff_options(self) -> None:
        from .diff_options import DiffOptions

        state = self.playground
        await self.app.push_screen_wait(DiffOptions(state.view, state.diffing, self.compare_as))

    def _other_pane(self) -> OutputPane | None:
        """The pane beside the baseline's, if there is one other variant."""
        others = [name for name in self.playground.names if name != self.playground.baseline]
        pane = self.board.pane(others[0]) if len(others) == 1 else None
        return pane if pane is not None and pane.display else None

    def action_difference(self, by: int) -> None:
        state, pane = self.playground, self.board.pane(self.playground.selected)
        if pane is None:
            return
        own = state.own_before or state.selected != state.baseline
        if not own and (other := self._other_pane()) is not None:
            pane = other
        if pane.step(by):
            if state.diffing.together:
                self.board.align(pane.name or "")
        elif state.selected == state.baseline:
            keys = [
                f"{{output.{n}}}"
                for n, name in enumerate(state.names[:9], 1)
                if name != state.baseline
            ]
            to = (
                f"{' or '.join(keys)} goes to another output"
                if keys
                else "{variant.add} adds a variant"
            )
            self.app.notify(f"{state.selected} is the baseline; {to}.", timeout=4)
        elif state.view == "off":
            self.app.notify("Differences are off; {output.diff} shows them.", timeout=3)
        else:
            self.app.notify(f"{state.selected} has no difference to go to.", timeout=3)

    def on_compared_text_scrolled(self, event: ComparedText.Scrolled) -> None:
        if self.playground.diffing.together:
            self.board.follow(event.text)
