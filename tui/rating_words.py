"""Blind rating in words: who rates, how much is left, and what came out."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..compare.shares import percent

if TYPE_CHECKING:
    from ..compare.rating.results import Results
    from ..compare.rating.source import Source
    from ..compare.statistics.agreement import Agreement
    from ..compare.statistics.figures import Interval

HEAD = ("", "VARIANT", "CHANCE", "95 % INTERVAL", "WON", "LOST", "TIED", "BOTH BAD")
CHECKS_HEAD = ("CHECK", "AS PEOPLE", "INTERVAL", "ALPHA", "INTERVAL", "ROWS")
LONGEST_TITLE = 24
ABOUT_CHANCE = "CHANCE is that of being preferred to an average variant, where one of the two is."
ABOUT_CHECKS = (
    "AS PEOPLE counts the pairs of which a check and people both prefer an answer, and how often it "
    "is the same one. ALPHA is how far they agree on all pairs: 1 is full, 0 is chance."
)


def login_name() -> str:
    """Who is logged in."""
    try:
        return getpass.getuser() or "me"
    except (KeyError, OSError):  # nobody the system has a name for
        return "me"


def progress(done: int, goal: int, seconds: float | None) -> str:
    """`17 of 120 · about 9 minutes left`."""
    said = f"{min(done + 1, goal):,} of {goal:,}"
    if seconds is None:
        return said
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{said} · less than a minute left"
    return f"{said} · about {counted(minutes, 'minute')} left"


def table(source: Source, found: Results) -> list[tuple[str, ...]]:
    """A heading, and a line for each variant, the best first."""
    rows: list[tuple[str, ...]] = [HEAD]
    for it in found.ranking:
        title = source.variants[it.name].title
        rows.append(
            (
                it.name,
                _cut(title),
                percent(it.chance),
                _interval(it.chance_interval),
                f"{it.wins:,}",
                f"{it.losses:,}",
                f"{it.ties:,}",
                f"{it.both_bad:,}",
            )
        )
    return rows


def checks_table(found: Results) -> list[tuple[str, ...]]:
    """A heading and a line for each check; nothing where there is none to compare with."""
    rows: list[tuple[str, ...]] = [CHECKS_HEAD]
    for it in found.checks:
        if it.agreement.units:
            alpha, within = it.agreement.alpha, it.agreement.interval
            rows.append(
                (
                    _cut(it.name),
                    f"{it.sided:,} of {it.decided:,}",
                    _interval(it.interval) if it.decided else "",
                    _signed(alpha) if alpha is not None else "–",
                    f"{_signed(within.low)} to {_signed(within.high)}" if within else "",
                    f"{it.rows:,}",
                )
            )
    return rows if len(rows) > 1 else []


def sentences(found: Results) -> list[str]:
    """What else there is to know of ratings, of which there are some."""
    said = [ABOUT_CHANCE]
    counts = found.counts
    raters = ", ".join(f"{it.name} {it.rated:,} of {it.of:,}" for it in found.raters)
    said.append(
        f"{counted(found.rated, 'rating')} by {counted(len(found.raters), 'rater')} ({raters}): "
        f"{found.decided:,} prefer one answer, {counted(counts['tie'], 'tie')}, "
        f"{counts['both bad']:,} both bad, {counts['skip']:,} skipped."
    )
    if found.same:
        said.append(
            f"{counted(found.same, 'pair')} had the same text twice: nobody was shown "
            f"{'it' if found.same == 1 else 'them'}, and "
            f"{'it counts as a tie' if found.same == 1 else 'they count as ties'}."
        )
    if found.decided:
        within = 0.5 in found.first_interval
        said.append(
            f"The answer shown first was preferred in {found.firsts:,} of {found.decided:,} "
            f"({_share(found.firsts, found.decided, found.first_interval)}): "
            f"{'no sign that the place matters' if within else 'the place mattered, which the ranking allows for'}."
        )
    if found.between.units:
        said.append(
            f"Raters chose the same in {percent(found.between.same or 0)} of "
            f"{counted(found.between.units, 'pair')} that several rated{_alpha(found.between)}."
        )
    if found.between.units:
        said.append(
            "Intervals take ratings for independent: those of one pair by several raters are not quite."
        )
    if found.notes or found.edits:
        said.append(
            f"{counted(len(found.notes), 'note')}, {counted(found.edits, 'edited answer')}."
        )
    return said


def _alpha(it: Agreement) -> str:
    if it.alpha is None:
        return ""
    ends = it.interval
    within = f", {_signed(ends.low)} to {_signed(ends.high)}" if ends else ""
    return f" (alpha {_signed(it.alpha)}{within}; 1 is full agreement, 0 chance)"


def _cut(title: str) -> str:
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"


def _signed(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")


def _share(part: int, whole: int, interval: Interval) -> str:
    return f"{percent(part / whole)}, 95 % interval {_interval(interval)}"


def _interval(interval: Interval) -> str:
    return f"{100 * interval.low:.0f} to {percent(interval.high)}"


def counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines of text, their cells under each other."""
    from rich.cells import cell_len

    widths = [max(cell_len(row[i]) for row in rows) for i in range(len(rows[0]))]
    pads = ([" " * (w - cell_len(c)) for c, w in zip(row, widths, strict=True)] for row in rows)
    return [
        "  ".join(c + p for c, p in zip(row, pad, strict=True)).rstrip()
        for row, pad in zip(rows, pads, strict=True)
    ]
