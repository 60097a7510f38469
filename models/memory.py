"""How much memory a base model takes at a given context, and whether that much is free."""

import bisect
from dataclasses import dataclass

from .errors import ModelError, size_in_words
from .gguf.facts import ModelFacts
from .gguf.types import TENSOR_TYPES

N_UBATCH = 512
"""Tokens llama.cpp computes at once, by default."""

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


def estimate(
    facts: ModelFacts, *, n_ctx: int, n_seq: int, kv_type: str = "f16", flash_attn: bool = True
) -> MemoryEstimate:
    """What `facts` takes with `n_seq` sequences of `n_ctx` tokens each, in one context.

    - KV cache: 2 × layers × KV heads × elements per head × tokens × bytes per element; models
      with a sliding window or a recurrent state are taken as if they had none.
    - Compute: 4 bytes × 512 tokens × the widest stage: the output layer (vocabulary + 2 ×
      embedding), the feed-forward (16 × embedding), attention (context / 2 + 13 × embedding, or
      (heads + 1) × context + 6 × embedding without flash attention). Fitted to what llama.cpp of
      llama-cpp-python 0.3.36 reports for llama models of widths 256 to 2,048 and contexts to
      16,384 tokens: within 15 % there.

    Raises ModelError for a `kv_type` that is no tensor type.
    """
    kind = _KV_TYPES.get(kv_type.lower())
    if kind is None:
        raise ModelError(f"{kv_type} is no KV cache type; use f16, f32, bf16, q8_0 or q4_0.")
    tokens = -(-n_ctx // CONTEXT_STEP) * CONTEXT_STEP
    attention = (
        tokens // 2 + 13 * facts.embedding
        if flash_attn
        else (facts.heads + 1) * tokens + 6 * facts.embedding
    )
    widest = max(facts.vocab_size + 2 * facts.embedding, 16 * facts.embedding, attention)
    return MemoryEstimate(
        weights=facts.bytes,
        repacked=sum(facts.bytes_by_type.get(name, 0) for name in REPACKED_TYPES),
        kv_cache=kind.size_of(facts.kv_per_token * tokens * n_seq),
        compute=4 * N_UBATCH * widest,
    )


def available_memory() -> int:
    """Bytes that can be had without swapping, as the operating system counts them."""
    import psutil

    return psutil.virtual_memory().available


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

    def least(context: int) -> int:
        return estimate(
            facts, n_ctx=context, n_seq=n_seq, kv_type=kv_type, flash_attn=flash_attn
        ).least

    needed = least(n_ctx)
    if needed > available:
        contexts = range(CONTEXT_STEP, n_ctx, CONTEXT_STEP)
        fitting = bisect.bisect_right(contexts, available, key=least)
        advice = (
            f"ask for a smaller context (at most {contexts[fitting - 1]})"
            if fitting
            else "close other programs or use a smaller model"
        )
        raise ModelError(
            f"{facts.name} with a context of {n_ctx:,} tokens needs about {size_in_words(needed)} of memory and "
            f"{size_in_words(available)} are free; {advice}."
        )
    return estimate(facts, n_ctx=n_ctx, n_seq=n_seq, kv_type=kv_type, flash_attn=flash_attn)
