"""A against A on an engine: what a variant says when nothing but chance, or the batch, is another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..models.engine.samplers import make_sampling, steps
from .conversation import go_on
from .lens import look
from .noise import (
    Contrast,
    Floor,
    Sample,
    Spread,
    contrast,
    contrast_in_batches,
    floor,
    samples,
)
from .rounding import rounding
from .run import Output, new_run
from .runner import Runner
from .variants import Variant

SHAPES = (1, 2, 3)
"""How many outputs the batches hold in which a greedy variant is run again."""

TEXTS = 8
"""Outputs of the baseline that are looked at through the lens."""


@dataclass(frozen=True)
class Control:
    """What either variant is against itself, by name, and each against the baseline."""

    baseline: str
    floors: Mapping[str, Floor]
    contrasts: Mapping[str, Contrast]


@dataclass(frozen=True)
class LensSpread:
    """The lens over several outputs of the first variant.

    `deltas` has a mean for each text: by how many nats a token the second finds it likelier.
    `rounding` is what computing the same once more moves a token's difference at most, in nats.
    """

    deltas: Spread
    rounding: float

    @property
    def within(self) -> bool:
        """Whether the texts do not even agree on the sign, or all means are rounding."""
        least, most = self.deltas.least, self.deltas.most
        return least <= 0 <= most or max(-least, most) <= self.rounding


def is_greedy(variant: Variant) -> bool:
    """Whether the variant's seed makes no difference: it takes the likeliest token."""
    sampling = make_sampling(variant.prompt.sampling, variant.sampling)
    done = steps(sampling, constrained=False)
    return "greedy" in done or ("top_k" in done and sampling.top_k == 1)


async def other_shapes(
    runner: Runner, output: Output, values: Mapping[str, str]
) -> Sequence[Output]:
    """What a greedy variant says with the same seed in batches of other sizes.

    On a backend that is not exact rounding differs there, and may turn a near tie. Raises as
    `Runner.run` when strict.
    """
    found: list[Output] = []
    for count in SHAPES:
        run = new_run([output.variant], values, seed=output.seed, repeats=count)
        if output.follows is not None:
            for again in run.outputs:
                go_on(again, output.follows, output.reply)
        await runner.run(run, strict=True)
        found.append(run.outputs[0])
    return found


def control(
    outputs: Mapping[str, Sequence[Output]],
    baseline: str,
    shapes: Mapping[str, Sequence[Output]] | None = None,
) -> Control:
    """Compare all variants with themselves and with the baseline; at least two outputs of each.

    `shapes` has for each greedy variant its outputs in other batches, none where these are known to
    be the same: those stand for what it is against itself. Takes a while for many long outputs;
    reads nothing but its arguments.
    """
    own = {name: samples(them) for name, them in outputs.items()}
    others = {name: [Sample.of(it) for it in them] for name, them in (shapes or {}).items()}
    floors = {
        name: floor([them[0], *others[name]] if others.get(name) else them)
        for name, them in own.items()
    }
    contrasts: dict[str, Contrast] = {}
    for name in own:
        if name != baseline:
            judge = contrast_in_batches if {baseline, name} <= {*others} else contrast
            both = floors[baseline], floors[name]
            contrasts[name] = judge(own[baseline], own[name], both)
    return Control(baseline, floors, contrasts)


async def lens_spread(
    runner: Runner,
    pair: tuple[Variant, Variant],
    outputs: Sequence[Output],
    values: Mapping[str, str],
    *,
    other: Output | None = None,
    exact: bool = False,
) -> LensSpread | None:
    """The lens on both variants over outputs of the first one; None without any text.

    In a conversation the second would say them in the place of its output `other`. Raises as
    `lens.look`.
    """
    texts = {tuple(it.tokens): it for it in reversed(outputs) if it.tokens}
    deltas: list[float] = []
    moved = 0.0
    for number, (tokens, output) in enumerate([*texts.items()][::-1][:TEXTS]):
        turns = (output, other)
        lens = await look(runner, pair, values, tokens, turns=turns, top=0, exact=exact)
        deltas.append(lens.mean_delta)
        if not number:
            moved = await rounding(runner, lens, values, exact=exact)
    return LensSpread(Spread.of(deltas), moved) if deltas else None
