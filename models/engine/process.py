"""The worker as a process of the system: started, written to, listened to, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from .frames import BEAT, LENGTH, decode_events, frame
from .protocol import Command, Event

LOG_LIMIT = 4_000_000
TAIL = 8_192
"""Bytes of the log that are searched for the worker's last words."""
TELLING = re.compile(r"assert|error|abort|fail|terminat|exception|cannot|unable", re.IGNORECASE)


class WorkerError(Exception):
    """The worker cannot be started or written to; the message is one sentence."""


class WorkerProcess:
    """One run of the worker. `on_events` is called with what it says, `on_end` once when it is gone.

    `heard_at` is the loop's time of its last sign of life, which comes about once a second, and
    `step_s` how long its main thread had been at one piece of work by then.
    """

    def __init__(
        self,
        log_path: Path,
        on_events: Callable[[list[Event]], None],
        on_end: Callable[[str], None],
        prompts: Path | None = None,
        memory: int = 0,
    ) -> None:
        self._prompts = prompts
        self._memory = memory
        self.heard_at = asyncio.get_running_loop().time()
        self.step_s = 0.0
        self._log_path = log_path
        self._log_start = 0
        self._on_events = on_events
        self._on_end = on_end
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._beats = -1
        self._why: str | None = None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    async def start(self) -> None:
        """Start it. Raises WorkerError."""
        try:
            self._log_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            log = open_log(self._log_path)
        except OSError as error:
            raise WorkerError(
                f"The engine's log {self._log_path} cannot be written: {error.strerror}."
            ) from None
        self._log_start = os.fstat(log).st_size
        self._beats, beat = os.pipe()
        os.set_blocking(self._beats, False)
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "llamadiff.models.engine.worker",
                str(beat),
                str(self._memory),
                *([str(self._prompts)] if self._prompts else []),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                pass_fds=(beat,),
                env={**os.environ, "GGML_NO_BACKTRACE": "1"},
                start_new_session=True,
            )
        except OSError as error:
            os.close(self._beats)
            raise WorkerError(f"The engine cannot be started: {error.strerror}.") from None
        finally:
            os.close(log)
            os.close(beat)
        asyncio.get_running_loop().add_reader(self._beats, self._beat)
        self._reader = asyncio.create_task(self._read(self._process), name="engine events")

    def write(self, command: Command) -> None:
        """Send a command without waiting for room; nothing happens when the worker is gone."""
        if self._process and self._process.stdin:
            with contextlib.suppress(OSError, RuntimeError):
                self._process.stdin.write(frame(command))

    async def send(self, command: Command) -> None:
        """Send a command. Raises WorkerError when the worker is gone."""
        assert self._process and self._process.stdin
        try:
            self._process.stdin.write(frame(command))
            await self._process.stdin.drain()
        except (OSError, RuntimeError):
            raise WorkerError("The engine stopped; run again to start it anew.") from None

    def kill(self, why: str) -> None:
        """End it at once; `why` is the sentence that `on_end` gets."""
        self._why = why
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def close(self) -> None:
        """Let it end, or end it, without telling `on_end`."""
        process, reader = self._process, self._reader
        if reader:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader
        self._forget_beats()
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 2)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    # ------------------------------------------------------------------ listening

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        try:
            while True:
                head = await process.stdout.readexactly(LENGTH.size)
                body = await process.stdout.readexactly(LENGTH.unpack(head)[0])
                self._on_events(decode_events(body))
        except (asyncio.IncompleteReadError, OSError):
            pass
        except msgspec.DecodeError:
            process.kill()
        code = await process.wait()
        self._forget_beats()
        said = last_words(self._log_path, self._log_start)
        parts = [self._why or cause_of_end(code), *([f"It last said: {said}"] if said else [])]
        self._on_end(f"{' '.join(parts)} Its log is {self._log_path}.")

    def _beat(self) -> None:
        data = os.read(self._beats, 65_536)
        if not data:
            self._forget_beats()
            return
        self.heard_at = asyncio.get_running_loop().time()
        (self.step_s,) = BEAT.unpack(data[-BEAT.size :])

    def _forget_beats(self) -> None:
        if self._beats >= 0:
            asyncio.get_running_loop().remove_reader(self._beats)
            os.close(self._beats)
            self._beats = -1


def open_log(path: Path) -> int:
    """A descriptor that appends to the log; one past LOG_LIMIT bytes is started anew."""
    full = path.exists() and path.stat().st_size > LOG_LIMIT
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if full else 0)
    return os.open(path, flags, 0o600)


def last_words(log: Path, start: int) -> str:
    """The last two lines since byte `start` that tell of trouble; empty if none does."""
    try:
        with log.open("rb") as file:
            file.seek(max(start, log.stat().st_size - TAIL))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    telling = [line.strip() for line in text.splitlines() if TELLING.search(line)]
    words = " / ".join(line[-200:] for line in telling[-2:])
    return "".join(c for c in words if c.isprintable()).rstrip(".") + ("." if words else "")


def cause_of_end(code: int, who: str = "The engine") -> str:
    """How a process ended, in words, from its return code."""
    if code >= 0:
        return f"{who} stopped (exit code {code})."
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    why = " – the system ran out of memory, or someone ended it" if name == "SIGKILL" else ""
    return f"{who} was ended by {name}{why}."
