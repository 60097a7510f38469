"""The scoreboard: what the answers say of each variant, and of each against the baseline.

Pure, and a second or so for thousands of rows: not for the event loop.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress

from ..statistics.figures import Estimate, Table
from ..statistics.means import estimate
from ..statistics.noise import NoiseFloor, noise_floor
from ..statistics.verdict import ALPHA, Verdict, decide_all
from ..statistics.wording import sentence
from ..variants import Variant
from .answers import Checked, counted
from .expression import Expression, Value, check_names
from .plan import Plan
from .suite import Suite
from .variants import by_name, called


@dataclass(frozen=True)
class Pace:
    """What one call costs when nothing else runs: medians of a few, and the seconds that each of
    the first rows took from its request to its last token (None where it failed)."""

    calls: int
    ttft_s: float | None
    tokens_per_s: float | None
    seconds: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Tag:
    """One kind of row: how many were scored, how many of their answers passed, their mean score."""

    name: str
    rows: int
    passed: int
    answers: int
    score: float


@dataclass(frozen=True)
class CheckScore:
    """What one check gave a variant's answers; with the weight 0 it is shown and counts nothing."""

    name: str
    weight: float
    score: Estimate

    @property
    def title(self) -> str:
        return check_title(self.name, self.weight)


@dataclass(frozen=True)
class Line:
    """A variant's line. `verdict` is None for the baseline; `noise` without repeats.

    Of `answers`, `counted` are in the score, and `passed` of them lack nothing; `errors` could not
    be had and count as 0, `unscored` could not be scored and do not count.
    `prompt_tokens` and `tokens` are means over answers.
    """

    variant: Variant
    score: Estimate
    verdict: Verdict | None
    sentence: str
    noise: NoiseFloor | None
    passed: int
    counted: int
    answers: int
    errors: int
    unscored: int
    prompt_tokens: float
    tokens: float
    tags: tuple[Tag, ...]
    checks: tuple[CheckScore, ...]
    pace: Pace | None = None

    @property
    def pass_rate(self) -> float:
        """The share of answers that passed, of those that count; 0 without any."""
        return self.passed / self.counted if self.counted else 0.0


@dataclass(frozen=True)
class Requirement:
    """A line of `[[require]]`: whether it is met, None where that cannot be said, or not yet because
    rows are missing."""

    text: str
    met: bool | None
    figures: str


@dataclass(frozen=True)
class Scoreboard:
    """What came out. `rows` of `planned` are there, those that every variant answered."""

    baseline: Variant
    rows: int
    planned: int
    margin: float
    lines: tuple[Line, ...]
    requirements: tuple[Requirement, ...] = ()

    @property
    def met(self) -> bool:
        """No requirement fails; one of which nothing can be said does."""
        return all(it.met for it in self.requirements)


def check_title(name: str, weight: float) -> str:
    """What a check is called where its scores stand."""
    return name if weight else f"{name} (counts nothing)"


def met_said(met: bool | None) -> str:
    """What is said of a requirement before it."""
    return {True: "met", False: "NOT MET", None: "not known yet"}[met]


def levels_said(board: Scoreboard) -> str:
    """Why intervals of differences are of other levels than one alone would be; empty where none is."""
    compared = [it.verdict.difference.interval.level for it in board.lines if it.verdict]
    levels = sorted(set(compared), reverse=True)
    if len(compared) < 2:
        return ""
    *others, lowest = (f"{100 * it:.4g} %" for it in levels)
    said = f"{', '.join(others)} and {lowest}" if others else lowest
    return (
        f"The intervals of differences are of {said}: {len(compared)} comparisons share the "
        f"{100 * ALPHA:g} %, and one that is sure leaves its part to the others."
    )


def rows_said(rows: int, asked: int, planned: int) -> str:
    """How many of the planned rows all variants have answered; empty where that is all of them.
    `asked` are those that are run."""
    if rows >= planned:
        return ""
    return f"{rows:,} of {planned:,} planned rows {'so far' if rows < asked else 'were run'}."


