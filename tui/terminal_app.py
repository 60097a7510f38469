"""What any app of ours has of a terminal: it writes to it sparingly, asks what it has shown, copies
through it, and ends in order when it goes away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import TYPE_CHECKING, cast

from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.driver import Driver
from textual.screen import Screen

from .canvas import Canvas
from .pace import Pace
from .pasting import ASK, Answered, with_own_parser

if TYPE_CHECKING:
    from rich.console import RenderableType

    from .tty_driver import TtyDriver

BEGINNING = 2
"""So many sizes are told at first, the same: by Textual, and by the driver once it has started."""
ENDING = ("SIGHUP", "SIGTERM")
FULL_S = 0.1
"""How often is looked whether a slow line takes what is copied."""


class TerminalApp(App[None]):
    """An app in a terminal near or far."""

    def __init__(self) -> None:
        super().__init__()
        self._canvas = Canvas(plain=os.environ.get("TERM") == "linux")
        self._sizes = 0
        self.pace = Pace(self._ask)
        self._copying = asyncio.Lock()
        """What is copied first is there first."""
        self.ended_by: int | None = None
        """The signal that ended it, if one did."""

    def get_driver_class(self) -> type[Driver]:
        driver = super().get_driver_class()
        if driver.__name__ == "LinuxDriver":
            from .tty_driver import TtyDriver

            return TtyDriver
        return with_own_parser(driver)

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _: self.on_caught_up())
        if not self.is_headless:
            self._end_by_signals()

    # ---------------------------------------------------------------- drawing

    def on_resize(self) -> None:
        self._sizes += 1
        if self._sizes > BEGINNING:
            self.action_redraw()

    def action_redraw(self) -> None:
        """Write the whole screen again, whatever the terminal shows."""
        self._canvas.forget()
        self.refresh(layout=True)

    def on_caught_up(self) -> None:
        """The terminal is there again; what it was asked before, it may not have been."""
        self.pace.forget()
        self.action_redraw()

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if isinstance(renderable, (LayoutUpdate, ChopsUpdate)):
            renderable = cast("RenderableType", self._canvas.changes(renderable))
        super()._display(screen, renderable)
        self.pace.painted()

    def _ask(self) -> bool:
        if self._driver is None or self._driver.is_headless:
            return False
        self._driver.write(ASK)
        return True

    def on_answered(self, event: Answered) -> None:
        self.pace.answered()

    # --------------------------------------------------------------- clipboard

    def copy_to_clipboard(self, text: str) -> None:
        """As Textual's, also through tmux and GNU screen; says what became of the text."""
        self._clipboard = text
        self.run_worker(self._copy(text), group="copy", exit_on_error=False)

    async def _copy(self, text: str) -> None:
        from .clipboard import copy

        async with self._copying:
            sequences: list[str] = []
            said = await asyncio.to_thread(copy, text, sequences.append)
            while getattr(self._driver, "full", False):  # a slow line takes it later
                await asyncio.sleep(FULL_S)
            if self._driver is not None:
                self._driver.write("".join(sequences))
            self.notify(said, timeout=5, markup=False)

    # ------------------------------------------------------ leaving and ending

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A page in a browser has no shell below it."""
        if action == "suspend_process":
            return self._driver is not None and self._driver.can_suspend
        return super().check_action(action, parameters)

    def _end_by_signals(self) -> None:
        """Have the signals that end a program end the app, unless somebody (nohup) had them ignored."""
        loop = asyncio.get_running_loop()
        for name in ENDING:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                with contextlib.suppress(NotImplementedError):  # on Windows
                    loop.add_signal_handler(number, self._end, number)

    def _end(self, number: int) -> None:
        if self.ended_by is None:
            self.ended_by = number
            self.exit()

    def action_suspend_process(self) -> None:
        """Stop all that the shell started together, as its own key for that does."""
        if _has_shell():
            self.app_suspend_signal.publish(self)
            cast("TtyDriver", self._driver).suspend_group()
        else:
            said = "There is no shell to go back to: llamadiff was not started from one."
            self.notify(said, severity="warning", timeout=5)


def _has_shell() -> bool:
    """Whether a program of this terminal looks after this group of processes, and can wake it."""
    import psutil

    with contextlib.suppress(OSError, psutil.Error):
        for parent in psutil.Process().parents():
            if os.getsid(parent.pid) != os.getsid(0):
                return False
            if os.getpgid(parent.pid) != os.getpgrp():
                return True
    return False
