"""The engine as the program sees it: an asyncio client of the worker process.

The worker is started on demand, fails alone, and is started again by the next
call. What was running when it died is told so in one sentence.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ..errors import ModelError
from .protocol import (
    LENGTH,
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
    ModelInfo,
    ModelSettings,
    Prefill,
    Request,
    Tokenize,
    Tokens,
    Unload,
    decode_events,
    file_version,
    frame,
)

START_TIMEOUT_S = 60.0
LOG_LIMIT = 4_000_000
log = logging.getLogger(__name__)
StreamEvent = Prefill | Delta | Finished | Failed


class EngineError(Exception):
    """The engine itself failed; the message is one sentence for the person."""


_Key = tuple[Path, str, ModelSettings]


def _key(path: Path, settings: ModelSettings) -> _Key:
    """What makes a resident model the one asked for: its file as it is now, and its settings."""
    path = path.resolve()
    return path, file_version(path), settings


@dataclass(frozen=True)
class LoadedModel:
    """A base model resident in the worker."""

    key: int
    path: Path
    info: ModelInfo


class Engine:
    """Starts the worker, loads models, and streams generations.

    `log_path` receives everything the worker and llama.cpp print. `on_death`
    is called with a sentence when the worker ends on its own.
    """

    def __init__(self, log_path: Path) -> None:
        self.log_path = log_path
        self.on_death: Callable[[str], None] | None = None
        self.hello: Hello | None = None
        self.counters = Counters(0, 0)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[Hello] | None = None
        self._loading: dict[_Key, asyncio.Task[LoadedModel]] = {}
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Event]] = {}
        self._listeners: dict[_Key, list[Callable[[float], None]]] = {}
        self._progress: dict[int, list[Callable[[float], None]]] = {}
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
        try:
            self.log_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = _open_log(self.log_path)
        except OSError as error:
            raise EngineError(
                f"The engine's log {self.log_path} cannot be written: {error.strerror}."
            ) from None
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "llamadiff.models.engine.worker",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=descriptor,
                env={**os.environ, "GGML_NO_BACKTRACE": "1"},
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        self._process = process
        hello: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._waiting[0] = hello
        self._reader = asyncio.create_task(self._read(process), name="engine events")
        try:
            answer = await asyncio.wait_for(hello, START_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            raise EngineError(
                f"The engine did not start within {START_TIMEOUT_S:.0f} s; "
                f"its log is {self.log_path}."
            ) from None
        if not isinstance(answer, Hello):
            raise EngineError(_message(answer))
        self.hello = answer
        return answer

    async def close(self) -> None:
        """End the worker and wait for it."""
        if self._starting is not None:
            with contextlib.suppress(EngineError, asyncio.CancelledError):
                await self._starting
            self._starting = None
        process, reader = self._process, self._reader
        self._process = self._reader = None
        if process is None:
            return
        if reader:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader
        self._fail_everything("The engine was closed.")
        if process.stdin:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 2)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    # --------------------------------------------------------------------- models

    async def load(
        self,
        path: Path,
        settings: ModelSettings | None = None,
        on_progress: Callable[[float], None] | None = None,
    ) -> LoadedModel:
        """The model at `path`, resident; loaded once for the same settings.

        Raises ModelError when llama.cpp refuses the file, EngineError when the
        worker dies.
        """
        settings = settings or ModelSettings()
        await self.start()
        key = _key(path, settings)
        for old in [k for k in self._loading if k[0] == key[0] and k[1] != key[1]]:
            await self._drop(old)
        task = self._loading.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = asyncio.create_task(self._load(key))
            self._loading[key] = task
        if on_progress and not task.done():
            self._listeners.setdefault(key, []).append(on_progress)
        return await asyncio.shield(task)

    async def _load(self, key: _Key) -> LoadedModel:
        path, _, settings = key
        number = next(self._ids)
        self._progress[number] = self._listeners.setdefault(key, [])
        try:
            answer = await self._ask(number, Load(number, str(path), settings))
        finally:
            del self._progress[number], self._listeners[key]
        if not isinstance(answer, Loaded):
            raise ModelError(_message(answer))
        return LoadedModel(number, path, answer.info)

    def resident(self, path: Path, settings: ModelSettings | None = None) -> LoadedModel | None:
        """The model at `path`, as the file is now, if it is loaded with these settings."""
        return self._loaded(_key(path, settings or ModelSettings()))

    def _loaded(self, key: _Key) -> LoadedModel | None:
        task = self._loading.get(key)
        if task is None or not task.done() or task.cancelled() or task.exception():
            return None
        return task.result()

    async def unload(self, path: Path, settings: ModelSettings | None = None) -> None:
        """Free the model at `path` if it is resident."""
        await self._drop(_key(path, settings or ModelSettings()))

    async def _drop(self, key: _Key) -> None:
        loaded = self._loaded(key)
        if loaded is not None:
            del self._loading[key]
            await self._send(Unload(loaded.key))

    async def tokenize(self, model: LoadedModel, text: str, *, add_special: bool) -> Tokens:
        """Ids and byte pieces of `text`; special tokens written in it are recognised."""
        key = next(self._ids)
        answer = await self._ask(key, Tokenize(key, model.key, text, add_special))
        if not isinstance(answer, Tokens):
            raise ModelError(_message(answer))
        return answer

    # ----------------------------------------------------------------- generation

    def new_id(self) -> int:
        """An id for a Request, unique in this client."""
        return next(self._ids)

    async def generate(
        self, model: LoadedModel, requests: Sequence[Request]
    ) -> AsyncIterator[list[StreamEvent]]:
        """Run requests together; yields events as they come until each has finished or failed.

        Leaving the iterator early cancels what still runs.
        """
        queue: asyncio.Queue[list[StreamEvent]] = asyncio.Queue()
        open_ids = {request.id for request in requests}
        for request_id in open_ids:
            self._streams[request_id] = queue
        try:
            await self._send(Generate(model.key, list(requests)))
            while open_ids:
                events = await queue.get()
                open_ids -= {e.id for e in events if isinstance(e, (Finished, Failed))}
                yield events
        finally:
            for request in requests:
                self._streams.pop(request.id, None)
            if open_ids:
                self.cancel(list(open_ids))

    def cancel(self, ids: Sequence[int]) -> None:
        """Stop these requests; their streams end with the reason `cancelled`."""
        if self._process and self._process.stdin and ids:
            with contextlib.suppress(OSError, RuntimeError):
                self._process.stdin.write(frame(Cancel(list(ids))))

    # -------------------------------------------------------------------- plumbing

    async def _send(self, command: Command) -> None:
        process = self._process
        if process is None or process.stdin is None:
            raise EngineError("The engine is not running; run again to start it.")
        try:
            process.stdin.write(frame(command))
            await process.stdin.drain()
        except (OSError, RuntimeError):
            raise EngineError("The engine stopped; run again to start it anew.") from None

    async def _ask(self, key: int, command: Command) -> Event:
        answer: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._waiting[key] = answer
        try:
            await self._send(command)
            return await answer
        finally:
            self._waiting.pop(key, None)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        try:
            while True:
                head = await process.stdout.readexactly(LENGTH.size)
                body = await process.stdout.readexactly(LENGTH.unpack(head)[0])
                self._dispatch(decode_events(body))
        except (asyncio.IncompleteReadError, OSError):
            pass
        except msgspec.DecodeError:
            process.kill()
        code = await process.wait()
        if self._process is not process:
            return
        self._process = self._reader = None
        message = f"{_cause(code)} Its log is {self.log_path}."
        self._fail_everything(message)
        if self.on_death:
            self.on_death(message)

    def _dispatch(self, events: list[Event]) -> None:
        streamed: dict[int, tuple[asyncio.Queue[list[StreamEvent]], list[StreamEvent]]] = {}
        for event in events:
            match event:
                case Prefill() | Delta() | Finished() | Failed() if event.id in self._streams:
                    queue = self._streams[event.id]
                    streamed.setdefault(id(queue), (queue, []))[1].append(event)
                case Loading():
                    self._tell_progress(event)
                case Counters():
                    self.counters = event
                case Hello():
                    self._resolve(0, event)
                case _:
                    self._resolve(event.id, event)
        for queue, batch in streamed.values():
            queue.put_nowait(batch)

    def _tell_progress(self, event: Loading) -> None:
        """A listener that fails must not end the reading of events."""
        for listener in self._progress.get(event.id, []):
            try:
                listener(event.fraction)
            except Exception:
                log.exception("a listener to loading failed")

    def _resolve(self, key: int, event: Event) -> None:
        future = self._waiting.get(key)
        if future is not None and not future.done():
            future.set_result(event)

    def _fail_everything(self, message: str) -> None:
        self.hello = None
        self._loading.clear()
        for key, future in list(self._waiting.items()):
            if not future.done():
                if key == 0:
                    future.set_result(Failed(0, message))
                else:
                    future.set_exception(EngineError(message))
        for request_id, queue in list(self._streams.items()):
            queue.put_nowait([Failed(request_id, message)])


def _open_log(path: Path) -> int:
    """A descriptor that appends to the log; one past LOG_LIMIT bytes is started anew."""
    full = path.exists() and path.stat().st_size > LOG_LIMIT
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if full else 0)
    return os.open(path, flags, 0o600)


def _message(answer: Event) -> str:
    return answer.message if isinstance(answer, Failed) else f"The engine answered {answer!r}."


def _cause(code: int) -> str:
    """How a process ended, in words, from its return code."""
    if code >= 0:
        return f"The engine stopped (exit code {code})."
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    why = " – the system ran out of memory, or someone ended it" if name == "SIGKILL" else ""
    return f"The engine was ended by {name}{why}."