def scoreboard(
    plan: Plan, answers: Sequence[Checked], paces: Mapping[str, Pace] | None = None
) -> Scoreboard:
    """Of all rows that every variant has answered in every repeat, in the order of the plan."""
    found = {answer.place: answer for answer in answers}
    rows = [
        row
        for row in range(len(plan.rows))
        if all(
            (row, variant.name, repeat) in found
            for variant in plan.variants
            for repeat in range(plan.repeats)
        )
    ]
    own = {
        variant.name: [
            [found[row, variant.name, repeat] for repeat in range(plan.repeats)] for row in rows
        ]
        for variant in plan.variants
    }
    answered = {it.row for it in answers if it.error is None}
    tables = {
        name: [counted(them[i], row in answered) for i, row in enumerate(rows)]
        for name, them in own.items()
    }
    of_checks = {
        name: [
            [counted(them[i], row in answered, at) for i, row in enumerate(rows)]
            for at in range(len(plan.suite.checks))
        ]
        for name, them in own.items()
    }
    checks = {
        name: tuple(
            CheckScore(it.name, it.weight, estimate(table))
            for it, table in zip(plan.suite.checks, them, strict=True)
        )
        for name, them in of_checks.items()
    }
    base = plan.baseline
    others = {name: table for name, table in tables.items() if name != base.name}
    planned = {
        it.name: plan.planned_for(base, it, rows) for it in plan.variants if it.name != base.name
    }
    verdicts = decide_all(others, tables[base.name], planned=planned, margin=plan.suite.margin)
    lines = tuple(
        _line(plan, variant, rows, own[variant.name], tables[variant.name],
              verdicts.get(variant.name), checks[variant.name], (paces or {}).get(variant.name))
        for variant in plan.variants
    )  # fmt: skip
    board = Scoreboard(base, len(rows), plan.planned.to_run, plan.suite.margin, lines)
    requirements = tuple(_requirement(it, plan, board, tables, of_checks) for it in plan.suite.require)  # fmt: skip
    if len(rows) < len(plan.rows):
        requirements = tuple(replace(it, met=None) for it in requirements)
    return Scoreboard(base, board.rows, board.planned, board.margin, lines, requirements)


def _line(
    plan: Plan,
    variant: Variant,
    rows: Sequence[int],
    own: Sequence[Sequence[Checked]],
    table: Table,
    verdict: Verdict | None,
    checks: tuple[CheckScore, ...],
    pace: Pace | None,
) -> Line:
    answers = [it for row in own for it in row]
    prompts = [it.prompt_tokens for it in answers if it.prompt_tokens is not None]
    fine = [it for it in answers if it.error is None]
    name, base = called(variant), called(plan.baseline)
    return Line(
        variant,
        estimate(table),
        verdict,
        "" if verdict is None else sentence(verdict, name, base),
        noise_floor(table, plan.repeats) if plan.repeats > 1 else None,
        sum(score == 1 for row in table for score in row),
        sum(map(len, table)),
        len(answers),
        sum(it.failed for it in answers),
        sum(it.score is None and not it.failed for it in answers),
        statistics.fmean(prompts) if prompts else 0.0,
        statistics.fmean(it.tokens for it in fine) if fine else 0.0,
        _tags(plan, rows, table),
        checks,
        pace,
    )


def _tags(plan: Plan, rows: Sequence[int], table: Table) -> tuple[Tag, ...]:
    scores: dict[str, list[Sequence[float]]] = {}
    for row, scored in zip(rows, table, strict=True):
        if scored:
            for tag in dict.fromkeys(plan.rows[row].tags):
                scores.setdefault(tag, []).append(scored)
    return tuple(
        Tag(
            tag,
            len(found),
            sum(score == 1 for row in found for score in row),
            sum(len(row) for row in found),
            statistics.fmean(statistics.fmean(row) for row in found),
        )
        for tag, found in sorted(scores.items())
    )


# --------------------------------------------------------------------- requirements

KINDS: Mapping[str, Value] = {
    "score": 0.5, "low": 0.5, "high": 0.5, "pass_rate": 0.5, "difference": 0.5,
    "difference_low": 0.5, "difference_high": 0.5, "p": 0.5, "verdict": "same", "wins": 1.0,
    "losses": 1.0, "errors": 1.0, "unscored": 1.0, "rows": 1.0, "prompt_tokens": 1.0,
    "tokens": 1.0, "ttft": 1.0, "tokens_per_s": 1.0,
}  # fmt: skip
"""The figures that a requirement may ask of a variant, each with a value of its kind; those of its
checks are besides."""
SCORES = ("score", "low", "high", "difference", "difference_low", "difference_high")
"""Those of them that are shares of 100 points."""
COMPARED = ("difference_low", "difference_high", "p", "verdict")
"""Those of them that planned rows which are gone count in."""


