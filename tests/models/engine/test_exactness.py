"""Same shapes, same bits: what the engine promises of its outputs."""

import pytest

from llamadiff.models.engine.client import Engine, LoadedModel
from llamadiff.models.engine.protocol import AdapterUse, Request, Sampling

from ...conftest import listen

NEVER_END = dict.fromkeys(range(8), -100.0)
"""Bias against the special tokens of the bundled model, so that an output has its full length."""


async def prompt(engine: Engine, model: LoadedModel, words: int = 0) -> list[int]:
    filler = " ".join(f"Dogs like walk {i}." for i in range(words))
    text = f"<|user|>{filler}Tell me about dogs.<|end|><|assistant|>"
    return (await engine.tokenize(model, text, add_special=False)).tokens


def request(engine: Engine, tokens: list[int], **changes: object) -> Request:
    sampling = Sampling(max_tokens=int(str(changes.pop("n", 400))), logit_bias=NEVER_END, seed=int(str(changes.pop("seed", 0))))  # fmt: skip
    return Request(id=engine.new_id(), tokens=tokens, sampling=sampling, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("stack", [(), ("support",), ("support", "sentiment")])
async def test_identical_variants_of_one_run_are_equal(
    engine: Engine, model: LoadedModel, stack: tuple[str, ...], request_adapters: dict[str, str]
) -> None:
    adapters = tuple(AdapterUse(request_adapters[name], 0.7) for name in stack)
    tokens = await prompt(engine, model)
    heard = await listen(
        engine, model, [request(engine, tokens, adapters=adapters) for _ in range(4)]
    )
    assert len(heard[0].tokens) == 400
    assert all(it.tokens == heard[0].tokens for it in heard[1:])


@pytest.mark.parametrize("words", [0, 20, 70, 110])
async def test_a_run_repeated_equals_itself_warm_or_cold(
    engine: Engine, model: LoadedModel, support: str, words: int
) -> None:
    """Cold, at once again (warm), and after other prompts went through the same lanes."""
    tokens = await prompt(engine, model, words)
    adapters = (AdapterUse(str(support)),)

    async def run() -> tuple[list[list[int]], list[int]]:
        heard = await listen(
            engine,
            model,
            [
                request(engine, tokens, n=150),
                request(engine, tokens, n=150, seed=1),
                request(engine, tokens, n=150, adapters=adapters),
            ],
        )
        return [it.tokens for it in heard], [
            it.timings.prefill_reused for it in heard if it.timings
        ]

    cold, reused_cold = await run()
    warm, reused_warm = await run()
    assert warm == cold
    assert reused_cold[0] == 0
    assert reused_warm[0] == (len(tokens) - 1) // 32 * 32 or len(tokens) > 256
    other = await prompt(engine, model, words + 3)
    await listen(engine, model, [request(engine, other, n=30) for _ in range(5)])
    again, _ = await run()
    assert again == cold


async def test_a_changed_end_reuses_the_chunks_before_it(
    engine: Engine, model: LoadedModel
) -> None:
    tokens = await prompt(engine, model, 90)
    await listen(engine, model, [request(engine, tokens, n=5)])
    changed = [*tokens[:-6], *tokens[-5:]]
    (warm,) = await listen(engine, model, [request(engine, changed, n=100)])
    assert warm.timings is not None
    assert len(changed) - warm.timings.prefill_reused <= 64
    cold_engine = Engine(engine.log_path)
    try:
        (cold,) = await listen(
            cold_engine, await cold_engine.load(model.path), [request(cold_engine, changed, n=100)]
        )
    finally:
        await cold_engine.close()
    assert cold.timings is not None and cold.timings.prefill_reused == 0
    assert warm.tokens == cold.tokens


async def test_exact_variants_do_not_depend_on_what_else_runs(
    engine: Engine, model: LoadedModel, support: str
) -> None:
    tokens, other = await prompt(engine, model, 60), await prompt(engine, model, 10)
    for adapters in ((), (AdapterUse(str(support)),)):
        (alone,) = await listen(
            engine, model, [request(engine, tokens, exact=True, adapters=adapters)]
        )
        crowd = await listen(
            engine,
            model,
            [
                request(engine, other, exact=True, adapters=adapters, seed=3),
                request(engine, tokens, exact=True, adapters=adapters),
                request(engine, tokens, exact=True, adapters=adapters, seed=4),
                request(engine, other, seed=5),
            ],
        )
        assert len(alone.tokens) == 400
        assert crowd[1].tokens == alone.tokens


async def test_an_adapter_changes_the_output_and_scale_zero_does_not(
    engine: Engine, model: LoadedModel, support: str
) -> None:
    tokens = await prompt(engine, model)
    plain, tuned, zero = await listen(
        engine,
        model,
        [
            request(engine, tokens, n=40),
            request(engine, tokens, n=40, adapters=(AdapterUse(str(support)),)),
            request(engine, tokens, n=40, adapters=(AdapterUse(str(support), 0.0),)),
        ],
    )
    assert tuned.tokens != plain.tokens
    assert zero.tokens == plain.tokens


async def test_a_stack_never_sees_the_cache_of_another(
    engine: Engine, model: LoadedModel, support: str
) -> None:
    """A lane that is rebound to another scale gives what a fresh engine gives."""
    tokens = await prompt(engine, model, 40)
    scales = [0.1, 0.4, 0.7, 1.0, 1.3, 1.6]

    def at(it: Engine, scale: float) -> Request:
        return request(it, tokens, n=60, adapters=(AdapterUse(str(support), scale),))

    rebound = [(await listen(engine, model, [at(engine, s)]))[0].tokens for s in scales]
    fresh = Engine(engine.log_path)
    try:
        resident = await fresh.load(model.path)
        (last,) = await listen(fresh, resident, [at(fresh, scales[-1])])
    finally:
        await fresh.close()
    assert last.tokens == rebound[-1]
    assert rebound[0] != rebound[-1]


@pytest.fixture
def request_adapters(support: str, sentiment: str) -> dict[str, str]:
    return {"support": str(support), "sentiment": str(sentiment)}
