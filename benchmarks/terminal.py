"""A program in a pseudo-terminal, watched as a person would: what appears, and when."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence

STATUS = b"\x1b[5n"
"""What a program asks a terminal with whether it is well (DSR); any terminal answers."""


class Terminal:
    """Runs `argv` in a pty of `columns` × `rows`; `seen` collects every byte it wrote."""

    def __init__(
        self,
        argv: Sequence[str],
        columns: int = 120,
        rows: int = 40,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.seen = bytearray()
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(argv[0], list(argv), {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": str(columns), "LINES": str(rows), **(env or {})})  # fmt: skip
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, keys: str) -> float:
        """Press keys; the time they were pressed."""
        os.write(self.fd, keys.encode())
        return time.perf_counter()

    def send_all(self, text: str) -> None:
        """Send more than a pty holds, reading meanwhile."""
        data, at = text.encode(), 0
        while at < len(data):
            readable, writable, _ = select.select([self.fd], [self.fd], [])
            if readable:
                self._read()
            if writable:
                at += os.write(self.fd, data[at : at + 1024])

    def wait_for(self, text: str, timeout_s: float = 60, start: int | None = None) -> float:
        """The time at which `text` had appeared, looking from byte `start` on (now, by default)."""
        wanted, begin = text.encode(), len(self.seen) if start is None else start
        return self.wait(lambda: wanted in self.seen[begin:], timeout_s, text)

    def wait(self, condition: Callable[[], object], timeout_s: float, what: str) -> float:
        """Read until `condition` holds; raises TimeoutError, EOFError when the program ended."""
        end = time.perf_counter() + timeout_s
        while not condition():
            left = end - time.perf_counter()
            if left <= 0:
                raise TimeoutError(f"{what!r} did not appear")
            if select.select([self.fd], [], [], min(left, 0.2))[0]:
                self._read()
        return time.perf_counter()

    def drain(self, seconds: float) -> None:
        """Go on reading for a while."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                self._read()

    def _read(self) -> None:
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        if not data:
            raise EOFError("the program ended")
        self.arrive(data)

    def arrive(self, data: bytes) -> None:
        """Show what the program wrote."""
        before = max(0, len(self.seen) - len(STATUS) + 1)
        self.seen += data
        if asked := self.seen.count(STATUS, before):
            os.write(self.fd, asked * b"\x1b[0n")

    def close(self) -> None:
        """End the program and its pty."""
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self.fd)
