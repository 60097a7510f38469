"""Every combination of prompts and values of their variables."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .document import Prompt
from .errors import PromptError
from .suggest import did_you_mean

MOST_CASES = 10_000


@dataclass(frozen=True)
class Case:
    """One combination: the prompt at `place` in its matrix, with these values."""

    place: int
    prompt: Prompt
    values: Mapping[str, str]

    def __str__(self) -> str:
        return " · ".join(f"{name}={value}" for name, value in self.values.items())


def matrix(
    prompts: Sequence[Prompt],
    values: Mapping[str, Sequence[str]],
    used: Mapping[str, Collection[str]] | None = None,
) -> list[Case]:
    """Each prompt with every combination of the `values` of those variables that it has.

    The last variable changes fastest. `used` gives, by a prompt's name, variables its templates use
    without declaring them. Raises PromptError for a variable that no prompt has, one without
    values, and more than `MOST_CASES` combinations.
    """
    names = [
        {variable.name for variable in prompt.variables} | set((used or {}).get(prompt.name, ()))
        for prompt in prompts
    ]
    every = set[str]().union(*names)
    for name, choices in values.items():
        if name not in every:
            raise PromptError(f"no prompt has a variable {name}{did_you_mean(name, every)}")
        if not choices:
            raise PromptError(f"the variable {name} has no values")
    cases: list[Case] = []
    for place, (prompt, own) in enumerate(zip(prompts, names, strict=True)):
        axes = {name: choices for name, choices in values.items() if name in own}
        for combination in itertools.product(*axes.values()):
            if len(cases) == MOST_CASES:
                raise PromptError(f"these are more than {MOST_CASES:,} combinations")
            cases.append(Case(place, prompt, dict(zip(axes, combination, strict=True))))
    return cases