def _written(name: str, value: Value) -> str:
    """A figure as it is read everywhere else: scores in points, times in milliseconds."""
    if isinstance(value, str):
        return value
    if name in SCORES or name.startswith('"'):
        sign = "+" if name.startswith("difference") and round(value, 4) else ""
        return f"{round(100 * value, 2):{sign}g} points"
    if name == "pass_rate":
        return f"{round(100 * value, 2):g} %"
    return f"{1000 * value:.0f} ms" if name == "ttft" else f"{value:,.4g}"


def check_requirements(suite: Suite, variants: Sequence[Variant]) -> None:
    """Raise CompareError for a requirement that asks for what there will not be."""
    from ..errors import CompareError
    from .expression import ExpressionError

    known = {**KINDS, **{name: 0.5 for it in suite.checks for name in _figures_of(it.name)}}
    for number, expression in enumerate(suite.require):
        try:
            check_names(expression, by_name(variants), known)
        except ExpressionError as error:
            said = f"{suite.at('require', number)}: {expression.text!r}: {error}"
            raise CompareError(said if said.endswith("?") else f"{said}.") from None


def _figures_of(check: str) -> tuple[str, str, str]:
    """What a check's mean and the ends of its interval are called."""
    return f'"{check}"', f'"{check}".low', f'"{check}".high'


def _requirement(
    wanted: Expression,
    plan: Plan,
    board: Scoreboard,
    tables: Mapping[str, Table],
    of_checks: Mapping[str, Sequence[Table]],
) -> Requirement:
    """Scores and pass rates are over the rows that all variants it names were scored on, those of a
    check over those on which it scored all of them."""
    names = {figure.variant for figure in wanted.figures()}
    lines = [it for it in board.lines if {it.variant.name, it.variant.label} & names]
    ours = _common([tables[it.variant.name] for it in lines])
    by_check = zip(*(of_checks[it.variant.name] for it in lines), strict=True)
    checks = zip(*(_common(them) for them in by_check), strict=True)
    figures: dict[str, dict[str, Value | None]] = {}
    for line, table, of_each in zip(lines, ours, checks, strict=True):
        found = _of(line, table, of_each)
        figures |= {line.variant.name: found, line.variant.label: found}
    shown = wanted.shown(figures, _written)
    compared = {it.variant for it in wanted.figures() if it.name in COMPARED}
    for line in lines:
        settled = plan.settled_for(board.baseline, line.variant)
        if settled.gone and {line.variant.name, line.variant.label} & compared:
            shown += f"; {settled.said_of_gone}"
            break
    return Requirement(wanted.text, wanted.met(figures), shown)


def _common(tables: Sequence[Table]) -> list[Table]:
    """The same tables with the rows that are scored in all of them."""
    there = [all(rows) for rows in zip(*tables, strict=True)]
    return [list(compress(table, there)) for table in tables]


def _of(line: Line, table: Table, checks: Sequence[Table]) -> dict[str, Value | None]:
    verdict, pace = line.verdict, line.pace
    score = line.score if len(table) == line.score.rows else estimate(table)
    figures: dict[str, Value | None] = dict.fromkeys(KINDS)
    figures |= {
        "errors": float(line.errors),
        "unscored": float(line.unscored),
        "rows": float(score.rows),
        "prompt_tokens": line.prompt_tokens,
        "tokens": line.tokens,
    }
    if score.rows:
        scores = [one for row in table for one in row]
        figures |= {
            "score": score.mean,
            "low": score.interval.low,
            "high": score.interval.high,
            "pass_rate": sum(one == 1 for one in scores) / len(scores),
        }
    if verdict is not None and verdict.difference.rows:
        difference = verdict.difference
        figures |= {
            "difference": difference.mean,
            "difference_low": difference.interval.low,
            "difference_high": difference.interval.high,
            "p": verdict.adjusted_p,
            "verdict": verdict.outcome,
            "wins": float(difference.wins),
            "losses": float(difference.losses),
        }
    for it, own in zip(line.checks, checks, strict=True):
        of_it = it.score if len(own) == it.score.rows else estimate(own)
        within = of_it.interval
        found = (of_it.mean, within.low, within.high) if of_it.rows else (None,) * 3
        figures |= zip(_figures_of(it.name), found, strict=True)
    if pace is not None:
        figures |= {"ttft": pace.ttft_s, "tokens_per_s": pace.tokens_per_s}
    return figures
