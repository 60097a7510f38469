"""Where two outputs part, in words: what was said, who prefers what, and whether that is noise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .heat import chance, quoted

if TYPE_CHECKING:
    from ..compare.lens import LensToken
    from ..compare.parting import Parting, Preference


_ENDS = {
    "length": "was cut off at its length limit",
    "context": "was cut off where the context was full",
    "cancelled": "was stopped",
    "error": "has failed",
}
"""What became of an output that did not end by itself, by its finish reason."""


def parting_words(
    parting: Parting, a: str, b: str, ended: tuple[str | None, str | None]
) -> list[str]:
    """Sentences on the parting of the outputs of the variants with these names; `ended` has the
    finish reasons of both."""
    one, two, number = parting.first, parting.second, f"{parting.index + 1:,}"
    if one is None or two is None or parting.preferences is None:
        name, why, other, next_ = (a, ended[0], b, two) if one is None else (b, ended[1], a, one)
        if next_ is None:
            return []
        end = _ENDS.get(why or "", "has ended")
        return [
            f"They part at token {number}: {name} {end}, {other} goes on with {_of(next_)}.",
            f"{a} gives that {chance(next_.a.logprob)}, {b} {chance(next_.b.logprob)}.",
        ]
    words = [f"They part at token {number}: {a} says {_of(one)}, {b} {_of(two)}."]
    words += [
        _weighed(name, preference, one, two)
        for name, preference in zip((a, b), parting.preferences, strict=True)
    ]
    for_a, for_b = parting.preferences
    if not (for_a.is_noise or for_b.is_noise):
        if for_a.gap * for_b.gap > 0:
            liked = one if for_a.gap > 0 else two
            words.append(
                f"Both find {_of(liked)} likelier: they part by how a token was drawn, not by a "
                "change of mind."
            )
        elif for_a.gap > 0:
            words.append("Each finds its own token likelier: a change of mind.")
        else:
            words.append("Each finds the other's token likelier: both drew the less likely one.")
    return [*words, _certainty(parting.preferences)]


def _of(token: LensToken) -> str:
    return quoted(token.piece)


def _weighed(name: str, it: Preference, one: LensToken, two: LensToken) -> str:
    likelier, other = (it.first, it.second) if it.gap >= 0 else (it.second, it.first)
    figures = f"{_rounded(likelier)} against {_rounded(other)}"
    if it.is_noise:
        return f"For {name} it is a toss-up: {figures}."
    times = math.exp(min(abs(it.gap), 50))
    odds = f"{times:.2f}" if times < 10 else f"{times:,.0f}" if times < 1e6 else "over a million"
    return f"{name} finds {_of(one if it.gap > 0 else two)} {odds} times as likely: {figures}."


def _rounded(logprob: float) -> str:
    """A probability as far as two scorings agree on it."""
    value = math.exp(logprob)
    return f"{value:.0%}".replace("%", " %") if value >= 0.01 else chance(logprob)


def _certainty(preferences: tuple[Preference, Preference]) -> str:
    """What the noise is that makes a toss-up."""
    noise = max(it.noise for it in preferences)
    if not noise:
        return "Computed twice, these figures come out the same; only a tie would be a toss-up."
    return (
        f"Computed twice, in other pieces, these figures move by {noise:.2g} nats at most; no "
        "larger a gap is a toss-up."
    )
