"""Checks of amounts: a number within a tolerance, and the length of an answer."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from .result import NOTHING_EXPECTED, Answer, Result, passed, quoted

NUMBER = re.compile(
    r"(?:(?<![\w.,])[-+−])?(?<![\d.])(?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"
)
"""Digits with or without commas between thousands, a decimal point (no comma), an exponent. A sign
belongs to it unless something is written right before: 3-4 is 3 and 4."""
_SLACK = 1e-12
"""What floating point adds to 0.1 + 0.2 is no mistake of the model's."""


@dataclass(frozen=True)
class Number:
    """The last number in the answer is `value`, or the number in what the row expects, or is off by
    at most `tolerance`, or by at most the share `relative` of it."""

    value: float | None = None
    tolerance: float = 0.0
    relative: float = 0.0

    def __call__(self, answer: Answer) -> Result:
        wanted = self.value
        if wanted is None:
            if answer.expected is None:
                return NOTHING_EXPECTED
            wanted = last_number(answer.expected)
            if wanted is None:
                return Result(
                    None, f"could not be checked: {quoted(answer.expected)} has no number"
                )
        said = last_number(answer.text)
        if said is None:
            return Result(0.0, "has no number")
        room = max(self.tolerance, self.relative * abs(wanted))
        room += _SLACK * max(1.0, abs(wanted))
        near = abs(said - wanted) <= room < math.inf
        return passed(near, f"{said:g} is {wanted:g}{self._about}", f"{said:g} is not {wanted:g}{self._about}")  # fmt: skip

    @property
    def _about(self) -> str:
        if self.relative:
            return f" within {100 * self.relative:g} %"
        return f" within {self.tolerance:g}" if self.tolerance else ""


def last_number(text: str) -> float | None:
    """The number that is written last; None if there is none."""
    found = NUMBER.findall(text)
    return float(found[-1].replace(",", "").replace("−", "-")) if found else None


@dataclass(frozen=True)
class Length:
    """The answer has at least and at most so many words, tokens or characters."""

    least: int = 0
    most: int | None = None
    unit: Literal["words", "tokens", "characters"] = "words"

    def __call__(self, answer: Answer) -> Result:
        if self.unit == "tokens":
            count = answer.tokens
        else:
            count = len(answer.text.split() if self.unit == "words" else answer.text)
        if count is None:
            return Result(None, "could not be checked: its tokens were not counted")
        has = f"has {count:,} {self.unit[:-1] if count == 1 else self.unit}"
        if count < self.least:
            return Result(0.0, f"{has}, fewer than {self.least:,}")
        if self.most is not None and count > self.most:
            return Result(0.0, f"{has}, more than {self.most:,}")
        return Result(1.0, has)
