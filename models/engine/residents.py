"""The models in memory and their lanes: who stays, and who makes room for whom."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..adapters.preflight import check_fit
from ..errors import ModelError, size_in_words
from ..gguf.check import check_adapter
from ..gguf.facts import ModelFacts
from ..memory import available_memory, check_memory, estimate
from . import native
from .context import can_rewind
from .lane import Lane, LaneKind, Tally
from .protocol import AdapterUse, ModelSettings
from .saved import SavedPrompts
from .task import Task
from .threads import Governor
from .watch import Watch

MAX_LANES = 4
"""Of each priority, for one model."""
MAX_SEQUENCES = 8
MOST_SEQUENCES = 32
"""For a single group of more variants than MAX_SEQUENCES."""
IN_HAND_S = 10.0
"""A model used this recently is about to be used: it is not unloaded for another's lane."""


@dataclass(eq=False)
class Resident:
    """A model in memory and the lanes that share its weights."""

    key: int
    model: native.Model
    facts: ModelFacts
    rewinds: bool
    governor: Governor
    lanes: list[Lane] = field(default_factory=list[Lane])
    waiting: list[tuple[LaneKind, list[Task]]] = field(
        default_factory=list[tuple[LaneKind, list[Task]]]
    )
    used_at: float = field(default_factory=time.monotonic)
    holds: int = 0
    """Uses on other threads."""

    def check_fit(self, use: AdapterUse) -> None:
        """Raise ModelError for an adapter that is not for this model; each version is read once."""
        if not self.model.has_adapter(use):
            check_fit(check_adapter(Path(use.path)), self.facts)

    @property
    def busy(self) -> bool:
        return bool(self.waiting) or any(not lane.idle for lane in self.lanes)

    def close(self) -> None:
        for lane in self.lanes:
            lane.close()
        self.model.close()


