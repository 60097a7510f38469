"""A request on its way through a lane, and the cache slot it occupies."""

from __future__ import annotations

from dataclasses import dataclass, field

from .protocol import Delta, Event, Failed, Finished, FinishReason, Request, Timings, TokenLogprob
from .samplers import Sampler
from .text_stream import TextStream


@dataclass(eq=False)
class Task:
    """A request on its way through a lane."""

    request: Request
    sampler: Sampler
    text: TextStream
    arrived: float
    batch: int
    """Counts Generate commands; tasks of one start together where they can."""
    slot: Slot | None = None
    reused: int = 0
    last_token: int = -1
    decoded: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    begun: bool = False

    @property
    def id(self) -> int:
        return self.request.id

    def end(self, reason: FinishReason) -> list[Event]:
        """The task is over: free its sampler; the events that say so."""
        self.sampler.close()
        span = self.last_at - self.first_at
        timings = Timings(
            ttft_s=self.first_at - self.arrived if self.first_at else None,
            prefill_tokens=len(self.request.tokens),
            prefill_reused=self.reused,
            decode_tokens=self.decoded,
            tokens_per_s=(self.decoded - 1) / span if self.decoded > 1 and span > 0 else None,
        )
        tail = self.text.finish()
        ending: list[Event] = [Delta(self.id, tail, [], [])] if tail else []
        return [*ending, Finished(self.id, reason, timings)]

    def fail(self, message: str, *, refused: bool = False) -> list[Event]:
        """The task cannot go on: free its sampler; the event that says why."""
        self.sampler.close()
        return [Failed(self.id, message, refused)]


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


def token_logprob(logits: object, token: int, top: int) -> TokenLogprob:
    """Log-softmax of one row of logits, shape (n_vocab,): the token's and the `top` likeliest."""
    import numpy as np

    row = np.asarray(logits, dtype=np.float64)
    row = row - row.max()
    row -= np.log(np.exp(row).sum())
    count = min(top, len(row))
    best = np.argpartition(-row, count - 1)[:count]
    best = best[np.argsort(-row[best], kind="stable")]
    return TokenLogprob(token, float(row[token]), [(int(i), float(row[i])) for i in best])
