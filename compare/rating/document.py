"""The results of a rating as JSON. A field once shipped keeps its name and meaning."""

from __future__ import annotations

from typing import Any

from ..statistics.agreement import Agreement
from ..statistics.figures import Interval
from ..statistics.ranking import Ranked
from .results import Results
from .source import Source

SCHEMA = 1


def results_document(source: Source, found: Results) -> dict[str, Any]:
    """Everything that `Results` holds; shares and chances are from 0 to 1."""
    return {
        "schema": SCHEMA,
        source.what.kind: source.what.key,
        "suite": source.name or None,
        "ranking": [_ranked(source, it) for it in found.ranking],
        "raters": [
            {"name": it.name, "rated": it.rated, "skipped": it.skipped, "of": it.of, "same": it.same}
            for it in found.raters
        ],
        "ratings": {
            "first": found.counts["first"],
            "second": found.counts["second"],
            "tie": found.counts["tie"],
            "both_bad": found.counts["both bad"],
            "skip": found.counts["skip"],
            "same": found.same,
        },
        "position": {
            "first": found.firsts,
            "decided": found.decided,
            **_interval(found.first_interval),
        },
        "between_raters": _agreement(found.between),
        "checks": [
            {
                "name": it.name,
                **_agreement(it.agreement),
                "rows": it.rows,
                "sided": {"same": it.sided, "decided": it.decided, **_interval(it.interval)},
            }
            for it in found.checks
        ],
        "notes": [
            {
                "rater": it.rater, "row": it.row, "repeat": it.repeat, "note": it.note,
                "variants": [it.first, it.second], "answer": it.answer,
            }
            for it in found.notes
        ],
        "edits": found.edits,
    }  # fmt: skip


def _ranked(source: Source, it: Ranked) -> dict[str, Any]:
    variant = source.variants[it.name]
    return {
        "variant": it.name,
        "label": variant.label or variant.name,
        "title": variant.title,
        "strength": it.strength,
        "strength_interval": _interval(it.interval),
        "chance": it.chance,
        **_interval(it.chance_interval),
        "wins": it.wins,
        "losses": it.losses,
        "ties": it.ties,
        "both_bad": it.both_bad,
    }


def _interval(interval: Interval) -> dict[str, float]:
    return {"low": interval.low, "high": interval.high, "level": interval.level}


def _agreement(it: Agreement) -> dict[str, Any]:
    return {
        "alpha": it.alpha,
        "alpha_interval": _interval(it.interval) if it.interval else None,
        "same": it.same,
        "pairs": it.units,
    }
