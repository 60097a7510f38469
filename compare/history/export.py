"""A recorded run as a document: JSON for programs, Markdown for people."""

from __future__ import annotations

import re
from typing import Any

from ..document import run_document
from ..run import Output
from .entries import Recorded


def as_document(recorded: Recorded) -> dict[str, Any]:
    """As `run --json` printed it, with its times (ISO 8601, UTC), note and tags."""
    return {
        **run_document(recorded.run, recorded.program),
        "at": recorded.at.isoformat(),
        "ended": recorded.ended and recorded.ended.isoformat(),
        "note": recorded.note,
        "tags": list(recorded.tags),
    }


def as_markdown(recorded: Recorded) -> str:
    """Headings, what each variant is, and the texts as they are, fenced."""
    run = recorded.run
    said = [f"# Run {run.id}", f"{recorded.at:%Y-%m-%d %H:%M:%S} UTC, llamadiff {recorded.program}"]
    said += [recorded.note] if recorded.note else []
    said += ["Tags: " + ", ".join(recorded.tags)] if recorded.tags else []
    if run.values:
        said.append("\n".join(f"- {name}: {code(text)}" for name, text in run.values.items()))
    for variant in run.variants:
        outputs = run.of(variant)
        said.append(f"## {variant.name}: {code(variant.title)}")
        said.append(facts(outputs[0]))
        if prompt := outputs[0].stamp.prompt_text:
            said += ["### Prompt", fenced(prompt)]
        for output in outputs:
            if output.reply:
                before = output.follows
                said += [f"### Reply to {before.run_id if before else 'a run that is gone'}"]
                said += [fenced(output.reply)]
            said.append(f"### Output, seed {output.seed}")
            said.append(fenced(output.text))
            said.append(
                f"{len(output.tokens)} tokens, {output.finish_reason or output.state.value}"
            )
            if output.error:
                said.append(f"Error: {code(output.error)}")
    return "\n\n".join(said) + "\n"


def facts(output: Output) -> str:
    """What an output is of, as a list."""
    variant, stamp = output.variant, output.stamp
    hashes = stamp.adapter_sha256 or (None,) * len(variant.adapters)
    said = [f"- model: {code(variant.model_name)}, SHA-256 {stamp.model_sha256 or 'unknown'}"]
    said += [
        f"- adapter: {code(str(adapter))}, SHA-256 {digest or 'unknown'}"
        for adapter, digest in zip(variant.adapters, hashes, strict=True)
    ]
    said.append(f"- prompt: {code(variant.prompt.name)}")
    sampling = {**variant.prompt.sampling, **variant.sampling}
    said += [f"- {name}: {code(str(value))}" for name, value in sampling.items()]
    if variant.beginning:
        said.append(f"- begins with: {code(variant.beginning.text)}")
    said.append(f"- llama.cpp: {stamp.llama_cpp or 'unknown'}")
    return "\n".join(said)


def code(text: str) -> str:
    """Text in a line that no Markdown in it can change."""
    line = " ".join(text.split())
    ticks = "`" * (1 + _longest(line))
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}" if line else "(empty)"


def fenced(text: str) -> str:
    """Text as it is, that no Markdown in it can change."""
    fence = "`" * max(3, 1 + _longest(text))
    return f"{fence}text\n{text}\n{fence}"


def _longest(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
