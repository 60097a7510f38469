"""Rows that were checked, in lines: what there is, what training takes, what is wrong, the first rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from ..compare.training_data.words import cases, class_counts, sentence, summary
from ..models.errors import size_in_words
from .amounts import span
from .safe_text import safe_line, safe_text

if TYPE_CHECKING:
    from ..compare.training_data.findings import Report
    from ..compare.training_data.preview import PreviewedRow
    from ..compare.tuning.data import CheckedData
    from ..models.tuning.estimate import Estimate

LEARNED = "bold $added on $added-background"
_HEAD = "bold $primary"


def data_lines(data: CheckedData, missing: str) -> Content:
    """All there is to say before a training begins; `missing` says what is not installed."""
    parts = [*_problems(data.problem, missing), *_will_take(data), *_rows(data.report)]
    if data.split is not None:
        held = f"{len(data.split.validation):,} held out to validate with"
        parts[-1] = parts[-1].append(f"\n{len(data.split.train):,} to train on, {held}.")
    parts += [*_findings(data.report), *_examples(data.preview)]
    return Content("\n\n").join(parts)


def _problems(*sentences: str) -> Iterator[Content]:
    for each in sentences:
        if each:
            yield Content.styled(f"✗ {safe_line(each)}", "$error")


def _will_take(data: CheckedData) -> Iterator[Content]:
    if data.estimates:
        lines = "\n".join(map(took, data.estimates))
        yield Content.assemble(("Training will take, about\n", _HEAD), lines)


def took(it: Estimate) -> str:
    """An estimate on one line."""
    time = span(it.seconds) if it.seconds is not None else "a time that is not known of this GPU"
    return (
        f"{time} · {size_in_words(it.memory_bytes)} of memory · {it.steps:,} steps · "
        f"{it.tokens:,} tokens · {it.parameters:,} trained parameters"
    )


def _rows(report: Report) -> Iterator[Content]:
    said = summary(report).removeprefix(f"{report.source}: ")
    counts = class_counts(report)
    more = f"\nAnswers: {safe_line(counts)}." if counts else ""
    yield Content.assemble(("Rows\n", _HEAD), f"{said}{more}")


def _findings(report: Report) -> Iterator[Content]:
    if not report.findings:
        yield Content.styled("✓ Nothing is wrong with them.", "$success")
    for it in report.findings:
        mark, style = ("✗", "$error") if it.grave else ("·", "$warning")
        lines = [safe_line(each) for each in cases(it)]
        lines += [f"and {it.count - len(it.cases):,} more"] if it.count > len(it.cases) else []
        shown = "".join(f"\n    {line}" for line in lines)
        yield Content.assemble((f"{mark} {safe_line(sentence(it))}", style), (shown, "$dim"))


def _examples(rows: Sequence[PreviewedRow]) -> Iterator[Content]:
    if rows:
        yield Content.assemble(("The first rows as the model is given them, ", _HEAD), ("⟦learned⟧", LEARNED))  # fmt: skip
    for row in rows:
        title = f"line {row.line}{', ' if row.title else ''}{row.title}\n"
        parts: list[tuple[str, str]] = [(title, "$dim")]
        text, at = safe_text(row.text), 0
        for start, end in row.learned:
            parts += [(text[at:start], ""), (f"⟦{text[start:end]}⟧", LEARNED)]
            at = end
        yield Content.assemble(*parts, (text[at:], ""))
