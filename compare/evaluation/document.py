"""An evaluation as JSON. A field once shipped keeps its name and meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..statistics.figures import Interval
from .answers import Checked
from .plan import Plan
from .scoreboard import Line, Scoreboard, levels_said
from .variants import called

SCHEMA = 1


def evaluation_document(
    plan: Plan,
    board: Scoreboard,
    answers: Sequence[Checked],
    *,
    key: str | None,
    at: datetime,
    program: str,
    decision: Mapping[str, Any] | None = None,
    hashes: Mapping[Path, str | None],
) -> dict[str, Any]:
    """The scoreboard and every answer; it began `at`, `hashes` are SHA-256 of model and adapter
    files, and `decision` is what `decision_document` gives."""
    by_row: dict[int, list[Checked]] = {}
    for answer in answers:
        by_row.setdefault(answer.row, []).append(answer)
    return {
        "schema": SCHEMA,
        "evaluation": key,
        "at": at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "llamadiff": program,
        "suite": {"name": plan.suite.name, "path": str(plan.suite.path)},
        "rows_asked": len(plan.rows),
        "rows": board.rows,
        "planned": board.planned,
        "planned_gone": plan.planned.said_of_gone,
        "levels": levels_said(board),
        "repeats": plan.repeats,
        "margin": board.margin,
        "baseline": board.baseline.name,
        "variants": [_line(line, hashes) for line in board.lines],
        "requirements": [
            {"that": it.text, "met": it.met, "figures": it.figures} for it in board.requirements
        ],
        "decision": decision,
        "answers": [_row(plan, row, by_row[row]) for row in sorted(by_row)],
    }


def _line(line: Line, hashes: Mapping[Path, str | None]) -> dict[str, Any]:
    variant, verdict, noise, pace = line.variant, line.verdict, line.noise, line.pace
    found: dict[str, Any] = {
        "name": variant.name,
        "label": called(variant),
        "model": {
            "name": variant.model_name,
            "path": str(variant.model),
            "sha256": hashes.get(variant.model),
        },
        "adapters": [
            {"name": a.name, "path": str(a.path), "sha256": hashes.get(a.path), "scale": a.scale}
            for a in variant.adapters
        ],
        "prompt": variant.prompt.name,
        "values": dict(variant.values),
        "score": {
            "mean": line.score.mean,
            **_interval(line.score.interval),
            "rows": line.score.rows,
            "method": line.score.method,
        },
        "pass_rate": line.pass_rate,
        "passed": line.passed,
        "answers": line.answers,
        "errors": line.errors,
        "unscored": line.unscored,
        "prompt_tokens": line.prompt_tokens,
        "tokens": line.tokens,
        "ttft_s": pace.ttft_s if pace else None,
        "tokens_per_s": pace.tokens_per_s if pace else None,
        "tags": [
            {"tag": it.name, "rows": it.rows, "passed": it.passed, "answers": it.answers, "score": it.score}
            for it in line.tags
        ],
        "checks": [
            {
                "name": it.name,
                "weight": it.weight,
                "mean": it.score.mean,
                **_interval(it.score.interval),
                "rows": it.score.rows,
                "method": it.score.method,
            }
            for it in line.checks
        ],
        "noise": None,
        "difference": None,
        "verdict": None,
    }  # fmt: skip
    if noise is not None:
        found["noise"] = {
            **_interval(noise.interval), "changing": noise.changing, "rows": noise.rows
        }  # fmt: skip
    if verdict is not None:
        difference = verdict.difference
        found["difference"] = {
            "mean": difference.mean,
            **_interval(difference.interval),
            "p": difference.p,
            "adjusted_p": verdict.adjusted_p,
            "wins": difference.wins,
            "losses": difference.losses,
            "ties": difference.ties,
            "left_out": difference.left_out,
            "method": difference.method,
        }
        found["verdict"] = {
            "outcome": verdict.outcome,
            "more_rows": verdict.more_rows,
            "sentence": line.sentence,
        }
    return found


def _interval(interval: Interval) -> dict[str, float]:
    return {"low": interval.low, "high": interval.high, "level": interval.level}


def _row(plan: Plan, place: int, answers: Sequence[Checked]) -> dict[str, Any]:
    row = plan.rows[place]
    return {
        "line": row.line,
        "key": row.key,
        "values": dict(row.values),
        "turns": [{"answer": answer, "reply": reply} for answer, reply in row.turns],
        "expected": row.expected,
        "tags": list(row.tags),
        "answers": [
            {
                "variant": it.variant,
                "repeat": it.repeat,
                "seed": it.seed,
                "text": it.text,
                "answer": it.answer,
                "tokens": it.tokens,
                "prompt_tokens": it.prompt_tokens,
                "finish_reason": it.finish_reason,
                "error": it.error,
                "logprob": it.logprob,
                "score": it.score,
                "checks": [
                    {"name": named.name, "score": result.score, "reason": result.reason}
                    for named, result in zip(plan.suite.checks, it.results, strict=False)
                ],
            }
            for it in sorted(answers, key=lambda it: it.place)
        ],
    }
