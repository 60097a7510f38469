"""The promise of equal bits on models of other shapes and types, long outputs, long prompts, stacks.

One thread: the number changes what flash attention computes (docs/engine.md), and one alone
is quick on a busy machine too.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import BACKGROUND, AdapterUse, ModelSettings

from ....conftest import ROOT, listen, until
from ..asking import bits, request

Shapes = Callable[[str, str], Path]
Stack = tuple[AdapterUse, ...]
FIXED = ModelSettings(n_threads=1)
SHAPES = ("4M", "29M", "143M")
TYPES = ("Q4_0", "Q8_0", "Q6_K")
LENGTHS = (10, 70, 500, 2_000)
LARGER = (("29M", "Q8_0", 70), ("29M", "Q6_K", 500), ("143M", "Q4_0", 70))


def _case(*case: object, quick: bool) -> object:
    """A case that is run always if it is `quick`, else with `-m ""` only."""
    return pytest.param(*case, marks=() if quick else pytest.mark.long)


each_shape = pytest.mark.parametrize(
    ("shape", "kind"),
    [_case(shape, kind, quick=shape == "4M") for shape in SHAPES for kind in TYPES],
)
each_length = pytest.mark.parametrize(
    ("shape", "kind", "length"),
    [
        _case(shape, kind, length, quick=shape == "4M" or (shape, kind, length) in LARGER)
        for shape in SHAPES
        for kind in TYPES
        for length in LENGTHS
    ],
)
each_stack = pytest.mark.parametrize(
    ("shape", "kind", "adapters"),
    [
        _case(shape, kind, adapters, quick=shape == "4M" and adapters == TYPES.index(kind))
        for shape in SHAPES
        for kind in TYPES
        for adapters in range(3)
    ],
)


@pytest.fixture(scope="session")
def random_adapter(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Path]:
    """An adapter with random weights for a shape; written once."""
    folder = tmp_path_factory.mktemp("adapters")

    def write(shape: str, seed: int) -> Path:
        path = folder / f"{shape}-{seed}.gguf"
        if not path.exists():
            script = ROOT / "benchmarks" / "adapters.py"
            command = [sys.executable, str(script), shape, str(path), "--seed", str(seed)]
            subprocess.run(command, check=True)
        return path

    return write


@pytest_asyncio.fixture(loop_scope="module")
async def stacks(shape: str, random_adapter: Callable[[str, int], Path]) -> list[Stack]:
    """No adapter, one, and two."""
    one, two = [await asyncio.to_thread(random_adapter, shape, seed) for seed in (1, 2)]
    return [
        (),
        (AdapterUse(str(one), 0.7),),
        (AdapterUse(str(one), 1.0), AdapterUse(str(two), -0.4)),
    ]


@pytest_asyncio.fixture(loop_scope="module")
async def shaped(
    engine: Engine, random_model: Shapes, shape: str, kind: str
) -> AsyncIterator[LoadedModel]:
    """The random model, resident, with nothing computed before."""
    it = await engine.load(await asyncio.to_thread(random_model, shape, kind), FIXED)
    yield it
    await engine.unload(it.path, FIXED)


def prompt(length: int, seed: int = 0) -> list[int]:
    return [100 + (seed * 997 + i * 7_919) % 3_900 for i in range(length)]


@each_stack
async def test_identical_variants_of_one_run_are_equal_at_600_tokens(
    engine: Engine, shaped: LoadedModel, stacks: list[Stack], adapters: int
) -> None:
    stack = stacks[adapters]
    asked = [request(engine, prompt(40), 600, adapters=stack, logprobs=1) for _ in range(3)]
    heard = await listen(engine, shaped, asked)
    assert len(heard[0].tokens) == 600
    assert all(bits(it) == bits(heard[0]) for it in heard[1:])


@each_length
async def test_a_run_repeated_is_equal_cold_warm_and_after_others(
    engine: Engine, shaped: LoadedModel, stacks: list[Stack], length: int
) -> None:
    tokens = prompt(length)
    stack = stacks[length % 3]
    cold, warm, edited, again = [
        (await listen(engine, shaped, [request(engine, its, 40, adapters=stack, logprobs=1)]))[0]
        for its in (tokens, tokens, [*tokens[:-4], *prompt(4, seed=1)], tokens)
    ]
    assert cold.timings and warm.timings and again.timings
    assert cold.timings.prefill_reused == 0
    assert warm.timings.prefill_reused >= length - 16
    assert again.timings.prefill_reused >= length - 32
    assert bits(warm) == bits(again) == bits(cold)
    assert bits(edited) != bits(cold)


@each_shape
async def test_exact_output_does_not_depend_on_what_else_runs(
    engine: Engine, shaped: LoadedModel, stacks: list[Stack], kind: str
) -> None:
    stack = stacks[TYPES.index(kind)]
    asked = {"adapters": stack, "logprobs": 1, "exact": True}
    (alone,) = await listen(engine, shaped, [request(engine, prompt(300), 60, **asked)])
    behind = asyncio.create_task(
        listen(engine, shaped, [request(engine, prompt(200, 5), 200, priority=BACKGROUND)])
    )
    among, *_ = await listen(
        engine,
        shaped,
        [
            request(engine, prompt(300), 60, **asked),
            request(engine, prompt(300), 90, seed=1, **asked),
            request(engine, prompt(120, 3), 60, **asked),
            request(engine, prompt(300), 60, seed=2),
            request(engine, prompt(300), 60, adapters=stacks[1]),
        ],
    )
    await behind
    assert len(among.tokens) == 60
    assert bits(among) == bits(alone)


@each_shape
async def test_scale_0_equals_no_adapter(
    engine: Engine, shaped: LoadedModel, stacks: list[Stack]
) -> None:
    silent = tuple(AdapterUse(use.path, 0.0) for use in stacks[2])
    (without,) = await listen(engine, shaped, [request(engine, prompt(100), 60, logprobs=1)])
    (tuned,) = await listen(
        engine, shaped, [request(engine, prompt(100), 60, adapters=stacks[2], logprobs=1)]
    )
    (zero,) = await listen(
        engine, shaped, [request(engine, prompt(100), 60, adapters=silent, logprobs=1)]
    )
    assert bits(zero) == bits(without)
    assert bits(tuned) != bits(without)


async def test_identical_variants_that_come_later_are_equal_too(
    engine: Engine, random_model: Shapes
) -> None:
    """Their lane is busy and has fewer sequences than they need."""
    path = await asyncio.to_thread(random_model, "4M", "Q4_0")
    model = await engine.load(path, ModelSettings(n_threads=2))
    seen: set[int] = set()
    two = [request(engine, prompt(300, 1), 100, seed=seed) for seed in (1, 2)]
    before = asyncio.create_task(listen(engine, model, two, lambda delta: seen.add(delta.id)))
    await until(lambda: len(seen) == 2)
    same = [request(engine, prompt(300), 50, logprobs=1) for _ in range(3)]
    a, b, c = await listen(engine, model, same)
    assert bits(a) == bits(b) == bits(c)
    await before


async def test_two_base_models_at_once_do_not_disturb_each_other(
    engine: Engine, random_model: Shapes
) -> None:
    models = [
        await engine.load(await asyncio.to_thread(random_model, shape, "Q4_0"), FIXED)
        for shape in ("4M", "29M")
    ]

    async def run(model: LoadedModel) -> list[tuple[int, float]]:
        asked = [request(engine, prompt(120, seed), 40, seed=seed, logprobs=1) for seed in range(2)]
        return [pair for heard in await listen(engine, model, asked) for pair in bits(heard)]

    alone = [await run(model) for model in models]
    for model in models:
        await engine.unload(model.path, FIXED)
    models = [await engine.load(model.path, FIXED) for model in models]
    assert list(await asyncio.gather(*map(run, models))) == alone
