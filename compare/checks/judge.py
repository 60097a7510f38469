"""A model as judge: by a rubric, of two answers, asked twice with the places swapped."""

from __future__ import annotations

from dataclasses import dataclass

from .result import Answer, Result

ITSELF = -1
"""In place of how often the judge was for an answer: there is nothing to compare it with but itself."""


@dataclass(frozen=True)
class Judge:
    """Which of two answers meets the rubric better: this one, or the one that the row expects or,
    with `against_baseline`, that the baseline gave to the same row and repeat. Without another
    answer, whether it meets the rubric at all.

    It is asked twice, with what it chooses between in either order, so that liking a place is no
    score: 1 if it is for the answer both times, 0.5 if once, 0 if never. The baseline's own answer
    has 0.5. `model` and `adapter` are names or paths; none is the suite's own.
    """

    rubric: str
    model: str = ""
    adapter: str = ""
    against_baseline: bool = False

    def __call__(self, answer: Answer) -> Result:
        said = answer.judged.get(self.rubric)
        if said is None:
            return Result(None, "could not be checked: the judge did not answer")
        if said == ITSELF:
            return Result(0.5, "it is the baseline's answer")
        times = {2: "both times", 1: "once of two", 0: "neither time"}[said]
        return Result(said / 2, f"the judge is for it {times}")
