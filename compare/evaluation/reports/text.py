"""An evaluation as Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .figures import HEAD, by_disagreement, checks, decision, scores, sentences, tags

ROWS = 20
"""Rows that are shown in full; all of them are in the JSON."""
LONGEST = 300
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def markdown(document: Mapping[str, Any]) -> str:
    """Scores, verdicts and the rows on which the variants differ most."""
    suite = document["suite"]
    lines = [f"# {_plain(suite['name'])}", ""]
    lines += _table([HEAD, *scores(document)])
    lines += [f"- {_plain(said)}" for said in sentences(document)]
    if found := checks(document):
        lines += ["", "## Scores of each check", "", *_table(found)]
    if found := tags(document):
        lines += ["", "## Passed, by tag", "", *_table(found)]
    if found := decision(document):
        lines += [
            "",
            "## Prompt or fine-tune?",
            "",
            _plain(document["decision"]["verdict"], None),
            "",
        ]
        lines += _table([[cell.replace("\n", "; ") for cell in row] for row in found])
        lines += [f"- {_plain(said)}" for said in document["decision"]["notes"]]
    lines += ["", "## Rows on which the variants differ most", ""]
    labels = {it["name"]: it["label"] for it in document["variants"]}
    for row in by_disagreement(document)[:ROWS]:
        asked = "; ".join(f"{name}: {text}" for name, text in row["values"].items())
        lines += [f"**Line {row['line']}** {_plain(asked)}", ""]
        if row["expected"] is not None:
            lines.append(f"- expected: {_plain(row['expected'])}")
        for turn in row["turns"]:
            lines += [f"- answer: {_plain(turn['answer'])}", f"- reply: {_plain(turn['reply'])}"]
        for it in row["answers"]:
            score = "no score" if it["score"] is None else f"{100 * it['score']:.0f}"
            said = it["error"] or it["answer"]
            lines.append(f"- {_plain(labels[it['variant']])} ({score}): {_plain(said)}")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *others = [[_plain(cell, None) for cell in row] for row in rows]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *others)]
    return [*lines, ""]


def _plain(text: str, longest: int | None = LONGEST) -> str:
    """A text in one line that is no markup, cut where it is too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if longest is not None and len(line) > longest:
        line = f"{line[: longest - 1]}…"
    return _SPECIAL.sub(r"\\\1", line)
