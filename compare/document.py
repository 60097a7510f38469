"""The JSON document of a run. A field once shipped keeps its name and meaning."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..models.engine.samplers import steps
from .diff.divergence import char_divergence, first_token_divergence
from .diff.ignore import NOTHING, Ignore
from .diff.ignoring import differ
from .diff.result import Diff
from .groups import groups_of
from .reasoning import answer_alone
from .run import Output, Run, Stamp

SCHEMA = 1


def run_document(run: Run, version: str, ignore: Ignore = NOTHING) -> dict[str, Any]:
    """The finished run as `run --json` prints it; `version` is of the llamadiff it ran in.

    What is ignored makes no difference in `diffs`.
    """
    return {
        "schema": SCHEMA,
        "run_id": run.id,
        "variables": dict(run.values),
        "engine": _engine(run, version),
        "variants": [_variant(run.of(variant)) for variant in run.variants],
        "diffs": run_diffs(run, ignore),
    }


def conversation_document(
    runs: Sequence[Run], version: str, ignore: Ignore = NOTHING
) -> dict[str, Any]:
    """The first run's document; where others go on with it, those of these under `turns`."""
    first, *others = (run_document(run, version, ignore) for run in runs)
    return {**first, "turns": others} if others else first


def run_diffs(run: Run, ignore: Ignore = NOTHING) -> list[dict[str, Any]]:
    """Every other variant's outputs against the first variant's, repeat by repeat."""
    if not run.variants:
        return []
    first = run.of(run.variants[0])
    return [
        output_diff(a, b, ignore)
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
        "forced": list(stamp.forced),
        "sampling": sampling,
        "sampling_steps": list(steps(stamp.sampling, constrained=constrained)),
        "outputs": [_output(output) for output in outputs],
        "groups": [
            {"count": it.count, "same": it.same, "outputs": list(it.members)}
            for it in groups_of(outputs)
        ],
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


def output_diff(a: Output, b: Output, ignore: Ignore = NOTHING) -> dict[str, Any]:
    """How the answer of `b` differs from that of `a`, as one of `diffs`.

    Tokens and characters are counted from where `a` begins, its reasoning included.
    """
    one, two = answer_alone(a), answer_alone(b)
    diff = differ("word", ignore).update(one.text, two.text, a_done=True, b_done=True)
    found = _strictly(one, two) if not ignore else _loosely(diff, one, two)
    if (parted := found["first_divergence"]) is not None:
        parted["char"] += len(a.text) - len(one.text)
        if parted["token"] is not None:
            parted["token"] += len(a.tokens) - len(one.tokens)
    return {
        "a": a.variant.name,
        "b": b.variant.name,
        "repeat": a.repeat,
        **found,
        "words_added": diff.words_added,
        "words_removed": diff.words_removed,
        "words_moved": diff.words_moved,
    }


def _strictly(a: Output, b: Output) -> dict[str, Any]:
    """Whether and where two outputs part, by their tokens too."""
    same_vocabulary = a.variant.model == b.variant.model
    if a.text == b.text and (a.tokens == b.tokens or not same_vocabulary):
        return {"equal": True, "first_divergence": None}
    token = first_token_divergence(a.tokens, b.tokens) if same_vocabulary else None
    parted = {"token": token, "char": char_divergence(a.text, b.text)}
    return {"equal": False, "first_divergence": parted}


def _loosely(diff: Diff, a: Output, b: Output) -> dict[str, Any]:
    """The same of what is not ignored: the baseline's token and character."""
    char = diff.first_divergence
    same_vocabulary = a.variant.model == b.variant.model
    token = bisect_right(a.token_ends, char) if same_vocabulary and char is not None else None
    return {
        "equal": diff.equal,
        "first_divergence": None if diff.equal else {"token": token, "char": char},
    }
