"""A lane: one llama.cpp context bound to one adapter stack, decoding many sequences as one batch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from . import native
from .chunks import plan
from .protocol import AdapterUse, Delta, Event, FinishReason, Prefill
from .slots import Slots
from .task import Slot, Task, Wave, token_logprob

Stack = tuple[AdapterUse, ...]


@dataclass
class Tally:
    """Decode calls made by all lanes of a worker."""

    prefill_calls: int = 0
    decode_calls: int = 0


class Watch:
    """Which requests the decode in progress serves, for the thread that cancels."""

    def __init__(self) -> None:
        self.abort = native.AbortFlag()
        self.active: frozenset[int] = frozenset()

    def cancel(self, ids: Sequence[int]) -> None:
        """Stop the decode in progress if it serves nobody else. Safe from any thread."""
        active = self.active
        if active and active <= set(ids):
            self.abort.set()


class Lane:
    """Runs the tasks of one adapter stack. `step` does one decode call's worth of work."""

    def __init__(
        self,
        model: native.Model,
        stack: Stack,
        n_seq: int,
        exact: bool,
        rewinds: bool,
        watch: Watch,
        tally: Tally,
    ) -> None:
        self.exact = exact
        self.stack: Stack = ()
        self.used_at = time.monotonic()
        self._watch = watch
        self._tally = tally
        self._context = native.Context(model, n_seq, exact, watch.abort)
        self._slots = Slots(self._context, rewinds)
        self._waiting: list[Task] = []
        self._prefilling: Wave | None = None
        self._running: list[Task] = []
        self._prefill_turn = True
        self._events: list[Event] = []
        try:
            self.rebind(stack)
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
    def task_ids(self) -> set[int]:
        """The requests that wait or run here."""
        prefilling = self._prefilling.tasks if self._prefilling else []
        return {task.id for task in (*self._waiting, *prefilling, *self._running)}

    def take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def rebind(self, stack: Stack) -> None:
        """Serve another adapter stack; what was cached under the old one is dropped."""
        self._context.set_adapters(stack)
        self.stack = stack
        self._slots.forget()

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
                self._drop_from_wave(wave, task)
        for task in [t for t in self._running if t.id in ids]:
            self._finish(task, "cancelled")

    def step(self) -> None:
        """One prefill chunk or one decode of every running sequence; they alternate."""
        self.used_at = time.monotonic()
        if self._prefilling is None and self._waiting:
            self._admit()
        if self._prefilling and (self._prefill_turn or not self._running):
            self._prefill_turn = False
            self._prefill()
        elif self._running:
            self._prefill_turn = True
            self._decode()

    # ------------------------------------------------------------------- admission

    def _admit(self) -> None:
        """Start the next wave: whole groups of one Generate command, on adjacent slots.

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
        leaders: dict[tuple[int, ...], Task] = {}
        followers: dict[int, list[Task]] = {}
        for task, slot in zip(tasks, slots, strict=False):
            slot.task, task.slot = task, slot
            leader = leaders.setdefault(tuple(task.request.tokens), task)
            if leader is not task:
                followers.setdefault(leader.id, []).append(task)
        self._prefilling = Wave(list(leaders.values()), followers, tasks)

    # --------------------------------------------------------------------- prefill

    def _prefill(self) -> None:
        wave = self._prefilling
        assert wave is not None
        if not wave.leaders:
            self._running += wave.tasks
            self._prefilling = None
            return
        leader = wave.leaders[0]
        slot = leader.slot
        assert slot is not None
        prompt = leader.request.tokens
        if not leader.begun:
            leader.begun = True
            leader.reused = self._slots.bring(slot, prompt)
        end = next(e for e in plan(len(prompt)) if e > slot.length)
        last = end == len(prompt)
        chunk = prompt[slot.length : end]
        self._watch.active = frozenset(t.id for t in (leader, *wave.followers.get(leader.id, [])))
        code = self._context.prefill(slot.index, chunk, slot.length, last)
        self._watch.active = frozenset()
        self._tally.prefill_calls += 1
        if code == native.DECODE_ABORTED:
            self._watch.abort.clear()
            self._slots.cut(slot, slot.length)
            return
        if code != native.DECODE_OK:
            self._fail_all(code)
            return
        slot.tokens = prompt[:end]
        slot.ends.append(end)
        slot.length = end
        self._events.append(Prefill(leader.id, end, len(prompt), leader.reused))
        if last:
            self._start(wave, leader, row=len(chunk) - 1)

    def _drop_from_wave(self, wave: Wave, task: Task) -> None:
        """Take a cancelled task out; a follower inherits the prefill of its leader."""
        wave.tasks.remove(task)
        if task in wave.leaders:
            at = wave.leaders.index(task)
            heirs = wave.followers.pop(task.id, [])
            if heirs:
                heir = heirs[0]
                assert heir.slot is not None and task.slot is not None
                heir.slot, task.slot = task.slot, heir.slot
                heir.slot.task, task.slot.task = heir, task
                heir.begun, heir.reused = task.begun, task.reused
                wave.leaders[at] = heir
                wave.followers[heir.id] = heirs[1:]
            else:
                wave.leaders.pop(at)
        else:
            for group in wave.followers.values():
                if task in group:
                    group.remove(task)
        self._finish(task, "cancelled")

    def _start(self, wave: Wave, leader: Task, row: int) -> None:
        """The leader's prompt is in the cache: share it, and sample the first tokens."""
        wave.leaders.pop(0)
        source = leader.slot
        assert source is not None
        group = [leader, *wave.followers.pop(leader.id, [])]
        for task in group:
            target = task.slot
            assert target is not None
            if target is not source:
                task.reused = source.length
                self._slots.share(source, target)
        for task in group:
            self._take(task, row)
            if task.slot is None:
                wave.tasks.remove(task)

    # ---------------------------------------------------------------------- decode

    def _decode(self) -> None:
        full = [t for t in self._running if t.slot is not None and t.slot.length >= self.n_ctx]
        for task in full:
            self._finish(task, "context")
        slots = sorted((t.slot for t in self._running if t.slot), key=lambda slot: slot.index)
        if not self.exact:
            if slots:
                self._decode_batch(slots)
            return
        for slot in slots:
            if slot.task is not None:
                self._decode_batch([slot])

    def _decode_batch(self, slots: list[Slot]) -> None:
        """One token for each slot's task, all in one batch.

        Slots between them that have nothing to say decode a token that is thrown away: with a
        gap llama.cpp would compute two batches of other shapes, hence other bits.
        """
        rows: list[tuple[int, int, int]] = []
        speaking: list[tuple[int, Task, Slot]] = []
        fillers: list[Slot] = []
        for slot in self._slots.between(slots) if self._slots.rewinds else slots:
            task = slot.task
            if task is not None and slot in slots:
                speaking.append((len(rows), task, slot))
                rows.append((slot.index, task.last_token, slot.length))
            else:
                if slot.length >= self.n_ctx:
                    self._slots.cut(slot, 0)
                fillers.append(slot)
                rows.append((slot.index, 0, slot.length))
        self._watch.active = frozenset(task.id for _, task, _ in speaking)
        code = self._context.step(rows)
        self._watch.active = frozenset()
        self._tally.decode_calls += 1
        for slot in fillers:
            self._context.truncate(slot.index, slot.length)
        if code == native.DECODE_ABORTED:
            self._watch.abort.clear()
            for _, task, slot in speaking:
                if not self._context.truncate(slot.index, slot.length):
                    self._slots.cut(slot, 0)
                    self._fail(task, "A stop of another output lost this one's place; run again.")
            return
        if code != native.DECODE_OK:
            self._fail_all(code)
            return
        for row, task, slot in speaking:
            slot.length += 1
            self._take(task, row)

    def _take(self, task: Task, row: int) -> None:
        """Sample a token from batch row `row`, and report or finish."""
        now = time.monotonic()
        token = task.sampler.sample(self._context, row)
        if token is None:
            self._fail(task, "The grammar leaves no token that could come next.", refused=True)
            return
        top = task.request.logprobs
        logprobs = [token_logprob(self._context.logits(row), token, top)] if top else []
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
        if task in self._running:
            self._running.remove(task)

    def _fail_all(self, code: int) -> None:
        """A decode went wrong in a way that says nothing of whom: everybody here ends."""
        wave = self._prefilling
        for task in [*self._running, *(wave.tasks if wave else [])]:
            if task.slot is None:
                continue
            if code == native.DECODE_FULL:
                self._finish(task, "context")
            else:
                self._fail(task, f"llama.cpp failed to decode ({code}): {native.complaint()}.")
        self._prefilling = None
        self._slots.forget()


def _groups(waiting: Sequence[Task]) -> list[list[Task]]:
    """The tasks of the first Generate command that waits, by group, in order."""
    groups: dict[int, list[Task]] = {}
    for task in waiting:
        if task.batch == waiting[0].batch:
            groups.setdefault(task.request.group, []).append(task)
    return list(groups.values())
