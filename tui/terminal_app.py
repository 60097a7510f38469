"""What any app of ours has of a terminal: it writes to it sparingly, and asks what it has shown."""

from __future__ import annotations

from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App, RenderableType
from textual.driver import Driver
from textual.screen import Screen

from .canvas import Canvas
from .pace import Pace
from .pasting import ASK, Answered, with_own_parser


class TerminalApp(App[None]):
    """An app in a terminal near or far."""

    def __init__(self) -> None:
        super().__init__()
        self._canvas = Canvas()
        self.pace = Pace(self._ask)

    def get_driver_class(self) -> type[Driver]:
        return with_own_parser(super().get_driver_class())

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _: self._canvas.forget())

    def on_resize(self) -> None:
        self._canvas.forget()

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if isinstance(renderable, (LayoutUpdate, ChopsUpdate)):
            renderable = self._canvas.changes(renderable)
        super()._display(screen, renderable)
        self.pace.painted()

    def _ask(self) -> bool:
        if self._driver is None or self._driver.is_headless:
            return False
        self._driver.write(ASK)
        return True

    def on_answered(self, event: Answered) -> None:
        self.pace.answered()
