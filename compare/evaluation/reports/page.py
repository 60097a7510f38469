"""An evaluation as one page of HTML: no scripts, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from .figures import (
    asked_in_short,
    by_disagreement,
    cells,
    checks,
    mean_scores,
    requirements,
    tags,
    verdicts,
)
from .style import STYLE

LONGEST_LABEL = 24
_MARKS = {
    "better": ("good", "↑"), "worse": ("bad", "↓"), "same": ("", "="), "undecided": ("", "?"),
}  # fmt: skip
_MET = {True: ("good", "✓"), False: ("bad", "✗"), None: ("", "?")}


def html(document: Mapping[str, Any]) -> str:
    """Scores, verdicts and every row, those on which the variants differ most first."""
    name = _text(document["suite"]["name"])
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>llamadiff · {name}</title><style>{STYLE}</style></head><body>",
        f"<h1>{name}</h1>",
        f'<p class="dim">{_text(" · ".join(_facts(document)))}</p>',
        *_board(document),
        "<ul>",
        *(_item(*_MARKS[outcome], said) for outcome, said in verdicts(document)),
        *(_item("", "·", said) for said in filter(None, [document["levels"]])),
        *(_item("", "!", said) for said in filter(None, [document["planned_gone"]])),
        "</ul>",
    ]
    if found := requirements(document):
        parts += ["<h2>Required</h2><ul>"]
        parts += [_item(*_MET[met], said) for met, said in found]
        parts += ["</ul>"]
    if found := checks(document):
        parts += ["<h2>Scores of each check</h2>", *_table(found)]
    if found := tags(document):
        parts += ["<h2>Passed, by kind of row</h2>", *_table(found)]
    if decision := document["decision"]:
        parts += _decision(decision)
    parts += [
        "<h2>Rows</h2>",
        '<p class="dim">Those on which the variants differ most come first; scores are from 0 to 100.</p>',
    ]
    for row in by_disagreement(document):
        parts += _row(document, row)
    parts += ["<h2>What was run</h2>", *_sources(document), "</body></html>"]
    return "\n".join(parts) + "\n"


def _facts(document: Mapping[str, Any]) -> Iterator[str]:
    rows, planned, repeats = document["rows"], document["planned"], document["repeats"]
    of = "" if rows == planned else f" of {planned:,} planned"
    yield f"{rows:,}{of} row{'s' * (max(rows, planned) != 1)}"
    if repeats > 1:
        yield f"{repeats:,} answers to each"
    yield f"{document['at'][:16].replace('T', ' ')} UTC"
    yield f"llamadiff {document['llamadiff']}"


def _item(kind: str, mark: str, said: str) -> str:
    return f'<li class="{kind}"><b>{mark}</b>{_text(said)}</li>'


def _board(document: Mapping[str, Any]) -> Iterator[str]:
    """A line for each variant, which is a list where the page is narrow."""
    costs = ("Prompt tokens", "Tokens out", "First token", "Tokens/s")
    heads = ["Variant", "Score", "Difference", "Won", "Lost", "Passed", *costs]
    errors = any(it["errors"] or it["unscored"] for it in document["variants"])
    heads += ["Errors"] * errors
    yield '<table class="wide"><tr class="head">'
    yield (
        "".join(f'<th{_kind(i)} scope="col">{head}</th>' for i, head in enumerate(heads)) + "</tr>"
    )
    for it in document["variants"]:
        name, label, mean, within, difference, between, noise, *others, wrong = cells(
            it, document["baseline"]
        )
        noise = f"<small>noise floor {noise}</small>" if noise else ""
        shown = [
            f"<span>{_text(name)} · {_text(label)}</span>",
            f"<span>{mean}<small>{within}</small>{_bar(it['score'])}</span>",
            f"<span>{difference}<small>{between}</small>{noise}</span>" if difference else "",
            *(f"<span>{_text(cell)}</span>" if cell else "" for cell in others),
            *[f"<span>{wrong}</span>"] * errors,
        ]
        yield "<tr>" + "".join(
            f'<td{_kind(i)} data-of="{head}">{cell}</td>'
            for i, (head, cell) in enumerate(zip(heads, shown, strict=True))
        ) + "</tr>"  # fmt: skip
    yield "</table>"


def _kind(column: int) -> str:
    return "" if column else ' class="text name"'


def _bar(score: Mapping[str, Any]) -> str:
    """Where the score is between 0 and 100, and its interval."""
    if not score["rows"]:
        return ""
    low, high, mean = (100 * score[key] for key in ("low", "high", "mean"))
    return (
        f'<div class="bar"><i style="left:{low:.1f}%;width:{high - low:.1f}%"></i>'
        f'<b style="left:{mean:.1f}%"></b></div>'
    )


def _decision(decision: Mapping[str, Any]) -> Iterator[str]:
    """The verdict, and prompting, fine-tuning and both beside each other."""
    yield f'<h2>Prompt or fine-tune?</h2><p class="verdict">{_text(decision["verdict"])}</p>'
    yield '<table class="wide decision"><tr class="head">'
    first, *sides = decision["head"]
    yield f'<th class="text name" scope="col">{first}</th>'
    yield "".join(f'<th class="text" scope="col">{head}</th>' for head in sides) + "</tr>"
    for row in decision["table"]:
        yield f'<tr><td class="text name">{_text(row["row"])}</td>' + "".join(
            f'<td class="text" data-of="{side}"><div>'
            + "".join(f"<div>{_text(line)}</div>" for line in lines)
            + "</div></td>"
            for side, lines in zip(sides, row["cells"], strict=True)
        ) + "</tr>"  # fmt: skip
    yield "</table>"
    yield "".join(f'<p class="dim">{_text(said)}</p>' for said in decision["notes"])


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table of texts, the first row and column of which say what the others are."""
    yield '<div class="scroll"><table>'
    for number, row in enumerate(rows):
        kind = "td" if number else "th"
        yield "<tr>" + "".join(
            f'<{kind}{"" if i else _TEXT}>{_text(cell)}</{kind}>' for i, cell in enumerate(row)
        ) + "</tr>"  # fmt: skip
    yield "</table></div>"


