"""What can be rated: the answers of an evaluation or of a run, and the questions they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..conversation import given_turns, turns_of
from ..errors import CompareError
from ..history.ratings import Kept, Rated
from ..reasoning import answer_of
from ..run import Output, State
from ..variants import Variant
from .pairs import Order, Pair, order, rounds
from .words import began, question

if TYPE_CHECKING:
    from ..evaluation.answers import Checked
    from ..evaluation.plan import Plan
    from ..evaluation.rows import SuiteRow
    from ..history.history import History

Place = tuple[int, int, str]
"""Of an answer: its row, its repeat, its variant's name."""


@dataclass(frozen=True)
class Said:
    """An answer as raters see it, without reasoning. `scores` are what checks gave, by their names;
    those of a run have none."""

    text: str
    scores: Mapping[str, float | None] = field(default_factory=dict[str, float | None])

    @property
    def plain(self) -> str:
        """The text without blanks that cannot be seen."""
        return "\n".join(line.rstrip() for line in self.text.strip().splitlines())


@dataclass(frozen=True)
class Asked:
    """A row: the question in a person's words, the values that the prompts were given, and of a
    conversation an output of each variant, by its name, to take the turns before from. `key` is that
    of an evaluation's row."""

    question: str
    values: Mapping[str, str]
    turns: Mapping[str, Output] = field(default_factory=dict[str, Output])
    key: str = ""


@dataclass(frozen=True)
class Source:
    """All that there is to rate. `variants` are by their names, the first is the one that others are
    compared with; `checks` are names of checks in the order of the suite."""

    what: Rated
    name: str
    variants: Mapping[str, Variant]
    rows: Sequence[Asked]
    repeats: int
    answers: Mapping[Place, Said]
    checks: Sequence[str] = ()

    def said(self, pair: Pair, name: str) -> Said:
        return self.answers[(pair.row, pair.repeat, name)]

    def has(self, kept: Kept) -> bool:
        """Whether both answers of a rating are there."""
        return all((kept.row, kept.repeat, it) in self.answers for it in (kept.first, kept.second))

    def order(self, seed: int) -> Order:
        """What one rater is shown."""
        units = [(row, repeat) for row in range(len(self.rows)) for repeat in range(self.repeats)]
        return order(rounds(units, list(self.variants), self.what.key), seed, self._equal)

    def _equal(self, pair: Pair) -> bool | None:
        places = [(pair.row, pair.repeat, name) for name in (pair.first, pair.second)]
        if not all(place in self.answers for place in places):
            return None
        one, other = (self.answers[place].plain for place in places)
        return one == other


def load_source(history: History, what: Rated) -> Source:
    """What there is to rate by now. Raises CompareError where there is nothing to compare."""
    if what.kind == "evaluation":
        found = history.evaluations.kept(what.key)
        source = evaluation_source(what, found.plan, found.answers)
    else:
        source = _run(history, what)
    if len(source.variants) < 2:
        raise CompareError(
            f"The {what.kind} {what.key} has one variant alone: there is nothing to compare it with."
        )
    if len({name for _, _, name in source.answers}) < 2:
        raise CompareError(f"The {what.kind} {what.key} has no answers of two variants yet.")
    return source


# ----------------------------------------------------------------- evaluations


def evaluation_source(what: Rated, plan: Plan, found: Sequence[Checked]) -> Source:
    """What there is to rate of an evaluation's answers."""
    first = plan.baseline
    variants = {first.name: first, **{it.name: it for it in plan.variants}}
    checks = [it.name for it in plan.suite.checks]
    rows = [_asked(variants, row) for row in plan.rows]
    answers = {
        (it.row, it.repeat, it.variant): _said(it, checks) for it in found if it.error is None
    }
    return Source(what, plan.suite.name, variants, rows, plan.repeats, answers, checks)


def _asked(variants: Mapping[str, Variant], row: SuiteRow) -> Asked:
    said = [question(list(variants.values()), row.values)]
    said += [text for turn in row.turns for text in turn]
    last: dict[str, Output] = {}
    for name, variant in variants.items() if row.turns else ():
        last[name] = Output(variant, 0, 0)
        given_turns(last[name], row.turns)
    return Asked("\n\n".join(said).strip(), row.values, last, row.key)


def _said(answer: Checked, checks: Sequence[str]) -> Said:
    scores = {name: it.score for name, it in zip(checks, answer.results, strict=False)}
    return Said(answer.answer, {"score": answer.score, **scores})


# ------------------------------------------------------------------------ runs


def _run(history: History, what: Rated) -> Source:
    run = history.open(what.key)
    variants = {variant.name: variant for variant in run.variants}
    done = [output for output in run.outputs if output.state is State.DONE]
    replies = {tuple(turn.reply for turn in turns_of(output)[1:]) for output in done}
    if len(replies) > 1:
        raise CompareError(
            f"The variants of the run {what.key} were replied to differently: their answers are to "
            "different questions."
        )
    asked = question(list(variants.values()), run.values)
    said = "\n\n".join([asked, *(next(iter(replies)) if replies else ())]).strip()
    turns = {output.variant.name: output for output in done if output.follows is not None}
    answers = {
        (0, output.repeat, output.variant.name): _said_in(output, run.values) for output in done
    }
    repeats = 1 + max((output.repeat for output in run.outputs), default=0)
    row = Asked(said, run.values, turns)
    return Source(what, "", variants, (row,), repeats, answers)


def _said_in(output: Output, values: Mapping[str, str]) -> Said:
    return Said(began(output.variant, values) + answer_of(output))
