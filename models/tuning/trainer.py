"""The training itself: steps of the optimizer, validation, checkpoints, and what is kept in the end.

A loop of our own rather than transformers' Trainer or trl's: each step is a function of the seed
and the step's number, so that going on from a checkpoint gives the same bits as never having
stopped, and a pause or a stop takes effect within a batch. docs/training.md says more.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence

from .base import Base
from .batches import batches, rows_of_step
from .checkpoints import Checkpoints, State
from .control import Control, Stopped
from .lora import Tensors, put_back, put_on, tensors_of, trained_parameters
from .losses import Learning, Objective, Preferring, Sums
from .memory_use import memory_now, memory_peak
from .parallel import ALONE, Group
from .rows import Row, Rows, of_kind, sequences
from .settings import TuningSettings
from .tasks import Paused, Report, Saved, Stepped, Validated

MAX_NORM = 1.0
"""Gradients longer than this are cut to it."""


class Diverged(Exception):
    """The loss, or its gradient, is no number any more at this step."""

    def __init__(self, step: int) -> None:
        super().__init__(step)
        self.step = step


class Trainer:
    """One training on `rows` with complete `settings`.

    `say` is told what happens; `convert` makes a file of an adapter at a checkpoint. Of a `group` all
    processes do the same at the same time: each computes its share of every batch, and what it comes
    to in all of them is what each goes on with.
    """

    def __init__(
        self,
        base: Base,
        rows: Rows,
        settings: TuningSettings,
        checkpoints: Checkpoints,
        convert: Callable[[State, Tensors], str],
        say: Callable[[Report], None],
        control: Control,
        group: Group = ALONE,
    ) -> None:
        import torch

        self._group = group
        self._settings, self._checkpoints, self._control = settings, checkpoints, control
        self._convert, self._say = convert, say
        self._device = base.device
        preferences = settings.method == "dpo"
        self._train, self._held_out = of_kind(rows, preferences=preferences)
        packed_to = settings.sequence_length if settings.packing else None
        self._objective: Objective = (
            Preferring(settings.beta, packed_to) if preferences else Learning(packed_to)
        )
        self.model = put_on(base, settings)
        self._trained = trained_parameters(self.model)
        self._optimizer = torch.optim.AdamW(
            self._trained, lr=settings.learning_rate, weight_decay=0.0, fused=True
        )
        self.parameters = sum(it.numel() for it in self._trained)
        self.state = State(adapter=tensors_of(self.model))
        self._saved_at = -1

    # -------------------------------------------------------------------- running

    def go_on_from(self, state: State) -> None:
        """Take up a training where `state` has it."""
        self.state = state
        put_back(self.model, state.adapter)
        self._optimizer.load_state_dict(state.optimizer)
        if isinstance(self._objective, Preferring):
            self._objective.reference = dict(state.reference)
        self._saved_at = state.step

    def run(self) -> str:
        """Train to the end, and keep the last state; why that came: steps, patience, or stopped.

        Raises Diverged, and ModelError as when the disk is full.
        """
        why = self._run()
        if self.state.step:
            self._save()
        return why

    def _run(self) -> str:
        self.model.train()
        state, settings = self.state, self._settings
        try:
            if self._due and self._validate():  # a stop came before it, or meanwhile
                self._save()
            while state.step < settings.steps:
                if settings.patience and state.stale >= settings.patience:
                    return "patience"
                self._control.check()
                self._step()
                improved = self._due and self._validate()
                if improved or state.step % settings.checkpoint_every == 0:
                    self._save()
                if self._control.paused:
                    self._save()
                    self._say(Paused(state.step))
                    self._control.wait()
        except Stopped:
            return "stopped"
        return "steps"

    @property
    def _due(self) -> bool:
        """The rows held out are to be looked at after this step, and were not yet."""
        state, settings = self.state, self._settings
        if not self._held_out or not state.step:
            return False
        due = state.step % settings.eval_every == 0 or state.step == settings.steps
        return due and state.step not in dict(state.validations[-1:])

    def best(self) -> tuple[int, Tensors]:
        """The step whose adapter is the best, and its weights: the last where none was held out."""
        if self._held_out and self.state.best_step:
            return self.state.best_step, self._checkpoints.best(self.state)
        return self.state.step, tensors_of(self.model)

    # ------------------------------------------------------------------ one step

    def _step(self) -> None:
        import torch

        state, began = self.state, time.monotonic()
        picked = rows_of_step(state.step, len(self._train), self._settings)
        rows = [self._train[i] for i in picked]
        weight, sums = self._objective.weight(rows), Sums()
        torch.manual_seed(_seed(self._settings.seed, state.step, self._group.rank))
        for share in self._shares(rows):
            loss, said = self._objective(self.model, share)
            (loss / weight).backward()
            sums.add(said)
        sums = self._whole(sums)
        self._group.add_gradients(self._trained)
        norm = torch.nn.utils.clip_grad_norm_(self._trained, MAX_NORM)
        if not (math.isfinite(sums.loss) and math.isfinite(norm.item())):
            raise Diverged(state.step + 1)
        rate = self._settings.rate_at(state.step)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        tokens = sum(len(row.tokens) for row in sequences(rows))
        took = time.monotonic() - began
        state.step += 1
        state.tokens += tokens
        state.seconds += took
        state.losses.append((state.step, sums.loss))
        left = (self._settings.steps - state.step) * state.seconds / state.step
        memory = memory_now(self._device, self._group)
        self._say(Stepped([(state.step, sums.loss)], rate, tokens / took, memory, left))

    # ------------------------------------------------- validating and keeping

    def _validate(self) -> bool:
        """Measure the loss of what is held out; whether it is the lowest so far."""
        state, began = self.state, time.monotonic()
        sums = self.measure(self._held_out)
        if not math.isfinite(sums.loss):
            raise Diverged(state.step)
        best = all(sums.loss < loss for _, loss in state.validations)
        state.validations.append((state.step, sums.loss))
        self._saved_at = -1  # without it
        state.stale = 0 if best else state.stale + 1
        if best:
            state.best_step = state.step
        if best and self._group.first:
            self._checkpoints.save_best(state.step, tensors_of(self.model))
        state.seconds += time.monotonic() - began
        pairs = self._settings.method == "dpo"
        margin, right = (
            (sums.margin / sums.weight, sums.right / sums.weight) if pairs else (None,) * 2
        )
        self._say(Validated(state.step, sums.loss, best, margin, right))
        return best

    def measure(self, rows: Sequence[Row]) -> Sums:
        """The loss of `rows` as the adapter is now."""

        import torch

        sums = Sums()
        self.model.eval()
        with torch.no_grad():
            for share in self._shares(rows):
                sums.add(self._objective(self.model, share)[1])
        self.model.train()
        return self._whole(sums)

    def _shares(self, rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
        """What this process computes of each batch, where that is anything. Raises Stopped.

        What the base says of preferences is then known to all processes, as it is to one alone: a
        row may come to another one next time.
        """
        it = self._objective
        new = isinstance(it, Preferring) and any(row.key not in it.reference for row in rows)
        for batch in batches(rows, self._settings.batch):
            self._control.check()
            if share := self._group.share(batch):
                yield share
        if isinstance(it, Preferring) and new:
            mine = {row.key: it.reference[row.key] for row in rows if row.key in it.reference}
            for known in self._group.each(mine):
                it.reference |= known

    def _whole(self, sums: Sums) -> Sums:
        """What it comes to in all processes."""
        nats, weight, margin, right = self._group.sums(
            [sums.nats, sums.weight, sums.margin, sums.right]
        )
        return Sums(nats, int(weight), margin, int(right))

    def _save(self) -> None:
        """Keep the state, and tell of its adapter, once per step."""
        state, peak_of = self.state, (self._group.size, self._device.type)
        before = state.peak_bytes if state.peak_of == peak_of else 0
        state.peak_bytes = max(before, memory_peak(self._device, self._group))
        state.peak_of = peak_of
        if self._saved_at == state.step:
            return
        state.adapter = tensors_of(self.model)
        state.optimizer = self._optimizer.state_dict()
        if isinstance(self._objective, Preferring):
            state.reference = self._objective.reference
        path = self._convert(state, state.adapter)
        if self._group.first:
            self._checkpoints.save(state)
        self._saved_at = state.step
        self._say(Saved(state.step, path))


def _seed(seed: int, step: int, rank: int) -> int:
    """Of what is drawn at random in a step (dropout): a training that goes on draws the same."""
    return ((seed * 10_000_019 + step) * 4_099 + rank) % (1 << 63)
