"""What is known of a base model or an adapter once its header has been checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .header import TensorInfo

PROVENANCE = ("general.base_model.", "general.source.", "llamadiff.")
"""Beginnings of the metadata that tells where a file comes from."""


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """A base model that llama.cpp should load.

    `path` is its file, the first of `parts` when it is split. `bytes` counts all parts,
    `parameters` all elements of all tensors. `quantization` is the file's own word for its
    recipe (Q4_K_M), else the type that takes most of its bytes. `context` is the context length
    in tokens it was trained for. `heads`, `kv_heads`, `key_length` and `value_length` (elements
    per head) are those of the widest layer; `kv_per_token` is the number of elements that one
    token takes in the KV cache, over all layers. `shapes` (row length first) and `bytes_by_type`
    are by tensor name and by tensor type. `chat_templates` are by name; the usual one, if there is
    one, is "default". Text is safe to print, but for these.
    """

    name: str
    path: Path
    parts: tuple[Path, ...]
    title: str | None
    license: str | None
    architecture: str
    parameters: int
    quantization: str
    bytes: int
    context: int
    layers: int
    embedding: int
    heads: int
    kv_heads: int
    key_length: int
    value_length: int
    kv_per_token: int
    vocab_size: int
    tied_embeddings: bool
    bos_id: int | None
    eos_id: int | None
    chat_templates: Mapping[str, str] = field(repr=False)
    shapes: Mapping[str, tuple[int, ...]] = field(repr=False)
    bytes_by_type: Mapping[str, int] = field(repr=False)

    @property
    def chat_template(self) -> str | None:
        """The default chat template."""
        return self.chat_templates.get("default")


@dataclass(frozen=True, kw_only=True)
class AdapterFacts:
    """A LoRA adapter that llama.cpp should load, given the right base.

    `pairs` maps the name of each weight it changes to its A and B tensors. `ranks` are the
    distinct ranks, ascending. `alpha` is None where the file has none or zero: the user's scale
    then counts alone; otherwise the effective scale is user scale × alpha / rank. `targets` are
    the kinds of weights changed, like attn_q. `base` is the base model's name as the file gives
    it, `provenance` all that it says of where it is from, by metadata key. `odd` is what may
    surprise and does not keep the adapter from being used, a sentence each. Text is safe to print.
    """

    name: str
    path: Path
    architecture: str
    ranks: tuple[int, ...]
    alpha: float | None
    targets: tuple[str, ...]
    parameters: int
    bytes: int
    base: str | None
    pairs: Mapping[str, tuple[TensorInfo, TensorInfo]] = field(repr=False)
    provenance: Mapping[str, str] = field(repr=False)
    odd: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        """The largest rank."""
        return self.ranks[-1]
