"""Where two outputs part: what either variant gave both tokens, and whether that is more than noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .diff.divergence import first_token_divergence
from .lens import Lens, LensToken, score_after
from .runner import Runner


@dataclass(frozen=True)
class Preference:
    """What one variant gives the two tokens: natural log-probabilities of the first output's and of
    the second's, and by how much computing them once more, in other pieces, moved them at most."""

    first: float
    second: float
    noise: float

    @property
    def gap(self) -> float:
        """By how much the first output's token is likelier, in nats."""
        return self.first - self.second

    @property
    def is_noise(self) -> bool:
        """Whether the two are no further apart than the same thing computed twice."""
        return abs(self.gap) <= self.noise


@dataclass(frozen=True)
class Parting:
    """The place where two outputs part.

    `index` counts tokens from 0; `first` and `second` are the tokens there, None where that output
    has ended. When neither has, `preferences` are those of the variant of the first output and of
    that of the second.
    """

    index: int
    first: LensToken | None
    second: LensToken | None
    preferences: tuple[Preference, Preference] | None = None


async def find_parting(
    runner: Runner, first: Lens, second: Lens, values: Mapping[str, str], *, exact: bool = False
) -> Parting | None:
    """Where the texts of two lenses part; None for equal ones.

    Both lenses are on the same two variants, in the same conversations: `first` over the output of the first of them, `second`
    over that of the second. What they say of the two tokens is computed once more, from the common
    beginning on. Raises as `look`.
    """
    tokens = [it.token for it in first.tokens]
    index = first_token_divergence(tokens, [it.token for it in second.tokens])
    if index is None:
        return None
    one, two = (it.tokens[index] if index < len(it.tokens) else None for it in (first, second))
    if one is None or two is None:
        return Parting(index, one, two)
    seen = (one.a.logprob, two.a.logprob), (one.b.logprob, two.b.logprob)
    texts = [[one.token], [two.token]]
    found: list[Preference] = []
    variants = zip((first.a, first.b), first.turns, seen, strict=True)
    for variant, turn, (for_one, for_two) in variants:
        ready = await runner.prepare(variant, values, output=turn)
        again = await score_after(runner, ready, variant, tokens[:index], texts, exact=exact)
        (one_again,), (two_again,) = again
        noise = max(abs(for_one - one_again.logprob), abs(for_two - two_again.logprob))
        found.append(Preference(for_one, for_two, noise))
    return Parting(index, one, two, (found[0], found[1]))
