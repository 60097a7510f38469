"""Where two outputs part, in words: what was said, who prefers what, and whether that is noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .heat import chance, quoted

if TYPE_CHECKING:
    from ..compare.lens import LensToken
    from ..compare.parting import Parting, Preference
    from ..compare.run import Output


_ENDS = {
    "length": "was cut off at its length limit",
    "context": "was cut off where the context was full",
    "cancelled": "was stopped",
    "error": "has failed",
}
"""What became of an output that did not end by itself, by its finish reason."""


@dataclass(frozen=True)
class Thoughts:
    """That two outputs part in the reasoning of the first, of the second, or of both; and what that
    is for their answers, a sentence, where both have one."""

    whose: tuple[bool, bool]
    answers: str


def in_thoughts(parting: Parting, first: Output, second: Output) -> Thoughts | None:
    """Whether they part before the answers do; None for outputs that part in their answers. It
    takes a while for long ones."""
    from ..compare.document import output_diff
    from ..compare.reasoning import answer_of, reasoning_of

    found = [reasoning_of(it) for it in (first, second)]
    one, two = [it is not None and parting.index < it.tokens for it in found]
    if not (one or two):
        return None
    said = ""
    if answer_of(first) and answer_of(second):
        place = output_diff(first, second)["first_divergence"]
        if answer_of(first) == answer_of(second):
            said = "Their answers, compared without it, are the same text."
        elif place is not None and place["token"] is not None:
            said = f"Their answers, compared without it, part at token {place['token'] + 1:,}."
    return Thoughts((one, two), said)


def parting_words(
    parting: Parting,
    a: str,
    b: str,
    ended: tuple[str | None, str | None],
    thoughts: Thoughts | None = None,
) -> list[str]:
    """Sentences on the parting of the outputs of the variants with these names; `ended` has the
    finish reasons of both."""
    one, two, number = parting.first, parting.second, f"{parting.index + 1:,}"
    answers = [thoughts.answers] if thoughts is not None and thoughts.answers else []
    if thoughts is not None:
        whose = "their" if all(thoughts.whose) else f"{a if thoughts.whose[0] else b}'s"
        number += f", in {whose} reasoning"
    if one is None or two is None or parting.preferences is None:
        name, why, other, next_ = (a, ended[0], b, two) if one is None else (b, ended[1], a, one)
        if next_ is None:
            return []
        end = _ENDS.get(why or "", "has ended")
        return [
            f"They part at token {number}: {name} {end}, {other} goes on with {_of(next_)}.",
            *answers,
            f"{a} gives that {chance(next_.a.logprob)}, {b} {chance(next_.b.logprob)}.",
        ]
    words = [f"They part at token {number}: {a} says {_of(one)}, {b} {_of(two)}.", *answers]
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
