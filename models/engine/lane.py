"""A lane: one llama.cpp context bound to one adapter stack, decoding many sequences as one batch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from . import native
from .context import DECODE_ABORTED, DECODE_FULL, DECODE_OK, Context
from .logprobs import token_logprobs
from .protocol import (
    AdapterUse,
    Delta,
    Event,
    FinishReason,
    Prefill,
    Priority,
    Scored,
)
from .saved import WORTH_S, SavedPrompts, Shelf
from .slots import Slots
from .task import Generation, Scoring, Slot, Task, Wave
from .threads import Governor
from .watch import Watch

Stack = tuple[AdapterUse, ...]


@dataclass(frozen=True)
class LaneKind:
    """What a lane is made for: an adapter stack, exact or not, and how urgent its work is."""

    stack: Stack
    exact: bool
    priority: Priority


@dataclass
class Tally:
    """Decode calls made by all lanes of a worker."""

    prefill_calls: int = 0
    decode_calls: int = 0


class Lane:
    """Runs the tasks of one adapter stack; `prefill` and `decode` do one call's worth of work."""

    def __init__(
        self,
        model: native.Model,
        kind: LaneKind,
        n_seq: int,
        rewinds: bool,
        watch: Watch,
        tally: Tally,
        governor: Governor,
        saved: SavedPrompts,
    ) -> None:
        self.kind = kind
        self._saved = saved
        self.used_at = time.monotonic()
        self._watch = watch
        self._tally = tally
        self._governor = governor
        self._context = Context(model, n_seq, kind.exact, watch.abort)
        self._slots = Slots(self._context, rewinds, self._shelf())
        self._waiting: list[Task] = []
        self._prefilling: Wave | None = None
        self._running: list[Generation] = []
        self._events: list[Event] = []
        try:
            self._context.set_adapters(kind.stack)
        except native.NativeError:
            self._context.close()
            raise

    # ------------------------------------------------------------- for the scheduler

    @property
    def n_seq(self) -> int:
        return len(self._slots)

    @property
    def n_ctx(self) -> int:
        return self._context.n_ctx

    @property
    def idle(self) -> bool:
        return not (self._waiting or self._prefilling or self._running)

    @property
    def streaming(self) -> bool:
        """Some sequence has its prompt computed and goes on token by token."""
        return bool(self._running)

    def wants_prefill(self) -> bool:
        """Some prompt is to be computed; starts the next wave if it can start now."""
        if self._prefilling is None and self._waiting:
            self._admit()
        return self._prefilling is not None

    @property
    def prefill_left(self) -> int:
        """Tokens still to be computed of the prompt whose turn it is."""
        if not self._prefilling:
            return 0
        leader = self._prefilling.leaders[0]
        return len(leader.tokens) - (leader.slot.length if leader.begun and leader.slot else 0)

    @property
    def task_ids(self) -> set[int]:
        """The requests that wait or run here."""
        prefilling = self._prefilling.tasks if self._prefilling else []
        return {task.id for task in (*self._waiting, *prefilling, *self._running)}

    def take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def rebind(self, kind: LaneKind) -> None:
        """Serve another adapter stack; what was cached under the old one is dropped."""
        self._context.set_adapters(kind.stack)
        self.kind = kind
        self._slots.forget()
        self._slots.shelf = self._shelf()

    def _shelf(self) -> Shelf:
        """Where the prompts of this model and stack are saved."""
        context, model, stack = self._context, self._context.model, self.kind.stack
        settings = model.settings
        sizes = (context.n_ctx, context.n_seq, settings.n_ubatch)
        identity = (model.path, model.version, settings.kv_type, settings.n_gpu_layers, *sizes)
        known = all(use.version for use in stack)
        return self._saved.shelf((*identity, self.kind.exact, stack) if known else None)

    def close(self) -> None:
        self._context.close()

    def submit(self, tasks: Sequence[Task]) -> None:
        self._waiting += tasks

    def cancel(self, ids: set[int]) -> None:
        """End the tasks with these ids now."""
        for task in [t for t in self._waiting if t.id in ids]:
            self._waiting.remove(task)
            self._finish(task, "cancelled")
        if wave := self._prefilling:
            for task in [t for t in wave.tasks if t.id in ids]:
                wave.drop(task)
                self._finish(task, "cancelled")
            self._end_wave(wave)
        for task in [t for t in self._running if t.id in ids]:
            self._finish(task, "cancelled")

    # ------------------------------------------------------------------- admission

    def _admit(self) -> None:
        """Start the next wave: whole groups of one command, on adjacent slots.

        It waits while an earlier wave of the same command runs, so that equal groups decode in
        equal batches.
        """
        first = self._waiting[0]
        if any(task.batch == first.batch for task in self._running):
            return
        tasks: list[Task] = []
        for group in _groups(self._waiting):
            if tasks and not self._slots.window(len(tasks) + len(group)):
                break
            tasks += group
        slots = self._slots.window(len(tasks))
        if not slots:
            if self._running:
                return
            slots = self._slots.window(len(self._slots))
        tasks = tasks[: len(slots)]
        self._waiting = [task for task in self._waiting if task not in tasks]
        for task, slot in zip(tasks, slots, strict=False):
            slot.task, task.slot = task, slot
        self._prefilling = Wave.of(tasks)

    # --------------------------------------------------------------------- prefill

    def prefill(self) -> None:
        """Compute one chunk of a prompt."""
        self.used_at = time.monotonic()
        wave = self._prefilling
        assert wave is not None
        leader = wave.leaders[0]
        slot = leader.slot
        assert slot is not None
        if not leader.begun:
            leader.begun = True
            leader.reused = self._slots.bring(slot, leader)
        start, end = slot.length, next(e for e in leader.ends if e > slot.length)
        outputs = leader.outputs(start, end)
        with (
            self._watch.serving(wave.served_by(leader), yields=bool(self.kind.priority)),
            self._governed(wave.tasks),
        ):
            code = self._context.prefill(slot.index, leader.tokens[start:end], start, outputs)
        leader.computed_s += time.monotonic() - self.used_at
        self._tally.prefill_calls += 1
        if code == DECODE_ABORTED:
            self._slots.cut(slot, start)
            return
        if code != DECODE_OK:
            self._fail_all(code)
            return
        slot.tokens = leader.tokens[:end]
        slot.ends.append(end)
        slot.length = end
        self._events.append(Prefill(leader.id, end, leader.ends[-1], leader.reused))
        if isinstance(leader, Scoring):
            self._score(leader, end, outputs)
        if end == leader.ends[-1]:
            self._start(wave, leader, row=end - start - 1)
        self._end_wave(wave)

    def _end_wave(self, wave: Wave) -> None:
        """Once no prompt of the wave is left to compute, its tasks decode together."""
        if not wave.leaders:
            self._running += [task for task in wave.tasks if isinstance(task, Generation)]
            self._prefilling = None

    def _score(self, task: Scoring, end: int, outputs: int) -> None:
        """Report the log-probabilities of the tokens after the last `outputs` positions to `end`."""
        if outputs:
            following = task.tokens[end - outputs + 1 : end + 1]
            rows = self._context.all_logits(outputs)
            logits = [row.tobytes() for row in rows] if task.logits else []
            self._events.append(Scored(task.id, token_logprobs(rows, following, task.top), logits))

    def _start(self, wave: Wave, leader: Task, row: int) -> None:
        """The leader's prompt is in the cache: share it, and sample the first tokens."""
        wave.leaders.pop(0)
        source = leader.slot
        assert source is not None
        if not isinstance(leader, Generation):
            wave.tasks.remove(leader)
            self._finish(leader, "stop")
            return
        group = [leader, *wave.followers.pop(leader.id, [])]
        for task in group:
            target = task.slot
            assert target is not None
            if target is not source:
                task.reused = source.length
                self._slots.share(source, target)
        for task in group:
            assert isinstance(task, Generation)
            self._take(task, row)
            if task.slot is None:
                wave.tasks.remove(task)
        if leader.computed_s >= WORTH_S:
            self._slots.save(source)

    # ---------------------------------------------------------------------- decode

    def decode(self) -> None:
        """One more token for every running sequence."""
        self.used_at = time.monotonic()
        for task in [t for t in self._running if t.slot and t.slot.length >= self.n_ctx]:
            self._make_room(task)
        slots = sorted((t.slot for t in self._running if t.slot), key=lambda slot: slot.index)
        if not self.kind.exact:
            if slots:
                self._decode_batch(slots)
            return
        for slot in slots:
            if slot.task is not None:
                self._decode_batch([slot])

    def _make_room(self, task: Generation) -> None:
        """The context is full: shift it if that was asked for and can be done, or end."""
        slot, wanted = task.slot, self._context.model.settings.context_shift
        if slot and wanted and self._slots.rewinds and self._context.can_shift:
            self._slots.shift(slot, min(len(task.tokens), self.n_ctx // 4))
        else:
            self._finish(task, "context")

    def _decode_batch(self, slots: list[Slot]) -> None:
        """One token for each slot's task, all in one batch.

        Slots between them that have nothing to say decode a token that is thrown away: with a
        gap llama.cpp would compute two batches of other shapes, hence other bits.
        """
        rows: list[tuple[int, int, int]] = []
        speaking: list[tuple[int, Generation, Slot]] = []
        fillers: list[Slot] = []
        for slot in self._slots.between(slots) if self._slots.rewinds else slots:
            task = slot.task
            if isinstance(task, Generation) and slot in slots:
                speaking.append((len(rows), task, slot))
                rows.append((slot.index, task.last_token, slot.length))
            else:
                if slot.length >= self.n_ctx:
                    self._slots.cut(slot, 0)
                fillers.append(slot)
                rows.append((slot.index, 0, slot.length))
        with (
            self._watch.serving(frozenset(task.id for _, task, _ in speaking)),
            self._governed([task for _, task, _ in speaking]),
        ):
            code = self._context.step(rows)
        self._tally.decode_calls += 1
        for slot in fillers:
            self._context.truncate(slot.index, slot.length)
        if code == DECODE_ABORTED:
            for _, task, slot in speaking:  # it serves nobody else: see Watch.cancel
                if not self._context.truncate(slot.index, slot.length):
                    self._slots.cut(slot, 0)
                self._finish(task, "cancelled")
            return
        if code != DECODE_OK:
            self._fail_all(code)
            return
        for row, task, slot in speaking:
            slot.length += 1
            self._take(task, row)

    def _take(self, task: Generation, row: int) -> None:
        """Sample a token from batch row `row`, and report or finish."""
        now = time.monotonic()
        token = task.sampler.sample(self._context, row, task.forced)
        if token is None:
            forbidden = "leaves no token that could come next" if task.forced is None else "does not allow what the answer is made to begin with"  # fmt: skip
            self._fail(task, f"The grammar {forbidden}.", refused=True)
            return
        top = task.request.logprobs
        logprobs = token_logprobs(self._context.logits(row)[None], [token], top) if top else []
        task.first_at = task.first_at or now
        task.last_token = token
        if self._context.model.is_end(token):
            self._finish(task, "stop")
            return
        task.last_at = now
        task.decoded += 1
        text, stopped = task.text.feed(self._context.model.piece(token))
        self._events.append(Delta(task.id, text, [token], [len(text)], logprobs))
        if stopped:
            self._finish(task, "stop")
        elif task.decoded >= task.request.sampling.max_tokens:
            self._finish(task, "length")

    @contextmanager
    def _governed(self, tasks: Sequence[Task]) -> Iterator[None]:
        """The decode inside runs on as many threads as the machine leaves us."""
        count = self._governor.count
        self._context.use_threads(count)
        for task in tasks:
            task.threads = min(task.threads, count)
        started = self._governor.started()
        yield
        self._governor.ended(started)

    # ----------------------------------------------------------------------- ends

    def _finish(self, task: Task, reason: FinishReason) -> None:
        self._events += task.end(reason)
        self._release(task)

    def _fail(self, task: Task, message: str, *, refused: bool = False) -> None:
        self._events += task.fail(message, refused=refused)
        self._release(task)

    def _release(self, task: Task) -> None:
        if task.slot is not None:
            task.slot.task = None
            task.slot = None
        self._running = [other for other in self._running if other is not task]

    def _fail_all(self, code: int) -> None:
        """A decode went wrong in a way that says nothing of whom: everybody here ends."""
        wave = self._prefilling
        for task in [*self._running, *(wave.tasks if wave else [])]:
            if task.slot is None:
                continue
            if code == DECODE_FULL:
                self._finish(task, "context")
            else:
                self._fail(task, f"llama.cpp failed to decode ({code}): {native.complaint()}.")
        self._prefilling = None
        self._slots.forget()


def _groups(waiting: Sequence[Task]) -> list[list[Task]]:
    """The tasks of the first command that waits, by group, in order."""
    groups: dict[int, list[Task]] = {}
    for task in waiting:
        if task.batch == waiting[0].batch:
            groups.setdefault(task.group, []).append(task)
    return list(groups.values())
