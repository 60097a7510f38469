"""What a training will take, in memory and time, before it starts."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import ModelError, size_in_words
from ..gguf.facts import ModelFacts
from ..memory import available_memory
from .rows import Row, sequences
from .settings import ALL_LINEAR, TuningSettings

_PROCESS = 600_000_000
"""Bytes of a process that has imported torch, transformers and peft and done nothing; on a GPU, of
what CUDA keeps there for a process."""
_STATE = 16
"""Bytes per trained parameter, in float32: itself, its gradient and the optimizer's two moments."""
_STEP_S = 0.002
"""Seconds that a layer's operations take in one batch beyond the arithmetic."""
_MODULES: Mapping[str, str] = {
    "attn_q": "q_proj", "attn_k": "k_proj", "attn_v": "v_proj", "attn_output": "o_proj",
    "attn_qkv": "qkv_proj", "ffn_gate": "gate_proj", "ffn_up": "up_proj", "ffn_down": "down_proj",
}  # fmt: skip


@dataclass(frozen=True)
class Estimate:
    """Memory in bytes and time in seconds (None where nothing is known of the GPU's speed).

    The memory is that of all processes where they compute on the CPU, else that of each on its GPU.
    `tokens` are all that will go through the model, each as often as it does.
    """

    steps: int
    tokens: int
    parameters: int
    memory_bytes: int
    seconds: float | None


def estimate(
    facts: ModelFacts,
    settings: TuningSettings,
    rows: Sequence[Row],
    *,
    bytes_per_weight: int = 4,
    flops: float | None = None,
    on_gpu: bool = False,
) -> Estimate:
    """What training on `rows` will take, on the device that it computes on.

    `flops` are the floating-point operations that the machine does in a second (see
    `measure_flops`). A token costs two for each weight of the base forwards and, where the base is
    frozen, two more backwards; computing activations again adds two.
    """
    complete = settings.complete(facts.embedding, len(rows))
    parameters = lora_parameters(facts, complete)
    lengths = [len(row.tokens) for row in sequences(rows)]
    per_row = sum(lengths) / len(rows)
    seen = min(1.0, complete.rows_per_step / len(rows))
    tokens = round(per_row * len(rows) * seen * complete.steps)
    passes = 6 if complete.gradient_checkpointing else 4
    seconds = None
    if flops:
        batches = complete.steps * complete.accumulation
        seconds = passes * facts.parameters * tokens / flops + batches * facts.layers * _STEP_S
    processes = max(1, complete.processes)
    share = math.ceil(min(complete.batch, len(rows)) / processes)
    at_once = share * max(lengths) * (2 if complete.method == "dpo" else 1)
    memory = (
        _PROCESS
        + facts.parameters * bytes_per_weight
        + parameters * _STATE
        + _activations(facts, complete, at_once, max(lengths), bytes_per_weight)
    )
    memory *= 1 if on_gpu else processes
    return Estimate(complete.steps, tokens, parameters, round(memory), seconds)


def _activations(
    facts: ModelFacts, settings: TuningSettings, tokens: int, longest: int, n_bytes: int
) -> float:
    """Bytes kept for going backwards, with `tokens` computed at once, and of the logits.

    A layer keeps about 14 vectors as wide as the embedding (twice that many with an adapter's
    copies) and five as wide as the feed-forward part; the logits are there three times in float32.
    """
    width = sum(shape[1] for name, shape in facts.shapes.items() if "blk.0.ffn_up" in name)
    layer = tokens * (28 * facts.embedding + 5 * (width or 4 * facts.embedding)) * n_bytes
    layers = 1 + facts.layers / 14 if settings.gradient_checkpointing else facts.layers
    return layers * layer + 3 * 4 * tokens * facts.vocab_size


def lora_parameters(facts: ModelFacts, settings: TuningSettings) -> int:
    """Parameters of the adapter: rank × (in + out) of every weight that it changes."""
    wanted = set(settings.targets)
    total = 0
    for name, shape in facts.shapes.items():
        kind = name.removesuffix(".weight").rpartition(".")[2]
        if len(shape) != 2 or not name.startswith("blk.") or not name.endswith(".weight"):
            continue
        if ALL_LINEAR in wanted or _MODULES.get(kind, kind) in wanted:
            total += settings.rank * (shape[0] + shape[1])
    return total


def measure_flops() -> float:
    """Floating-point operations that this machine's CPU does in a second, in large products."""
    import numpy as np

    n, best = 768, 0.0
    a = np.ones((n, n), np.float32)
    deadline = time.monotonic() + 0.15
    while time.monotonic() < deadline:
        start = time.perf_counter()
        a @ a
        best = max(best, 2 * n**3 / (time.perf_counter() - start))
    return best


def check_room(
    needed: Estimate, available: int | None = None, of: str = "memory", processes: int = 1
) -> None:
    """Raise ModelError when the training does not fit into memory that is free now, which so many
    processes share."""
    free = available_memory() if available is None else available
    if needed.memory_bytes > free:
        several, fewer = (
            (f" in {processes} processes", "set fewer, ") if processes > 1 else ("", "")
        )
        raise ModelError(
            f"Training{several} needs about {size_in_words(needed.memory_bytes)} of {of} and "
            f"{size_in_words(free)} are free; {fewer}make batch smaller and accumulation larger, set "
            "gradient_checkpointing, or use a smaller base."
        )


def check_reading(facts: ModelFacts, processes: int) -> None:
    """Raise ModelError when so many processes cannot each read a GGUF file whole, for their GPUs:
    transformers makes float32 of it in main memory first."""
    needed, free = 4 * facts.parameters * processes, available_memory()
    if needed > free:
        raise ModelError(
            f"Reading {facts.name} takes about {size_in_words(needed)} of main memory before it is "
            f"on the GPU and {size_in_words(free)} are free; set fewer processes, or give the "
            "Hugging Face folder that it was made of."
        )
