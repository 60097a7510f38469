"""Models whose caches are no llama's: recurrent, hybrid, with sliding windows, with experts."""

from __future__ import annotations

import random
import shlex
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import Finished, ModelSettings, Prefill, Request
from llamadiff.models.gguf.check import check_model

from ....conftest import Heard, listen
from .. import asking
from ..architectures import ARCHITECTURES, CONTEXT, LAYERS, VOCABULARY, WINDOW, write
from ..asking import bits
from ..test_saved import EAGER

Bits = list[tuple[int, float]]
Fresh = Callable[[list[int]], Awaitable[Bits]]

REWINDS = {"recurrent": False, "hybrid": False, "sliding-window": True, "experts": True}
LONG = 5 * WINDOW + 150
"""Tokens of a prompt of several chunks that is much longer than the sliding window."""
EDITS = {"start": slice(2, 3), "middle": slice(LONG // 2, LONG // 2 + 4), "end": slice(-3, -1)}


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The model of a kind, written once."""
    folder = tmp_path_factory.mktemp("architectures")

    def path_of(kind: str) -> Path:
        path = folder / f"{kind}.gguf"
        if not path.exists():
            write(kind, path)
        return path

    return path_of


@pytest.fixture(params=list(ARCHITECTURES))
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest_asyncio.fixture(loop_scope="module")
async def model(
    engine: Engine, kind: str, written: Callable[[str], Path]
) -> AsyncIterator[LoadedModel]:
    it = await engine.load(written(kind))
    yield it
    await engine.unload(it.path)


@pytest.fixture
def fresh(engine: Engine, kind: str, written: Callable[[str], Path]) -> Fresh:
    """What a prompt gives when the model has just been loaded."""

    async def run(tokens: list[int]) -> Bits:
        await engine.unload(written(kind))
        (heard,) = await listen(engine, await engine.load(written(kind)), [ask(engine, tokens, 60)])
        await engine.unload(written(kind))
        return bits(heard)

    return run


def tokens_of(length: int, seed: int = 0) -> list[int]:
    """A prompt of random tokens, no special ones."""
    rng = random.Random(seed)
    return [1, *(rng.randrange(8, VOCABULARY) for _ in range(length - 1))]


def ask(engine: Engine, tokens: list[int], n: int, seed: int = 0, **changes: object) -> Request:
    return asking.request(engine, tokens, n, seed, logprobs=1, **changes)


def bits_of(heard: list[Heard]) -> list[Bits]:
    assert [it.failure for it in heard] == [None] * len(heard)
    return [bits(it) for it in heard]


def test_their_headers_are_read(kind: str, written: Callable[[str], Path]) -> None:
    facts = check_model(written(kind))
    assert facts.architecture == ARCHITECTURES[kind].name
    assert (facts.layers, facts.context, facts.vocab_size) == (LAYERS, CONTEXT, VOCABULARY)
    per_layer = 2 * 32  # a key and a value of two heads of 16 elements
    attention = {"recurrent": 0, "hybrid": LAYERS // 2}.get(kind, LAYERS)
    assert facts.kv_per_token == attention * per_layer


async def test_it_generates_and_says_whether_it_rewinds(
    engine: Engine, model: LoadedModel, kind: str
) -> None:
    assert model.info.can_rewind == REWINDS[kind]
    (heard,) = await listen(engine, model, [ask(engine, tokens_of(20), 50)])
    assert heard.failure is None
    assert len(heard.tokens) == 50 and len(set(heard.tokens)) > 10


async def test_what_comes_first_in_a_prompt_is_not_forgotten(
    engine: Engine, model: LoadedModel
) -> None:
    """The models are no constants: one other token at the start or the end moves the bits."""
    tokens = tokens_of(WINDOW)
    others = [[1, tokens[1] ^ 1, *tokens[2:]], [*tokens[:-1], tokens[-1] ^ 1]]
    heard = [await listen(engine, model, [ask(engine, it, 20)]) for it in [tokens, *others]]
    one, two, three = (bits_of(it)[0] for it in heard)
    assert one != two and one != three


@pytest.mark.parametrize("length", [5, LONG])
async def test_identical_variants_of_one_run_are_equal(
    engine: Engine, model: LoadedModel, length: int
) -> None:
    tokens = tokens_of(length)
    first, *others = bits_of(
        await listen(engine, model, [ask(engine, tokens, 120) for _ in range(4)])
    )
    assert len(first) == 120
    assert all(other == first for other in others)


@pytest.mark.parametrize("length", [5, LONG])
async def test_a_run_repeated_equals_itself(
    engine: Engine, model: LoadedModel, kind: str, length: int
) -> None:
    async def run() -> list[Heard]:
        asked = [ask(engine, tokens_of(length), 80, seed) for seed in (0, 1)]
        return await listen(engine, model, asked)

    cold, warm = await run(), await run()
    assert bits_of(warm) == bits_of(cold)
    await listen(engine, model, [ask(engine, tokens_of(length + 40, 9), 20) for _ in range(3)])
    assert bits_of(await run()) == bits_of(cold)
    reused = warm[0].timings.prefill_reused if warm[0].timings else 0
    assert (reused > 0) == (REWINDS[kind] and length == LONG)


@pytest.mark.parametrize("where", list(EDITS))
async def test_an_edited_prompt_is_what_it_is_in_a_fresh_model(
    engine: Engine, model: LoadedModel, fresh: Fresh, where: str
) -> None:
    """Longer than the sliding window, which the output before the edit has moved on."""
    tokens = tokens_of(LONG)
    await listen(engine, model, [ask(engine, tokens, 2 * WINDOW)])
    edited = list(tokens)
    edited[EDITS[where]] = tokens_of(4, 7)[1:]
    (warm,) = bits_of(await listen(engine, model, [ask(engine, edited, 60)]))
    assert warm == await fresh(edited)


async def test_a_prompt_cut_short_is_what_it_is_in_a_fresh_model(
    engine: Engine, model: LoadedModel, fresh: Fresh
) -> None:
    tokens = tokens_of(LONG)
    await listen(engine, model, [ask(engine, tokens, 2 * WINDOW)])
    short = tokens[: LONG - 2 * WINDOW]
    (warm,) = bits_of(await listen(engine, model, [ask(engine, short, 60)]))
    assert warm == await fresh(short)


async def test_prompts_of_different_lengths_at_once(engine: Engine, model: LoadedModel) -> None:
    async def run() -> list[Bits]:
        asked = [
            ask(engine, tokens_of(LONG), 60),
            ask(engine, tokens_of(11, 3), 90, 4),
            ask(engine, tokens_of(LONG), 60),
        ]
        return bits_of(await listen(engine, model, asked))

    first = await run()
    assert [len(it) for it in first] == [60, 90, 60]
    assert first[0] == first[2]
    assert await run() == first


async def test_cancelled_outputs_leave_nothing_behind(engine: Engine, model: LoadedModel) -> None:
    """Many times, for the stop comes in the middle of a decode or between two."""
    tokens = tokens_of(LONG)
    (before,) = bits_of(await listen(engine, model, [ask(engine, tokens, 60)]))
    for i in range(30):
        stopped = [ask(engine, tokens, 1_000, 8 * i + k) for k in range(8)]
        ids = [it.id for it in stopped]
        for it in await listen(engine, model, stopped, on_delta=lambda _, i=ids: engine.cancel(i)):
            assert (it.failure, it.reason) == (None, "cancelled")
            assert len(it.tokens) < 1_000
    assert bits_of(await listen(engine, model, [ask(engine, tokens, 60)])) == [before]


async def test_a_cancelled_prompt_leaves_nothing_behind(engine: Engine, model: LoadedModel) -> None:
    tokens = tokens_of(LONG)
    (before,) = bits_of(await listen(engine, model, [ask(engine, tokens, 60)]))
    stopped = ask(engine, tokens_of(CONTEXT // 2, 5), 1_000)
    reasons: list[str] = []
    async for events in engine.generate(model, [stopped]):
        for event in events:
            if isinstance(event, Prefill):
                engine.cancel([stopped.id])
            elif isinstance(event, Finished):
                reasons.append(event.reason)
    assert reasons == ["cancelled"]
    assert bits_of(await listen(engine, model, [ask(engine, tokens, 60)])) == [before]


async def test_exact_does_not_depend_on_what_else_runs(engine: Engine, model: LoadedModel) -> None:
    tokens = tokens_of(LONG)
    (alone,) = bits_of(await listen(engine, model, [ask(engine, tokens, 60, exact=True)]))
    crowd = [ask(engine, tokens_of(40, seed), 60, seed, exact=True) for seed in (1, 2)]
    heard = await listen(engine, model, [crowd[0], ask(engine, tokens, 60, exact=True), crowd[1]])
    assert bits_of(heard)[1] == alone


@pytest.mark.parametrize("shift", [False, True])
async def test_a_full_context_ends_or_moves_on(
    engine: Engine, written: Callable[[str], Path], kind: str, shift: bool
) -> None:
    model = await engine.load(written(kind), ModelSettings(n_ctx=256, context_shift=shift))
    (heard,) = await listen(engine, model, [ask(engine, tokens_of(200), 120)])
    shifts = shift and REWINDS[kind]
    assert (heard.failure, heard.reason) == (None, "length" if shifts else "context")
    (again,) = await listen(engine, model, [ask(engine, tokens_of(200), 120)])
    assert bits(again) == bits(heard)


@pytest.mark.parametrize("same", [700, 690, 400])
async def test_a_saved_prompt_is_what_it_is_in_a_fresh_model(
    kind: str,
    written: Callable[[str], Path],
    fresh: Fresh,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    same: int,
) -> None:
    """Read back whole, or up to where another prompt begins to differ."""
    python = tmp_path / "python"
    words = shlex.join([sys.executable, "-P", "-c", EAGER])
    python.write_text(f'#!/bin/sh\nshift 3\nexec {words} "$@"\n')
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    tokens = tokens_of(700)
    other = [*tokens[:same], *tokens_of(700 - same + 1, 8)[1:]]
    for prompt in (tokens, other):
        engine = Engine(tmp_path / "engine.log", prompts=tmp_path / "prompts")
        try:
            model = await engine.load(written(kind))
            (heard,) = await listen(engine, model, [ask(engine, prompt, 60)])
        finally:
            await engine.close()
    assert bits(heard) == await fresh(other)
