"""Checks of how alike the answer and what is expected are: scores between 0 and 1."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from .result import NOTHING_EXPECTED, Answer, Result

Measure = Literal["characters", "chrf", "bleu", "words"]


@dataclass(frozen=True)
class Likeness:
    """How like `value`, or what the row expects, the answer is.

    `characters`: rapidfuzz's ratio, the share of characters that need no insertion or deletion.
    `chrf` and `bleu`: sacrebleu's for one sentence (chrF2; BLEU by effective order). `words`: token
    F1, as SQuAD's (Rajpurkar et al. (2016), 1606.05250) but for its dropping of English articles.
    """

    measure: Measure
    value: str | None = None

    def __call__(self, answer: Answer) -> Result:
        wanted = answer.expected if self.value is None else self.value
        if wanted is None:
            return NOTHING_EXPECTED
        score = min(1.0, max(0.0, _MEASURES[self.measure](answer.text, wanted)))
        return Result(score, f"{_NAMES[self.measure]} {100 * score:.1f} %")


def _characters(text: str, wanted: str) -> float:
    from rapidfuzz.fuzz import ratio

    return ratio(text, wanted) / 100


def _chrf(text: str, wanted: str) -> float:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF().sentence_score(text, [wanted]).score / 100


def _bleu(text: str, wanted: str) -> float:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(effective_order=True).sentence_score(text, [wanted]).score / 100


def _words(text: str, wanted: str) -> float:
    said, asked = (Counter(re.findall(r"\w+", each.casefold())) for each in (text, wanted))
    if not said or not asked:
        return float(said == asked)
    return 2 * (said & asked).total() / (said.total() + asked.total())


_MEASURES = {"characters": _characters, "chrf": _chrf, "bleu": _bleu, "words": _words}
_NAMES = {
    "characters": "characters in common:",
    "chrf": "chrF",
    "bleu": "BLEU",
    "words": "token F1",
}
