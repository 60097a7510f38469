"""What a training tells while it goes on."""

from __future__ import annotations

from dataclasses import dataclass

from ...models.tuning.tasks import (
    Begun,
    Done,
    Estimated,
    Failed,
    Paused,
    Saved,
    Stepped,
    Validated,
)
from .plan import PlannedAdapter


@dataclass(frozen=True)
class AdapterBegun:
    """The training of one adapter begins, the `number`th, counted from 1, `of` so many."""

    adapter: PlannedAdapter
    number: int
    of: int


@dataclass(frozen=True)
class Sample:
    """A question that is held out, the answer in the data, the base's, and the adapter's by now; of
    all three what comes behind the words that the prompt begins the answer with."""

    question: str
    expected: str
    before: str
    now: str


@dataclass(frozen=True)
class Sampled:
    """What the adapter of this step answers, the most likely token at a time."""

    step: int
    samples: tuple[Sample, ...]


Event = (
    AdapterBegun
    | Estimated
    | Begun
    | Stepped
    | Validated
    | Saved
    | Sampled
    | Paused
    | Done
    | Failed
)
"""Those of models/tuning/tasks.py are as the process that trains tells them. Of each adapter the last
one is Done, or Failed, which ends everything."""
