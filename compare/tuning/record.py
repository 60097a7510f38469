"""What came of the training of one adapter so far, out of what was told."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from ...models.tuning.estimate import Estimate
from ...models.tuning.tasks import Begun, Done, Estimated, Paused, Saved, Stepped, Validated
from .events import Event, Sampled
from .plan import PlannedAdapter


@dataclass
class Record:
    """One adapter's training. Losses are by step, in nats per learned token or pair; `estimate` is
    the newest, `step` the last that was done."""

    adapter: PlannedAdapter
    begun: Begun | None = None
    estimate: Estimate | None = None
    step: int = 0
    losses: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    validations: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    last: Stepped | None = None
    """With the speed, the memory and the time that is left."""
    saved: Saved | None = None
    sampled: Sampled | None = None
    paused: bool = False
    done: Done | None = None

    def hear(self, event: Event) -> None:
        """Take in what happened."""
        match event:
            case Estimated():
                self.estimate = event.estimate
            case Begun():
                self.begun, self.step = event, event.step
                self.losses[:], self.validations[:] = event.losses, event.validations
            case Stepped():
                self.losses += event.losses
                self.step, self.last, self.paused = event.losses[-1][0], event, False
            case Validated():
                self.validations.append((event.step, event.loss))
            case Saved():
                self.saved = event
            case Sampled():
                self.sampled = event
            case Paused():
                self.paused = True
            case Done():
                self.done = event
            case _:
                pass

    @property
    def whole(self) -> Begun:
        """How it began, with all losses so far: as if it went on from here. It has begun."""
        assert self.begun is not None
        return msgspec.structs.replace(
            self.begun, step=self.step, losses=self.losses, validations=self.validations
        )

    @property
    def steps(self) -> int:
        """All of them, 0 until it has begun."""
        return self.begun.steps if self.begun else 0
