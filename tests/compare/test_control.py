"""A against A on the bundled model: other seeds, other batches, and the lens over several texts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llamadiff.compare.control import SHAPES, control, is_greedy, lens_spread, other_shapes
from llamadiff.compare.conversation import go_on
from llamadiff.compare.lens import look
from llamadiff.compare.noise import Spread
from llamadiff.compare.rounding import rounding
from llamadiff.compare.run import Run, State, new_run
from llamadiff.compare.runner import Runner
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.models.engine.client import Engine
from llamadiff.prompts.rendering.helper import Renderer


@pytest.fixture
async def runner(engine: Engine, tmp_path: Path) -> AsyncIterator[Runner]:
    with Renderer() as renderer:
        yield Runner(engine, renderer, cache_dir=tmp_path / "cache")


def variants(*specs: str) -> list[Variant]:
    return make_variants(Defaults(prompt="tell-me-about"), list(specs))


@pytest.mark.parametrize(
    ("spec", "greedy"),
    [
        ("temperature=0", True), ("top_k=1", True), ("temperature=0.1", False),
        ("temperature=0,mirostat=2", True), ("top_k=1,mirostat=2", False),
    ],
)  # fmt: skip
def test_greedy_is_what_needs_no_seed(spec: str, greedy: bool) -> None:
    assert is_greedy(variants(spec)[0]) is greedy


async def test_a_greedy_variant_is_run_in_other_batches(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    (greedy,) = variants("temperature=0,seed=3")
    run = new_run([greedy], {"topic": "cats"}, repeats=4)
    await runner.run(run)
    sizes: list[int] = []
    running = runner.run

    async def counted(run: Run, *, strict: bool = False) -> None:
        sizes.append(len(run.outputs))
        await running(run, strict=strict)

    monkeypatch.setattr(runner, "run", counted)
    found = await other_shapes(runner, run.outputs[0], run.values)
    assert sizes == [1, 2, 3], "one alone, and others beside it"
    assert [it.state for it in found] == [State.DONE] * len(SHAPES)
    assert {it.seed for it in found} == {3} and "cats" in found[0].stamp.prompt_text
    floors = control({"A": run.outputs}, "A", {"A": found}).floors
    assert floors["A"].outputs == 1 + len(SHAPES)
    found[0].text = "something else"
    assert control({"A": run.outputs}, "A", {"A": found}).floors["A"].differ.most > 0


async def test_exact_greedy_variants_are_judged_by_two_outputs(runner: Runner) -> None:
    both = variants("temperature=0,max_tokens=20", "temperature=0,max_tokens=20,adapter=support")
    run = new_run(both, {}, repeats=2, exact=True)
    await runner.run(run)
    outputs = {it.name: run.of(it) for it in both}
    found = control(outputs, "A", {"A": (), "B": ()}).contrasts["B"]
    assert found.within is False and found.swaps is None
    assert control(outputs, "A", {"A": ()}).contrasts["B"].within is None, "B has chance"


async def test_the_lens_is_looked_through_at_every_distinct_text(runner: Runner) -> None:
    first, second = variants("max_tokens=30", "max_tokens=30,adapter=support")
    run = new_run([first], {}, repeats=3)
    await runner.run(run)
    run.outputs[2].tokens = run.outputs[1].tokens
    found = await lens_spread(runner, (first, second), run.outputs, {})
    assert found is not None and found.within is None, "two texts are no verdict"
    means = [
        (await look(runner, (first, second), {}, it.tokens)).mean_delta for it in run.outputs[:2]
    ]
    assert found.deltas == Spread.of(means)
    same = await lens_spread(runner, (first, first), run.outputs, {})
    assert same is not None and same.within and same.deltas.values == (0.0, 0.0)
    assert await lens_spread(runner, (first, second), [], {}) is None


async def test_the_lens_looks_at_either_variant_in_its_own_conversation(runner: Runner) -> None:
    first, second = variants("max_tokens=20", "max_tokens=20,adapter=support")
    run = new_run([first, second], {})
    await runner.run(run)
    turn = new_run([first, second], {})
    for output, before in zip(turn.outputs, run.outputs, strict=True):
        go_on(output, before, "And then?")
    await runner.run(turn)
    one, two = turn.outputs
    lens = await look(runner, (first, second), {}, one.tokens, turns=(one, two))
    own = await look(runner, (second, second), {}, one.tokens, turns=(two, None))
    seen = [it.b.logprob for it in lens.tokens]
    assert seen == pytest.approx([it.a.logprob for it in own.tokens], abs=0.05)
    assert seen != pytest.approx([it.b.logprob for it in own.tokens], abs=0.05)


async def test_rounding_is_what_other_pieces_move_and_nothing_where_it_is_exact(
    runner: Runner,
) -> None:
    first, second = variants("temperature=0", "temperature=0,adapter=support")
    text = "Dogs are loyal companions that live with people and guard their homes. " * 20
    lens = await look(runner, (first, second), {}, text)
    apart = max(abs(it.a.logprob - it.b.logprob) for it in lens.tokens if it.a and it.b)
    assert 0 < await rounding(runner, lens, {}) < apart / 4
    lens = await look(runner, (first, second), {}, text, exact=True)
    assert await rounding(runner, lens, {}, exact=True) == 0
    one = await look(runner, (first, second), {}, "x")
    assert len(one.tokens) == 1 and await rounding(runner, one, {}) == 0
