"""A lens as marked text: where each token stands in it, and how strongly it is marked for what."""

from __future__ import annotations

import codecs
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from .safe_text import safe_line, safe_text

if TYPE_CHECKING:
    from ..compare.lens import LensToken, View

NEWLINE = "↵"
STEPS = (0.1, 0.7, 2.0)
"""Nats of difference from which a token is marked, marked more, and marked most."""
WIDEST = 24


@dataclass(frozen=True)
class TokenText:
    """Text of tokens for the screen, and the offsets at which each token starts and ends in it.

    A newline is shown as a character too. A token that is only a part of a character has the place
    of the whole.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


def token_text(pieces: Sequence[bytes]) -> TokenText:
    """The text of these tokens' bytes; bytes that are no UTF-8 become U+FFFD."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    parts: list[str] = []
    ends: list[int] = []
    length = 0
    for number, piece in enumerate(pieces, 1):
        part = decoder.decode(piece, number == len(pieces))
        part = safe_text(part.replace("\r", "")).replace("\n", f"{NEWLINE}\n")
        parts.append(part)
        length += len(part)
        ends.append(length)
    starts = [0, *ends[:-1]]
    for i in range(len(ends) - 2, -1, -1):
        if starts[i] == ends[i]:
            ends[i] = ends[i + 1]
    return TokenText("".join(parts), starts, ends)


def quoted(piece: bytes, width: int = WIDEST) -> str:
    """A token in quotes on one line, its end cut off where it is long: `“ cats”`."""
    text = piece.decode("utf-8", "replace").replace("\r", "").replace("\n", NEWLINE)
    text = safe_line(text.replace("\t", "→"))
    return f"“{text if len(text) <= width else text[: width - 1] + '…'}”"


def chance(logprob: float) -> str:
    """A probability in per cent, with about three figures."""
    value = math.exp(logprob) * 100
    if value < 0.01:
        return "<0.01 %"
    return f"{value:.2f} %" if value < 1 else f"{value:.1f} %" if value < 99.95 else "100 %"


@dataclass(frozen=True)
class Measure:
    """Something that tokens are marked for; `name` is said where there is room for it.

    `sign` has it marked by direction, else by amount alone; `level` gives 0 to 3, negative for
    tokens that B finds unlikelier. `steps` are what the levels begin with, in words; what is no
    more than `rounding`, in nats, has no level.
    """

    title: str
    name: str
    level: Callable[[LensToken], int]
    steps: tuple[str, str, str]
    sign: bool = False
    rounding: float = 0.0

    def kind(self, token: LensToken) -> str:
        """The name of how a token is marked, empty for not at all."""
        level = self.level(token)
        if not level:
            return ""
        return f"{'up' if level > 0 else 'down'}{abs(level)}" if self.sign else f"much{level}"


def _above(value: float, steps: Sequence[float]) -> int:
    return sum(value >= step for step in steps)


def change(it: LensToken, rounding: float) -> int:
    """By which of `STEPS` a token's difference is marked, from 1 and negative for unlikelier; 0 for
    what is little, or within rounding."""
    level = _above(abs(it.delta), STEPS) if abs(it.delta) > rounding else 0
    return level if it.delta > 0 else -level


_UNLIKELY = (math.log(2), math.log(10), math.log(100))


def measures(a: str, b: str, rounding: float = 0.0) -> list[Measure]:
    """What can be shown of a lens on the variants with these names, the difference first;
    `rounding` is what is rounding in that, in nats, 0 while it is not known."""
    level, steps = partial(change, rounding=rounding), ("0.1", "0.7", "2 nats")
    found = [Measure(f"{b} − {a}", "", level, steps, sign=True, rounding=rounding)]
    for what, level, steps in _OF_A_VIEW:
        for title, name, seen in ((f"{what} {a}", a, _under_a), (b, b, _under_b)):
            found.append(Measure(title, f"{what} under {name}", partial(seen, level), steps))
    return found


def _under_a(level: Callable[[View], int], it: LensToken) -> int:
    return level(it.a)


def _under_b(level: Callable[[View], int], it: LensToken) -> int:
    return level(it.b)


def _unlikely(view: View) -> int:
    return _above(-view.logprob, _UNLIKELY)


def _late(view: View) -> int:
    return _above(view.rank, (2, 4, 11))


def _unsure(view: View) -> int:
    return _above(view.entropy, (0.7, 1.5, 3.0))


_OF_A_VIEW: tuple[tuple[str, Callable[[View], int], tuple[str, str, str]], ...] = (
    ("chance", _unlikely, ("<50 %", "<10 %", "<1 %")),
    ("rank", _late, ("from 2nd", "4th", "11th")),
    ("entropy", _unsure, ("from 0.7", "1.5", "3 nats")),
)
