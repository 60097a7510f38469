"""How likely a variant finds the answer that is expected: nothing is sampled."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .result import NOTHING_EXPECTED, Answer, Result


@dataclass(frozen=True)
class Likelihood:
    """The probability of a token of the expected answer, as a geometric mean: e to the mean of the
    natural log-probabilities, which is 1 / perplexity."""

    def __call__(self, answer: Answer) -> Result:
        if answer.expected is None:
            return NOTHING_EXPECTED
        if answer.logprob is None:
            return Result(None, "could not be checked: what is expected was not scored")
        score = min(1.0, math.exp(answer.logprob))
        return Result(score, f"finds a token of it {100 * score:.3g} % likely")
