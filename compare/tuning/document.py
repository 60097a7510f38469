"""The JSON document of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..training_data.document import data_document
from .data import CheckedData
from .plan import TuningPlan
from .record import Record


def tuning_document(
    plan: TuningPlan,
    data: CheckedData,
    records: Sequence[Record],
    evaluations: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """As `llamadiff tune --json` prints it. Seconds, bytes, and losses as pairs of a step and nats per
    learned token, or per pair of preferences."""
    return {
        "schema": 1,
        "base": str(plan.base),
        "prompt": plan.prompt and plan.prompt.name,
        "data": {**data_document(data.report, data.split, ()), "sha256": data.sha256},
        "adapters": [_adapter(it, data) for it in records],
        "evaluations": list(evaluations),
    }


def _adapter(it: Record, data: CheckedData) -> dict[str, Any]:
    part, done, begun = data.part(it.adapter), it.done, it.begun
    return {
        "path": str(it.adapter.out),
        "card": done and done.card,
        "train": len(part.train),
        "validation": len(part.validation),
        "ended": done and done.why,
        "step": done and done.step,
        "steps": done.steps if done else it.step,
        "steps_planned": it.steps,
        "seconds": done and done.seconds,
        "peak_bytes": done and done.peak_bytes,
        "parameters": begun and begun.parameters,
        "device": begun and begun.device,
        "precision": begun and begun.precision,
        "settings": begun and asdict(begun.settings),
        "losses": it.losses,
        "validations": it.validations,
        "samples": [asdict(sample) for sample in it.sampled.samples] if it.sampled else [],
    }
