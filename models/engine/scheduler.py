"""Who decodes next: models, their lanes, and the requests that wait for one."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import size_in_words
from ..gguf.check import check_model
from ..gguf.facts import ModelFacts
from ..memory import available_memory, estimate
from . import native
from .lane import Lane, Stack, Tally, Task, Watch
from .protocol import Counters, Event, Failed, ModelInfo, ModelSettings, Request
from .samplers import Sampler
from .text_stream import TextStream

MAX_LANES = 4
MAX_SEQUENCES = 8
MOST_SEQUENCES = 32
"""For a single group of more variants than MAX_SEQUENCES."""
QUANTIZED_KV = ("q8_0", "q4_0")
"""llama.cpp needs flash attention for them, which exact runs leave off."""


@dataclass(eq=False)
class Resident:
    """A model in memory and the lanes that share its weights."""

    model: native.Model
    facts: ModelFacts
    rewinds: bool
    lanes: list[Lane] = field(default_factory=list[Lane])
    waiting: list[tuple[Stack, bool, list[Task]]] = field(
        default_factory=list[tuple[Stack, bool, list[Task]]]
    )

    def close(self) -> None:
        for lane in self.lanes:
            lane.close()
        self.model.close()


class Scheduler:
    """Owns every native object. `step` gives each busy lane one turn and returns the events."""

    def __init__(self) -> None:
        self.watch = Watch()
        self._residents: dict[int, Resident] = {}
        self._events: list[Event] = []
        self._tally = Tally()
        self._batches = 0

    @property
    def busy(self) -> bool:
        return any(
            resident.waiting or any(not lane.idle for lane in resident.lanes)
            for resident in self._residents.values()
        )

    def load(
        self, key: int, path: str, settings: ModelSettings, on_progress: Callable[[float], None]
    ) -> ModelInfo:
        """Load a base model. Raises NativeError or ModelError."""
        _refuse_settings(settings)
        facts = check_model(Path(path))
        model = native.Model(path, settings, on_progress)
        try:
            rewinds = native.can_rewind(model, self.watch.abort)
        except native.NativeError:
            model.close()
            raise
        self._residents[key] = Resident(model, facts, rewinds)
        return model.info(rewinds)

    def unload(self, key: int) -> None:
        """Free a model and end what runs on it."""
        if resident := self._residents.pop(key, None):
            for lane in resident.lanes:
                lane.cancel(lane.task_ids)
                self._events += lane.take_events()
            for _, _, tasks in resident.waiting:
                for task in tasks:
                    self._events += task.fail("The model was unloaded.")
            resident.close()

    def model(self, key: int) -> native.Model | None:
        resident = self._residents.get(key)
        return resident.model if resident else None

    def generate(self, key: int, requests: list[Request]) -> None:
        """Queue requests; those of one stack start in lockstep."""
        resident = self._residents.get(key)
        now = time.monotonic()
        self._batches += 1
        groups: dict[tuple[Stack, bool], list[Task]] = {}
        for request in requests:
            if resident is None:
                self._events.append(Failed(request.id, "The model is not loaded."))
                continue
            try:
                task = self._task(resident, request, now)
            except native.NativeError as error:
                self._events.append(Failed(request.id, str(error), refused=True))
                continue
            stack = tuple(use for use in request.adapters if use.scale != 0)
            groups.setdefault((stack, request.exact), []).append(task)
        if resident is not None:
            for (stack, exact), tasks in groups.items():
                resident.waiting.append((stack, exact, tasks))

    def _task(self, resident: Resident, request: Request, now: float) -> Task:
        model = resident.model
        n_ctx = model.n_ctx
        if not request.tokens:
            raise native.NativeError("The prompt is empty; write something first.")
        if len(request.tokens) >= n_ctx:
            raise native.NativeError(
                f"The prompt is {len(request.tokens):,} tokens long, but the context holds "
                f"{n_ctx:,}; shorten the prompt or ask for a larger context."
            )
        paths = [use.path for use in request.adapters]
        if twice := next((path for path in paths if paths.count(path) > 1), None):
            raise native.NativeError(f"The stack holds {twice} twice; add up the scales instead.")
        if request.exact and resident.model.settings.kv_type in QUANTIZED_KV:
            raise native.NativeError("Exact runs need a KV type that is not quantized, as f16.")
        if not all(0 <= token < model.n_vocab for token in request.tokens):
            raise native.NativeError("The prompt holds token ids that the vocabulary lacks.")
        grammar = request.grammar
        if request.schema is not None:
            grammar = native.schema_to_grammar(request.schema)
        sampler = Sampler(model, request.sampling, request.tokens, grammar)
        return Task(request, sampler, TextStream(request.stop), now, self._batches)

    def cancel(self, ids: set[int]) -> None:
        """End the requests with these ids, wherever they are."""
        self.watch.abort.clear()
        for resident in self._residents.values():
            for lane in resident.lanes:
                lane.cancel(ids)
                self._events += lane.take_events()
            for _, _, tasks in resident.waiting:
                for task in [t for t in tasks if t.id in ids]:
                    tasks.remove(task)
                    self._events += task.end("cancelled")
            resident.waiting = [entry for entry in resident.waiting if entry[2]]

    def step(self) -> None:
        """Place what waits, then give every busy lane one turn."""
        for resident in self._residents.values():
            resident.waiting = [
                entry for entry in resident.waiting if not self._place(resident, *entry)
            ]
            for lane in resident.lanes:
                if not lane.idle:
                    lane.step()
                    self._events += lane.take_events()
        if not self.busy:
            self._events.append(Counters(self._tally.prefill_calls, self._tally.decode_calls))

    def take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _place(self, resident: Resident, stack: Stack, exact: bool, tasks: list[Task]) -> bool:
        """Give the tasks to a lane; False if they must wait for one to fall idle."""
        try:
            lane = self._lane(resident, stack, exact, _width(tasks))
        except native.NativeError as error:
            for task in tasks:
                self._events += task.fail(str(error), refused=True)
            return True
        if lane is None:
            return False
        lane.submit(tasks)
        return True

    def _lane(self, resident: Resident, stack: Stack, exact: bool, n_seq: int) -> Lane | None:
        """The lane of this stack: the one there is, a rebound idle one, or a new one."""
        for lane in resident.lanes:
            if lane.stack == stack and lane.exact == exact:
                if lane.n_seq >= n_seq or not lane.idle:
                    return lane
                return self._replace(resident, lane, stack, n_seq)
        if len(resident.lanes) < MAX_LANES:
            return self._new(resident, stack, n_seq, exact)
        idle = sorted((lane for lane in resident.lanes if lane.idle), key=lambda lane: lane.used_at)
        if not idle:
            return None
        for lane in idle:
            if lane.exact == exact and lane.n_seq >= n_seq:
                lane.rebind(stack)
                return lane
        return self._replace(resident, idle[0], stack, n_seq, exact)

    def _replace(
        self, resident: Resident, lane: Lane, stack: Stack, n_seq: int, exact: bool | None = None
    ) -> Lane | None:
        resident.lanes.remove(lane)
        lane.close()
        return self._new(resident, stack, n_seq, lane.exact if exact is None else exact)

    def _new(self, resident: Resident, stack: Stack, n_seq: int, exact: bool) -> Lane | None:
        """A new lane, as wide as memory allows; None if it must wait for a busy one to end."""
        room = self._room(resident, n_seq, exact)
        if room == 0:
            return None
        lane = Lane(resident.model, stack, room, exact, resident.rewinds, self.watch, self._tally)
        resident.lanes.append(lane)
        return lane

    def _room(self, resident: Resident, n_seq: int, exact: bool) -> int:
        """How many sequences fit into memory, up to `n_seq`; idle lanes make room first.

        0 while busy lanes hold what is missing. Raises NativeError when not even one fits.
        """
        if native.lib.llama_supports_gpu_offload():
            return n_seq
        model = resident.model
        while True:
            needed = estimate(
                resident.facts, n_ctx=model.n_ctx, n_seq=n_seq, kv_type=model.settings.kv_type, flash_attn=not exact
            )  # fmt: skip
            bytes_needed = needed.kv_cache + needed.compute
            if bytes_needed <= available_memory():
                return n_seq
            lanes = [(r, lane) for r in self._residents.values() for lane in r.lanes]
            idle = [(r, lane) for r, lane in lanes if lane.idle]
            if idle:
                owner, oldest = min(idle, key=lambda pair: pair[1].used_at)
                owner.lanes.remove(oldest)
                oldest.close()
            elif n_seq > 1:
                n_seq //= 2
            elif lanes:
                return 0
            else:
                raise native.NativeError(
                    f"A context of {model.n_ctx:,} tokens needs about {size_in_words(bytes_needed)} "
                    f"of memory and {size_in_words(available_memory())} are free; ask for a smaller one."
                )


def _width(tasks: list[Task]) -> int:
    """Sequences a lane should have for these tasks: a power of two, and a whole group at least."""
    groups = Counter(task.request.group for task in tasks)
    wanted = max(*groups.values(), min(len(tasks), MAX_SEQUENCES), 1)
    return min(MOST_SEQUENCES, 1 << (wanted - 1).bit_length())


def _refuse_settings(settings: ModelSettings) -> None:
    """Raise NativeError for what llama.cpp would end the process over."""
    limits = {"n_ctx": (32, 2**31 - 1), "n_threads": (1, 1024), "n_ubatch": (32, 65_536)}
    for name, (low, high) in limits.items():
        value = getattr(settings, name)
        if not (low <= value <= high or (value == 0 and name != "n_ubatch")):
            raise native.NativeError(f"{name} must be from {low} to {high:,}, not {value:,}.")
