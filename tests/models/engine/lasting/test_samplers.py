"""The order of the sampling steps is shown as it is run, and constraints hold."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import Sampling
from llamadiff.models.engine.samplers import make_sampling, steps

from ....conftest import listen
from ..asking import ids, request

CHAIN = """
import json, sys
from llamadiff.models.engine import native
from llamadiff.models.engine.chain import Sampler
from llamadiff.models.engine.protocol import ModelSettings
from llamadiff.models.engine.samplers import make_sampling
native.start()
model = native.Model(sys.argv[1], ModelSettings(), lambda fraction: True)
for line in sys.stdin:
    chain = Sampler(model, make_sampling(json.loads(line)), [1, 2, 3], None)._chain
    count = native.lib.llama_sampler_chain_n(chain)
    chain_get, name = native.lib.llama_sampler_chain_get, native.lib.llama_sampler_name
    print(json.dumps([name(chain_get(chain, i)).decode() for i in range(count)]))
"""

THEIRS = {
    "top_k": "top-k", "top_p": "top-p", "min_p": "min-p", "typical_p": "typical",
    "top_n_sigma": "top-n-sigma", "temperature": "temp", "logit_bias": "logit-bias",
}  # fmt: skip
"""llama.cpp's names where they are not ours."""

SETTINGS: list[dict[str, object]] = [
    {},
    {"temperature": 0},
    {"temperature": 0, "repeat_penalty": 1.2, "top_k": 3},
    {"mirostat": 1, "top_k": 5},
    {"mirostat": 2, "presence_penalty": 1.0, "logit_bias": {"5": 1.0}},
    {"top_k": 0, "top_p": 1, "min_p": 0},
    {"samplers": "temperature;top_k;min_p", "dry_multiplier": 0.8},
    {"samplers": "xtc;typical_p;dry;top_n_sigma;penalties", "dry_multiplier": 0.8,
     "xtc_probability": 0.5, "typical_p": 0.9, "top_n_sigma": 1.5, "frequency_penalty": 0.1},
    {"dynatemp_range": 0.5},
]  # fmt: skip


def test_the_steps_told_are_the_chain_that_llama_cpp_runs(base: Path) -> None:
    asked = "".join(json.dumps(settings) + "\n" for settings in SETTINGS)
    done = subprocess.run(
        [sys.executable, "-c", CHAIN, str(base)],
        input=asked, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for settings, line in zip(SETTINGS, done.stdout.splitlines(), strict=True):
        ours = [THEIRS.get(n, n) for n in steps(make_sampling(settings), constrained=False)]
        theirs = json.loads(line)
        extended = ["temp-ext" if n == "temp" else n for n in ours]
        alike = [ours, extended]
        assert [n.replace("_", "-") for n in theirs] in [
            [n.replace("_", "-") for n in names] for names in alike
        ], settings


def test_a_grammar_is_the_last_step() -> None:
    assert steps(Sampling(), constrained=True)[-2:] == ("dist", "grammar")


@pytest.mark.parametrize("temperature", [0.0, 2.0])
async def test_a_grammar_holds_and_the_penalties_see_what_was_said(
    engine: Engine, model: LoadedModel, temperature: float
) -> None:
    """Every token is drawn from the whole vocabulary first, and mostly refused by the grammar."""
    tokens = await ids(engine, model)
    sampling = Sampling(max_tokens=200, temperature=temperature, repeat_penalty=1.3)
    asked = [
        request(engine, tokens, sampling=sampling, grammar='root ::= [0-9]{3} "-" [x-z]{20,30}')
        for _ in range(3)
    ]
    heard = await listen(engine, model, asked)
    assert [it.failure for it in heard] == [None] * 3
    (text,) = {it.text for it in heard}
    digits, letters = text.split("-")
    assert len(digits) == 3 and digits.isdecimal()
    assert 20 <= len(letters) <= 30 and set(letters) <= set("xyz")


async def test_a_grammar_that_changes_nothing_changes_nothing(
    engine: Engine, model: LoadedModel
) -> None:
    """Tokens that the grammar allows are those of the run without it."""
    tokens = await ids(engine, model)
    free, bound = await listen(
        engine,
        model,
        [
            request(engine, tokens, n=80),
            request(engine, tokens, n=80, grammar="root ::= [^\\x00]*"),
        ],
    )
    assert bound.failure is None
    assert bound.tokens == free.tokens
