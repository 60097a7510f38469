"""What room the playground's panes have, and one of them alone on the screen."""

from __future__ import annotations

from typing import ClassVar

from textual.widget import Widget

from ..configured_app import config_of
from ..splits import moved
from ..widgets.output_board import OutputBoard
from ..widgets.prompt_panel import PromptPanel
from ..widgets.variant_list import VariantList
from .variant_actions import VariantActions

PROMPT = 67
"""Per cent of the upper half that the prompt has at first."""
LINES, CELLS = 2, 6
"""How many lines, or cells of a column, a key gives the upper half or takes from it."""
LEAST = 6
"""Lines that a row of panes has at least."""
NARROWEST = 30
"""Cells that the column of the prompt, or the outputs beside it, have at least."""


class SplitActions(VariantActions):
    """The part of the playground that shares the screen out."""

    PANES: ClassVar[str] = "PromptPanel, #variants-panel, OutputBoard"
    STAYS: ClassVar[str] = "KeyBar, ReplyBox"

    def panes_changed(self) -> None:
        board = self.query_one(OutputBoard)
        board.alone = self.zoomed is board
        board.set_class(board.alone, "-alone")
        board.show()
        hidden = self.zoomed is None and self.has_class("-narrow")
        if hidden and self.query_one(VariantList).has_focus:
            board.focus_pane(self.playground.selected)

    def action_variants(self) -> None:
        """To the list of variants; where it is not shown, it has the screen for itself."""
        if self.has_class("-narrow") or self.zoomed is not None:
            self.zoom(self.query_one("#variants-panel"))
        self.query_one(VariantList).focus()

    # ------------------------------------------------------------------ splits

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action not in ("widen", "heighten", "even"):
            return super().check_action(action, parameters)
        if not self.is_mounted:
            return False
        beside = len(self.query_one(OutputBoard).in_view) > 1
        if action == "widen" and isinstance(self._meant, OutputBoard):
            return beside
        return self._shared or (action == "even" and beside)

    @property
    def _shared(self) -> bool:
        """Whether the prompt, the variants and the outputs are all on the screen."""
        return self.zoomed is None and not self.has_class("-narrow")

    def show_splits(self) -> None:
        upper, prompt = self.query_one("#upper"), self.query_one(PromptPanel)
        variants, splits = self.query_one("#variants-panel"), self.splits
        columns = self.has_class("-columns")
        upper.styles.width = upper.styles.height = None
        if self._shared and splits.higher:
            if columns:
                most = self.size.width - NARROWEST
                cells = self._column + CELLS * splits.higher
                upper.styles.width = max(NARROWEST, min(most, cells))
            else:
                most = self.size.height - 2 * LEAST
                upper.styles.height = max(LEAST, min(most, self._lines + LINES * splits.higher))
        parts = (
            (splits.prompt, 100 - splits.prompt) if splits.prompt and self._shared else (None, None)
        )
        for pane, part in zip((prompt, variants), parts, strict=True):
            size = None if part is None else f"{part}fr"
            pane.styles.width = None if columns else size
            pane.styles.height = size if columns else None
        board = self.query_one(OutputBoard)
        board.shares = splits.outputs
        board.show()

    @property
    def _lines(self) -> int:
        """How high the upper half is at first, as in the style sheet."""
        usual = 11 if config_of(self).compact else 13
        return 9 if self.has_class("-low") else usual

    @property
    def _column(self) -> int:
        """How wide the column of the prompt is at first, as in the style sheet."""
        return round(0.36 * self.size.width)

    def action_widen(self, by: int) -> None:
        pane = self._meant
        if isinstance(pane, OutputBoard):
            self.splits.widen_output(self.playground.selected, by)
        else:
            sign = 1 if isinstance(pane, PromptPanel) else -1
            self.splits.prompt = moved(self.splits.prompt or PROMPT, sign * by)
        self.show_splits()

    @property
    def _meant(self) -> Widget:
        """The pane that is given more or less."""
        return self.pane_of(self.focused) or self.query_one(OutputBoard)

    def action_heighten(self, by: int) -> None:
        """Give the half with the focus, the upper or the lower one, more lines, or with -1 less."""
        sign = -1 if self._among_outputs(self.focused) else 1
        before = self._upper_size
        self.splits.higher += sign * by
        self.show_splits()
        if self._upper_size == before:
            self.splits.higher -= sign * by

    @property
    def _upper_size(self) -> object:
        styles = self.query_one("#upper").styles
        return styles.width, styles.height

    def _among_outputs(self, widget: Widget | None) -> bool:
        return isinstance(self.pane_of(widget), OutputBoard)

    def action_even(self) -> None:
        splits = self.splits
        splits.higher, splits.prompt = 0, None
        splits.outputs.clear()
        self.show_splits()
