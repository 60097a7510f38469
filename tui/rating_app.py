"""Blind rating by itself: the rating screen without the rest of the app behind it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from .configured_app import ConfiguredApp
from .keys import APP_KEYS
from .screens.rate import Rate

if TYPE_CHECKING:
    from ..compare.history.history import History
    from ..compare.history.ratings import Rated
    from .config.reading import Configured


class RatingApp(ConfiguredApp):
    """Rates one evaluation or run, and ends when its rater leaves."""

    TITLE = "llamadiff"
    CSS_PATH = Path(__file__).parent / "screens" / "playground.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        binding for binding in APP_KEYS if binding.id in ("app.help", "app.quit")
    ]

    def __init__(self, history: History, what: Rated, rater: str, configured: Configured) -> None:
        super().__init__(configured)
        self._rate = Rate(history, what, rater)

    def on_mount(self) -> None:
        self.push_screen(self._rate, lambda _: self.exit())

    def action_help(self) -> None:
        from .screens.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.pop_screen()
        else:
            self.push_screen(HelpScreen.about(self.screen))
