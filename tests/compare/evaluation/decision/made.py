"""Evaluations that nobody ran: plans with made-up answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from llamadiff.compare.checks.result import Result
from llamadiff.compare.checks.wording import OneOf
from llamadiff.compare.evaluation.answers import Checked
from llamadiff.compare.evaluation.plan import Plan
from llamadiff.compare.evaluation.rows import SuiteRow
from llamadiff.compare.evaluation.suite import DatasetSpec, NamedCheck, Suite
from llamadiff.compare.variants import StackedAdapter, Variant
from llamadiff.models.catalog import BUNDLED
from llamadiff.models.engine.protocol import ModelSettings
from llamadiff.prompts.document import Example, Prompt

PLAIN = Prompt("Plain", user="{{ review }}")
ENGINEERED = Prompt(
    "Engineered", system="Sort.", user="{{ review }}", examples=(Example("a", "b"), Example("c", "d"))
)  # fmt: skip
ADAPTER = StackedAdapter("sentiment", BUNDLED / "sentiment.gguf")
MODEL = Path("/m/base.gguf")
KINDS = {
    "plain": (PLAIN, ()),
    "prompted": (ENGINEERED, ()),
    "tuned": (PLAIN, (ADAPTER,)),
    "combined": (ENGINEERED, (ADAPTER,)),
}
TOKENS = {"plain": 20, "prompted": 90, "tuned": 20, "combined": 90}

Scores = Mapping[str, Sequence[float]]


def variant(name: str, prompt: Prompt = PLAIN, adapters: Sequence[StackedAdapter] = ()) -> Variant:
    return Variant(name, MODEL, "base", prompt, tuple(adapters), label=name)


def plan_of(
    variants: Sequence[Variant],
    rows: int,
    planned: int | None = None,
    margin: float = 0.05,
    new: int = 0,
) -> Plan:
    """The last `new` rows are tagged so."""
    checks = (NamedCheck("label", OneOf(("good", "bad"))),)
    suite = Suite("Made", Path("/s/made.toml"), DatasetSpec(Path("/s/rows")), (), checks, margin=margin)  # fmt: skip
    made = tuple(
        SuiteRow(
            i, f"{i}", {"review": f"text {i}"}, "good", ("new" if i >= rows - new else "known",)
        )
        for i in range(rows)
    )
    return Plan(suite, tuple(variants), variants[0], made, planned or rows, ModelSettings())


def answer(row: int, name: str, score: float | None, tokens: int = 20) -> Checked:
    results = (Result(score, "names none of the labels" if score == 0 else "names “good”"),)
    return Checked(row, name, 0, 0, "good", "good", 1, tokens, "stop", None, None, score, results)


def evaluation(
    scores: Scores, planned: int | None = None, new: int = 0
) -> tuple[Plan, list[Checked]]:
    """A plan with one variant of each kind that has scores, and its answers."""
    variants = [variant(kind, *KINDS[kind]) for kind in scores]
    rows = len(next(iter(scores.values())))
    answers = [
        answer(row, kind, score, TOKENS[kind])
        for kind, them in scores.items()
        for row, score in enumerate(them)
    ]
    return plan_of(variants, rows, planned, new=new), answers


def passing(rows: int, share: float, offset: int = 0) -> list[float]:
    """So many rows of which a share passes, spread evenly."""
    return [float(((row + offset) * 37 % rows) < share * rows) for row in range(rows)]
