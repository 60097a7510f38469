"""A catalog that always holds the same, whatever is on the disk."""

from __future__ import annotations

import pytest

from llamadiff.models.catalog import AdapterEntry, Catalog, ModelEntry
from llamadiff.prompts.library import PromptEntry
from llamadiff.tui.details import of_entry
from llamadiff.tui.screens import library

MODELS = [
    ModelEntry("demo-6m", "/m/demo-6m.gguf", "bundled", "llama", 4_500_000, "Q8_0", 4_800_000, 1024, None),
    ModelEntry("Llama-3.2-1B-Instruct-Q4_K_M", "/m/a.gguf", "huggingface", "llama", 1_240_000_000, "Q4_K_M", 807_700_000, 131_072, None),
    ModelEntry("qwen2.5-coder:7b", "/m/b", "ollama", "qwen2", 7_620_000_000, "Q4_K_M", 4_680_000_000, 32_768, None),
    ModelEntry("Phi-4-mini-instruct-Q6_K", "/m/c.gguf", "lmstudio", "phi3", 3_840_000_000, "Q6_K", 3_160_000_000, 131_072, None),
    ModelEntry("old", "/m/d.gguf", "jan", "llama", None, None, 42_000_000, None, None),
    ModelEntry("mmproj-F16", "/m/e.gguf", "lmstudio", "clip", None, "F16", 855_000_000, None, "/m/e.gguf is a projector, not a base model."),
]  # fmt: skip
ADAPTERS = [
    AdapterEntry("support", "/m/support.gguf", "bundled", "llama", 8, 16.0, ("attn_q", "attn_v"), "demo-6m", 394_100, None),
    AdapterEntry("tone", "/m/tone", "text-generation-webui", None, 16, 32.0, ("q_proj",), "meta/Llama-3.2-1B", 22_500_000, "/m/tone uses DoRA (use_dora), which a GGUF adapter cannot hold; train a plain LoRA, or merge this one into its base with PEFT and convert the whole model."),
]  # fmt: skip


def fix_catalog(patch: pytest.MonkeyPatch) -> None:
    """Have these found, and their details without files; prompts are as they ship."""
    whole = library.whole
    patch.setattr(Catalog, "scan", lambda self, on_progress=None: None)
    patch.setattr(Catalog, "models", lambda self: MODELS)
    patch.setattr(Catalog, "adapters", lambda self: ADAPTERS)
    patch.setattr(
        library,
        "whole",
        lambda it: whole(it) if isinstance(it, PromptEntry) else (of_entry(it), []),
    )
