"""A comparison of two outputs as one page of HTML: side by side or in one text, and what made them."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..conversation import turns_of
from ..reasoning import answer_of
from . import html
from .content import user_text
from .entries import Side
from .page import figures, head, made_with, thoughts, who_said
from .pair import Pair, names_of


@dataclass
class _Row:
    """What stands beside each other, as HTML; whether it has marks."""

    cells: list[list[str]] = field(default_factory=lambda: [[], []])
    changed: list[bool] = field(default_factory=lambda: [False, False])


def as_html(pair: Pair, sides: tuple[Side, Side]) -> str:
    """The page; both ways to look at it are in it, and a narrow window has the one text."""
    names = names_of(sides)
    title = f"{names[0]} → {names[1]}"
    prompts = " · ".join(dict.fromkeys(side.output.variant.prompt.name for side in sides))
    runs = list(dict.fromkeys(_run(side) for side in sides))
    notes = "\n".join(dict.fromkeys(filter(None, (side.recorded.note for side in sides))))
    body = [html.header(f"{prompts}: {title}", runs, notes), *_asked(names, sides)]
    thought = [thoughts(side.output, name) for name, side in zip(names, sides, strict=True)]
    if any(thought):
        body += [*thought, '<p class="dim note">Reasoning takes no part in what is compared.</p>']
    body.append(figures(pair))
    for side in sides:
        if side.output.error:
            body.append(f'<p class="error">{html.text(side.output.error)}</p>')
    if pair.silent:
        cards = zip(names, sides, pair.texts, strict=True)
        body += [
            f'<div class="card">{head(name, side.output)}{html.block(html.text(said))}</div>'
            for name, side, said in cards
            if said
        ]
    elif pair.diff.equal:
        body.append(f'<div class="card">{html.block(html.text(pair.texts[1]))}</div>')
    else:
        body += _views(pair, sides, names)
    body += made_with(
        [(name, it.output, it.recorded.program) for name, it in zip(names, sides, strict=True)]
    )
    return html.page(f"{prompts}: {title}", body)


def _run(side: Side) -> str:
    recorded = side.recorded
    said = [f"run {recorded.run.id}", f"{recorded.at:%Y-%m-%d %H:%M:%S} UTC"]
    return ", ".join([*said, *(f"#{tag}" for tag in recorded.tags)])


def _asked(names: tuple[str, str], sides: tuple[Side, Side]) -> list[str]:
    """What was asked, or replied after all that had been said by then."""
    asked: list[tuple[str, str]] = []
    before: list[str] = []
    for side in sides:
        output, run = side.output, side.recorded.run
        first, *_ = turns = turns_of(output)
        told = user_text(first.variant.prompt, {**run.values, **first.variant.values})
        asked.append((who_said(output), output.reply or told))
        said: list[str] = []
        for turn in turns[:-1]:
            said += [f"YOU: {turn.reply or told}", f"{turn.variant.name}: {answer_of(turn)}"]
        before.append("\n\n".join(said))
    parts = [
        html.folded(f"What was said before · {name}", said)
        for name, said in zip(names, before, strict=True)
        if said
    ]
    if asked[0] == asked[1]:
        return [*parts, *([html.said(*asked[0])] if asked[0][1] else [])]
    return parts + [
        html.said(f"{who} · {name}", words)
        for name, (who, words) in zip(names, asked, strict=True)
        if words
    ]


def _views(pair: Pair, sides: tuple[Side, Side], names: tuple[str, str]) -> list[str]:
    """Both views, and what switches between them without a script."""
    heads = [head(name, side.output) for name, side in zip(names, sides, strict=True)]
    moved = bool(pair.diff.moved)
    legend = html.legend(f"only in {names[0]}", f"only in {names[1]}", moved=moved)
    signs = [html.mark("left", "moved"), html.mark("arrived", "moved")] if moved else ["", ""]
    ends = [f'<div class="end">{sign}</div>' for sign in signs]
    cells: list[str] = []
    for row in _rows(pair):
        empty = not any("".join(cell).strip() for cell in row.cells)
        for cell, changed, sign in zip(row.cells, row.changed, ("minus", "plus"), strict=True):
            kind = "gap" if empty else f"text {sign}" if changed else "text"
            cells.append(f'<div class="{kind}" dir="auto">{"".join(cell)}</div>')
    return [
        '<div><input class="switch" type="radio" name="view" id="beside" checked>'
        '<input class="switch" type="radio" name="view" id="one">'
        '<label for="beside">side by side</label><label for="one">one text</label>',
        f'<div class="beside">{"".join([*heads, *cells, *ends])}</div>',
        f'<div class="one-text card">{legend}{html.block(html.marked(pair.pieces))}</div></div>',
    ]


def _rows(pair: Pair) -> list[_Row]:
    """The texts cut at the line ends that both have."""
    rows = [_Row()]
    for span in pair.diff.spans:
        one = pair.texts[0][span.a_start : span.a_end]
        two = pair.texts[1][span.b_start : span.b_end]
        row = rows[-1]
        if span.kind != "equal":
            for side, words in enumerate((one, two)):
                if words:
                    row.cells[side].append(html.mark(span.look, words))
                    row.changed[side] = True
            continue
        lines = one.split("\n"), two.split("\n")
        if len(lines[0]) != len(lines[1]):  # white space is ignored
            lines = [one], [two]
        for number, both in enumerate(zip(*lines, strict=True)):
            if number:
                row = _Row()
                rows.append(row)
            for cell, words in zip(row.cells, both, strict=True):
                cell.append(html.text(words))
    return rows
