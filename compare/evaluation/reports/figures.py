"""What reports show, as texts."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from ...shares import percent
from ...statistics.wording import NOT_MEASURED, noise_floor_sentence, plus_minus, points
from ..scoreboard import check_title, met_said, rows_said

HEAD = (
    "", "Variant", "Score", "95 % interval", "Difference", "Interval", "Noise floor", "Won", "Lost",
    "Passed", "Prompt tokens", "Tokens out", "First token", "Tokens/s", "Errors",
)  # fmt: skip
LONGEST_ASKED = 160

Line = Mapping[str, Any]


def scores(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A line for each variant, under HEAD."""
    return [cells(it, document["baseline"]) for it in document["variants"]]


def cells(it: Line, baseline: str) -> tuple[str, ...]:
    """The line of a variant, under HEAD."""
    score, difference, noise = it["score"], it["difference"], it["noise"]
    floor = "" if difference is None else NOT_MEASURED
    if noise is not None:
        floor = plus_minus(noise["high"]) if noise["rows"] else "–"
    compared = ("baseline" if it["name"] == baseline else "–", "", floor, "", "")
    if difference is not None:
        compared = (
            points(difference["mean"]),
            f"{points(difference['low'])} to {points(difference['high'])}",
            floor,
            f"{difference['wins']:,}",
            f"{difference['losses']:,}",
        )
    return (
        it["name"],
        it["label"],
        f"{100 * score['mean']:.1f}" if score["rows"] else "–",
        f"{100 * score['low']:.1f} to {100 * score['high']:.1f}" if score["rows"] else "",
        *compared,
        percent(it["pass_rate"]),
        f"{it['prompt_tokens']:.0f}",
        f"{it['tokens']:.1f}",
        "" if it["ttft_s"] is None else f"{1000 * it['ttft_s']:.0f} ms",
        "" if it["tokens_per_s"] is None else f"{it['tokens_per_s']:,.0f}",
        f"{it['errors'] + it['unscored']:,}",
    )


def checks(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The score of each check with its interval, with a heading; empty where there is one check."""
    variants: Sequence[Line] = document["variants"]
    titles = [check_title(it["name"], it["weight"]) for it in variants[0]["checks"]]
    if len(titles) < 2:
        return []
    own = [[_score(it) for it in line["checks"]] for line in variants]
    rows = zip(titles, *own, strict=True)
    return [("Check", *(it["label"] for it in variants)), *rows]


def _score(it: Mapping[str, Any]) -> str:
    if not it["rows"]:
        return "–"
    return f"{100 * it['mean']:.1f} ({100 * it['low']:.1f} to {100 * it['high']:.1f})"


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
        rates = (percent(tag["passed"] / tag["answers"]) if tag else "–" for tag in own)
        rows.append((name, f"{count:,}", *rates))
    return rows


def decision(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The decision table with its heading, a cell's lines joined; empty without one."""
    found = document["decision"]
    if not found:
        return []
    rows = [(it["row"], *("\n".join(lines) for lines in it["cells"])) for it in found["table"]]
    return [tuple(found["head"]), *rows]


def verdicts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Of every variant but the baseline the outcome, and the sentence that says it."""
    found: list[tuple[str, str]] = []
    for it in document["variants"]:
        if verdict := it["verdict"]:
            outcome, said = verdict["outcome"], verdict["sentence"]
            found.append((outcome, f"{it['label']}: {said}" if outcome == "undecided" else said))
    return found


def requirements(document: Mapping[str, Any]) -> list[tuple[bool | None, str]]:
    """Whether each is met, and what it is with its figures."""
    return [
        (it["met"], f"{met_said(it['met'])}: {it['that']} ({it['figures']})")
        for it in document["requirements"]
    ]


def sentences(document: Mapping[str, Any]) -> list[str]:
    """The verdicts, how far each variant is from itself, how far it has come, and what is required."""
    found = [said for _, said in verdicts(document)]
    found += filter(None, [document["levels"]])
    found += [
        noise_floor_sentence(it["label"], it["noise"]["high"], it["noise"]["changing"])
        for it in document["variants"]
        if it["noise"] and it["noise"]["rows"]
    ]
    if said := rows_said(document["rows"], document["rows_asked"], document["planned"]):
        found.append(said)
    if said := document["planned_gone"]:
        found.append(said)
    return [*found, *(said for _, said in requirements(document))]


def mean_scores(row: Mapping[str, Any]) -> dict[str, float | None]:
    """The mean score of a row's repeats by variant; None where none has a score."""
    own: dict[str, list[float]] = {}
    for it in row["answers"]:
        scored = own.setdefault(it["variant"], [])
        if it["score"] is not None:
            scored.append(it["score"])
    return {name: statistics.fmean(them) if them else None for name, them in own.items()}


def by_disagreement(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows, those on which the variants' scores differ most first."""

    def spread(row: Mapping[str, Any]) -> float:
        own = [score for score in mean_scores(row).values() if score is not None]
        return max(own) - min(own) if own else 0.0

    return sorted(document["answers"], key=lambda row: (-spread(row), row["line"]))


def asked_in_short(row: Mapping[str, Any]) -> str:
    """The last thing that was said to the variants, or else the values that are no tags."""
    if row["turns"]:
        said = row["turns"][-1]["reply"]
    else:
        values = dict.fromkeys(it for it in row["values"].values() if it)
        said = "; ".join([it for it in values if it not in row["tags"]] or values)
    return said if len(said) <= LONGEST_ASKED else f"{said[: LONGEST_ASKED - 1]}…"
