"""Where two outputs part, on the bundled model: what either gave both tokens, computed twice."""

import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llamadiff.compare.lens import Lens, look
from llamadiff.compare.parting import Parting, Preference, find_parting
from llamadiff.compare.run import new_run
from llamadiff.compare.runner import Runner
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.models.engine.client import Engine
from llamadiff.prompts.rendering.helper import Renderer


@pytest.fixture
async def runner(engine: Engine, tmp_path: Path) -> AsyncIterator[Runner]:
    with Renderer() as renderer:
        yield Runner(engine, renderer, cache_dir=tmp_path / "cache")


async def part(runner: Runner, *specs: str, exact: bool = False) -> tuple[Lens, Parting | None]:
    first, second = make_variants(Defaults(prompt="tell-me-about"), list(specs))
    run = new_run([first, second], {}, exact=exact)
    await runner.run(run)
    one, two = [
        await look(runner, (first, second), {}, output.tokens, exact=exact)
        for output in run.outputs
    ]
    return one, await find_parting(runner, one, two, {}, exact=exact)


@pytest.mark.parametrize("exact", [False, True])
async def test_both_tokens_are_weighed_by_both_variants(runner: Runner, exact: bool) -> None:
    lens, parting = await part(runner, "adapter=none", "adapter=support", exact=exact)
    assert parting is not None and parting.first and parting.second and parting.preferences
    assert parting.first.token != parting.second.token
    assert lens.tokens[parting.index] == parting.first
    for preference in parting.preferences:
        assert preference.first < 0 and preference.second < 0
        assert math.exp(preference.first) + math.exp(preference.second) <= 1.0001
        assert 0 <= preference.noise < 0.05, "rounding, measured"
        assert preference.gap == preference.first - preference.second
    assert parting.preferences[0].first == parting.first.a.logprob
    assert parting.preferences[1].second == parting.second.b.logprob


async def test_equal_outputs_do_not_part(runner: Runner) -> None:
    _, parting = await part(runner, "label=x", "label=y")
    assert parting is None


async def test_an_output_that_ended_has_no_token_there(runner: Runner) -> None:
    _, parting = await part(runner, "max_tokens=5", "max_tokens=9")
    assert parting is not None and parting.index == 5
    assert parting.first is None and parting.second is not None and parting.preferences is None


def test_what_is_no_further_apart_than_the_same_computed_twice_is_noise() -> None:
    assert Preference(-1.0, -1.0, 0.0).is_noise
    assert Preference(-1.0, -1.01, 0.02).is_noise
    assert not Preference(-1.0, -1.01, 0.0).is_noise
