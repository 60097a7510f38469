"""Who computes next: the requests that wait, and turns between the lanes that run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from ..errors import ModelError
from ..gguf.check import check_model
from . import native
from .chain import Sampler
from .chunks import score_rows
from .lane import Lane, LaneKind, Tally
from .loader import Loader, Outcome
from .protocol import (
    LARGEST_SCALE,
    Counters,
    Event,
    Failed,
    Load,
    Loaded,
    Loading,
    ModelSettings,
    Request,
    ScoreRequest,
    Unloaded,
)
from .residents import Resident, Residents
from .samplers import make_sampling
from .saved import SavedPrompts
from .task import Generation, Scoring, Task
from .trial import Grammars
from .watch import Watch

STREAMS_SHARE = 1 / 8
"""Of the time that a prefill chunk took, what running streams get before the next one."""
QUANTIZED_KV = ("q8_0", "q4_0")
"""llama.cpp needs flash attention for them, which exact runs leave off."""


class Scheduler:
    """Owns every native object. `step` is one turn; `take_events` tells what came of it.

    `post` is called on another thread with what a load reports; hand it back to `loading`. Long
    prompts' caches go to `saved`. Models and contexts take `memory` bytes together at most; 0 is all
    that is free.
    """

    def __init__(
        self, post: Callable[[Loading | Outcome], None], saved: SavedPrompts, memory: int
    ) -> None:
        self.watch = Watch()
        self._tally = Tally()
        self._residents = Residents(self.watch, self._tally, saved, memory)
        self._loader = Loader(post)
        self._leaving: dict[int, Resident] = {}
        """Unloaded models that another thread still uses."""
        self._grammars = Grammars()
        self._events: list[Event] = []
        self._batches = 0
        self.only_streams = False
        """The last turn was a token for every stream, and no prompt waited."""
        self._owed_s = 0.0
        self._turn = 0

    @property
    def busy(self) -> bool:
        return any(resident.busy for resident in self._residents)

    def take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    # --------------------------------------------------------------------- models

    def load(self, command: Load) -> None:
        """Queue the load of a base model."""
        self._loader.submit(command)
        self._begin_loads()

    def _begin_loads(self) -> None:
        while command := self._loader.next():
            try:
                _refuse_settings(command.settings)
                facts = check_model(Path(command.path), values=True)
                self._residents.make_room_for(facts, command.settings, command.keep)
            except (native.NativeError, ModelError) as error:
                self._events.append(Failed(command.id, str(error), refused=True))
            else:
                self._loader.begin(command, facts)
            self._events += [Unloaded(key) for key in self._residents.take_dropped()]

    def loading(self, report: Loading | Outcome) -> None:
        """A load goes on, or is over."""
        if isinstance(report, Loading):
            self._events.append(report)
            return
        key = report.command.id
        stopped = self._loader.end()
        if report.model is None or stopped:
            self._residents.forgo()
            if report.model is not None:
                report.model.close()
            message = "The load was stopped." if stopped else report.message
            self._events.append(Failed(key, message, refused=True))
        else:
            try:
                resident = self._residents.add(key, report.model, report.facts)
            except native.NativeError as error:
                self._events.append(Failed(key, str(error), refused=True))
            else:
                model = resident.model
                self._events.append(
                    Loaded(key, model.info(resident.rewinds), model.special, model.ends)
                )
        self._begin_loads()

    def unload(self, key: int) -> None:
        """Free a model and end what runs on it."""
        if resident := self._residents.remove(key):
            for lane in resident.lanes:
                lane.cancel(lane.task_ids)
                self._events += lane.take_events()
            for _, tasks in resident.waiting:
                for task in tasks:
                    self._events += task.fail("The model was unloaded.")
            if resident.holds:
                self._leaving[key] = resident
            else:
                resident.close()

    def hold(self, key: int) -> native.Model | None:
        """A model for use on another thread: it stays until `release`."""
        resident = self._residents.get(key)
        if resident is None:
            return None
        resident.holds += 1
        return resident.model

    def release(self, key: int) -> None:
        """The other thread is done with the model."""
        resident = self._leaving.get(key) or self._residents.get(key)
        if resident:
            resident.holds -= 1
        if key in self._leaving and not self._leaving[key].holds:
            self._leaving.pop(key).close()

    # ------------------------------------------------------------------- requests

    def submit(self, key: int, requests: Sequence[Request | ScoreRequest]) -> None:
        """Queue requests; those of one stack start in lockstep."""
        resident = self._residents.get(key)
        now = time.monotonic()
        self._batches += 1
        groups: dict[LaneKind, list[Task]] = {}
        for request in requests:
            if resident is None:
                self._events.append(Failed(request.id, "The model is not loaded."))
                continue
            try:
                task = self._task(resident, request, now)
            except (native.NativeError, ModelError) as error:
                self._events.append(Failed(request.id, str(error), refused=True))
                continue
            stack = tuple(use for use in request.adapters if use.scale != 0)
            groups.setdefault(LaneKind(stack, request.exact, request.priority), []).append(task)
        if resident is not None:
            resident.waiting += groups.items()

    def _task(self, resident: Resident, request: Request | ScoreRequest, now: float) -> Task:
        model = resident.model
        n_ctx = model.n_ctx
        if not request.tokens:
            raise native.NativeError("The prompt is empty; write something first.")
        given = [*request.tokens, *(request.forced if isinstance(request, Request) else ())]
        if not all(0 <= token < model.n_vocab for token in given):
            raise native.NativeError("The prompt holds token ids that the vocabulary lacks.")
        paths = [use.path for use in request.adapters]
        if twice := next((path for path in paths if paths.count(path) > 1), None):
            raise native.NativeError(f"The stack holds {twice} twice; add up the scales instead.")
        if odd := next((it for it in request.adapters if not abs(it.scale) <= LARGEST_SCALE), None):
            raise native.NativeError(
                f"The scale of {odd.path} is {odd.scale:g}; give one between "
                f"{-LARGEST_SCALE:g} and {LARGEST_SCALE:g}."
            )
        for use in request.adapters:
            resident.check_fit(use)
        if request.exact and model.settings.kv_type in QUANTIZED_KV:
            raise native.NativeError("Exact runs need a KV type that is not quantized, as f16.")
        if isinstance(request, ScoreRequest):
            if not 1 <= request.start < len(request.tokens):
                raise native.NativeError(
                    f"There is nothing to score from token {request.start} on in a text of "
                    f"{len(request.tokens):,}."
                )
            if len(request.tokens) > n_ctx + 1:
                raise native.NativeError(
                    f"The text is {len(request.tokens):,} tokens long, but the context holds "
                    f"{n_ctx:,}; shorten it or ask for a larger context."
                )
            return Scoring.of(request, score_rows(model.n_vocab), now, self._batches)
        if len(request.tokens) >= n_ctx:
            raise native.NativeError(
                f"The prompt is {len(request.tokens):,} tokens long, but the context holds "
                f"{n_ctx:,}; shorten the prompt or ask for a larger context."
            )
        make_sampling(msgspec.to_builtins(request.sampling))
        grammar = self._grammars.text(model, request.grammar, request.schema)
        sampler = Sampler(model, request.sampling, request.tokens, grammar)
        return Generation.of(request, sampler, now, self._batches)

    def cancel(self, ids: set[int]) -> None:
        """End the requests and loads with these ids, wherever they are."""
        for key in self._loader.cancel(ids):
            self._events.append(Failed(key, "The load was stopped.", refused=True))
        for resident in self._residents:
            for lane in resident.lanes:
                lane.cancel(ids)
                self._events += lane.take_events()
            for _, tasks in resident.waiting:
                for task in [t for t in tasks if t.id in ids]:
                    tasks.remove(task)
                    self._events += task.end("cancelled")
            resident.waiting = [entry for entry in resident.waiting if entry[1]]

    # ---------------------------------------------------------------------- turns

    def step(self) -> None:
        """Place what waits, then one turn: a token for every stream, or one chunk of a prompt.

        Lanes with what a person looks at go first; those of the background stand still meanwhile.
        """
        for resident in self._residents:
            resident.waiting = [
                entry for entry in resident.waiting if not self._place(resident, *entry)
            ]
        self._events += [Unloaded(key) for key in self._residents.take_dropped()]
        lanes = [lane for r in self._residents for lane in r.lanes if not lane.idle]
        self.only_streams = False
        if lanes:
            urgent = min(lane.kind.priority for lane in lanes)
            self._run([lane for lane in lanes if lane.kind.priority == urgent])
        if not self.busy:
            self._events.append(Counters(self._tally.prefill_calls, self._tally.decode_calls))

    def _run(self, lanes: list[Lane]) -> None:
        prefilling = [lane for lane in lanes if lane.wants_prefill()]
        streaming = [lane for lane in lanes if lane.streaming]
        self.only_streams = bool(streaming) and not prefilling
        started = time.monotonic()
        if streaming and (self._owed_s > 0 or not prefilling):
            for lane in streaming:
                lane.decode()
                self._events += lane.take_events()
            self._owed_s -= time.monotonic() - started
        elif prefilling:
            lane = self._next_prefill(prefilling)
            lane.prefill()
            self._events += lane.take_events()
            self._owed_s = (time.monotonic() - started) * STREAMS_SHARE

    def _next_prefill(self, lanes: list[Lane]) -> Lane:
        """The shortest prompt first; every fourth turn the one that has waited longest."""
        self._turn += 1
        if self._turn % 4 == 0:
            return min(lanes, key=lambda lane: lane.used_at)
        return min(lanes, key=lambda lane: lane.prefill_left)

    def _place(self, resident: Resident, kind: LaneKind, tasks: list[Task]) -> bool:
        """Give the tasks to a lane; False if they must wait for one to fall idle."""
        try:
            lane = self._residents.lane(resident, kind, tasks)
        except native.NativeError as error:
            for task in tasks:
                self._events += task.fail(str(error), refused=True)
            return True
        if lane is None:
            return False
        lane.submit(tasks)
        return True


def _refuse_settings(settings: ModelSettings) -> None:
    """Raise NativeError for what llama.cpp would end the process over."""
    limits = {"n_ctx": (32, 2**31 - 1), "n_threads": (1, 1024), "n_ubatch": (32, 65_536)}
    for name, (low, high) in limits.items():
        value = getattr(settings, name)
        if value != 0 and not low <= value <= high:
            raise native.NativeError(f"{name} must be from {low} to {high:,}, not {value:,}.")
