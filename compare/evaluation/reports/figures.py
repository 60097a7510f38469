"""The tables that reports show, as texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...statistics.wording import points

HEAD = (
    "", "Variant", "Score", "95 % interval", "Difference", "Interval", "Won", "Lost", "Passed",
    "Prompt tokens", "Tokens out", "First token", "Tokens/s", "Errors",
)  # fmt: skip

Line = Mapping[str, Any]


def scores(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A line for each variant, under HEAD."""
    return [_line(it, document["baseline"]) for it in document["variants"]]


def _line(it: Line, baseline: str) -> tuple[str, ...]:
    score, difference = it["score"], it["difference"]
    compared = ("baseline" if it["name"] == baseline else "–", "", "", "")
    if difference is not None:
        compared = (
            points(difference["mean"]),
            f"{points(difference['low'])} to {points(difference['high'])}",
            f"{difference['wins']:,}",
            f"{difference['losses']:,}",
        )
    return (
        it["name"],
        it["label"],
        f"{100 * score['mean']:.1f}" if score["rows"] else "–",
        f"{100 * score['low']:.1f} to {100 * score['high']:.1f}" if score["rows"] else "",
        *compared,
        f"{it['pass_rate']:.0%}",
        f"{it['prompt_tokens']:.0f}",
        f"{it['tokens']:.1f}",
        "" if it["ttft_s"] is None else f"{1000 * it['ttft_s']:.0f} ms",
        "" if it["tokens_per_s"] is None else f"{it['tokens_per_s']:,.0f}",
        f"{it['errors'] + it['unscored']:,}",
    )


def tags(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Pass rates by tag, with a heading; empty without tags."""
    variants: Sequence[Line] = document["variants"]
    names = list(dict.fromkeys(tag["tag"] for it in variants for tag in it["tags"]))
    if not names:
        return []
    rows = [("Tag", "Rows", *(it["label"] for it in variants))]
    for name in names:
        own = [next((t for t in it["tags"] if t["tag"] == name), None) for it in variants]
        count = max(tag["rows"] for tag in own if tag)
        rates = (f"{tag['passed'] / tag['answers']:.0%}" if tag else "–" for tag in own)
        rows.append((name, f"{count:,}", *rates))
    return rows


def decision(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The decision table with its heading, a cell's lines joined; empty without one."""
    found = document["decision"]
    if not found:
        return []
    rows = [(it["row"], *("\n".join(lines) for lines in it["cells"])) for it in found["table"]]
    return [tuple(found["head"]), *rows]


def sentences(document: Mapping[str, Any]) -> list[str]:
    """The verdicts, and what is required."""
    found: list[str] = []
    for it in document["variants"]:
        if verdict := it["verdict"]:
            decided = verdict["outcome"] != "undecided"
            found.append(
                verdict["sentence"] if decided else f"{it['label']}: {verdict['sentence']}"
            )
    if document["rows"] < document["planned"]:
        found.append(f"{document['rows']:,} of {document['planned']:,} planned rows so far.")
    for it in document["requirements"]:
        said = "met" if it["met"] else "NOT MET"
        found.append(f"{said}: {it['that']} ({it['figures']})")
    return found


def by_disagreement(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows, those on which the variants' scores differ most first."""

    def spread(row: Mapping[str, Any]) -> float:
        own = [it["score"] for it in row["answers"] if it["score"] is not None]
        return max(own) - min(own) if own else 0.0

    return sorted(document["answers"], key=lambda row: (-spread(row), row["line"]))
