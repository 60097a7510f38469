"""Answers that are made to begin with given tokens."""

import pytest

from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import AdapterUse, Sampling

from ....conftest import listen
from ..asking import NEVER_END, bits, ids, request

ANY = "root ::= [^x]*\n"


def sampling(**changes: object) -> Sampling:
    return Sampling(**{"max_tokens": 80, "logit_bias": NEVER_END, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, 1, 17, 80])
@pytest.mark.parametrize(
    "settings",
    [
        {"seed": 3},
        {"temperature": 0.0},
        {"repeat_penalty": 1.3, "dry_multiplier": 0.8},
        {"mirostat": 2},
        {"xtc_probability": 0.5, "temperature": 1.2},
    ],
    ids=str,
)  # fmt: skip
async def test_an_answers_own_beginning_gives_that_answer(
    engine: Engine, model: LoadedModel, settings: dict[str, object], count: int
) -> None:
    tokens = await ids(engine, model)
    how = sampling(**settings)
    (free,) = await listen(engine, model, [request(engine, tokens, sampling=how, logprobs=1)])
    asked = request(engine, tokens, sampling=how, logprobs=1, forced=tuple(free.tokens[:count]))
    (again,) = await listen(engine, model, [asked])
    assert len(free.tokens) == 80
    assert bits(again) == bits(free)
    assert (again.text, again.ends, again.reason) == (free.text, free.ends, free.reason)


async def test_so_it_does_under_a_grammar_and_beside_others(
    engine: Engine, model: LoadedModel, support: str
) -> None:
    tokens = await ids(engine, model)
    (free,) = await listen(engine, model, [request(engine, tokens, grammar=ANY)])
    first = tuple(free.tokens[:9])
    tuned = (AdapterUse(str(support)),)
    again, other, plain = await listen(
        engine,
        model,
        [
            request(engine, tokens, grammar=ANY, forced=first),
            request(engine, tokens, forced=first, adapters=tuned),
            request(engine, tokens),
        ],
    )
    assert again.tokens == free.tokens
    assert tuple(other.tokens[:9]) == first and other.tokens != again.tokens
    assert len(plain.tokens) == 64


async def test_another_token_makes_another_answer(engine: Engine, model: LoadedModel) -> None:
    tokens = await ids(engine, model)
    (free,) = await listen(engine, model, [request(engine, tokens)])
    branch = (*free.tokens[:5], free.tokens[5] + 1)
    (heard,) = await listen(engine, model, [request(engine, tokens, forced=branch)])
    assert tuple(heard.tokens[:6]) == branch
    assert heard.tokens[6:] != free.tokens[6:] and len(heard.tokens) == 64


async def test_half_a_character_is_joined_with_what_is_said_next(
    engine: Engine, model: LoadedModel
) -> None:
    pieces = await ids(engine, model, "☺")
    assert len(pieces) > 1, "a character of several tokens"
    tokens = await ids(engine, model)
    (heard,) = await listen(engine, model, [request(engine, tokens, forced=tuple(pieces))])
    assert heard.text.startswith("☺")


async def test_what_cannot_begin_an_answer_is_refused(engine: Engine, model: LoadedModel) -> None:
    tokens = await ids(engine, model)
    forbidden = tuple(await ids(engine, model, "x"))
    one, two = await listen(
        engine,
        model,
        [
            request(engine, tokens, grammar=ANY, forced=forbidden),
            request(engine, tokens, forced=(model.info.n_vocab,)),
        ],
    )
    assert "grammar does not allow what the answer is made to begin with" in (one.failure or "")
    assert "vocabulary lacks" in (two.failure or "")
