"""The decision table as JSON. A field once shipped keeps its name and meaning."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from .figures import Before, BreakEven, Decision, Elsewhere, Part, Side, Tried
from .rules import Pair
from .table import written
from .verdict import more_rows


def decision_document(decision: Decision) -> dict[str, Any]:
    """The texts of the table under `verdict`, `head`, `table` and `notes`, and all of its figures.

    Amounts that are not known are null, and so are the ends of an interval of a single amount.
    """
    texts, ruling = written(decision), decision.ruling
    return _finite(
        {
            "verdict": texts.verdict,
            "outcome": ruling.outcome,
            "pick": ruling.pick,
            "untried": list(ruling.untried),
            "more_rows": more_rows(decision, ruling.open) if ruling.open else None,
            "rows": decision.rows,
            "chosen_on": decision.chosen_on,
            "unused": decision.unused,
            "margin": decision.margin,
            "level": decision.level,
            "head": list(texts.head),
            "table": [
                {"row": it.title, "cells": [list(cell) for cell in it.cells]} for it in texts.rows
            ],
            "notes": list(texts.notes),
            "sides": {it.kind: _side(it) for it in decision.sides},
            "comparisons": [_pair(it, it in ruling.open) for it in decision.pairs],
            "before": [_before(it) for it in decision.before],
            "apart": decision.apart
            and {"new": _part(decision.apart.new), "others": _part(decision.apart.others)},
        }
    )


def _side(side: Side) -> dict[str, Any]:
    return {
        "variant": side.name,
        "label": side.label,
        "prompt": side.prompt,
        "stack": side.stack,
        "differs": list(side.differs),
        "examples": side.examples,
        "tried": [_tried(it) for it in side.tried],
        "adapters": [asdict(it) for it in side.trained],
        "score": asdict(side.score),
        "passed": asdict(side.passed),
        "prompt_tokens": asdict(side.tokens),
        "seconds": None if side.seconds is None else asdict(side.seconds),
        "form_broken": None if side.violations is None else asdict(side.violations),
        "noise": None if side.noise is None else asdict(side.noise),
        "changing": None if side.changing is None else asdict(side.changing),
        "break_even": [_break_even(it) for it in side.break_even],
        "elsewhere": [_elsewhere(it) for it in side.elsewhere],
        "rated": None if side.rated is None else asdict(side.rated),
    }


def _before(it: Before) -> dict[str, Any]:
    return {
        "kind": it.kind,
        "variant": it.name,
        "label": it.label,
        "difference": asdict(it.verdict.difference),
        "outcome": it.verdict.outcome,
        "more_rows": it.verdict.more_rows,
    }


def _part(it: Part) -> dict[str, Any]:
    return {
        "rows": it.rows,
        "scores": {kind: asdict(each) for kind, each in it.scores.items()},
        "noise": {kind: each and asdict(each) for kind, each in it.noise.items()},
        "comparisons": [_pair(each, missing=False) for each in it.pairs],
    }


def _tried(it: Tried) -> dict[str, Any]:
    return {
        "variant": it.name,
        "label": it.label,
        "score": asdict(it.score),
        "examples": it.examples,
        "rows_trained": it.rows_trained,
    }


def _break_even(it: BreakEven) -> dict[str, Any]:
    return {
        "unit": it.unit,
        "spent": it.spent,
        "saved_per_call": asdict(it.saved),
        "calls": it.calls,
        "least": it.least,
        "most": it.most,
    }


def _elsewhere(it: Elsewhere) -> dict[str, Any]:
    return {
        "suite": it.suite,
        "instructions": it.instructions,
        "base": asdict(it.base),
        "score": asdict(it.score),
        "difference": asdict(it.verdict.difference),
        "outcome": it.verdict.outcome,
        "noise": it.noise,
    }


def _pair(it: Pair, missing: bool) -> dict[str, Any]:
    return {
        "cheaper": it.cheaper,
        "costlier": it.costlier,
        "difference": asdict(it.verdict.difference),
        "relation": it.relation,
        "missing": missing,
        "more_rows": it.verdict.more_rows,
    }


def _finite(value: Any) -> Any:
    """With null for what JSON has no number for."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
