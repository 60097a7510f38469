"""How much memory a base model takes at a given context, and whether that much is free."""

import bisect
from dataclasses import dataclass
from pathlib import Path

from .engine.chunks import LARGEST, score_rows
from .errors import ModelError, size_in_words
from .gguf.facts import ModelFacts
from .gguf.types import TENSOR_TYPES

CONTEXT_STEP = 256
"""llama.cpp rounds a context up to a multiple of this."""

REPACKED_TYPES = ("Q4_0", "Q2_K", "Q4_K", "IQ4_NL")
"""Types that llama.cpp copies into another layout at load, as seen on x86-64 with AVX-512."""

_KV_TYPES = {kind.name.lower(): kind for kind in TENSOR_TYPES.values()}


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes taken by one context of a base model on the CPU.

    `weights` are the file's, mapped; `repacked` is the copy of those in `REPACKED_TYPES`, made
    at load. Both are resident at first, but the system takes the file's pages back when it
    needs them.
    """

    weights: int
    repacked: int
    kv_cache: int
    compute: int

    @property
    def total(self) -> int:
        """All that is resident when nothing else wants memory."""
        return self.weights + self.repacked + self.kv_cache + self.compute

    @property
    def least(self) -> int:
        """What must fit at once: the weights in one copy, the KV cache, the compute buffers."""
        return self.total - self.repacked


@dataclass(frozen=True)
class Fit:
    """Whether what must be in memory at once is free, both in bytes."""

    needed: int
    available: int

    def __bool__(self) -> bool:
        return self.needed <= self.available

    def __str__(self) -> str:
        needed, free = size_in_words(self.needed), size_in_words(self.available)
        return (
            f"fits: {needed} of {free} free"
            if self
            else f"does not fit: needs {needed}, {free} free"
        )


def fit(facts: ModelFacts, n_ctx: int) -> Fit:
    """Whether the model fits in what is free now, with a context of `n_ctx` tokens."""
    return Fit(estimate(facts, n_ctx=n_ctx, n_seq=1).least, available_memory())


def beyond_training(facts: ModelFacts, n_ctx: int) -> str | None:
    """That a context is longer than the model's own, or None."""
    if n_ctx <= facts.context:
        return None
    return (
        f"A context of {n_ctx:,} tokens is longer than the {facts.context:,} that {facts.name} was "
        "trained for; what it says beyond them is not to be relied on."
    )


def estimate(
    facts: ModelFacts, *, n_ctx: int, n_seq: int, kv_type: str = "f16", flash_attn: bool = True
) -> MemoryEstimate:
    """What `facts` takes with `n_seq` sequences of `n_ctx` tokens each, in one context.

    - KV cache: 2 × layers × KV heads × elements per head × tokens × bytes per element; models
      with a sliding window or a recurrent state are taken as if they had none.
    - Compute: 4 bytes × 256 tokens (a prefill chunk) × the widest stage: the output layer (2 ×
      embedding, and the vocabulary for as many tokens as are scored at once), or a layer: 4 ×
      embedding + 3 × feed-forward + context / 2, without flash attention (heads + 1) × context + 6 ×
      embedding where that is more. Fitted to what llama.cpp of llama-cpp-python 0.3.36 reports for
      llama models of widths 256 to 2,048 and contexts to 16,384 tokens: within 15 % there.

    Raises ModelError for a `kv_type` that is no tensor type.
    """
    kind = _KV_TYPES.get(kv_type.lower())
    if kind is None:
        raise ModelError(f"{kv_type} is no KV cache type; use f16, f32, bf16, q8_0 or q4_0.")
    tokens = -(-n_ctx // CONTEXT_STEP) * CONTEXT_STEP
    layer = 4 * facts.embedding + 3 * _feed_forward(facts) + tokens // 2
    if not flash_attn:
        layer = max(layer, (facts.heads + 1) * tokens + 6 * facts.embedding)
    scored = facts.vocab_size * score_rows(facts.vocab_size) // LARGEST
    widest = max(2 * facts.embedding + scored, layer)
    return MemoryEstimate(
        weights=facts.bytes,
        repacked=sum(facts.bytes_by_type.get(name, 0) for name in REPACKED_TYPES),
        kv_cache=kind.size_of(facts.kv_per_token * tokens * n_seq),
        compute=4 * LARGEST * widest,
    )


def _feed_forward(facts: ModelFacts) -> int:
    """Width of the widest feed-forward layer; four times the embedding where none is named."""
    widths = [
        shape[1]
        for name, shape in facts.shapes.items()
        if ".ffn_up" in name and name.endswith(".weight")
    ]
    return max(widths, default=4 * facts.embedding)


def available_memory() -> int:
    """Bytes that can be had without swapping: what the system counts, and the control group allows."""
    import psutil

    return int(min(psutil.virtual_memory().available, _group_allows(Path("/sys/fs/cgroup"))))


def _group_allows(group: Path) -> float:
    """What the limit of a version 2 control group leaves, its inactive file pages not counted."""
    try:
        limit = (group / "memory.max").read_text().strip()
        if limit == "max":
            return float("inf")
        used = int((group / "memory.current").read_text())
        lines = (group / "memory.stat").read_text().splitlines()
        inactive = next(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
        return max(0, int(limit) - used + inactive)
    except (OSError, ValueError, StopIteration):
        return float("inf")


def largest_context(
    facts: ModelFacts,
    *,
    n_seq: int,
    kv_type: str = "f16",
    flash_attn: bool = True,
    available: int,
    most: int,
) -> int:
    """Tokens of the largest context up to `most` that fits into `available` bytes.

    A multiple of `CONTEXT_STEP` where it is less than `most`; 0 when not even the smallest fits.
    """

    def least(context: int) -> int:
        return estimate(
            facts, n_ctx=context, n_seq=n_seq, kv_type=kv_type, flash_attn=flash_attn
        ).least

    if least(most) <= available:
        return most
    contexts = range(CONTEXT_STEP, most, CONTEXT_STEP)
    fitting = bisect.bisect_right(contexts, available, key=least)
    return contexts[fitting - 1] if fitting else 0


def check_memory(
    facts: ModelFacts,
    *,
    n_ctx: int,
    n_seq: int,
    kv_type: str = "f16",
    flash_attn: bool = True,
    available: int | None = None,
) -> MemoryEstimate:
    """The estimate, if it fits into `available` bytes (by default, what is free now).

    Raises ModelError that names the largest context that would fit, or says that none does.
    """
    if available is None:
        available = available_memory()

    needed = estimate(facts, n_ctx=n_ctx, n_seq=n_seq, kv_type=kv_type, flash_attn=flash_attn).least
    if needed > available:
        fitting = largest_context(
            facts, n_seq=n_seq, kv_type=kv_type, flash_attn=flash_attn,
            available=available, most=n_ctx,
        )  # fmt: skip
        advice = (
            f"ask for a smaller context (at most {fitting})"
            if fitting
            else "close other programs or use a smaller model"
        )
        raise ModelError(
            f"{facts.name} with a context of {n_ctx:,} tokens needs about {size_in_words(needed)} of memory and "
            f"{size_in_words(available)} are free; {advice}."
        )
    return estimate(facts, n_ctx=n_ctx, n_seq=n_seq, kv_type=kv_type, flash_attn=flash_attn)
