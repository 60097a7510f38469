"""Same shapes, same bits: what the engine promises of its outputs."""

import pytest

from llamadiff.models.engine.chunks import plan
from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import AdapterUse, Request

from ....conftest import listen
from .. import asking
from ..asking import bits


async def prompt(engine: Engine, model: LoadedModel, words: int = 0) -> list[int]:
    filler = " ".join(f"Dogs like walk {i}." for i in range(words))
    text = f"<|user|>{filler}Tell me about dogs.<|end|><|assistant|>"
    return (await engine.tokenize(model, text, add_special=False)).tokens


def request(
    engine: Engine, tokens: list[int], n: int = 400, seed: int = 0, **changes: object
) -> Request:
    return asking.request(engine, tokens, n, seed, **changes)


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
    assert reused_warm[0] == [0, *plan(len(tokens))][-2]
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


# ------------------------------------------------- bit for bit, while batches change their shape


@pytest.mark.parametrize("words", [0, 40, 80])
async def test_equal_bits_when_others_end_early(
    engine: Engine, model: LoadedModel, support: str, words: int
) -> None:
    """Gaps left by outputs that end do not tear the batch of identical variants apart."""
    tokens, other = await prompt(engine, model, words), await prompt(engine, model, words + 9)
    adapters = (AdapterUse(str(support), 0.7),)

    def ask(of: list[int], n: int, seed: int = 0) -> Request:
        return request(engine, of, n=n, seed=seed, adapters=adapters, logprobs=1)

    for _ in range(2):
        a, *_, d = await listen(
            engine, model, [ask(tokens, 200), ask(other, 40), ask(tokens, 90, 3), ask(tokens, 200)]
        )
        assert len(a.tokens) == 200
        assert bits(a) == bits(d)


async def test_equal_bits_when_a_run_is_repeated_in_a_wider_lane(
    engine: Engine, model: LoadedModel, support: str
) -> None:
    tokens, other = await prompt(engine, model, 60), await prompt(engine, model, 70)
    adapters = (AdapterUse(str(support), 0.7),)

    async def run() -> list[list[tuple[int, float]]]:
        asked = [
            request(engine, tokens, n=150, adapters=adapters, logprobs=1),
            request(engine, other, n=120, seed=2, adapters=adapters, logprobs=1),
            request(engine, tokens, n=150, seed=5, adapters=adapters, logprobs=1),
        ]
        return [bits(heard) for heard in await listen(engine, model, asked)]

    cold = await run()
    wide = [request(engine, tokens[:-k], n=20, adapters=adapters) for k in range(1, 9)]
    await listen(engine, model, wide)
    assert await run() == cold
    await listen(engine, model, [request(engine, other, n=20, adapters=adapters)])
    assert await run() == cold


async def test_equal_bits_for_more_repeats_than_a_lane_holds(
    engine: Engine, model: LoadedModel, support: str
) -> None:
    """Two identical variants × 9 repeats, each repeat a group of its own."""
    tokens = await prompt(engine, model, 50)
    adapters = (AdapterUse(str(support), 0.7),)
    asked = [
        request(engine, tokens, n=60 + 20 * i, seed=i, group=i, adapters=adapters, logprobs=1)
        for _ in range(2)
        for i in range(9)
    ]
    heard = await listen(engine, model, asked)
    assert [it.failure for it in heard] == [None] * 18
    for i in range(9):
        assert len(heard[i].tokens) == 60 + 20 * i
        assert bits(heard[i]) == bits(heard[9 + i])


async def test_exact_is_equal_bit_for_bit_alone_and_among_others(
    engine: Engine, model: LoadedModel, support: str
) -> None:
    tokens, other = await prompt(engine, model, 60), await prompt(engine, model, 20)
    adapters = (AdapterUse(str(support), 0.7),)

    def ask(of: list[int], seed: int = 0) -> Request:
        return request(engine, of, n=150, seed=seed, adapters=adapters, exact=True, logprobs=1)

    (alone,) = await listen(engine, model, [ask(tokens)])
    _, among, _ = await listen(engine, model, [ask(other, 1), ask(tokens), ask(other, 2)])
    assert bits(alone) == bits(among)


@pytest.mark.parametrize("count", [2, 3, 5, 6, 7, 8])
async def test_equal_bits_at_every_place_in_a_batch(
    engine: Engine, model: LoadedModel, support: str, count: int
) -> None:
    tokens = await prompt(engine, model, 30)
    adapters = (AdapterUse(str(support), 0.7),)
    heard = await listen(
        engine,
        model,
        [request(engine, tokens, n=100, adapters=adapters, logprobs=1) for _ in range(count)],
    )
    assert all(bits(it) == bits(heard[0]) for it in heard)
