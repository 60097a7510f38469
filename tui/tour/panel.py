"""The panel of the tour: which step it is, what there is to see, and what to press."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from ..widgets.lines import Line, Paragraph

GUIDED = "-guided"
"""The class of a screen with the panel: what is told for a moment stands above it."""
POINTED = "-pointed"
"""The class of what a step speaks of."""


@dataclass(frozen=True)
class Told:
    """What the panel says. `beside` is what was pressed, or how to leave."""

    title: str
    says: str
    do: str
    beside: str
    pressed: bool = False


class TourPanel(Vertical):
    """Lies above the line of keys, or below a dialog; never has the focus."""

    SCOPED_CSS = False
    DEFAULT_CSS: ClassVar[str] = f"""
    TourPanel {{
        height: auto; padding: 0 1; background: $panel; border-left: outer $accent;
        Line {{ color: $dim; }}
        #tour-says {{ height: 2; }}
        #tour-do {{ color: $accent; text-style: bold; }}
    }}
    TourPanel.-docked {{ dock: bottom; margin-bottom: 1; }}
    .{GUIDED} ToastRack {{ margin-bottom: 5; }}
    .{POINTED} {{ outline-left: outer $accent; }}
    """

    def compose(self) -> ComposeResult:
        yield Line("tour-title")
        yield Paragraph("tour-says")
        yield Paragraph("tour-do")

    def tell(self, told: Told) -> None:
        """Say this."""
        style = "bold reverse $accent" if told.pressed else "$dim"
        self.query_one("#tour-title", Line).say(
            Content.styled(told.title, "bold $foreground"), Content.styled(told.beside, style)
        )
        self.query_one("#tour-says", Paragraph).say(Content(told.says))
        self.query_one("#tour-do", Paragraph).say(Content(told.do))