_TEXT = ' class="text"'


def _row(document: Mapping[str, Any], row: Mapping[str, Any]) -> Iterator[str]:
    labels = {it["name"]: it["label"] for it in document["variants"]}
    scores = mean_scores(row)
    chips = "".join(_chip(labels[name], score) for name, score in scores.items())
    yield f'<details><summary><span class="dim line">line {row["line"]}</span>'
    yield f'<span class="asked" dir="auto">{_text(asked_in_short(row))}</span>'
    yield f'<span class="scores">{chips}</span></summary><div class="row"><dl>'
    said = [(name, value) for name, value in row["values"].items() if value]
    for turn in row["turns"]:
        said += [("answer", turn["answer"]), ("reply", turn["reply"])]
    said += [("expected", row["expected"])] if row["expected"] is not None else []
    for name, value in said:
        yield f'<dt>{_text(name)}</dt><dd dir="auto">{_text(value)}</dd>'
    yield '</dl><div class="answers">'
    for it in row["answers"]:
        yield from _answer(labels[it["variant"]], it)
    yield "</div></div></details>"


def _answer(label: str, it: Mapping[str, Any]) -> Iterator[str]:
    again = f" ({it['repeat'] + 1})" if it["repeat"] else ""
    yield f"<section><h3>{_text(label + again)}{_chip('', it['score'])}</h3>"
    yield f'<pre dir="auto">{_text(it["error"] or it["answer"])}</pre>'
    if it["text"] != it["answer"]:
        yield "<details><summary>All that was generated</summary>"
        yield f'<pre dir="auto">{_text(it["text"])}</pre></details>'
    yield "<ul>"
    for check in it["checks"]:
        said = f"{check['name']}: {_score(check['score'])}, {check['reason']}"
        yield f"<li>{_text(said)}</li>"
    yield "</ul></section>"


def _sources(document: Mapping[str, Any]) -> Iterator[str]:
    heads = ("Variant", "Model", "Adapters", "Prompt")
    yield '<table class="wide"><tr class="head">'
    yield "".join(f'<th class="text" scope="col">{head}</th>' for head in heads) + "</tr>"
    for it in document["variants"]:
        stack = [f"{a['name']}@{a['scale']:g}, {_hash(a['sha256'])}" for a in it["adapters"]]
        values = [f"{name} = {value}" for name, value in it["values"].items()]
        shown = (
            f"{it['name']} · {it['label']}",
            f"{it['model']['name']}, {_hash(it['model']['sha256'])}",
            "; ".join(stack) or "none",
            "; ".join([it["prompt"], *values]),
        )
        yield "<tr>" + "".join(
            f'<td class="text" data-of="{head}"><span>{_text(cell)}</span></td>'
            for head, cell in zip(heads, shown, strict=True)
        ) + "</tr>"  # fmt: skip
    yield "</table>"


def _hash(sha256: str | None) -> str:
    return f"SHA-256 {sha256[:12]}…" if sha256 else "not hashed"


def _chip(label: str, score: float | None) -> str:
    """A score with a mark for all, some or nothing of what there was to get."""
    kind = "" if score is None or 0 < score < 1 else ("good" if score else "bad")
    short = label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"
    return f'<span class="score {kind}">{_text(short)} <b>{_score(score)}</b></span>'


def _score(score: float | None) -> str:
    return "no score" if score is None else f"{100 * score:.0f}"


def _text(text: str) -> str:
    """Escaped, and without control characters and those that turn the writing round."""
    return escape("".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text))  # fmt: skip
