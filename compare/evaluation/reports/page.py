"""An evaluation as one page of HTML: no scripts, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from .figures import HEAD, by_disagreement, decision, scores, sentences, tags

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 78rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { padding: .25rem .7rem; text-align: left; white-space: nowrap; border-bottom: 1px solid #8884; }
td { font-variant-numeric: tabular-nums; }
.decision td { white-space: pre-line; vertical-align: top; min-width: 12rem; }
li.no { font-weight: bold; }
details { border-bottom: 1px solid #8884; padding: .3rem 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
dl { margin: .3rem 0 1rem 1.2rem; }
dt { font-weight: 600; margin-top: .5rem; }
dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
dd.why { opacity: .75; }
"""


def html(document: Mapping[str, Any]) -> str:
    """Scores, verdicts and every row, those on which the variants differ most first."""
    name = _text(document["suite"]["name"])
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{name}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{name}</h1>",
        f"<p>{document['rows']:,} of {document['planned']:,} planned rows, "
        f"{document['repeats']:,} answers to each, llamadiff {_text(document['llamadiff'])}</p>",
        *_table([HEAD, *scores(document)]),
        "<ul>",
        *(
            f"<li{_mark(said)}>{_text(said)}</li>" for said in sentences(document)
        ),
        "</ul>",
    ]  # fmt: skip
    if found := tags(document):
        parts += ["<h2>Passed, by tag</h2>", *_table(found)]
    if found := decision(document):
        decided = document["decision"]
        parts += ["<h2>Prompt or fine-tune?</h2>", f"<p>{_text(decided['verdict'])}</p>"]
        parts += ['<div class="decision">', *_table(found), "</div><ul>"]
        parts += [f"<li>{_text(said)}</li>" for said in decided["notes"]] + ["</ul>"]
    parts += ["<h2>Rows</h2><p>Those on which the variants differ most come first.</p>"]
    labels = {it["name"]: it["label"] for it in document["variants"]}
    for row in by_disagreement(document):
        parts += _row(row, labels)
    parts += ["<h2>What was run</h2>", *_sources(document), "</body></html>"]
    return "\n".join(parts) + "\n"


def _mark(said: str) -> str:
    return ' class="no"' if said.startswith("NOT MET") else ""


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "<table>"
    for number, row in enumerate(rows):
        kind = "td" if number else "th"
        yield "<tr>" + "".join(f"<{kind}>{_text(cell)}</{kind}>" for cell in row) + "</tr>"
    yield "</table>"


def _row(row: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[str]:
    shown = " · ".join(
        f"{labels[it['variant']]} {_score(it['score'])}"
        for it in row["answers"]
        if not it["repeat"]
    )
    asked = "; ".join(row["values"].values())
    yield f"<details><summary>line {row['line']}: {_text(asked[:160])} — {_text(shown)}</summary><dl>"
    for name, value in row["values"].items():
        yield f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>"
    if row["expected"] is not None:
        yield f"<dt>expected</dt><dd>{_text(row['expected'])}</dd>"
    for it in row["answers"]:
        again = f" ({it['repeat'] + 1})" if it["repeat"] else ""
        yield f"<dt>{_text(labels[it['variant']] + again)}: {_score(it['score'])}</dt>"
        yield f"<dd>{_text(it['error'] or it['text'])}</dd>"
        for check in it["checks"]:
            said = f"{check['name']}: {_score(check['score'])}, {check['reason']}"
            yield f'<dd class="why">{_text(said)}</dd>'
    yield "</dl></details>"


def _sources(document: Mapping[str, Any]) -> Iterator[str]:
    rows = [("", "Variant", "Model", "Adapters", "Prompt")]
    for it in document["variants"]:
        stack = " + ".join(
            f"{a['name']}@{a['scale']:g} ({_hash(a['sha256'])})" for a in it["adapters"]
        )
        model = f"{it['model']['name']} ({_hash(it['model']['sha256'])})"
        rows.append((it["name"], it["label"], model, stack or "none", it["prompt"]))
    yield from _table(rows)


def _hash(sha256: str | None) -> str:
    return f"SHA-256 {sha256[:12]}…" if sha256 else "not hashed"


def _score(score: float | None) -> str:
    return "no score" if score is None else f"{100 * score:.0f}"


def _text(text: str) -> str:
    """Escaped, and without control characters and those that turn the writing round."""
    return escape("".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text))  # fmt: skip
