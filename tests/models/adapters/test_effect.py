"""The effect check: an adapter that changes nothing is told from one that does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from llamadiff.models.adapters.effect import NOISE, Effect, Probe
from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import (
    AdapterUse,
    Failed,
    ModelSettings,
    Scored,
    ScoreRequest,
)
from llamadiff.models.errors import ModelError

from ..engine.asking import ids

WriteFile = Callable[..., Path]


@pytest.fixture
async def probe(engine: Engine, model: LoadedModel) -> Probe:
    return await Probe.of(engine, model)


@pytest.mark.parametrize("name", ["support", "sentiment"])
async def test_the_bundled_adapters_change_much(
    probe: Probe, name: str, request: pytest.FixtureRequest
) -> None:
    adapter: Path = request.getfixturevalue(name)
    effect = await probe.effect([AdapterUse(str(adapter))])
    assert effect.logit > 8 * effect.noise and effect.probability > 0.4
    assert not effect.within_rounding and not effect.verdict()
    half = await probe.effect([AdapterUse(str(adapter), 0.5)])
    assert half.logit < effect.logit


async def test_scale_zero_and_a_tiny_scale_change_nothing(probe: Probe, support: Path) -> None:
    zero = await probe.effect([AdapterUse(str(support), 0.0)])
    assert (zero.logit, zero.probability, zero.nothing) == (0.0, 0.0, True)
    tiny = await probe.effect([AdapterUse(str(support), 1e-5)])
    assert tiny.logit > 0 and tiny.noise > 0 and tiny.within_rounding and not tiny.nothing


async def test_an_untrained_adapter_changes_exactly_nothing(
    engine: Engine, write_model: WriteFile, write_adapter: WriteFile, tmp_path: Path
) -> None:
    """B is zero before the first step of training."""
    import gguf

    path = tmp_path / "fresh.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 16.0)
    writer.add_tensor("blk.0.attn_q.weight.lora_a", np.ones((4, 64), np.float32))
    writer.add_tensor("blk.0.attn_q.weight.lora_b", np.zeros((64, 4), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    model = await engine.load(write_model())
    probe = await Probe.of(engine, model)
    effect = await probe.effect([AdapterUse(str(path))])
    assert effect.logit == 0.0 and effect.nothing


async def test_an_adapter_of_another_base_is_refused(
    probe: Probe, write_adapter: WriteFile
) -> None:
    with pytest.raises(ModelError, match="tuned"):
        await probe.effect([AdapterUse(str(write_adapter()))])


async def test_quantized_caches_have_no_exact_run_to_compare(
    engine: Engine, base: Path, support: Path
) -> None:
    model = await engine.load(base, ModelSettings(kv_type="q8_0"))
    effect = await (await Probe.of(engine, model)).effect([AdapterUse(str(support))])
    assert effect.noise == 0.0 and not effect.within_rounding


def test_nothing_is_said_only_of_nothing() -> None:
    assert Effect(0.0, 0.0, 0.3).verdict() == "this adapter changes nothing"
    assert Effect(0.0, 0.0, 0.0).verdict(2) == "these adapters change nothing"
    small = Effect(0.4, 0.0555, 0.25)
    assert small.verdict() == (
        "this adapter changes no more than rounding does (logits by up to 0.4, a probability by up "
        "to 5.5 %; rounding alone does 0.25)"
    )
    assert Effect(NOISE * 0.1, 0.01, 0.1).within_rounding
    assert Effect(NOISE * 0.1 + 0.01, 0.01, 0.1).verdict() == ""
    assert Effect(1e-9, 0.0, 0.0).verdict() == ""


async def test_logits_are_those_the_log_probabilities_come_from(
    engine: Engine, model: LoadedModel
) -> None:
    tokens = await ids(engine, model)
    asked = [
        ScoreRequest(engine.new_id(), tokens, start=start, logits=logits)
        for start, logits in ((2, True), (1, False))
    ]
    scored = {it.id: Scored(it.id, []) for it in asked}
    async for events in engine.score(model, asked):
        for event in events:
            assert not isinstance(event, Failed), event
            if isinstance(event, Scored):
                scored[event.id].logprobs += event.logprobs
                scored[event.id].logits += event.logits
    with_logits, without = scored.values()
    assert without.logits == []
    rows = np.frombuffer(b"".join(with_logits.logits), np.float32).reshape(-1, model.info.n_vocab)
    assert len(rows) == len(tokens) - 2 == len(with_logits.logprobs)
    for row, said in zip(rows.astype(np.float64), with_logits.logprobs, strict=True):
        expected = row[said.token] - np.log(np.exp(row - row.max()).sum()) - row.max()
        assert said.logprob == pytest.approx(expected, abs=1e-5)
