"""Teacher forcing: the log-probabilities of given tokens, in chunks, without sampling."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamadiff.models.engine.chunks import LARGEST, plan, score_plan, score_rows
from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import (
    AdapterUse,
    Failed,
    Finished,
    Scored,
    ScoreRequest,
    TokenLogprob,
)

from ....conftest import listen
from ..asking import ids, request


async def score(
    engine: Engine, model: LoadedModel, requests: Sequence[ScoreRequest]
) -> list[list[TokenLogprob]]:
    """What was scored, per request; fails when a request fails."""
    scored: dict[int, list[TokenLogprob]] = {it.id: [] for it in requests}
    async for events in engine.score(model, requests):
        for event in events:
            assert not isinstance(event, Failed), event
            if isinstance(event, Scored):
                scored[event.id] += event.logprobs
            if isinstance(event, Finished):
                assert event.reason == "stop"
    return list(scored.values())


async def text_of(engine: Engine, model: LoadedModel, n: int, **changes: object) -> list[int]:
    """A prompt and `n` tokens that the model said after it."""
    tokens = await ids(engine, model)
    (heard,) = await listen(engine, model, [request(engine, tokens, n=n, **changes)])
    return tokens + heard.tokens


@pytest.mark.parametrize("adapted", [False, True])
async def test_scores_are_those_that_the_generation_reported(
    engine: Engine, model: LoadedModel, support: Path, adapted: bool
) -> None:
    """Up to the rounding of other batch shapes: a token is decoded alone there, in a chunk here."""
    adapters = (AdapterUse(str(support), 0.8),) if adapted else ()
    tokens = await ids(engine, model)
    (heard,) = await listen(
        engine, model, [request(engine, tokens, n=300, adapters=adapters, logprobs=5)]
    )
    text = tokens + heard.tokens
    asked = ScoreRequest(engine.new_id(), text, start=len(tokens), adapters=adapters, top=5)
    (scored,) = await score(engine, model, [asked])
    assert [it.token for it in scored] == heard.tokens
    apart: list[float] = []
    for ours, theirs in zip(scored, heard.logprobs, strict=True):
        apart += [abs(ours.logprob - theirs.logprob), abs(ours.top[0][1] - theirs.top[0][1])]
        assert [p for _, p in ours.top] == sorted((p for _, p in ours.top), reverse=True)
        assert ours.logprob <= ours.top[0][1]
    assert sorted(apart)[int(0.98 * len(apart))] < 0.15 and max(apart) < 0.5


async def test_scoring_again_gives_the_same_bits_whatever_is_cached(
    engine: Engine, model: LoadedModel
) -> None:
    text = await text_of(engine, model, 500)

    def ask() -> ScoreRequest:
        return ScoreRequest(engine.new_id(), text, start=400)

    (cold,) = await score(engine, model, [ask()])
    (warm,) = await score(engine, model, [ask()])
    several = await score(engine, model, [ask(), ask()])
    assert cold == warm == several[0] == several[1]
    assert len(cold) == len(text) - 400


async def test_an_adapter_changes_the_scores_and_its_own_text_is_likelier_under_it(
    engine: Engine, model: LoadedModel, support: Path
) -> None:
    tuned = (AdapterUse(str(support)),)
    text = await text_of(engine, model, 120, adapters=tuned)
    without, under = await score(
        engine,
        model,
        [
            ScoreRequest(engine.new_id(), text, start=10),
            ScoreRequest(engine.new_id(), text, start=10, adapters=tuned),
        ],
    )
    assert sum(it.logprob for it in under) > sum(it.logprob for it in without) + 5


async def test_a_whole_text_is_scored_from_its_second_token_on(
    engine: Engine, model: LoadedModel
) -> None:
    text = (await ids(engine, model)) * 60
    text = text[: model.info.n_ctx + 1]
    (scored,) = await score(engine, model, [ScoreRequest(engine.new_id(), text)])
    assert [it.token for it in scored] == text[1:]
    assert all(it.logprob <= 0 for it in scored)


@pytest.mark.parametrize(("start", "length"), [(0, 5), (5, 5), (1, 1), (-1, 5), (1, 5_000)])
async def test_what_cannot_be_scored_is_refused(
    engine: Engine, model: LoadedModel, start: int, length: int
) -> None:
    asked = ScoreRequest(engine.new_id(), [5] * length, start=start)
    events = [event async for batch in engine.score(model, [asked]) for event in batch]
    (failed,) = events
    assert isinstance(failed, Failed) and failed.refused


async def test_scoring_can_be_cancelled(engine: Engine, model: LoadedModel) -> None:
    text = (await ids(engine, model)) * 60
    asked = ScoreRequest(engine.new_id(), text[:1000], top=20)
    reason = None
    async for events in engine.score(model, [asked]):
        for event in events:
            if isinstance(event, Scored):
                engine.cancel([asked.id])
            if isinstance(event, Finished):
                reason = event.reason
    assert reason == "cancelled"


@given(st.integers(1, 1200), st.integers(1, 1200), st.sampled_from([16, 32, 128]))
def test_the_plan_of_a_score_begins_as_that_of_its_prompt(start: int, more: int, rows: int) -> None:
    shared, scored = score_plan(start, start + more, rows)
    ends = [0, *shared, *scored]
    assert plan(start)[: len(shared)] == shared
    assert ends == sorted(set(ends)) and ends[-1] == start + more - 1
    assert (shared[-1] if shared else 0) < start, "the logits at start - 1 are computed"
    assert max(b - a for a, b in itertools.pairwise(ends)) <= LARGEST
    assert all(b - a <= rows for a, b in zip(ends[len(shared) :], scored, strict=False))


def test_rows_keep_the_output_buffer_small() -> None:
    for n_vocab in (1, 1024, 32_000, 128_256, 262_144, 1_000_000):
        rows = score_rows(n_vocab)
        assert 16 <= rows <= 128
        assert rows == 16 or rows * n_vocab * 4 <= 2**24
