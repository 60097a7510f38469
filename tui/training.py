"""One training in the app: under way, paused, stopped or over; what it has told by now."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..compare.errors import MISTAKES
from ..compare.tuning.data import CheckedData, check_data
from ..compare.tuning.events import AdapterBegun, Event, Sampled
from ..compare.tuning.plan import TuningPlan
from ..compare.tuning.tuner import Places, Tuner
from ..models.engine.client import EngineError
from ..models.tuning.tasks import Begun, Done, Estimated, Failed, Saved, Stepped, Validated
from .sentences import for_app

if TYPE_CHECKING:
    from ..compare.runner import Runner
    from ..models.tuning.estimate import Estimate
    from ..prompts.library import Library
    from .widgets.loss_plot import Losses

State = Literal["starting", "running", "stopping", "stopped", "done", "failed"]

WAITING = "the model is being loaded for training"
"""What goes on before the first step."""


@dataclass(frozen=True)
class Look:
    """What the training of one adapter has told. Losses are nats per learned token; `step` of
    `steps` are done; `left_s` is what the rest takes, None before that can be said."""

    number: int = 1
    of: int = 1
    name: str = ""
    step: int = 0
    steps: int = 0
    losses: Losses = ()
    validations: Losses = ()
    tokens_per_s: float | None = None
    memory_bytes: int | None = None
    left_s: float | None = None
    estimate: Estimate | None = None
    samples: Sampled | None = None
    adapter: tuple[int, Path] | None = None
    """The newest converted checkpoint: its step and its file."""

    @property
    def best(self) -> tuple[int, float] | None:
        """The step with the lowest loss of what is held out, and that loss."""
        return min(self.validations, key=lambda it: it[1], default=None)


class Training:
    """A plan that is carried out. `run` once at a time, on the loop.

    `data` are its rows where they were read and checked already. With `resume` it goes on from what
    was kept of it. `on_event` is told what happens, after it was noted.
    """

    def __init__(
        self,
        plan: TuningPlan,
        data: CheckedData | None = None,
        *,
        resume: bool = False,
        on_event: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self.plan = plan
        self.state: State = "stopped" if resume else "starting"
        self.stage = ""
        """What is done before the first step."""
        self.problem = ""
        """Why it failed."""
        self.look = Look()
        self.done: list[Done] = []
        """The adapters that are there."""
        self.paused = False
        self.data = data
        self._on_event = on_event
        self._resume = resume
        self._tuner: Tuner | None = None

    @property
    def busy(self) -> bool:
        return self.state in ("starting", "running", "stopping")

    @property
    def resumable(self) -> bool:
        """Whether it can be gone on with."""
        return self.state == "stopped" or (self.state == "failed" and self.look.adapter is not None)

    @property
    def name(self) -> str:
        """What is trained, in a word."""
        return self.plan.out.stem

    @property
    def share(self) -> float:
        """How much of it is done."""
        look = self.look
        if self.state == "done":
            return 1.0
        return (look.number - 1 + look.step / max(1, look.steps)) / look.of

    # ----------------------------------------------------------------- running

    async def run(
        self,
        runner_of: Callable[[], Awaitable[Runner]],
        library: Library,
        folders: Sequence[Path],
        places: Places,
    ) -> None:
        """Carry it out to its end, which may be that it failed; a person's own suites are in the
        `folders`. Cancelling this ends it at once; it can be gone on with from its last checkpoint."""
        self.state, self.problem, self.stage, self.paused = "starting", "", "", False
        self.done = []
        try:
            runner = await runner_of()
            if self.data is None:
                self.data = await check_data(runner, self.plan, library, folders, self._prepare)
            self.stage = WAITING
            self._tuner = Tuner(runner, self.plan, self.data, places, resume=self._resume)
            async with contextlib.aclosing(self._tuner.events()) as events:
                async for event in events:
                    self._note(event)
                    self._on_event(event)
            if self.state == "done":
                await asyncio.to_thread(self._tuner.discard)
        except asyncio.CancelledError:
            self.state = "stopped"
            raise
        except (*MISTAKES, EngineError) as error:
            self.state, self.problem = "failed", for_app(str(error))
        finally:
            self._tuner, self._resume, self.paused = None, True, False

    def _prepare(self, stage: str, share: float, detail: str) -> None:
        self.stage = f"{stage} {detail or f'{100 * share:.0f} %'}"

    def _note(self, event: Event) -> None:
        look = self.look
        match event:
            case AdapterBegun():
                self.stage = WAITING
                look = Look(event.number, event.of, event.adapter.name)
            case Estimated():
                look = replace(look, estimate=event.estimate)
            case Begun():
                self.state = "stopping" if self.state == "stopping" else "running"
                look = replace(
                    look, step=event.step, steps=event.steps, losses=tuple(event.losses),
                    validations=tuple(event.validations),
                )  # fmt: skip
            case Stepped():
                look = replace(
                    look, step=event.losses[-1][0], losses=(*look.losses, *event.losses),
                    tokens_per_s=event.tokens_per_s, memory_bytes=event.memory_bytes,
                    left_s=event.left_s,
                )  # fmt: skip
            case Validated():
                look = replace(look, validations=(*look.validations, (event.step, event.loss)))
            case Saved():
                look = replace(look, adapter=(event.step, Path(event.adapter)))
            case Sampled():
                look = replace(look, samples=event)
            case Done():
                look = replace(look, adapter=(event.step, Path(event.adapter)), left_s=None)
                self.done.append(event)
                whole = look.number == look.of and event.why != "stopped"
                self.state = (
                    "stopped" if event.why == "stopped" else "done" if whole else "starting"
                )
            case Failed():
                self.state, self.problem = "failed", for_app(event.message)
            case _:
                pass
        self.look = look

    # ----------------------------------------------------------------- controls

    def pause(self) -> None:
        """Have it wait at the end of the step; nothing is computed then."""
        if self._tuner is not None:
            self._tuner.pause()
            self.paused = True

    def go_on(self) -> None:
        """Have it go on after a pause."""
        if self._tuner is not None:
            self._tuner.go_on()
            self.paused = False

    def stop(self) -> None:
        """Have it end, and write the best adapter so far."""
        if self._tuner is not None:
            self._tuner.stop()
            self.state, self.paused = "stopping", False
