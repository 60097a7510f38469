"""Outputs are marked whose adapters change nothing, and each stack is measured once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from llamadiff.compare.effects import Effects
from llamadiff.compare.run import Output, State
from llamadiff.compare.variants import StackedAdapter, Variant
from llamadiff.models.adapters.effect import Effect, Probe
from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import AdapterUse, ModelSettings
from llamadiff.prompts.library import resolve


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, ...]]:
    """The scales of every stack that is measured."""
    scales: list[tuple[float, ...]] = []
    effect = Probe.effect

    async def listened(self: Probe, stack: Sequence[AdapterUse]) -> Effect:
        scales.append(tuple(use.scale for use in stack))
        return await effect(self, stack)

    monkeypatch.setattr(Probe, "effect", listened)
    return scales


def outputs(base: Path, adapter: Path, *scales: float) -> list[Output]:
    """A finished output for each scale, and one of the base alone."""
    plain = Variant("Z", base, "demo", resolve("tell-me-about"))
    variants = [
        Variant(f"{i}", base, "demo", plain.prompt, (StackedAdapter("it", adapter, scale),))
        for i, scale in enumerate(scales)
    ]
    return [Output(variant, 0, 0, State.DONE) for variant in (*variants, plain)]


async def test_a_stack_that_changes_nothing_is_marked(
    engine: Engine, model: LoadedModel, base: Path, support: Path, measured: list[tuple[float, ...]]
) -> None:
    effects = Effects(engine, lambda it: ModelSettings())
    tiny, full, plain = found = outputs(base, support, 1e-5, 1.0)
    assert await effects.mark(found)
    assert [it.no_effect for it in (full, plain)] == ["", ""]
    assert tiny.no_effect.startswith("this adapter changes no more than rounding does (logits by")
    assert measured == [(1e-5,), (1.0,)]
    again = outputs(base, support, 1.0, 0.9, 2.0, 0.001)
    assert await effects.mark(again)
    assert [bool(it.no_effect) for it in again] == [False, False, False, True, False]
    assert measured == [(1e-5,), (1.0,), (0.001,)], "near scales are not measured anew"
    assert await effects.mark(outputs(base, support, 1e-5, 0.001, 1.0))
    assert len(measured) == 3


async def test_what_cannot_be_measured_is_left_alone(
    engine: Engine, base: Path, support: Path, measured: list[tuple[float, ...]]
) -> None:
    effects = Effects(engine, lambda it: ModelSettings())
    assert not await effects.mark(outputs(base, support, 0.0)), "the model is not loaded"
    await engine.load(base)
    failed = outputs(base, support, 0.0)
    failed[0].state = State.CANCELLED
    assert not await effects.mark(failed)
    assert not await effects.mark(outputs(base, support.with_name("gone.gguf"), 1.0))
    await engine.close()
    assert not await effects.mark(outputs(base, support, 0.0))
    assert len(measured) == 1
