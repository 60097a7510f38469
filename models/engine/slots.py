"""The sequences of one context: what their caches hold, and how a prompt finds its prefix there."""

from __future__ import annotations

from .chunks import reusable
from .context import Context
from .saved import GAIN, Shelf
from .task import Slot, Task

COPY_GAIN = 128
"""Positions a neighbour's prefix must save over one's own before its cache is copied."""


class Slots:
    """The slots of a context, and the cache operations that keep them true."""

    def __init__(self, context: Context, rewinds: bool, shelf: Shelf) -> None:
        self.rewinds = rewinds
        self.shelf = shelf
        self._context = context
        self._windowed = context.model.n_swa > 0
        """llama.cpp leaves what lies behind the sliding window out of a saved state, and after a
        shift writes over it: neither can be cut back to an earlier position."""
        self._keeps = rewinds and not self._windowed
        self._slots = [Slot(i) for i in range(context.n_seq)]

    def __len__(self) -> int:
        return len(self._slots)

    def window(self, count: int) -> list[Slot]:
        """The first `count` free slots that stand side by side; empty if there are none.

        llama.cpp computes sequences as one batch only while their numbers are adjacent.
        """
        for start in range(len(self._slots) - count + 1):
            run = self._slots[start : start + count]
            if all(slot.task is None for slot in run):
                return run
        return []

    def between(self, slots: list[Slot]) -> list[Slot]:
        """The slots from the first to the last of these, those between them included."""
        return self._slots[slots[0].index : slots[-1].index + 1]

    def bring(self, slot: Slot, task: Task) -> int:
        """Have the slot hold the longest prefix of a task that any cache can give; its length."""
        own = self._reuse(slot, task)
        best = max(self._slots, key=lambda other: self._reuse(other, task))
        gain = self._reuse(best, task)
        saved = self.shelf.best(task.tokens, task.shared) if self._keeps else None
        if saved and saved.length - max(own, gain) >= GAIN and not self._context.copying:
            self.cut(slot, 0)
            if self.shelf.load(saved, self._context, slot.index):
                slot.tokens, slot.ends = list(saved.header.tokens), list(saved.header.ends)
                slot.length = slot.ends[-1]
                self.cut(slot, saved.length)
                return slot.length
            own = 0
            gain = self._reuse(best, task)
        if gain - own >= COPY_GAIN:
            self._context.copy(best.index, slot.index)
            slot.tokens, slot.ends, slot.length = list(best.tokens), list(best.ends), best.length
            own = gain
        self.cut(slot, own)
        return slot.length

    def save(self, slot: Slot) -> None:
        """Keep the prompt in a slot, of which nothing is decoded yet, for later starts."""
        if self._keeps:
            self.shelf.save(slot.tokens, slot.ends, self._context, slot.index)

    def _reuse(self, slot: Slot, task: Task) -> int:
        return reusable(slot.tokens, slot.ends, task.tokens, task.shared) if self.rewinds else 0

    def share(self, source: Slot, target: Slot) -> None:
        """Have `target` hold the prompt that `source` has just prefilled."""
        if self.rewinds and (target.tokens, target.ends) == (source.tokens, source.ends):
            self.cut(target, source.length)
        else:
            self._context.copy(source.index, target.index)
        target.tokens, target.ends = list(source.tokens), list(source.ends)
        target.length = source.length

    def cut(self, slot: Slot, length: int) -> None:
        """Keep the first `length` cached positions of a slot, or none if the model cannot."""
        if length and self.rewinds and self._context.truncate(slot.index, length):
            slot.ends = [end for end in slot.ends if end <= length]
            slot.tokens = slot.tokens[:length]
            slot.length = length
        else:
            self._context.truncate(slot.index, 0)
            slot.forget()

    def shift(self, slot: Slot, keep: int) -> None:
        """Drop the older half of what follows the first `keep` positions of a full slot."""
        discard = (slot.length - keep) // 2
        self._context.shift(slot.index, keep, discard)
        slot.length -= discard
        left = 0 if self._windowed else keep
        slot.ends = [end for end in slot.ends if end <= left]
        slot.tokens = slot.tokens[:left]

    def forget(self) -> None:
        """Empty every cache."""
        self._context.clear()
        for slot in self._slots:
            slot.forget()
