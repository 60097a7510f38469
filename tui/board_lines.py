"""The scoreboard as lines: figures in as many tables as the width asks for, and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from ..compare.evaluation.scoreboard import check_title, levels_said, met_said, rows_said
from ..compare.evaluation.variants import called
from ..compare.statistics.wording import NOT_MEASURED, noise_floor_sentence, plus_minus, points
from .safe_text import safe_line
from .widgets.chosen_lines import padded
from .widgets.headed_scroll import Head
from .widgets.lines import shortened

if TYPE_CHECKING:
    from ..compare.evaluation.plan import Plan
    from ..compare.evaluation.scoreboard import Line, Scoreboard
    from ..compare.statistics.figures import Interval

GAP = 2
MOST_NAME = 24
NARROW = 100
FIRST = ("SCORE", "", "DIFFERENCE", "VERDICT")
SECOND = "95 % INTERVAL"
"""What stands in front of all others, and behind them, where there is little room."""
LEAST_BAR, MOST_BAR = 11, 41
OUTCOMES = {
    "better": ("▲ better", "$success"),
    "worse": ("▼ worse", "$error"),
    "same": ("= the same", "$secondary"),
    "undecided": ("? undecided", "$warning"),
}


@dataclass(frozen=True)
class _Column:
    """A column: its title, a cell with its style for each variant, and the cells it takes."""

    title: str
    cells: Sequence[tuple[str, str]]
    right: bool = True
    is_bar: bool = False

    @property
    def width(self) -> int:
        if self.is_bar:
            return LEAST_BAR
        return max(map(cell_len, (self.title, *(text for text, _ in self.cells))))


@dataclass(frozen=True)
class Part:
    """Lines of a scoreboard: a table whose first one is its heading, or sentences."""

    text: Content
    is_table: bool = True


def board_lines(parts: Sequence[Part]) -> Content:
    """All parts, a blank line between any two."""
    return Content("\n\n").join(part.text for part in parts)


def board_heads(parts: Sequence[Part], width: int) -> list[Head]:
    """Where the headings of the tables are in `board_lines` that wrap at `width`."""
    found: list[Head] = []
    at = 0
    for part in parts:
        end = at + part.text.get_height({}, width)
        if part.is_table:
            found.append(Head(at, end, part.text.split("\n")[0]))
        at = end + 1
    return found


def board_parts(board: Scoreboard, plan: Plan, width: int, *, tags: bool) -> list[Part]:
    """All there is to say, in lines of at most `width` cells."""
    lines = board.lines
    first = _names(board)
    columns = [*_scores(board, plan.repeats > 1), *_costs(lines)]
    if width < NARROW:
        columns.sort(key=lambda column: (column.title not in FIRST, column.title == SECOND))
    tables = [_table(first, each, board, width) for each in _fitting(first, columns, width)]
    sentences = [_hanging(it, width) for it in _sentences(board, plan)]
    said = Part(Content("\n").join(sentences), is_table=False)
    parts = [Part(tables[0]), said, *map(Part, tables[1:])]
    if checks := _checks(lines):
        parts += [
            Part(_table(first, each, board, width)) for each in _fitting(first, checks, width)
        ]
    if tags:
        parts.append(Part(_tags(board, width)))
    return parts


def _names(board: Scoreboard) -> _Column:
    cells: list[tuple[str, str]] = []
    for line in board.lines:
        mark = "◆" if line.variant.name == board.baseline.name else " "
        title = padded(line.variant.title, min(MOST_NAME, cell_len(line.variant.title)))
        cells.append((f"{mark} {line.variant.name} {title}", "bold" if mark == "◆" else ""))
    return _Column("    VARIANT", cells, right=False)


def _scores(board: Scoreboard, repeated: bool) -> list[_Column]:
    lines = board.lines
    scored = [line.score.rows > 0 for line in lines]
    found = [
        _Column("SCORE", [(_points(it.score.mean) if ok else "–", "bold") for it, ok in zip(lines, scored, strict=True)]),
        _Column("", [("", "$accent") for _ in lines], right=False, is_bar=True),
        _Column("95 % INTERVAL", [(_ends(it.score.interval) if ok else "", "$dim") for it, ok in zip(lines, scored, strict=True)]),
    ]  # fmt: skip
    if len(lines) == 1:
        return found
    compared = [it.verdict if it.verdict and it.verdict.difference.rows else None for it in lines]
    outcomes = [OUTCOMES[it.outcome] if it else ("", "") for it in compared]
    base = [it.variant.name == board.baseline.name for it in lines]
    found += [
        _Column("DIFFERENCE", [("baseline", "$dim") if is_base else (points(it.difference.mean) if it else "–", style)
                               for it, (_, style), is_base in zip(compared, outcomes, base, strict=True)]),
        _Column("INTERVAL", [(_signed(it.difference.interval) if it else "", "$dim") for it in compared]),
    ]  # fmt: skip
    if repeated:
        floors = [it.noise if it.noise is not None and it.noise.rows else None for it in lines]
        found.append(_Column("NOISE", [(plus_minus(it.interval.high) if it else "–", "$dim") for it in floors]))  # fmt: skip
    return [
        *found,
        _Column("VERDICT", outcomes, right=False),
        _Column("WON LOST", [(f"{it.difference.wins:,} · {it.difference.losses:,}" if it else "", "") for it in compared]),
    ]  # fmt: skip


def _costs(lines: Sequence[Line]) -> list[_Column]:
    paces = [line.pace for line in lines]
    firsts = (f"{1000 * it.ttft_s:.0f} ms" if it and it.ttft_s is not None else "–" for it in paces)
    speeds = (f"{it.tokens_per_s:,.0f}" if it and it.tokens_per_s else "–" for it in paces)
    found = {
        "PASSED": [f"{line.pass_rate:.0%}".replace("%", " %") if line.score.rows else "–" for line in lines],
        "PROMPT TOKENS": [f"{line.prompt_tokens:.0f}" if line.prompt_tokens else "–" for line in lines],
        "FIRST TOKEN": [*firsts],
        "TOKENS/S": [*speeds],
        "TOKENS OUT": [f"{line.tokens:.1f}" if line.prompt_tokens else "–" for line in lines],
    }  # fmt: skip
    if any(line.errors or line.unscored for line in lines):
        found["NO SCORE"] = [f"{line.errors + line.unscored:,}" for line in lines]
    return [_Column(title, [(cell, "") for cell in cells]) for title, cells in found.items()]


def _checks(lines: Sequence[Line]) -> list[_Column]:
    """The score of each check with its interval, where there are several."""
    found = list(zip(*(line.checks for line in lines), strict=True))
    return [
        _Column(
            check_title(shortened(own[0].name, MOST_NAME), own[0].weight).upper(),
            [(f"{_points(it.score.mean)} ({_ends(it.score.interval)})" if it.score.rows else "–", "") for it in own],
        )
        for own in found
        if len(found) > 1
    ]  # fmt: skip


def _fitting(first: _Column, columns: Iterable[_Column], width: int) -> list[list[_Column]]:
    """The columns in tables that fit, each beginning with the variants' names."""
    tables: list[list[_Column]] = [[]]
    room = width - first.width
    for column in columns:
        needed = column.width + GAP
        if needed > room and tables[-1]:
            tables.append([])
            room = width - first.width
        tables[-1].append(column)
        room -= needed
    return tables


