"""The JSON document of a run. A field once shipped keeps its name and meaning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..models.engine.samplers import steps
from .diff.divergence import char_divergence, first_token_divergence
from .diff.live import LiveDiff
from .run import Output, Run, Stamp

SCHEMA = 1


def run_document(run: Run, version: str) -> dict[str, Any]:
    """The finished run as `run --json` prints it; `version` is of the llamadiff it ran in."""
    return {
        "schema": SCHEMA,
        "run_id": run.id,
        "variables": dict(run.values),
        "engine": _engine(run, version),
        "variants": [_variant(run.of(variant)) for variant in run.variants],
        "diffs": run_diffs(run),
    }


def conversation_document(runs: Sequence[Run], version: str) -> dict[str, Any]:
    """The first run's document; where others go on with it, those of these under `turns`."""
    first, *others = (run_document(run, version) for run in runs)
    return {**first, "turns": others} if others else first


def run_diffs(run: Run) -> list[dict[str, Any]]:
    """Every other variant's outputs against the first variant's, repeat by repeat."""
    if not run.variants:
        return []
    first = run.of(run.variants[0])
    return [
        _diff(a, b)
        for variant in run.variants[1:]
        for a, b in zip(first, run.of(variant), strict=True)
    ]


def _engine(run: Run, version: str) -> dict[str, Any]:
    stamp = next((output.stamp for output in run.outputs if output.stamp.info), Stamp())
    info = stamp.info
    return {
        "llamadiff": version,
        "llama_cpp": stamp.llama_cpp,
        "backend": info.backend if info else None,
        "threads": info.n_threads if info else None,
        "n_ctx": info.n_ctx if info else None,
        "n_ubatch": info.n_ubatch if info else None,
        "kv_type": info.kv_type if info else None,
        "flash_attn": "off" if run.exact else "auto",
        "exact": run.exact,
    }


def _variant(outputs: Sequence[Output]) -> dict[str, Any]:
    variant, stamp = outputs[0].variant, outputs[0].stamp
    hashes = stamp.adapter_sha256 or (None,) * len(variant.adapters)
    sampling = msgspec.to_builtins(stamp.sampling)
    del sampling["seed"]
    rules = variant.prompt.output
    constrained = rules.grammar is not None or rules.schema is not None
    return {
        "name": variant.name,
        "label": variant.label or variant.name,
        "model": _file(variant.model_name, variant.model, stamp.model_sha256),
        "adapters": [
            {**_file(adapter.name, adapter.path, digest), "scale": adapter.scale}
            for adapter, digest in zip(variant.adapters, hashes, strict=True)
        ],
        "prompt": {
            "name": variant.prompt.name,
            "variables": dict(variant.values),
            "text": stamp.prompt_text,
            "tokens": stamp.prompt_tokens,
        },
        "sampling": sampling,
        "sampling_steps": list(steps(stamp.sampling, constrained=constrained)),
        "outputs": [_output(output) for output in outputs],
    }


def _file(name: str, path: Path, digest: str | None) -> dict[str, Any]:
    return {"name": name, "path": str(path), "sha256": digest}


def _output(output: Output) -> dict[str, Any]:
    return {
        "text": output.text,
        "tokens": output.tokens,
        "finish_reason": output.finish_reason,
        "error": output.error,
        "seed": output.seed,
        "continues": output.follows and output.follows.run_id,
        "reply": output.reply or None,
        "timings": msgspec.to_builtins(output.timings) if output.timings else None,
        "logprobs": msgspec.to_builtins(output.logprobs) if output.logprobs else None,
    }


def _diff(a: Output, b: Output) -> dict[str, Any]:
    diff = LiveDiff("word").update(a.text, b.text, a_done=True, b_done=True)
    same_vocabulary = a.variant.model == b.variant.model
    equal = a.text == b.text and (a.tokens == b.tokens or not same_vocabulary)
    token = first_token_divergence(a.tokens, b.tokens) if same_vocabulary else None
    return {
        "a": a.variant.name,
        "b": b.variant.name,
        "repeat": a.repeat,
        "first_divergence": None
        if equal
        else {"token": token, "char": char_divergence(a.text, b.text)},
        "words_added": diff.words_added,
        "words_removed": diff.words_removed,
        "equal": equal,
    }
