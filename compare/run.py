"""A run and its outputs: buffers that grow while the engine streams into them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from ..models.engine.protocol import FinishReason, ModelInfo, Sampling, Timings, TokenLogprob
from ..models.engine.samplers import parse_value

if TYPE_CHECKING:
    from .variants import Variant


class State(Enum):
    """Where an output stands."""

    WAITING = "waiting"
    LOADING = "loading"
    PREFILL = "prefill"
    STREAMING = "streaming"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        """Nothing more will arrive."""
        return self in (State.DONE, State.CANCELLED, State.FAILED)


@dataclass
class Stamp:
    """Where an output came from: enough to make it again.

    Hashes are hexadecimal SHA-256, or None while they are not known yet.
    """

    model_sha256: str | None = None
    adapter_sha256: tuple[str | None, ...] = ()
    prompt_text: str = ""
    prompt_tokens: list[int] = field(default_factory=list[int])
    template_source: str = "model"
    """`model`, or `default` when the model ships no chat template."""
    sampling: Sampling = field(default_factory=Sampling)
    info: ModelInfo | None = None
    llama_cpp: str | None = None
    """The build of llama.cpp, as it calls itself."""
    forced: tuple[int, ...] = ()
    """Tokens that the answer was made to begin with; its own come after them."""
    asked: str = ""
    """What the messages say and the answer was begun with, without the markup of a template."""


@dataclass(eq=False)
class Output:
    """What one variant said in one repeat. Grows while it streams; read it at any time."""

    variant: Variant
    repeat: int
    seed: int
    state: State = State.WAITING
    text: str = ""
    tokens: list[int] = field(default_factory=list[int])
    token_ends: list[int] = field(default_factory=list[int])
    """For each token the length of `text`, in characters, once it had arrived."""
    logprobs: list[TokenLogprob] = field(default_factory=list[TokenLogprob])
    finish_reason: FinishReason | None = None
    error: str | None = None
    refused: bool = False
    """The error is about what was asked for; otherwise the engine failed."""
    progress: float = 0.0
    """Fraction of the model loaded, or of the prompt prefilled, by state."""
    timings: Timings | None = None
    stamp: Stamp = field(default_factory=Stamp)
    no_effect: str = ""
    """That the variant's adapters were seen to change nothing, or no more than rounding does."""
    follows: Output | None = None
    """The output of the turn before, in a conversation that goes on."""
    reply: str = ""
    """What a person said to that one."""
    given: bool = False
    """Its text is from a dataset: no variant said it, and no prompt's prefill comes before it."""
    run_id: str = ""
    """The run it is an output of."""
    recorded_as: str = ""
    """The name its variant had in that run, where it has another by now."""

    @property
    def name(self) -> str:
        """`A`, or `A.2` for a repeat."""
        return self.variant.name + (f".{self.repeat + 1}" if self.repeat else "")

    def taken_by(self, variant: Variant) -> Output:
        """It as an output of a variant with another name, still known by the one it was run under."""
        return replace(self, variant=variant, recorded_as=self.recorded_as or self.variant.name)

    @property
    def slowed(self) -> str:
        """That other programs left fewer threads than the model's, in words; empty if they did not."""
        used = self.timings.threads if self.timings else 0
        most = self.stamp.info.n_threads if self.stamp.info else 0
        return f"{used} of {most} threads, the machine was busy" if 0 < used < most else ""


@dataclass(frozen=True)
class Beside:
    """That the output of another run stood beside those of a run: its variant's name and, where it
    had another in that run, that one, and the label it has here."""

    variant: str
    run_id: str
    pinned: bool = False
    recorded_as: str = ""
    label: str = ""


@dataclass(frozen=True)
class Around:
    """What was on the screen with a run: the name of the baseline, those of all variants in their
    order, and whose outputs were of other runs."""

    baseline: str
    names: tuple[str, ...]
    beside: tuple[Beside, ...] = ()


@dataclass
class Run:
    """All variants over one set of variable values: one output per variant and repeat."""

    variants: tuple[Variant, ...]
    values: Mapping[str, str]
    exact: bool = False
    logprobs: int = 0
    """Record each token's log-probability and this many alternatives; 0 is none."""
    outputs: list[Output] = field(default_factory=list[Output])
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    around: Around | None = None

    @property
    def over(self) -> bool:
        return all(output.state.over for output in self.outputs)

    @property
    def unfinished(self) -> set[Output]:
        """Those of which more will arrive."""
        return {output for output in self.outputs if not output.state.over}

    def give_up(self) -> None:
        """What is not over will not go on."""
        give_up(self.outputs)

    def of(self, variant: Variant) -> list[Output]:
        """The outputs of one variant, in the order of their repeats."""
        return [output for output in self.outputs if output.variant.name == variant.name]


def give_up(outputs: Iterable[Output]) -> None:
    """Those of these that are not over will not go on."""
    for output in outputs:
        if not output.state.over:
            output.state, output.finish_reason = State.CANCELLED, "cancelled"


def new_run(
    variants: Sequence[Variant],
    values: Mapping[str, str],
    *,
    seed: int | None = None,
    repeats: int = 1,
    exact: bool = False,
    logprobs: int = 0,
) -> Run:
    """A run ready for the runner: one waiting output per variant and repeat.

    Repeat i uses seed + i. Without `seed`, each variant's own applies, 0 by default. Raises
    ModelError for a seed that is none, or that the repeats would carry past the largest.
    """
    run = Run(tuple(variants), dict(values), exact, logprobs)
    for variant in variants:
        own = {**variant.prompt.sampling, **variant.sampling}.get("seed", 0)
        first = int(str(parse_value("seed", own if seed is None else seed)))
        parse_value("seed", first + repeats - 1)
        run.outputs += [Output(variant, i, first + i, run_id=run.id) for i in range(repeats)]
    return run