class Residents:
    """Every model in memory, by key. Lanes, then models, unused for longest make room for others."""

    def __init__(self, watch: Watch, tally: Tally, saved: SavedPrompts, memory: int) -> None:
        self._saved = saved
        self._memory = memory
        self._watch = watch
        self._tally = tally
        self._all: dict[int, Resident] = {}
        self._dropped: list[int] = []
        self._promised = 0

    def __iter__(self) -> Iterator[Resident]:
        return iter(list(self._all.values()))

    def get(self, key: int) -> Resident | None:
        """The model of this key, marked as used now."""
        resident = self._all.get(key)
        if resident:
            resident.used_at = time.monotonic()
        return resident

    def take_dropped(self) -> list[int]:
        """Keys of the models that have made room since the last call."""
        dropped, self._dropped = self._dropped, []
        return dropped

    # --------------------------------------------------------------------- models

    def make_room_for(
        self, facts: ModelFacts, settings: ModelSettings, keep: Collection[int]
    ) -> None:
        """Have memory for a model that is about to be loaded; ModelError if there is not enough."""
        n_ctx = native.context_length(settings, facts.context)
        needed = estimate(facts, n_ctx=n_ctx, n_seq=1, kv_type=settings.kv_type).least
        if needed > self._free() + self._droppable(keep):
            keep = self._all.keys()  # nobody goes for a model that cannot fit
        while needed > self._free() and (self._drop_lane() or self._drop_model(keep)):
            pass
        try:
            check_memory(
                facts, n_ctx=n_ctx, n_seq=1, kv_type=settings.kv_type, available=self._free()
            )
        except ModelError as error:
            raise ModelError(f"{error}{self._limit()}") from None
        self._promised = needed

    def add(self, key: int, model: native.Model, facts: ModelFacts) -> Resident:
        """Take in a model that was just loaded. Raises NativeError when it cannot decode."""
        self._promised = 0
        try:
            rewinds = can_rewind(model, self._watch.abort)
        except native.NativeError:
            model.close()
            raise
        resident = Resident(key, model, facts, rewinds, _governor(model))
        self._all[key] = resident
        return resident

    def forgo(self) -> None:
        """The model that room was made for is not coming."""
        self._promised = 0

    def remove(self, key: int) -> Resident | None:
        """Take a model out; the caller ends what runs on it and closes it."""
        return self._all.pop(key, None)

    # ---------------------------------------------------------------------- lanes

    def lane(self, resident: Resident, kind: LaneKind, tasks: Sequence[Task]) -> Lane | None:
        """The lane for these tasks: the one there is, a rebound idle one, or a new one.

        None if they must wait for another to fall idle. Raises NativeError.
        """
        n_seq = _width(tasks)
        for lane in resident.lanes:
            if lane.kind == kind:
                if lane.n_seq >= (n_seq if lane.idle else min(n_seq, _widest(tasks))):
                    return lane
                if not lane.idle:
                    return None
                return self._replace(resident, lane, kind, n_seq)
        peers = [lane for lane in resident.lanes if lane.kind.priority == kind.priority]
        if len(peers) < MAX_LANES:
            return self._new(resident, kind, n_seq)
        idle = sorted((lane for lane in peers if lane.idle), key=lambda lane: lane.used_at)
        for lane in idle:
            if lane.kind.exact == kind.exact and lane.n_seq >= n_seq:
                lane.rebind(kind)
                self._free_old_adapters(resident)
                return lane
        return self._replace(resident, idle[0], kind, n_seq) if idle else None

    def _replace(self, resident: Resident, lane: Lane, kind: LaneKind, n_seq: int) -> Lane | None:
        resident.lanes.remove(lane)
        lane.close()
        return self._new(resident, kind, n_seq)

    def _new(self, resident: Resident, kind: LaneKind, n_seq: int) -> Lane | None:
        """A new lane, as wide as memory allows; None if it must wait for a busy one to end."""
        room = self._room(resident, n_seq, kind.exact)
        if room == 0:
            return None
        lane = Lane(
            resident.model, kind, room, resident.rewinds,
            self._watch, self._tally, resident.governor, self._saved,
        )  # fmt: skip
        resident.lanes.append(lane)
        self._free_old_adapters(resident)
        return lane

    def _free_old_adapters(self, resident: Resident) -> None:
        resident.model.free_old_adapters([u for lane in resident.lanes for u in lane.kind.stack])

    def _room(self, resident: Resident, n_seq: int, exact: bool) -> int:
        """How many sequences of the `n_seq` wanted fit into memory, once others made room."""
        model = resident.model
        while True:
            plan = estimate(
                resident.facts,
                n_ctx=model.n_ctx,
                n_seq=n_seq,
                kv_type=model.settings.kv_type,
                flash_attn=not exact,
            )
            needed = plan.kv_cache + plan.compute
            free = self._free() - self._promised
            if needed <= free:
                return n_seq
            in_hand = {r.key for r in self if time.monotonic() - r.used_at < IN_HAND_S}
            if self._drop_lane() or self._drop_model({resident.key, *in_hand}):
                continue
            if n_seq > 1:
                n_seq //= 2
            elif any(resident.lanes for resident in self):
                return 0
            else:
                raise native.NativeError(
                    f"A context of {model.n_ctx:,} tokens needs about {size_in_words(needed)} of "
                    f"memory and {size_in_words(free)} are free; ask for a smaller one.{self._limit()}"
                )

    # ---------------------------------------------------------------- making room

    def _free(self) -> int:
        """Bytes that more may take: what is free, within what models and contexts may take at all."""
        free = available_memory()
        return min(free, max(0, self._memory - self._taken())) if self._memory else free

    def _limit(self) -> str:
        """A sentence about the memory that models may take, where that is limited; else nothing."""
        if not self._memory:
            return ""
        return f" Models may take {size_in_words(self._memory)} in all, as the setting memory says."

    def _taken(self) -> int:
        """Bytes that the models and lanes there are take, by the estimate."""
        taken = 0
        for it in self:
            kind = it.model.settings.kv_type
            one = estimate(it.facts, n_ctx=it.model.n_ctx, n_seq=1, kv_type=kind)
            taken += one.weights + one.repacked
            for lane in it.lanes:
                plan = estimate(
                    it.facts, n_ctx=it.model.n_ctx, n_seq=lane.n_seq, kv_type=kind,
                    flash_attn=not lane.kind.exact,
                )  # fmt: skip
                taken += plan.kv_cache + plan.compute
        return taken

    def _droppable(self, keep: Collection[int]) -> int:
        """Bytes that idle models outside `keep` take at most, each with one wide lane."""
        idle = [r for r in self if not (r.busy or r.holds or r.key in keep)]
        return sum(
            estimate(
                r.facts, n_ctx=r.model.n_ctx, n_seq=MAX_SEQUENCES, kv_type=r.model.settings.kv_type
            ).total
            for r in idle
        )

    def _drop_lane(self) -> bool:
        """Close the idle lane unused for longest; False if there is none."""
        idle = [(r, lane) for r in self for lane in r.lanes if lane.idle]
        if not idle:
            return False
        owner, oldest = min(idle, key=lambda pair: pair[1].used_at)
        owner.lanes.remove(oldest)
        oldest.close()
        return True

    def _drop_model(self, keep: Collection[int]) -> bool:
        """Unload the idle model unused for longest, of those not kept; False if there is none."""
        idle = [r for r in self if not (r.busy or r.holds or r.key in keep)]
        if not idle:
            return False
        oldest = min(idle, key=lambda r: r.used_at)
        del self._all[oldest.key]
        oldest.close()
        self._dropped.append(oldest.key)
        return True


def _governor(model: native.Model) -> Governor:
    """A number of threads that a person asked for stays as it is."""
    return Governor(model.n_threads, fixed=model.settings.n_threads > 0)


def _widest(tasks: Sequence[Task]) -> int:
    """Tasks of the largest group, which decode as one batch."""
    return max(Counter(task.group for task in tasks).values())


def _width(tasks: Sequence[Task]) -> int:
    """Sequences a lane should have for these tasks: a power of two, and a whole group at least."""
    wanted = max(_widest(tasks), min(len(tasks), MAX_SEQUENCES), 1)
    return min(MOST_SEQUENCES, 1 << (wanted - 1).bit_length())
