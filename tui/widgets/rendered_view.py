"""The prompt as the model will see it, in three layers: messages, text, tokens."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from ..keys import RENDERED_KEYS
from .output_text import Mark, OutputText
from .rendered_layers import Layer, draw

if TYPE_CHECKING:
    from ...compare.preview import Preview


class RenderedView(OutputText):
    """Shows a preview, one layer at a time; only what is on the screen is drawn.

    Special tokens of the template are reversed, those written in a message underlined too; text
    that only looks like one is underlined. Every other token is shaded.
    """

    HELP = (
        "What the model will see: the chat with its values filled in, the text that its template "
        "makes of it, and the tokens. Special tokens are reversed; one that stands in a message of "
        "yours is underlined too, and so is text that only looks like one."
    )
    BINDINGS: ClassVar[list[BindingType]] = [*RENDERED_KEYS]

    def __init__(self) -> None:
        super().__init__()
        self.chosen: Layer = "chat"
        self.ids = False
        self._preview: Preview | None = None
        self._drawn: tuple[object, ...] = ()

    def show_preview(self, preview: Preview) -> None:
        """Show what the model would be given; made ready when it can be seen."""
        self._preview = preview
        self._draw_layer()

    def show_problem(self, sentence: str) -> None:
        """Show why there is no preview."""
        self._preview, self._drawn = None, ()
        self.workers.cancel_group(self, "draw")
        self.show(sentence, [Mark(0, len(sentence), "problem")])

    def on_show(self) -> None:
        self._draw_layer()

    def on_resize(self) -> None:
        super().on_resize()
        self._draw_layer()

    def action_layer(self, layer: Layer) -> None:
        """Show another layer."""
        self.chosen = layer
        self._draw_layer()

    def action_ids(self) -> None:
        """Show the ids of the tokens, or hide them again."""
        self.ids = self.chosen != "tokens" or not self.ids
        self.chosen = "tokens"
        self._draw_layer()

    def _draw_layer(self) -> None:
        if self._preview is not None and self.display and self.size.width:
            work = partial(self._show_layer, self._preview, self._wrap_width())
            self.run_worker(work, group="draw", exclusive=True, exit_on_error=False)

    async def _show_layer(self, preview: Preview, width: int) -> None:
        """Draw a layer behind the scenes, then show it; a newer call takes the place of this."""
        layer, ids = self.chosen, self.ids
        if self._drawn == (preview, layer, ids, width):
            return
        drawing = await asyncio.to_thread(draw, preview, layer, ids=ids, width=width)
        turned = self._drawn[1:3] not in ((), (layer, ids))
        self._drawn = (preview, layer, ids, width)
        self.show(drawing.text, drawing.marks, lines=drawing.lines, width=width)
        if turned:
            self.scroll_home(animate=False)