def _table(first: _Column, columns: Sequence[_Column], board: Scoreboard, width: int) -> Content:
    taken = first.width + sum(column.width + GAP for column in columns)
    bar = min(MOST_BAR, LEAST_BAR + max(0, width - taken))
    low, high = _scale(board)
    head = [padded(first.title, first.width)]
    rows = [[(padded(text, first.width), style)] for text, style in first.cells]
    for column in columns:
        if column.is_bar:
            ends = f"{low}", f"{high}"
            head.append(ends[0] + " " * (bar - len(ends[0] + ends[1])) + ends[1])
            cells = [(_bar(line, low, high, bar), "$accent") for line in board.lines]
        else:
            head.append(padded(column.title, column.width, right=column.right))
            cells = [
                (padded(text, column.width, right=column.right), style)
                for text, style in column.cells
            ]
        for row, cell in zip(rows, cells, strict=True):
            row += [(" " * GAP, ""), cell]
    drawn = [Content.assemble(*row).truncate(width, ellipsis=True) for row in rows]
    heading = Content.styled((" " * GAP).join(head), "$dim").truncate(width, ellipsis=True)
    return Content("\n").join([heading, *drawn])


def _scale(board: Scoreboard) -> tuple[int, int]:
    """The ends of the bars in points: tens around all intervals."""
    ends = [line.score.interval for line in board.lines if line.score.rows]
    if not ends:
        return 0, 100
    low = int(min(it.low for it in ends) * 10) * 10
    high = -int(-max(it.high for it in ends) * 10 // 1) * 10
    return (low, high) if high > low else (max(0, high - 10), high or 10)


def _bar(line: Line, low: int, high: int, width: int) -> str:
    """The score between the ends of its interval: `  ├──●───┤  `."""
    if not line.score.rows:
        return " " * width

    def at(score: float) -> int:
        return max(0, min(width - 1, round((100 * score - low) / (high - low) * (width - 1))))

    cells = [" "] * width
    start, end = at(line.score.interval.low), at(line.score.interval.high)
    cells[start : end + 1] = "─" * (end + 1 - start)
    cells[start], cells[end] = "├", "┤"
    cells[at(line.score.mean)] = "●"
    return "".join(cells)


MET = {True: ("✓", "$success"), False: ("✗", "$error"), None: ("?", "$warning")}


def _hanging(sentence: Content, width: int) -> Content:
    """A sentence behind its mark of two cells, in lines that all begin where it does."""
    lines = [line.rstrip() for line in sentence[2:].wrap(max(1, width - 2))]
    return sentence[:2].append(Content("\n  ").join(lines))


def _sentences(board: Scoreboard, plan: Plan) -> list[Content]:
    """What is to be said, each behind a mark or two spaces."""
    found: list[Content] = []
    for line in board.lines:
        if line.verdict is not None:
            mark, style = OUTCOMES[line.verdict.outcome]
            decided = line.verdict.outcome != "undecided"
            said = line.sentence if decided else f"{called(line.variant)}: {line.sentence}"
            found.append(Content.assemble((f"{mark[0]} ", style), safe_line(said)))
    if said := levels_said(board):
        found.append(Content.styled(f"  {said}", "$dim"))
    if said := rows_said(board.rows, len(plan.rows), board.planned):
        found.append(Content.styled(f"  {said}", "$warning"))
    elif len(plan.rows) > board.planned:
        found.append(Content.styled(f"  {board.planned:,} rows were planned; the test of those counts, and {len(plan.rows) - board.planned:,} were added since.", "$dim"))  # fmt: skip
    if plan.planned.gone:
        found.append(Content.styled(f"  {plan.planned.said_of_gone}", "$warning"))
    for it in board.requirements:
        mark, style = MET[it.met]
        rest = safe_line(f": {it.text} ({it.figures})")
        found.append(Content.assemble((f"{mark} {met_said(it.met)}", style), rest))
    for line in board.lines:
        if line.noise is not None and line.noise.rows:
            said = noise_floor_sentence(
                called(line.variant), line.noise.interval.high, line.noise.changing
            )
            found.append(Content.styled(safe_line(f"  {said}"), "$dim"))
    if plan.repeats == 1 and len(board.lines) > 1:
        found.append(Content.styled(f"  Noise floor: {NOT_MEASURED}; repeats = 2 or more in the suite measures it.", "$dim"))  # fmt: skip
    return found


def _tags(board: Scoreboard, width: int) -> Content:
    """Pass rates by tag."""
    names = list(dict.fromkeys(tag.name for line in board.lines for tag in line.tags))
    if not names:
        return Content.styled("The dataset's rows have no tags.", "$dim")
    head = ("PASSED, BY TAG", "ROWS", *(called(line.variant) for line in board.lines))
    rows: list[tuple[str, ...]] = [head]
    for name in names:
        own = [next((t for t in line.tags if t.name == name), None) for line in board.lines]
        most = max(tag.rows for tag in own if tag is not None)
        rates = (f"{tag.passed / tag.answers:.0%}".replace("%", " %") if tag else "–" for tag in own)  # fmt: skip
        rows.append((name, f"{most:,}", *rates))
    widths = [min(MOST_NAME, max(map(cell_len, column))) for column in zip(*rows, strict=True)]
    lines = [
        (" " * GAP).join(
            padded(cell, size, right=bool(i))
            for i, (cell, size) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return Content("\n").join(
        Content.styled(line, "" if number else "$dim").truncate(width, ellipsis=True)
        for number, line in enumerate(lines)
    )


def _points(score: float) -> str:
    return f"{100 * score:.1f}"


def _ends(it: Interval) -> str:
    return f"{100 * it.low:.1f} to {100 * it.high:.1f}"


def _signed(it: Interval) -> str:
    return f"{points(it.low)} to {points(it.high)}"
