"""The engine's worker process: reads commands, drives the scheduler, writes events.

Run as `python -m llamadiff.models.engine.worker BEAT_FD MEMORY [FOLDER]`. Standard input carries
commands and standard output events; both are moved away first, so that
anything native code prints lands in the log on file descriptor 2. When the
client is gone the process ends at once, also in the middle of a decode. A sign
of life goes to BEAT_FD every second; long prompts' caches are kept in FOLDER. Models and contexts
take MEMORY bytes together at most; 0 is all that is free.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import msgspec

from . import native
from .frames import BEAT, LENGTH, decode_command
from .loader import Outcome
from .outbox import Outbox
from .protocol import (
    SCREEN,
    Cancel,
    Command,
    Failed,
    Generate,
    Load,
    Loading,
    Pieces,
    Score,
    Tokenize,
    Tokens,
    Unload,
)
from .saved import SavedPrompts
from .scheduler import Scheduler

NICENESS = 5
"""Lower priority than the screen: repaints stay quick while decoding takes every core."""

BEAT_S = 1.0
FINISH_S = 1.5
"""Seconds that prompts still being written have when the client is gone."""
TOKENIZER_STACK = 512 * 1024 * 1024
"""Bytes; some vocabularies' regular expressions recurse once per character."""


@dataclass(frozen=True)
class Tokenized:
    """The tokenizer's answer, None if nobody waits for it, and the model that is free again."""

    model: int
    answer: Tokens | Failed | None


Item = Command | Loading | Outcome | Tokenized
"""What comes to the main thread: commands, and what the tokenizer and the loader have to tell."""


