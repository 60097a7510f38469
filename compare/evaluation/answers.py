"""An answer of an evaluation: what a variant said to a row, and what the checks make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...prompts.rendering.special import without_joints
from ..checks.result import Answer, Result, Weighted, apply
from ..prepare import Prepared
from ..reasoning import answer_alone, answer_of
from ..run import Output, State
from .plan import Place, Plan
from .rows import SuiteRow
from .suite import NamedCheck

DIED = "died"
"""Why an answer that the engine died with ended."""


@dataclass(frozen=True)
class Checked:
    """One answer. `text` is all that was generated; `answer` what was checked of it, with what it
    was made to begin with and without reasoning. `score` is None where it could not be scored, or
    there is an `error`. `logprob` is that of the answer expected (see checks.likelihood).

    `tokens` and `prompt_tokens` are counts, `prompt_tokens` None if the prompt could not be made.
    """

    row: int
    variant: str
    repeat: int
    seed: int
    text: str
    answer: str
    tokens: int
    prompt_tokens: int | None
    finish_reason: str | None
    error: str | None
    logprob: float | None
    score: float | None
    results: tuple[Result, ...]

    @property
    def place(self) -> Place:
        return (self.row, self.variant, self.repeat)

    @property
    def failed(self) -> bool:
        """Whether it could not be had, and nobody but its variant is to blame: others that were
        computed beside it may be what the engine died with."""
        return self.error is not None and not self.died

    @property
    def died(self) -> bool:
        """Whether the engine died with it, or with a judge of it."""
        return self.finish_reason == DIED

    def score_of(self, check: int | None) -> float | None:
        """What one check gave, by its place in the suite; None is all of them together."""
        if check is None:
            return self.score
        return self.results[check].score if check < len(self.results) else None


def standing(plan: Plan, answers: Sequence[Checked]) -> list[Checked]:
    """Those that stay when an evaluation goes on: of groups that are there whole, and in none of whose
    rows the engine died, with an answer or with that of the baseline that it is judged beside."""
    name, judged = plan.baseline.name, bool(plan.against_baseline)
    lost = {(it.row, it.repeat) for it in answers if judged and it.died and it.variant == name}
    there = {it.place for it in answers if not it.died and (it.row, it.repeat) not in lost}
    again = {place for group in plan.left(there) for place in group.places}
    return [it for it in answers if it.place not in again]


def counted(
    answers: Sequence[Checked], row_answered: bool, check: int | None = None
) -> list[float]:
    """The scores that count of a variant's answers to a row, or those of one check by its place.

    One that failed is 0: else a variant would be the better for failing where rows are hard. A row
    that no variant could answer says nothing of any, and an answer that the engine died with nothing
    of its variant.
    """
    found = [0.0 if it.failed else it.score_of(check) for it in answers if row_answered]
    return [score for score in found if score is not None]


@dataclass
class Asked:
    """One answer on its way: the row's place, its output, and the prompt once it is made."""

    place: int
    output: Output
    ready: Prepared | None = None
    logprob: float | None = None
    died: bool = False
    """The engine died with it, or with a judge of it, and with all that was computed beside it."""
    judged: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def answer(self) -> str:
        """What it says: with the prefill, without reasoning."""
        return self._prefill + answer_of(self.output)

    @property
    def _prefill(self) -> str:
        return without_joints(self.ready.chat.prompt.prefill) if self.ready else ""

    @property
    def _answer_tokens(self) -> int:
        """How many tokens `answer` takes: those of the prefill, which end the prompt, and those
        generated after the reasoning."""
        count = len(answer_alone(self.output).tokens)
        if self.ready is not None:
            tokens, left = self.ready.tokens, len(self._prefill.encode())
            for token in reversed(tokens.tokens if left else ()):
                left -= len(tokens.texts[token])
                count += 1
                if left <= 0:
                    break
        return count

    def checked(self, row: SuiteRow, checks: Sequence[NamedCheck], *, generates: bool) -> Checked:
        """The answer with what the checks say. May take as long as they do."""
        output, ready = self.output, self.ready
        failed = output.error
        if failed is None and generates and output.state is not State.DONE:
            failed = "the answer was stopped"
        results: tuple[Result, ...] = ()
        score = None
        if failed is None:
            given = Answer(
                self.answer,
                row.expected,
                self._answer_tokens,
                self.logprob,
                row.values,
                self.judged,
            )
            scored = apply([Weighted(it.check, it.weight) for it in checks], given)
            score, results = scored.score, scored.results
        return Checked(
            self.place,
            output.variant.name,
            output.repeat,
            output.seed,
            output.text,
            self.answer,
            len(output.tokens),
            ready.tokens.count if ready else None,
            DIED if self.died else output.finish_reason,
            failed,
            self.logprob,
            score,
            results,
        )
