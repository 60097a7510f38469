"""Sampling settings, grammars, schemas and stop strings that would end llama.cpp's process."""

import math

import pytest

from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import Sampling
from llamadiff.models.engine.samplers import ORDER, make_sampling
from llamadiff.models.errors import ModelError

from ..asking import NEVER_END
from ..surviving import PEAK, ask, confined, peak, refusal, short

END = 4
"""The bundled model's end of turn."""
NAN, INF = math.nan, math.inf


@pytest.mark.parametrize("name", ["greedy", "dist", "mirostat", "grammar", "softmax"])
def test_what_chooses_the_token_is_no_filter_to_be_asked_for(name: str) -> None:
    with pytest.raises(ModelError, match="samplers must be a list of"):
        make_sampling({"samplers": [name]})


@pytest.mark.parametrize("samplers", [(), *((name,) for name in ORDER), ORDER[::-1], ORDER * 50])
async def test_every_chain_ends_with_what_chooses_a_token(
    engine: Engine, model: LoadedModel, samplers: tuple[str, ...]
) -> None:
    everything = make_sampling(
        {"samplers": samplers, "max_tokens": 5, "logit_bias": NEVER_END, "top_n_sigma": 1,
         "xtc_probability": 1, "typical_p": 0.5, "dry_multiplier": 1, "repeat_penalty": 1.5,
         "dynatemp_range": 1}
    )  # fmt: skip
    (heard,) = await ask(engine, model, short(engine, sampling=everything))
    assert len(heard.tokens) == 5


@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize(
    "key", ["top_p", "repeat_penalty", "xtc_threshold", "mirostat_eta", "dynatemp_range"]
)
def test_settings_that_are_no_number_are_refused(key: str, value: float) -> None:
    with pytest.raises(ModelError, match=f"{key} must be from"):
        make_sampling({key: value})


@pytest.mark.parametrize("value", [NAN, INF, 1e7, -1e7])
def test_biases_that_are_no_number_are_refused(value: float) -> None:
    with pytest.raises(ModelError, match="biases from"):
        make_sampling({"logit_bias": {5: value}})


@pytest.mark.parametrize("seed", [-1, 2**32 - 1, 2**64])
def test_seeds_out_of_range_are_refused(seed: int) -> None:
    with pytest.raises(ModelError, match="seed must be from 0"):
        make_sampling({"seed": seed})


WILD: dict[str, Sampling] = {}
for value in (NAN, INF, -INF):
    WILD |= {
        f"filters {value}": Sampling(
            max_tokens=5, top_p=value, min_p=value, typical_p=value, top_n_sigma=value
        ),
        f"xtc {value}": Sampling(max_tokens=5, xtc_probability=value, xtc_threshold=value),
        f"temperature and filters {value}": Sampling(
            max_tokens=5, temperature=value, top_p=value, min_p=value, typical_p=value
        ),
        f"temperature {value}": Sampling(max_tokens=5, temperature=value),
        f"dynamic temperature {value}": Sampling(max_tokens=5, dynatemp_range=value),
        f"repeat {value}": Sampling(max_tokens=5, repeat_penalty=value),
        f"presence {value}": Sampling(max_tokens=5, presence_penalty=value),
        f"mirostat {value}": Sampling(max_tokens=5, mirostat=1, mirostat_tau=value),
        f"mirostat 2 {value}": Sampling(max_tokens=5, mirostat=2, mirostat_eta=value),
        f"bias {value}": Sampling(max_tokens=5, logit_bias=dict.fromkeys(range(2048), value)),
    }
WILD["numbers"] = Sampling(max_tokens=0, seed=2**63, top_k=-(2**40), repeat_penalty=0.0)
WILD["name"] = Sampling(max_tokens=5, samplers=("nonsense",))


@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize("name", WILD)
async def test_settings_past_their_schema_do_not_end_the_worker(
    engine: Engine, model: LoadedModel, name: str, constrained: bool
) -> None:
    """The engine may take or refuse what `make_sampling` would not let through."""
    grammar = 'root ::= "a"+' if constrained else None
    request = short(engine, sampling=WILD[name], grammar=grammar, logprobs=2)
    (heard,) = await ask(engine, model, request)
    assert heard.failure or heard.reason in ("stop", "length")


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(max_tokens=5, repeat_penalty=1.5, repeat_last_n=2**31 - 1),
        Sampling(max_tokens=5, dry_multiplier=1.0, dry_penalty_last_n=2**31 - 1),
    ],
)
async def test_looking_back_farther_than_memory_reaches_does_not_end_the_worker(
    engine: Engine, model: LoadedModel, sampling: Sampling
) -> None:
    with confined(engine):
        await ask(engine, model, short(engine, sampling=sampling), patience_s=15)