class Inbox:
    """Items for the main thread; waking it costs one byte."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._wake_fd, self._signal_fd = os.pipe()
        os.set_blocking(self._wake_fd, False)
        os.set_blocking(self._signal_fd, False)

    def put(self, item: Item) -> None:
        self._items.append(item)
        with contextlib.suppress(BlockingIOError):
            os.write(self._signal_fd, b"\0")

    def take(self) -> list[Item]:
        items: list[Item] = []
        while self._items:
            items.append(self._items.popleft())
        return items

    def wait(self, outbox: Outbox) -> None:
        """Sleep until there is something to take, or room to write what waits."""
        ready, _, _ = select.select([self._wake_fd], [outbox.fd] if outbox.pending else [], [])
        if ready:
            os.read(self._wake_fd, 65536)


def read_commands(fd: int, inbox: Inbox, scheduler: Scheduler, saved: SavedPrompts) -> None:
    """Feed the inbox until end of file, then end the process once prompts are saved.

    A cancel also stops the decode in progress, without waiting for the main thread; something that
    a person looks at stops what is computed in the background.
    """
    with os.fdopen(fd, "rb") as stream:
        while (head := stream.read(LENGTH.size)) and len(head) == LENGTH.size:
            (length,) = LENGTH.unpack(head)
            body = stream.read(length)
            if len(body) < length:
                break
            try:
                command = decode_command(body)
            except msgspec.DecodeError:
                traceback.print_exc()
                os._exit(os.EX_PROTOCOL)
            if isinstance(command, Cancel):
                scheduler.watch.cancel(command.ids)
            inbox.put(command)
            if isinstance(command, Generate | Score) and any(
                request.priority == SCREEN for request in command.requests
            ):
                scheduler.watch.urgent()
    saved.finish(FINISH_S)
    os._exit(0)


class Tokenizer:
    """Tokenizes on a thread with a stack large enough for any text."""

    def __init__(self, inbox: Inbox) -> None:
        self._jobs: queue.Queue[tuple[Tokenize, native.Model]] = queue.Queue()
        self._wanted: set[int] = set()
        self._inbox = inbox
        before = threading.stack_size(TOKENIZER_STACK)
        threading.Thread(target=self._work, name="tokenizer", daemon=True).start()
        threading.stack_size(before)

    def submit(self, command: Tokenize, model: native.Model) -> None:
        self._wanted.add(command.id)
        self._jobs.put((command, model))

    def cancel(self, ids: Collection[int]) -> None:
        """Nobody waits for these any more."""
        self._wanted.difference_update(ids)

    def _work(self) -> None:
        while True:
            command, model = self._jobs.get()
            answer = self._answer(command, model) if command.id in self._wanted else None
            self._wanted.discard(command.id)
            self._inbox.put(Tokenized(command.model, answer))

    @staticmethod
    def _answer(command: Tokenize, model: native.Model) -> Tokens | Failed:
        try:
            tokens = model.tokenize(command.texts, command.add_special)
            return Tokens.of(command.id, tokens, model.texts(tokens))
        except Exception as error:
            return Failed(command.id, f"The text cannot be tokenized: {error}.")


class Worker:
    """The main thread: one command or one scheduler step at a time."""

    def __init__(
        self, commands_fd: int, events_fd: int, beat_fd: int, memory: int, folder: Path | None
    ) -> None:
        self._step_at: float | None = None
        threading.Thread(target=self._beat, args=(beat_fd,), name="beat", daemon=True).start()
        self._outbox = Outbox(events_fd)
        self._outbox.put(native.start())
        self._inbox = Inbox()
        saved = SavedPrompts(folder)
        self._scheduler = Scheduler(self._inbox.put, saved, memory)
        self._tokenizer = Tokenizer(self._inbox)
        threading.Thread(
            target=read_commands,
            args=(commands_fd, self._inbox, self._scheduler, saved),
            name="commands",
            daemon=True,
        ).start()

    def run(self) -> None:
        while True:
            for item in self._inbox.take():
                self._step_at = time.monotonic()
                self._handle(item)
                self._outbox.flush()
            if self._scheduler.busy:
                self._step_at = time.monotonic()
                self._scheduler.step()
            self._step_at = None
            for event in self._scheduler.take_events():
                self._outbox.put(event)
            self._outbox.flush(more=self._scheduler.only_streams)
            if not self._scheduler.busy:
                self._inbox.wait(self._outbox)

    def _beat(self, fd: int) -> None:
        os.set_blocking(fd, False)
        while True:
            step_at = self._step_at
            with contextlib.suppress(BlockingIOError):
                os.write(fd, BEAT.pack(time.monotonic() - step_at if step_at else 0.0))
            time.sleep(BEAT_S)

    def _handle(self, item: Item) -> None:
        match item:
            case Load():
                self._scheduler.load(item)
            case Loading() | Outcome():
                self._scheduler.loading(item)
            case Unload():
                self._scheduler.unload(item.model)
            case Generate() | Score():
                self._scheduler.submit(item.model, item.requests)
            case Cancel():
                self._tokenizer.cancel(item.ids)
                self._scheduler.cancel(set(item.ids))
            case Tokenize():
                model = self._scheduler.hold(item.model)
                if model is None:
                    self._outbox.put(Failed(item.id, "The model is not loaded."))
                else:
                    self._tokenizer.submit(item, model)
            case Pieces():
                self._outbox.put(self._pieces(item))
            case Tokenized():
                self._scheduler.release(item.model)
                if item.answer is not None:
                    self._outbox.put(item.answer)

    def _pieces(self, command: Pieces) -> Tokens | Failed:
        model = self._scheduler.hold(command.model)
        if model is None:
            return Failed(command.id, "The model is not loaded.")
        try:
            if wrong := [it for it in command.tokens if not 0 <= it < model.n_vocab]:
                return Failed(command.id, f"The model has no token {wrong[0]}.", refused=True)
            texts = {it: model.piece(it, special=True) for it in set(command.tokens)}
            return Tokens.of(command.id, command.tokens, texts)
        finally:
            self._scheduler.release(command.model)


def main() -> None:
    commands_fd, events_fd = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.nice(NICENESS)
    try:
        beat, memory, *folders = sys.argv[1:]
        folder = Path(folders[0]) if folders else None
        Worker(commands_fd, events_fd, int(beat), int(memory), folder).run()
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
