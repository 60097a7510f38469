"""Textual's driver for Unix, for a terminal that may be far away or gone."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TextIO, cast

from textual.drivers.linux_driver import LinuxDriver

from .pasting import ASK, Answered

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App
    from textual.message import Message

LEAVE_S = 0.5
"""Before the terminal is left: for how long an answer is waited for, which would be typed into the
shell otherwise."""


class TtyDriver(LinuxDriver):
    """Writes to a terminal that is gone go nowhere; an answer that is due is taken before leaving."""

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._outlet = Outlet(self._file)
        self._file = cast("TextIO", self._outlet)
        self._answered = threading.Event()
        self._answered.set()

    def hang_up(self) -> None:
        """Write nothing any more."""
        self._outlet.gone = True

    def write(self, data: str) -> None:
        if data == ASK:
            self._answered.clear()
        super().write(data)

    def process_message(self, message: Message) -> None:
        if isinstance(message, Answered):
            self._answered.set()
        super().process_message(message)

    def disable_input(self) -> None:
        if not self._outlet.gone:
            self._answered.wait(LEAVE_S)
        self._answered.set()
        super().disable_input()

    def run_input_thread(self) -> None:
        try:
            super().run_input_thread()
        except OSError:  # as reading from a terminal that is gone says
            self.hang_up()
            self._loop.call_soon_threadsafe(self._app.exit)


class Outlet:
    """A terminal's file."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.gone = False

    def write(self, text: str) -> None:
        self._try(lambda: self._file.write(text))

    def flush(self) -> None:
        self._try(self._file.flush)

    def fileno(self) -> int:
        return self._file.fileno()

    def _try(self, do: Callable[[], object]) -> None:
        if self.gone:
            return
        try:
            do()
        except OSError:
            self.gone = True
