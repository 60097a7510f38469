"""Does an adapter change anything? Measured on a few short texts, against the arithmetic's own noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..engine.client import Engine, EngineError
from ..engine.loads import LoadedModel
from ..engine.protocol import BACKGROUND, AdapterUse, Failed, Scored, ScoreRequest
from ..errors import ModelError

if TYPE_CHECKING:
    import numpy as np

    Rows = np.ndarray[Any, np.dtype[np.float32]]

TEXTS = (
    "Hello! How are you today?",
    "The capital of France is",
    "def add(a, b):\n    return",
    "1, 2, 3, 4, 5,",
)
POSITIONS = 8
"""The last ones of each text are compared; before the first tokens there is little to change."""
NOISE = 2.0
"""A change of up to this many times the noise may be noise."""
QUANTIZED_KV = ("q8_0", "q4_0")


@dataclass(frozen=True)
class Effect:
    """What a stack of adapters changes at most, over all texts, positions and tokens.

    `logit` is the largest change of a logit, `probability` that of a token's probability. `noise`
    is the largest change of a logit without any adapter, computed with flash attention and without:
    what rounding alone does.
    """

    logit: float
    probability: float
    noise: float

    @property
    def nothing(self) -> bool:
        """The stack changes nothing at all."""
        return self.logit == 0.0

    @property
    def within_rounding(self) -> bool:
        """The stack changes nothing, or no more than rounding does."""
        return self.logit <= NOISE * self.noise

    @property
    def numbers(self) -> str:
        """How large the change is, and the noise."""
        share = math.floor(self.probability * 1000) / 10
        return (
            f"logits by up to {self.logit:.2g}, a probability by up to {share:g} %; "
            f"rounding alone does {self.noise:.2g}"
        )

    def verdict(self, adapters: int = 1) -> str:
        """What is to be said of a stack of so many adapters; "" when it changes more than rounding.

        Numbers are in parentheses at the end.
        """
        who = "this adapter changes" if adapters == 1 else "these adapters change"
        if self.nothing:
            return f"{who} nothing"
        if self.within_rounding:
            return f"{who} no more than rounding does ({self.numbers})"
        return ""


class Probe:
    """The base model's answers, against which stacks are measured; made with `Probe.of`."""

    def __init__(
        self, engine: Engine, model: LoadedModel, texts: list[list[int]], base: Rows, noise: float
    ) -> None:
        self._engine, self._model, self._texts = engine, model, texts
        self._base, self._noise = base, noise

    @classmethod
    async def of(cls, engine: Engine, model: LoadedModel) -> Probe:
        """Have the base model compute the texts. Raises EngineError, and ModelError when it is refused."""
        texts = [(await engine.tokenize(model, text, add_special=True)).tokens for text in TEXTS]
        texts = [text for text in texts if text]
        if not texts:
            raise ModelError(
                f"{model.path} has no tokens for the probe texts; its effect is unknown."
            )
        base = await _logits(engine, model, texts, (), exact=False)
        noise = 0.0
        if model.info.kv_type not in QUANTIZED_KV:  # which need flash attention
            other = await _logits(engine, model, texts, (), exact=True)
            noise = float(abs(other - base).max())
        return cls(engine, model, texts, base, noise)

    async def effect(self, stack: Sequence[AdapterUse]) -> Effect:
        """What `stack` changes. Raises EngineError, and ModelError when it does not fit."""
        rows = await _logits(self._engine, self._model, self._texts, stack, exact=False)
        return Effect(
            float(abs(rows - self._base).max()),
            float(abs(_softmax(rows) - _softmax(self._base)).max()),
            self._noise,
        )


async def _logits(
    engine: Engine,
    model: LoadedModel,
    texts: Sequence[list[int]],
    stack: Sequence[AdapterUse],
    *,
    exact: bool,
) -> Rows:
    """Logits after the last positions of every text, shape (positions, n_vocab)."""
    import numpy as np

    rows: list[bytes] = []
    for text in texts:  # one at a time, which takes a context of one sequence
        # What is scored is the token after each position, so the last one is followed by any.
        request = ScoreRequest(
            engine.new_id(),
            [*text, text[-1]],
            start=max(1, len(text) + 1 - POSITIONS),
            adapters=tuple(stack),
            logits=True,
            exact=exact,
            priority=BACKGROUND,
        )
        async for events in engine.score(model, [request]):
            for event in events:
                if isinstance(event, Scored):
                    rows += event.logits
                elif isinstance(event, Failed):
                    raise (ModelError if event.refused else EngineError)(event.message)
    return np.frombuffer(b"".join(rows), np.float32).reshape(-1, model.info.n_vocab)


def _softmax(rows: Rows) -> Rows:
    import numpy as np

    powers = np.exp(rows - rows.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
