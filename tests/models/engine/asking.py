"""Requests of the bundled model, as the engine's tests make them."""

from __future__ import annotations

import msgspec

from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import Request, Sampling

from ...conftest import Heard

NEVER_END = dict.fromkeys(range(8), -100.0)
"""Bias against the special tokens of the bundled model, so that an output has its full length."""
CHAT = "<|user|>Tell me about dogs.<|end|><|assistant|>"


async def ids(engine: Engine, model: LoadedModel, text: str = CHAT) -> list[int]:
    """Tokens of `text`, special ones recognised."""
    return (await engine.tokenize(model, text, add_special=False)).tokens


def request(
    engine: Engine, tokens: list[int], n: int = 64, seed: int = 0, **changes: object
) -> Request:
    """A request for `n` tokens that no end of text cuts short."""
    sampling = Sampling(max_tokens=n, seed=seed, logit_bias=NEVER_END)
    return msgspec.structs.replace(
        Request(id=engine.new_id(), tokens=tokens, sampling=sampling), **changes
    )


def bits(heard: Heard) -> list[tuple[int, float]]:
    """Token and log-probability, as computed: equal only if the logits are."""
    return [(it.token, it.logprob) for it in heard.logprobs]
