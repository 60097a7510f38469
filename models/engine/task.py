"""A request on its way through a lane, and the cache slot it occupies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .chain import Sampler
from .chunks import plan, score_plan
from .protocol import (
    AdapterUse,
    Delta,
    Event,
    Failed,
    Finished,
    FinishReason,
    Priority,
    Request,
    ScoreRequest,
    Timings,
)
from .text_stream import TextStream

MOST_THREADS = 1024


@dataclass(eq=False)
class Task:
    """What generating and scoring have in common: tokens to be computed, chunk by chunk."""

    id: int
    tokens: list[int]
    adapters: tuple[AdapterUse, ...]
    exact: bool
    priority: Priority
    arrived: float
    batch: int
    """Counts commands; tasks of one start together where they can."""
    group: int
    shared: list[int]
    """Ends of the chunks that a cached prefix may serve, ascending."""
    ends: list[int]
    """Ends of all chunks."""
    slot: Slot | None = None
    reused: int = 0
    threads: int = MOST_THREADS
    begun: bool = False
    computed_s: float = 0.0
    """How long its prompt has been computed."""

    def outputs(self, start: int, end: int) -> int:
        """How many of the last positions of the chunk from `start` to `end` need logits."""
        raise NotImplementedError

    def end(self, reason: FinishReason) -> list[Event]:
        """The task is over; the events that say so."""
        raise NotImplementedError

    def fail(self, message: str, *, refused: bool = False) -> list[Event]:
        """The task cannot go on; the event that says why."""
        return [Failed(self.id, message, refused)]


@dataclass(eq=False)
class Generation(Task):
    """A prompt to be continued."""

    request: Request = field(kw_only=True)
    sampler: Sampler = field(kw_only=True)
    text: TextStream = field(kw_only=True)
    last_token: int = -1
    decoded: int = 0
    first_at: float = 0.0
    last_at: float = 0.0

    @classmethod
    def of(cls, request: Request, sampler: Sampler, arrived: float, batch: int) -> Generation:
        ends = plan(len(request.tokens))
        return cls(
            request.id, request.tokens, request.adapters, request.exact, request.priority,
            arrived, batch, request.group, ends[:-1], ends,
            request=request, sampler=sampler, text=TextStream(request.stop),
        )  # fmt: skip

    @property
    def forced(self) -> int | None:
        """The token that comes next, whatever is drawn; None once the drawn ones count."""
        forced = self.request.forced
        return forced[self.decoded] if self.decoded < len(forced) else None

    def outputs(self, start: int, end: int) -> int:
        return int(end == len(self.tokens))

    def end(self, reason: FinishReason) -> list[Event]:
        self.sampler.close()
        span = self.last_at - self.first_at
        timings = Timings(
            ttft_s=self.first_at - self.arrived if self.first_at else None,
            prefill_tokens=len(self.tokens),
            prefill_reused=self.reused,
            decode_tokens=self.decoded,
            tokens_per_s=(self.decoded - 1) / span if self.decoded > 1 and span > 0 else None,
            threads=0 if self.threads == MOST_THREADS else self.threads,
        )
        tail = self.text.finish()
        ending: list[Event] = [Delta(self.id, tail, [], [])] if tail else []
        return [*ending, Finished(self.id, reason, timings)]

    def fail(self, message: str, *, refused: bool = False) -> list[Event]:
        self.sampler.close()
        return super().fail(message, refused=refused)


@dataclass(eq=False)
class Scoring(Task):
    """A text whose tokens' log-probabilities are wanted."""

    start: int = field(kw_only=True)
    top: int = field(kw_only=True)
    logits: bool = field(kw_only=True)

    @classmethod
    def of(cls, request: ScoreRequest, rows: int, arrived: float, batch: int) -> Scoring:
        """`rows` positions are scored at a time."""
        shared, scored = score_plan(request.start, len(request.tokens), rows)
        return cls(
            request.id, request.tokens, request.adapters, request.exact, request.priority,
            arrived, batch, 0, shared, [*shared, *scored],
            start=request.start, top=request.top, logits=request.logits,
        )  # fmt: skip

    def outputs(self, start: int, end: int) -> int:
        return max(0, end - max(start, self.start - 1))

    def end(self, reason: FinishReason) -> list[Event]:
        return [Finished(self.id, reason, Timings(None, len(self.tokens), self.reused, 0, None))]


@dataclass(eq=False)
class Slot:
    """One sequence of the context: the prompt chunks its cache holds, and who uses it.

    `length` counts cached positions; `tokens` and `ends` describe only prefilled
    chunks, for generated positions are never reused.
    """

    index: int
    tokens: list[int] = field(default_factory=list[int])
    ends: list[int] = field(default_factory=list[int])
    length: int = 0
    task: Task | None = None

    def forget(self) -> None:
        self.tokens, self.ends, self.length = [], [], 0


@dataclass(eq=False)
class Wave:
    """Tasks that were admitted together: prefilled one prompt after the other, then in lockstep."""

    leaders: list[Task]
    followers: dict[int, list[Task]]
    """Tasks with the same prompt as the leader of that request id."""
    tasks: list[Task]

    @classmethod
    def of(cls, tasks: Sequence[Task]) -> Wave:
        """Tasks that continue the same prompt share its prefill; the first of them leads."""
        leaders: dict[tuple[object, ...], Task] = {}
        followers: dict[int, list[Task]] = {}
        for task in tasks:
            key = tuple(task.tokens) if isinstance(task, Generation) else (task,)
            leader = leaders.setdefault(key, task)
            if leader is not task:
                followers.setdefault(leader.id, []).append(task)
        return cls(list(leaders.values()), followers, list(tasks))

    def served_by(self, leader: Task) -> frozenset[int]:
        """The requests for which this leader's prompt is computed."""
        return frozenset(t.id for t in (leader, *self.followers.get(leader.id, [])))

    def drop(self, task: Task) -> None:
        """Take a task out; a follower inherits the prefill of its leader."""
        self.tasks.remove(task)
        if task not in self.leaders:
            for group in self.followers.values():
                if task in group:
                    group.remove(task)
            return
        at = self.leaders.index(task)
        heirs = self.followers.pop(task.id, [])
        if not heirs:
            self.leaders.pop(at)
            return
        heir = heirs[0]
        assert heir.slot is not None and task.slot is not None
        heir.slot, task.slot = task.slot, heir.slot
        heir.slot.task, task.slot.task = heir, task
        heir.begun, heir.reused = task.begun, task.reused
        heir.computed_s = task.computed_s
        self.leaders[at] = heir
        self.followers[heir.id] = heirs[1:]
