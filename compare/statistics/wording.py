"""Verdicts in one sentence."""

from __future__ import annotations

from ..shares import percent
from .needed import MOST
from .verdict import Verdict


def sentence(verdict: Verdict, variant: str, baseline: str) -> str:
    """What came out, with its figures; scores are said in points, 0 to 100."""
    difference = verdict.difference
    interval = difference.interval
    if not difference.rows:
        return f"Not decided: there are no rows that both {variant} and {baseline} were scored on."
    figures = (
        f"{points(difference.mean)} points, {100 * interval.level:.4g} % interval "
        f"{points(interval.low)} to {points(interval.high)}, {_rows(difference.rows)}"
        f"{unscored(difference.left_out)}"
    )
    if verdict.outcome == "better":
        return f"{variant} is better than {baseline} ({figures})."
    if verdict.outcome == "worse":
        return f"{baseline} is better than {variant} ({figures})."
    if verdict.outcome == "same":
        return (
            f"{variant} and {baseline} do not differ by more than "
            f"{100 * verdict.margin:g} points ({figures})."
        )
    but = f" {FADED}" if verdict.faded else ""
    if verdict.more_rows is None:
        return f"Not decided, and not within {MOST:,} more rows ({figures}).{but}"
    more = _rows(rounded(verdict.more_rows), "more ")
    return f"Not decided: about {more} would decide it ({figures}).{but}"


FADED = "The planned rows alone have a winner, but all rows together hardly lean to it."
"""Said where a winner of the planned test is none any more."""


NOT_MEASURED = "not measured (repeats = 1)"
"""Said of the noise floor where each row has one answer."""


def noise_floor_sentence(name: str, reach: float, changing: float) -> str:
    """How far a variant is from itself: the upper end of its noise floor, and the share of rows."""
    return (
        f"{name} run again with other seeds differs from itself by up to {100 * reach:.1f} points; "
        f"{percent(changing)} of its rows change."
    )


def plus_minus(reach: float) -> str:
    """The upper end of a noise floor in points."""
    return f"±{100 * reach:.1f}"


def unscored(left_out: int) -> str:
    """Of rows that could not be scored, where there are any."""
    return f", {left_out:,} more could not be scored" if left_out else ""


def points(score: float) -> str:
    """A difference of scores as points with its sign: 0.083 is +8.3."""
    text = f"{100 * score:+.1f}"
    return "0.0" if float(text) == 0 else text


def _rows(count: int, word: str = "") -> str:
    return f"{count:,} {word}row{'' if count == 1 else 's'}"


def rounded(count: int) -> int:
    """Two digits; the last of them is a guess already."""
    step = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step
