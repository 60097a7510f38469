"""What a rater sees at the end: thanks, and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from ..rating_words import ABOUT_CHECKS, checks_table, columns, sentences, table
from ..safe_text import safe_line

if TYPE_CHECKING:
    from ...compare.history.history import History
    from ...compare.rating.session import Rating


def end_page(rating: Rating, history: History, *, asked: bool) -> Content:
    """The page; makes the statistics, which takes a while. `asked` before the end."""
    from ...compare.rating.results import results

    source, what = rating.source, rating.source.what
    kept, seeds = history.ratings.all(what), history.ratings.seeds(what)
    found = results(source, kept, seeds)
    lines = [Content.styled(safe_line(_thanks(rating, asked=asked)), "bold"), Content()]
    left = rating.goal - rating.done or rating.pairs - rating.done
    if left:
        lines += [Content(f"{left:,} pairs are left; {{rate.more}} goes on with them."), Content()]
    if found.rated:
        lines += [*_table(table(source, found)), Content()]
        lines += [*(Content(safe_line(it)) for it in sentences(found)), Content()]
        if checks := checks_table(found):
            lines += [*_table(checks), Content(), Content(ABOUT_CHECKS), Content()]
        say = (
            f"llamadiff rate {what.key} --results says this again, --export writes it to train on."
        )
        lines.append(Content.styled(say, "$dim"))
    return Content("\n").join(lines)


def _table(rows: Sequence[Sequence[str]]) -> list[Content]:
    head, *others = (safe_line(it) for it in columns(rows))
    return [Content.styled(head, "$dim"), *map(Content, others)]


def _thanks(rating: Rating, *, asked: bool) -> str:
    if not rating.pairs:
        return f"There is nothing to rate: all {rating.same:,} pairs have the same text twice."
    of = f"{rating.goal:,} pairs"
    if rating.goal < rating.pairs:
        of = f"the {of} asked for, out of {rating.pairs:,},"
    done = f"{rating.done:,} of {of} are rated"
    return f"{done} so far." if asked else f"Thank you, {rating.rater}. {done}."
