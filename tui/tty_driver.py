"""Textual's driver for Unix, for a terminal that may be far away, take nothing for a while, or be gone."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import selectors
import signal
import threading
import time
from codecs import getincrementaldecoder
from collections import deque
from typing import TYPE_CHECKING, TextIO, cast

from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from .clipboard import COPYING
from .pasting import ASK, Answered, PasteParser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import App

LEAVE_S = 3.0
"""Before the terminal is left: for how long answers are waited for, which would be typed into the
shell otherwise."""
CLOSE_S = 2.0
"""As it is left: how long it may take what was written."""
LOOK_S = 0.1
"""How often is looked whether to go on waiting for the terminal."""
WAITING = 8
"""Writes that may still wait when it is left, of the 30 that Textual lets wait."""
HELD = 16_384
"""Characters that are written at once."""


class CaughtUp(Message):
    """A terminal that took nothing for a while does again; what was to be shown meanwhile is not."""


class TtyDriver(LinuxDriver):
    """Keeps nobody waiting for a terminal, and leaves it once it has nothing more to say.

    A terminal answers in order. It is asked as the driver starts, so that it is known whether it
    answers at all, and before it is left: what it reports, and what else it was asked, comes before
    that.
    """

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._terminal = self._file
        self._open()
        self._heard = threading.Condition()
        self._due: deque[bool] = deque()
        """For each answer that is due, whether the app waits for it."""
        self._answers = False
        self._since = 0.0
        self._suspending = False

    def _open(self) -> None:
        self._outlet = Outlet(self._terminal, lambda: self.process_message(CaughtUp()))
        self._file = cast("TextIO", self._outlet)

    # ------------------------------------------------------------------ writing

    def write(self, data: str) -> None:
        """As Textual's, and never wait: what a terminal that takes nothing was to show is left out."""
        self._write(data, [True] if data == ASK else [])

    @property
    def full(self) -> bool:
        """Whether so much waits for the terminal that what is written now is left out."""
        return (writer := self._writer_thread) is not None and writer._queue.full()

    def _write(self, data: str, due: Sequence[bool] = ()) -> None:
        with self._heard:
            if self.full:
                self._outlet.owes = True
            else:
                self._due += due
                super().write(data)

    def close(self) -> None:
        """Wait for what was written; not for a terminal that does not take it."""
        writer = self._writer_thread
        if writer is None:
            return
        end = time.monotonic() + CLOSE_S
        with contextlib.suppress(queue.Full):
            writer._queue.put(None, timeout=CLOSE_S)
        writer.join(max(0.0, end - time.monotonic()))
        if writer.is_alive():
            self._hang_up()
            if not self._app._running:
                self._outlet.discard()

    # ------------------------------------------------------------------ reading

    def run_input_thread(self) -> None:
        """Give what the terminal sends to the app, until that is no more, or the terminal."""
        parser, decode = PasteParser(self._debug), getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(LOOK_S):
                    data = _read(self.fileno)
                    if not data:
                        self._hang_up()
                        self._loop.call_soon_threadsafe(self._app.exit)
                        return
                    if text := decode(data):  # none comes of a character's first bytes alone
                        for message in parser.feed(text):
                            self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)

    def process_message(self, message: Message) -> None:
        if isinstance(message, Answered):
            with self._heard:
                self._answers = True
                awaited = bool(self._due) and self._due.popleft()
                self._heard.notify_all()
            if not awaited:
                return
        super().process_message(message)

    # ----------------------------------------------------------------- its time

    def start_application_mode(self) -> None:
        self._since = time.monotonic()
        if self._outlet.gone:  # whose thread may be about to look whether it still is
            self._open()
        super().start_application_mode()
        if self._writer_thread is not None:
            self._write(ASK, [False])

    def suspend_group(self) -> None:
        """Stop all that the shell started together, as its own key for that does. The terminal is
        given back before: the shell takes it as soon as a wrapper (`uv run`, make) has stopped."""
        self.suspend_application_mode()
        self._suspending = self._must_signal_resume = True
        os.killpg(0, signal.SIGTSTP)

    def _sigtstp_application(self, *them: object) -> None:
        if self._suspending:
            self._suspending = False
            os.kill(os.getpid(), signal.SIGSTOP)
        else:
            super()._sigtstp_application(*them)

    def stop_application_mode(self) -> None:
        self._hear_out()
        super().stop_application_mode()

    def _hear_out(self) -> None:
        """Have the terminal report nothing more, and take all that it still has to say."""
        self._make_room()
        self._disable_mouse_support()
        self._disable_in_band_window_resize()
        self._write("\x1b[?1004l")  # nor where the focus is
        with self._heard:
            wait = LEAVE_S
            if self._answers:
                self._write(ASK, [False])
            else:
                wait -= time.monotonic() - self._since
            self._heard.wait_for(lambda: not self._due or self._outlet.gone, wait)
            self._due.clear()

    def _make_room(self) -> None:
        """Leave out what is still to be shown on a slow line, which nobody will see: what gives the
        terminal back has to fit. What is copied is kept."""
        writer = self._writer_thread
        if writer is None or writer._queue.qsize() < WAITING:
            return
        copied: list[str] = []
        with self._heard, contextlib.suppress(queue.Empty):
            while True:
                text = writer._queue.get_nowait()
                if text == ASK:
                    self._due.pop()
                elif text and COPYING in text:
                    copied.append(text)
        self._write("\x1b[?2026l" + "".join(copied))  # it may be in the middle of an update

    def _hang_up(self) -> None:
        """Write nothing any more."""
        with self._heard:
            self._outlet.gone = True
            self._heard.notify_all()


class Outlet:
    """A terminal's file for Textual's writer thread, which does not wait for one that is `gone`."""

    def __init__(self, file: TextIO, caught_up: Callable[[], object]) -> None:
        self._file, self._caught_up = file, caught_up
        self._fd = _opened_anew(file.fileno())
        self._held: list[str] = []
        self._size = 0
        self.gone = False
        self.owes = False
        """Whether something was left out that the terminal was to show; `caught_up` is called then."""

    def write(self, text: str) -> None:
        self._held.append(text)
        self._size += len(text)
        if self._size > HELD:
            self._send()

    def flush(self) -> None:
        self._send()
        if self.owes and not self.gone:
            self.owes = False
            self._caught_up()

    def fileno(self) -> int:
        return self._file.fileno()

    def discard(self) -> None:
        """Whatever else the program says there goes nowhere, since it would wait for ever."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)

    def _send(self) -> None:
        text, self._held, self._size = "".join(self._held), [], 0
        left = memoryview(text.encode(self._file.encoding, "replace"))
        while left and not self.gone:
            try:
                left = left[os.write(self._fd, left) :]
            except BlockingIOError:
                select.select([], [self._fd], [], LOOK_S)
            except OSError:
                self.gone = True


def _opened_anew(fd: int) -> int:
    """A terminal opened so that writing to it never waits, which others that have it do not notice;
    as it is where it cannot be opened."""
    try:
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return fd


def _read(fd: int) -> bytes:
    """What a terminal sent; nothing where it is gone."""
    try:
        return os.read(fd, 4096)
    except OSError:
        return b""
