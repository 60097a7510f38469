"""What outputs were made with, as facts: what all of them share is told once."""

from __future__ import annotations

from collections.abc import Sequence

from ..run import Output

Facts = list[tuple[str, str]]


def facts_of(output: Output, program: str) -> Facts:
    """All that a stamp says but the rendered prompt, with the version of llamadiff it ran in."""
    variant, stamp = output.variant, output.stamp
    hashes = stamp.adapter_sha256 or (None,) * len(variant.adapters)
    found = [("model", f"{variant.model_name}, SHA-256 {stamp.model_sha256 or 'unknown'}")]
    found += [
        ("adapter", f"{adapter}, SHA-256 {digest or 'unknown'}")
        for adapter, digest in zip(variant.adapters, hashes, strict=True)
    ]
    found.append(("prompt", variant.prompt.name))
    found += [(f"{name} (own)", value) for name, value in variant.values.items()]
    settings = {**variant.prompt.sampling, **variant.sampling}
    if settings:
        found.append(("sampling", ", ".join(f"{key} {value}" for key, value in settings.items())))
    found.append(("seed", str(output.seed)))
    if variant.beginning:
        found.append(("begins with", variant.beginning.text))
    if info := stamp.info:
        shift = ", shifted when full" * info.context_shift
        found.append(("context", f"{info.n_ctx:,} tokens{shift}, {info.kv_type}, {info.backend}"))
    found.append(("made by", f"llamadiff {program}, {stamp.llama_cpp or 'llama.cpp unknown'}"))
    return found


def apart(several: Sequence[Facts]) -> tuple[Facts, list[Facts]]:
    """The facts that all have, and of each those that not all have."""
    shared = [fact for fact in several[0] if all(fact in it for it in several)] if several else []
    return shared, [[fact for fact in it if fact not in shared] for it in several]


def result_of(output: Output) -> str:
    """How an output came to its end: `41 tokens · 392/s · stop`."""
    parts = [f"{len(output.tokens):,} tokens"]
    if output.timings and output.timings.tokens_per_s:
        parts.append(f"{output.timings.tokens_per_s:,.0f}/s")
    return " · ".join([*parts, output.finish_reason or output.state.value])