# ------------------------------------------------------------------- grammars, schemas and stops


@pytest.mark.parametrize(
    "grammar",
    [
        'x ::= "a"',
        "root ::= x",
        "root ::= [",
        'root ::= "\\x"',
        'root ::= "a"{-1}',
        'root ::= "a"{1000000}',
        'root ::= "a"{99999999999999999999}',
        'root ::= x "a"\nx ::= y\ny ::= root',
        'root ::= a* root "x"\na ::= "b"',
        'root ::= ("")*',
        "root ::= (a | b)*\na ::= b*\nb ::= a*",
        "root ::= <nope>",
        "root ::= <[-1]>",
        "root ::= <[99999999]>",
        "root ::= [z-a]",
        "root ::= " + '"a" | ' * 40_000 + '"b"',
    ],
    ids=lambda grammar: grammar[:30],
)
async def test_grammars_that_cannot_be_used_are_refused(
    engine: Engine, model: LoadedModel, grammar: str
) -> None:
    assert "grammar" in await refusal(engine, model, grammar=grammar)


EXPONENTIAL = "root ::= r0\n" + "".join(f"r{i} ::= r{i + 1} r{i + 1}\n" for i in range(40))
EXPONENTIAL += 'r40 ::= "x"?'


@pytest.mark.parametrize(
    "grammar",
    ['root ::= "a"{5,2}', EXPONENTIAL, EXPONENTIAL.replace("root ::=", 'root ::= "Dogs bark" ')],
    ids=["backwards", "exponential", "later"],
)
async def test_grammars_without_end_are_refused(
    engine: Engine, model: LoadedModel, grammar: str
) -> None:
    with confined(engine):
        assert "grammar" in await refusal(engine, model, grammar=grammar)
        assert peak(engine) < PEAK


@pytest.mark.parametrize("temperature", [0.0, 0.8])
@pytest.mark.parametrize("banned", [[END], range(2048)])
async def test_a_grammar_that_forbids_every_token_is_an_error(
    engine: Engine, model: LoadedModel, banned: list[int], temperature: float
) -> None:
    """`accept` of a token that the grammar forbids would end the process."""
    sampling = Sampling(
        max_tokens=5, temperature=temperature, logit_bias=dict.fromkeys(banned, -INF)
    )
    request = short(engine, grammar='root ::= "a"', sampling=sampling)
    (heard,) = await ask(engine, model, request)
    assert heard.failure == "The grammar leaves no token that could come next."


@pytest.mark.parametrize(
    "schema",
    [
        "",
        "{",
        "[]",
        "3",
        '{"type": "frob"}',
        '{"type": []}',
        '{"enum": []}',
        '{"anyOf": []}',
        '{"allOf": 3}',
        '{"properties": 5, "type": "object"}',
        '{"pattern": 5, "type": "string"}',
        '{"pattern": "^([", "type": "string"}',
        '{"$ref": "#"}',
        '{"$ref": "#/nope"}',
        '{"$ref": "http://127.0.0.1:9/schema.json"}',
        '{"minItems": 100000, "type": "array", "items": {"type": "integer"}}',
        '{"items":' * 3000 + "{}" + "}" * 3000,
        '{"const": "' + "x" * 300_000 + '"}',
    ],
    ids=lambda schema: schema[:30] or "empty",
)
async def test_schemas_that_cannot_be_used_are_refused(
    engine: Engine, model: LoadedModel, schema: str
) -> None:
    said = await refusal(engine, model, schema=schema)
    assert "Schema" in said or "grammar" in said


async def test_a_schema_that_grows_beyond_all_memory_is_refused(
    engine: Engine, model: LoadedModel
) -> None:
    with confined(engine):
        said = await refusal(engine, model, schema='{"type": "string", "maxLength": 1000000000}')
        assert "too much" in said and peak(engine) < PEAK


@pytest.mark.parametrize(
    "stop",
    [tuple(f"zq{i}" for i in range(10_000)), ("q" * 1_000_000,), ("a" * 1_000_000, " " * 1_000)],
    ids=["many", "long", "begun"],
)
async def test_any_number_and_length_of_stop_strings_is_taken(
    engine: Engine, model: LoadedModel, stop: tuple[str, ...]
) -> None:
    sampling = Sampling(max_tokens=60, logit_bias=NEVER_END)
    plain, stopping = await ask(
        engine, model, short(engine, sampling=sampling), short(engine, sampling=sampling, stop=stop)
    )
    assert stopping.text == plain.text and stopping.reason == "length"
