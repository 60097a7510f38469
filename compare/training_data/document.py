"""The JSON document of data that was checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .findings import Case, Finding, Report
from .preview import PreviewedRow
from .splitting import Split
from .words import sentence


def data_document(
    report: Report, split: Split | None, previewed: Sequence[PreviewedRow]
) -> dict[str, Any]:
    """As `llamadiff tune --check --json` prints it; lines and tokens are counted from 1 and in ids."""
    return {
        "schema": 1,
        "data": str(report.source),
        "kind": "preferences" if report.preferences else "rows",
        "sound": report.sound,
        "examples": report.examples,
        "usable": report.usable,
        "rows": report.rows,
        "tokens": report.tokens,
        "learned_tokens": report.learned,
        "longest": report.longest,
        "limit": report.limit,
        "train": len(split.train) if split else 0,
        "validation": len(split.validation) if split else 0,
        "classes": dict(report.classes),
        "findings": [_finding(it) for it in report.findings],
        "preview": [asdict(it) for it in previewed],
    }


def _finding(it: Finding) -> dict[str, Any]:
    return {
        "kind": it.kind.value,
        "count": it.count,
        "grave": it.grave,
        "subject": it.subject,
        "says": sentence(it),
        "cases": [_case(case) for case in it.cases],
    }


def _case(it: Case) -> dict[str, Any]:
    file = None if it.file is None else str(it.file)
    return {"line": it.line, "text": it.text, "other": it.other, "file": file}
