"""The engine as the program sees it: an asyncio client of the worker process.

The worker is started on demand and fails alone. What was running when it died
is told so in one sentence; it is started again, with the models it had.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from pathlib import Path

from ..errors import ModelError
from .loads import Key, LoadedModel, Loads, Progress, Residency, key_of
from .process import WorkerError, WorkerProcess
from .protocol import (
    Cancel,
    Command,
    Counters,
    Delta,
    Event,
    Failed,
    Finished,
    Generate,
    Hello,
    Load,
    Loaded,
    Loading,
    ModelSettings,
    Pieces,
    Prefill,
    Request,
    Score,
    Scored,
    ScoreRequest,
    Tokenize,
    Tokens,
    Unload,
    Unloaded,
)
from .watchdog import Watchdog

START_TIMEOUT_S = 60.0
REVIVAL_S = 60.0
"""A worker that dies again this soon is not started again by itself."""
log = logging.getLogger(__name__)
StreamEvent = Prefill | Delta | Scored | Finished | Failed


class EngineError(Exception):
    """The engine itself failed; the message is one sentence for the person."""


class Engine:
    """Starts the worker, loads models, and streams what they generate and score.

    `log_path` receives everything the worker and llama.cpp print. `on_death` is called with a
    sentence when the worker ends on its own or hangs, which is believed after `patience_s` seconds
    without a sign of life. `prompts` is a folder where the caches of long prompts are kept from one
    start to the next; `memory` is how many bytes models and contexts may take together, 0 all that
    is free.
    """

    def __init__(
        self,
        log_path: Path,
        *,
        prompts: Path | None = None,
        memory: int = 0,
        patience_s: float = 20.0,
    ) -> None:
        self.log_path = log_path
        self._prompts = prompts
        self._memory = memory
        self.on_death: Callable[[str], None] | None = None
        self.hello: Hello | None = None
        self.counters = Counters(0, 0)
        self._watchdog = Watchdog(patience_s)
        self._process: WorkerProcess | None = None
        self._starting: asyncio.Task[Hello] | None = None
        self._guarding: asyncio.Task[None] | None = None
        self._reviving: asyncio.Task[None] | None = None
        self._revived_at = float("-inf")
        self._ids = itertools.count(1)
        self._born = 0
        """Models with a lower key were in a worker that is gone."""
        self._loads = Loads()
        self._waiting: dict[int, asyncio.Future[Event]] = {}
        self._streams: dict[int, asyncio.Queue[list[StreamEvent]]] = {}

    # ------------------------------------------------------------------ lifecycle

    @property
    def pid(self) -> int | None:
        """The worker's process id while it runs."""
        return self._process.pid if self._process else None

    async def start(self) -> Hello:
        """Start the worker if it is not running. Raises EngineError.

        A caller that is cancelled leaves the start to go on for the others.
        """
        if self._starting is None or (self._starting.done() and self.hello is None):
            self._starting = asyncio.create_task(self._start(), name="engine start")
        return await asyncio.shield(self._starting)

    async def _start(self) -> Hello:
        process = WorkerProcess(
            self.log_path, self._dispatch, self._ended, self._prompts, self._memory
        )
        hello: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._waiting[0] = hello
        try:
            await process.start()
        except WorkerError as error:
            raise EngineError(str(error)) from None
        self._process, self._born = process, next(self._ids)
        try:
            answer = await asyncio.wait_for(hello, START_TIMEOUT_S)
        except TimeoutError:
            process.kill(f"The engine did not start within {START_TIMEOUT_S:.0f} s.")
            raise EngineError(
                f"The engine did not start within {START_TIMEOUT_S:.0f} s; "
                f"its log is {self.log_path}."
            ) from None
        if not isinstance(answer, Hello):
            raise EngineError(_message(answer))
        del self._waiting[0]
        self.hello = answer
        self._guarding = asyncio.create_task(self._guard(process), name="engine watchdog")
        return answer

    async def close(self) -> None:
        """End the worker and wait for it."""
        if self._reviving:
            self._reviving.cancel()
        if self._starting is not None:
            with contextlib.suppress(EngineError, asyncio.CancelledError):
                await self._starting
            self._starting = None
        process, self._process = self._process, None
        if self._guarding:
            self._guarding.cancel()
        if process:
            await process.close()
            self._fail_everything("The engine was closed.")

    async def _guard(self, process: WorkerProcess) -> None:
        """End a worker that hangs, so that what waits for it is told and it can start anew."""
        async for now in self._watchdog.ticks(process):
            busy = bool(self._streams or self._waiting)
            if complaint := self._watchdog.complaint(process, now, self._streams, busy=busy):
                process.kill(complaint)
                return

    def _ended(self, message: str) -> None:
        """The worker is gone: tell everyone who waits, and start it again with its models."""
        self._process = None
        if self._guarding:
            self._guarding.cancel()
        resident = [key for key, load in self._loads.items() if load.result]
        self._fail_everything(message)
        now = time.monotonic()
        if resident and now - self._revived_at > REVIVAL_S:
            self._revived_at = now
            self._reviving = asyncio.create_task(self._revive(resident), name="engine revival")
        if self.on_death:
            self.on_death(message)

    async def _revive(self, keys: Sequence[Key]) -> None:
        for path, _, settings in keys:
            try:
                await self.load(path, settings)
            except (ModelError, EngineError) as error:
                log.warning("%s was not loaded again: %s", path, error)

    # --------------------------------------------------------------------- models

    async def load(
        self,
        path: Path,
        settings: ModelSettings | None = None,
        on_progress: Progress | None = None,
        keep: Collection[LoadedModel] = (),
    ) -> LoadedModel:
        """The model at `path`, resident; loaded once for the same settings.

        Idle models may be unloaded to make room, unused for longest first, but none of `keep`. When
        every caller that waits is cancelled, so is the load. Raises ModelError when the file or the
        settings are refused, EngineError when the worker dies.
        """
        await self.start()
        key = key_of(path, settings or ModelSettings())
        for old in [k for k in self._loads if k[0] == key[0] and k[1] != key[1]]:
            await self._drop(old)
        load = self._loads.get(key)
        if load is None or load.failed:
            number = next(self._ids)
            kept = [model.key for model in keep]
            task = asyncio.create_task(self._load(number, key, kept), name=f"load {path}")
            load = self._loads[key] = Residency(number, task)
        if on_progress:
            load.listeners.append(on_progress)
        load.waiting += 1
        try:
            return await asyncio.shield(load.task)
        finally:
            load.waiting -= 1
            if not load.waiting and not load.task.done():
                self._loads.pop(key, None)
                load.task.add_done_callback(lambda task: task.cancelled() or task.exception())
                self.cancel([load.id])

    async def _load(self, number: int, key: Key, keep: list[int]) -> LoadedModel:
        path, _, settings = key
        answer = await self._ask(number, Load(number, str(path), settings, keep))
        if not isinstance(answer, Loaded):
            raise ModelError(_message(answer))
        return LoadedModel(number, path, answer.info, answer.special, frozenset(answer.ends))

    def resident(self, path: Path, settings: ModelSettings | None = None) -> LoadedModel | None:
        """The model at `path`, as the file is now, if it is loaded with these settings."""
        load = self._loads.get(key_of(path, settings or ModelSettings()))
        return load.result if load else None

    @property
    def residents(self) -> list[LoadedModel]:
        """Every model in memory."""
        return [model for load in self._loads.values() if (model := load.result)]

    async def unload(self, path: Path, settings: ModelSettings | None = None) -> None:
        """Free the model at `path` if it is resident."""
        await self._drop(key_of(path, settings or ModelSettings()))

    async def _drop(self, key: Key) -> None:
        load = self._loads.get(key)
        if load and load.result:
            del self._loads[key]
            await self._send(Unload(load.id))

    async def tokenize(self, model: LoadedModel, *texts: str, add_special: bool) -> Tokens:
        """Ids and byte pieces of `texts`, one behind the other; no token lies across two of them.

        Special tokens written in a text are recognised. A caller that is cancelled takes its
        question back.
        """
        self._check_there(model)
        key = next(self._ids)
        try:
            answer = await self._ask(key, Tokenize(key, model.key, list(texts), add_special))
        except asyncio.CancelledError:
            if self._process:
                self._process.write(Cancel([key]))
            raise
        if not isinstance(answer, Tokens):
            raise ModelError(_message(answer))
        return answer

    async def pieces(self, model: LoadedModel, tokens: Sequence[int]) -> list[bytes]:
        """The bytes that each of these token ids stands for. Raises ModelError for an id that is none."""
        self._check_there(model)
        key = next(self._ids)
        answer = await self._ask(key, Pieces(key, model.key, list(tokens)))
        if not isinstance(answer, Tokens):
            raise ModelError(_message(answer))
        return [answer.texts[token] for token in tokens]

    # ------------------------------------------------------------ generating, scoring

    def new_id(self) -> int:
        """An id for a request, unique in this client."""
        return next(self._ids)

    def generate(
        self, model: LoadedModel, requests: Sequence[Request]
    ) -> AsyncIterator[list[StreamEvent]]:
        """Run requests together; yields events as they come until each has finished or failed.

        Leaving the iterator early cancels what still runs. Raises EngineError, and ModelError for
        numbers past 64 bits and text that is not Unicode.
        """
        return self._stream(model, [r.id for r in requests], Generate(model.key, list(requests)))

    def score(
        self, model: LoadedModel, requests: Sequence[ScoreRequest]
    ) -> AsyncIterator[list[StreamEvent]]:
        """Teacher forcing: the log-probabilities of given texts, with no sampling.

        Yields Prefill and Scored events until each request has finished or failed; those of one
        request hold len(tokens) - start log-probabilities in all. Raises EngineError.
        """
        return self._stream(model, [r.id for r in requests], Score(model.key, list(requests)))

    async def _stream(
        self, model: LoadedModel, ids: Sequence[int], command: Command
    ) -> AsyncIterator[list[StreamEvent]]:
        self._check_there(model)
        queue: asyncio.Queue[list[StreamEvent]] = asyncio.Queue()
        open_ids = set(ids)
        for request_id in ids:
            self._streams[request_id] = queue
        try:
            await self._send(command)
            while open_ids:
                events = await queue.get()
                open_ids -= {e.id for e in events if isinstance(e, (Finished, Failed))}
                yield events
        finally:
            for request_id in ids:
                self._streams.pop(request_id, None)
            if open_ids:
                self.cancel(list(open_ids))

    def cancel(self, ids: Sequence[int]) -> None:
        """Stop these requests; their streams end with the reason `cancelled`."""
        if self._process and ids:
            self._process.write(Cancel(list(ids)))
            self._watchdog.cancelled(ids)

    # -------------------------------------------------------------------- plumbing

    def _check_there(self, model: LoadedModel) -> None:
        """Raise EngineError for a model of a worker that died since it was loaded."""
        if model.key < self._born:
            raise EngineError("The engine died and was started again meanwhile; run again.")

    async def _send(self, command: Command) -> None:
        if self._process is None:
            raise EngineError("The engine is not running; run again to start it.")
        try:
            await self._process.send(command)
        except WorkerError as error:
            raise EngineError(str(error)) from None
        except (OverflowError, UnicodeEncodeError) as error:
            raise ModelError(f"The engine cannot be told this: {error}.") from None

    async def _ask(self, key: int, command: Command) -> Event:
        answer: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._waiting[key] = answer
        try:
            await self._send(command)
            return await answer
        finally:
            self._waiting.pop(key, None)

    def _dispatch(self, events: list[Event]) -> None:
        streamed: dict[int, tuple[asyncio.Queue[list[StreamEvent]], list[StreamEvent]]] = {}
        for event in events:
            match event:
                case Prefill() | Delta() | Scored() | Finished() | Failed() if (
                    event.id in self._streams
                ):
                    queue = self._streams[event.id]
                    streamed.setdefault(id(queue), (queue, []))[1].append(event)
                case Prefill() | Delta() | Scored() | Finished():
                    pass
                case Loading():
                    self._loads.tell(event)
                case Unloaded():
                    self._loads.forget(event.model)
                case Counters():
                    self.counters = event
                case Hello():
                    self._resolve(0, event)
                case _:
                    self._resolve(event.id, event)
        for queue, batch in streamed.values():
            queue.put_nowait(batch)

    def _resolve(self, key: int, event: Event) -> None:
        future = self._waiting.get(key)
        if future is not None and not future.done():
            future.set_result(event)

    def _fail_everything(self, message: str) -> None:
        self.hello = None
        self._loads.clear()
        for key, future in list(self._waiting.items()):
            if not future.done():
                if key == 0:
                    future.set_result(Failed(0, message))
                else:
                    future.set_exception(EngineError(message))
        for request_id, queue in list(self._streams.items()):
            queue.put_nowait([Failed(request_id, message)])


def _message(answer: Event) -> str:
    return answer.message if isinstance(answer, Failed) else f"The engine answered {answer!r}."
