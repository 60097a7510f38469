"""The engine's worker process: reads commands, drives the scheduler, writes events.

Run as `python -m llamadiff.models.engine.worker`. Standard input carries
commands and standard output events; both are moved away first, so that
anything native code prints lands in the log on file descriptor 2. When the
client is gone the process ends at once, also in the middle of a decode.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import threading
import time
from collections import deque

import msgspec

from ..errors import ModelError
from . import native
from .outbox import Outbox
from .protocol import (
    LENGTH,
    Cancel,
    Command,
    Event,
    Failed,
    Generate,
    Load,
    Loaded,
    Loading,
    Tokenize,
    Tokens,
    Unload,
    decode_command,
)
from .scheduler import Scheduler

NICENESS = 5
"""Lower priority than the screen: repaints stay quick while decoding takes every core."""

TOKENIZER_STACK = 512 * 1024 * 1024
"""Bytes; some vocabularies' regular expressions recurse once per character."""


class Inbox:
    """Commands and the tokenizer's answers, for the main thread; waking it costs one byte."""

    def __init__(self) -> None:
        self._items: deque[Command | Event] = deque()
        self._wake_fd, self._signal_fd = os.pipe()
        os.set_blocking(self._wake_fd, False)
        os.set_blocking(self._signal_fd, False)

    def put(self, item: Command | Event) -> None:
        self._items.append(item)
        with contextlib.suppress(BlockingIOError):
            os.write(self._signal_fd, b"\0")

    def take(self) -> list[Command | Event]:
        items: list[Command | Event] = []
        while self._items:
            items.append(self._items.popleft())
        return items

    def wait(self, outbox: Outbox) -> None:
        """Sleep until there is something to take, or room to write what waits."""
        ready, _, _ = select.select([self._wake_fd], [outbox.fd] if outbox.pending else [], [])
        if ready:
            os.read(self._wake_fd, 65536)


def read_commands(fd: int, inbox: Inbox, scheduler: Scheduler) -> None:
    """Feed the inbox until end of file, then end the process.

    A cancel also stops the decode in progress, without waiting for the main thread.
    """
    with contextlib.suppress(msgspec.DecodeError), os.fdopen(fd, "rb") as stream:
        while (head := stream.read(LENGTH.size)) and len(head) == LENGTH.size:
            (length,) = LENGTH.unpack(head)
            body = stream.read(length)
            if len(body) < length:
                break
            command = decode_command(body)
            if isinstance(command, Cancel):
                scheduler.watch.cancel(command.ids)
            inbox.put(command)
    os._exit(0)


class Tokenizer:
    """Tokenizes on a thread with a stack large enough for any text."""

    def __init__(self, inbox: Inbox) -> None:
        self._jobs: queue.Queue[tuple[Tokenize, native.Model]] = queue.Queue()
        self._inbox = inbox
        before = threading.stack_size(TOKENIZER_STACK)
        threading.Thread(target=self._work, name="tokenizer", daemon=True).start()
        threading.stack_size(before)

    def submit(self, command: Tokenize, model: native.Model) -> None:
        self._jobs.put((command, model))

    def finish(self) -> None:
        """Wait until nothing is being tokenized."""
        self._jobs.join()

    def _work(self) -> None:
        while True:
            command, model = self._jobs.get()
            try:
                tokens = model.tokenize(command.text, command.add_special)
                pieces = [model.piece(token, special=True) for token in tokens]
                self._inbox.put(Tokens(command.id, tokens, pieces))
            except Exception as error:
                self._inbox.put(Failed(command.id, f"The text cannot be tokenized: {error}."))
            self._jobs.task_done()


class Worker:
    """The main thread: one command or one scheduler step at a time."""

    def __init__(self, commands_fd: int, events_fd: int) -> None:
        self._outbox = Outbox(events_fd)
        self._outbox.put(native.start())
        self._scheduler = Scheduler()
        self._inbox = Inbox()
        self._tokenizer = Tokenizer(self._inbox)
        threading.Thread(
            target=read_commands,
            args=(commands_fd, self._inbox, self._scheduler),
            name="commands",
            daemon=True,
        ).start()

    def run(self) -> None:
        while True:
            for item in self._inbox.take():
                self._handle(item)
            if self._scheduler.busy:
                self._scheduler.step()
            for event in self._scheduler.take_events():
                self._outbox.put(event)
            self._outbox.flush()
            if not self._scheduler.busy:
                self._inbox.wait(self._outbox)

    def _handle(self, item: Command | Event) -> None:
        match item:
            case Load():
                self._load(item)
            case Unload():
                self._tokenizer.finish()
                self._scheduler.unload(item.model)
            case Generate():
                self._scheduler.generate(item.model, item.requests)
            case Cancel():
                self._scheduler.cancel(set(item.ids))
            case Tokenize():
                model = self._scheduler.model(item.model)
                if model is None:
                    self._outbox.put(Failed(item.id, "The model is not loaded."))
                else:
                    self._tokenizer.submit(item, model)
            case _:
                self._outbox.put(item)

    def _load(self, command: Load) -> None:
        told = 0.0

        def progress(fraction: float) -> None:
            nonlocal told
            now = time.monotonic()
            if now - told > 0.05:
                told = now
                self._outbox.put(Loading(command.id, fraction))
                self._outbox.flush()

        try:
            info = self._scheduler.load(command.id, command.path, command.settings, progress)
        except (native.NativeError, ModelError) as error:
            self._outbox.put(Failed(command.id, str(error), refused=True))
        else:
            self._outbox.put(Loaded(command.id, info))


def main() -> None:
    commands_fd, events_fd = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.nice(NICENESS)
    try:
        Worker(commands_fd, events_fd).run()
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
