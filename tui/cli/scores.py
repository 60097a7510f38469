"""What `llamadiff eval` prints of an evaluation: its scoreboard, its verdicts, its decision."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...compare.shares import percent
from ..decision_lines import decision_lines, wrapped
from .printing import data, note, statement, table

if TYPE_CHECKING:
    from ...compare.evaluation.answers import Checked
    from ...compare.evaluation.plan import Plan
    from ...compare.evaluation.scoreboard import Line, Scoreboard
    from ...compare.statistics.figures import Interval

HEAD = ("", "VARIANT", "SCORE", "95 % INTERVAL", "DIFFERENCE", "INTERVAL", "NOISE", "WON", "LOST")
NOISE = HEAD.index("NOISE")
COSTS = ("PASSED", "PROMPT", "OUT", "FIRST", "TOKENS/S")
WIDE = 120
"""Columns of a terminal from which on all is one table."""
LONGEST_TITLE = 22
WIDTH = 120
"""Columns where stdout is no terminal."""


def print_scores(plan: Plan, board: Scoreboard, answers: Sequence[Checked]) -> None:
    """The scoreboard, its verdicts, and what is required."""
    from ...compare.evaluation.scoreboard import levels_said, met_said, rows_said
    from ...compare.evaluation.variants import called
    from ...compare.statistics.wording import NOT_MEASURED, noise_floor_sentence

    _print_table(board, repeated=plan.repeats > 1)
    _print_checks(board)
    _print_tags(board)
    data("")
    for line in board.lines:
        if line.verdict is not None:
            decided = line.verdict.outcome != "undecided"
            statement(line.sentence if decided else f"{called(line.variant)}: {line.sentence}")
        if line.noise is not None and line.noise.rows:
            reach = line.noise.interval.high
            statement(noise_floor_sentence(called(line.variant), reach, line.noise.changing))
    if said := levels_said(board):
        statement(said)
    if plan.repeats == 1 and len(board.lines) > 1:
        data(f"Noise floor: {NOT_MEASURED}.")
    if said := rows_said(board.rows, len(plan.rows), board.planned):
        data(said)
    if plan.planned.gone:
        statement(plan.planned.said_of_gone)
    for it in board.requirements:
        statement(f"{met_said(it.met)}: {it.text} ({it.figures})")
    for line in board.lines:
        if line.errors or line.unscored:
            first = next(
                it for it in answers
                if it.variant == line.variant.name and it.score is None
            )  # fmt: skip
            why = first.error or next((r.reason for r in first.results if r.score is None), "")
            zero = f", {line.errors:,} of them counted as 0" if line.errors else ""
            note(
                f"{called(line.variant)}: {line.errors + line.unscored:,} answers without a score{zero}, "
                f"the first on line {plan.rows[first.row].line}: {why}"
            )


def _print_table(board: Scoreboard, *, repeated: bool) -> None:
    """All figures in one table, or in two where the terminal is narrow."""
    scores = [HEAD, *(_scores(line) for line in board.lines)]
    if not repeated:
        scores = [(*row[:NOISE], *row[NOISE + 1 :]) for row in scores]
    if not sys.stdout.isatty() or shutil.get_terminal_size().columns >= WIDE:
        costs = [COSTS, *(_costs(line) for line in board.lines)]
        table([(*row, *cost) for row, cost in zip(scores, costs, strict=True)])
        return
    table(scores)
    data("")
    table([(*HEAD[:2], *COSTS), *((*_scores(line)[:2], *_costs(line)) for line in board.lines)])


def _scores(line: Line) -> tuple[str, ...]:
    from ...compare.statistics.wording import plus_minus, points

    score, interval, noise = line.score, line.score.interval, line.noise
    floor = plus_minus(noise.interval.high) if noise and noise.rows else "–"
    compared = ("baseline", "", floor, "", "")
    if line.verdict is not None:
        difference = line.verdict.difference
        within = difference.interval
        compared = (
            points(difference.mean),
            f"{points(within.low)} to {points(within.high)}",
            floor,
            f"{difference.wins:,}",
            f"{difference.losses:,}",
        )
    title = line.variant.title
    return (
        line.variant.name,
        title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…",
        f"{100 * score.mean:.1f}" if score.rows else "–",
        _ends(interval) if score.rows else "",
        *compared,
    )


def _ends(interval: Interval) -> str:
    """Both in points."""
    return f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"


def _costs(line: Line) -> tuple[str, ...]:
    pace = line.pace
    return (
        percent(line.pass_rate),
        f"{line.prompt_tokens:.0f}",
        f"{line.tokens:.1f}",
        f"{1000 * pace.ttft_s:.0f} ms" if pace and pace.ttft_s is not None else "",
        f"{pace.tokens_per_s:,.0f}" if pace and pace.tokens_per_s else "",
    )


def _print_checks(board: Scoreboard) -> None:
    """The score of each check with its interval, where there are several."""
    checks = [line.checks for line in board.lines]
    if len(checks[0]) < 2:
        return
    data("")
    rows = [("CHECK", *(line.variant.name for line in board.lines))]
    for own in zip(*checks, strict=True):
        scores = (f"{100 * it.score.mean:.1f} ({_ends(it.score.interval)})" if it.score.rows else "–" for it in own)  # fmt: skip
        rows.append((own[0].title, *scores))
    table(rows)


def _print_tags(board: Scoreboard) -> None:
    tags = list(dict.fromkeys(tag.name for line in board.lines for tag in line.tags))
    if not tags:
        return
    data("")
    rows = [("TAG", "ROWS", *(line.variant.name for line in board.lines))]
    for name in tags:
        own = [next((t for t in line.tags if t.name == name), None) for line in board.lines]
        most = max(tag.rows for tag in own if tag is not None)
        cells = (percent(tag.passed / tag.answers) if tag else "–" for tag in own)
        rows.append((name, f"{most:,}", *cells))
    table(rows)


def print_decision(decision: Mapping[str, Any]) -> None:
    """The verdict, the table, and what its figures are."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
    data("")
    for line in wrapped(decision["verdict"], width):
        data(line)
    data("")
    for title, rest in decision_lines(decision, width):
        data(f"{title}{rest}".rstrip())
    data("")
    for said in decision["notes"]:
        for line in wrapped(said, width):
            data(line)
