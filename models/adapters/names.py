"""The GGUF weight that a module of a transformers model became, and the order of its rows.

Names come from the tables of the gguf package. Where llama.cpp's own conversion rearranges the
rows of q and k for its rotary embedding, an adapter's B must follow; which architectures those are
is read from llama.cpp's conversion scripts and confirmed by tests/models/adapters against PEFT.
"""

import re
from typing import TYPE_CHECKING

from ..errors import ModelError
from ..gguf.facts import ModelFacts

if TYPE_CHECKING:
    import numpy as np

ROTARY_ROWS_MOVED = frozenset(
    {"llama", "arcee", "granite", "granitemoe", "mistral3", "olmo", "smollm3"}
)
"""Architectures whose rows of q and k llama.cpp has in another order than transformers."""

RENAMED_ONLY = frozenset(
    """
    apertus cohere2 command-r ernie4_5 gemma gemma2 gemma3 glm4 hunyuan-dense lfm2 nemotron olmo2
    phi3 qwen2 qwen2moe qwen3 qwen3moe seed_oss stablelm starcoder2
    """.split()  # noqa: SIM905 - as in gguf/architectures.py
)
"""Architectures whose weights have other names in GGUF and are otherwise the same."""

TOKEN_EMBEDDING = "token_embd.weight"
_OTHER_SENSES = re.compile(r"(^|\.)(vision_\w+|visual|audio_\w+|multi_modal_projector|mm_\w+)\.")
_LANGUAGE_MODEL = re.compile(r"(^|(?<=\.))language_model\.")


class Names:
    """Finds the weights of one base model by the names of their modules in transformers."""

    def __init__(self, base: ModelFacts) -> None:
        """Raises ModelError when adapters cannot be converted for the base's architecture."""
        from gguf import MODEL_ARCH_NAMES, get_tensor_name_map

        known = {name: arch for arch, name in MODEL_ARCH_NAMES.items()}
        if base.architecture not in ROTARY_ROWS_MOVED | RENAMED_ONLY:
            raise ModelError(
                f"{base.name} is of the architecture {base.architecture}, whose adapters llamadiff "
                f"cannot convert; it converts those of "
                f"{', '.join(sorted(ROTARY_ROWS_MOVED | RENAMED_ONLY))}."
            )
        self._base = base
        self._map = get_tensor_name_map(known[base.architecture], base.layers)

    def weight(self, module: str) -> str:
        """The name of a module's weight in the base. Raises ModelError when it has none."""
        if _OTHER_SENSES.search(module):
            raise ModelError(
                f"The adapter changes {module}, which sees images or hears; llamadiff runs the "
                "language model only, train the adapter on its layers alone."
            )
        if ".experts." in module:
            raise ModelError(
                f"The adapter changes {module}, an expert of a mixture, which llamadiff cannot "
                "convert; train the adapter on the attention alone."
            )
        plain = _LANGUAGE_MODEL.sub("", module)
        for name in (plain, f"model.{plain}"):
            weight = self._map.get_name(f"{name}.weight", try_suffixes=(".weight",))
            if weight and weight in self._base.shapes:
                return weight
        tied = self._base.tied_embeddings
        if tied and plain.endswith("lm_head"):
            raise ModelError(
                f"The adapter changes the output layer ({module}), which in {self._base.name} is "
                "also the token embedding and cannot be adapted; train the adapter without it."
            )
        raise ModelError(
            f"The adapter changes {module}, which {self._base.name} does not have; convert it for "
            "the base it was trained on."
        )

    def rows(self, weight: str, b: "np.ndarray") -> "np.ndarray":
        """B of a weight, its rows (out, rank) in llama.cpp's order."""
        if self._base.architecture not in ROTARY_ROWS_MOVED:
            return b
        if ".attn_q." in weight:
            heads = self._base.heads
        elif ".attn_k." in weight:
            heads = self._base.kv_heads
        else:
            return b
        # Both numbers are those of the widest layer: where layers differ some do not fit them.
        if not heads or b.shape[0] != heads * self._base.key_length or b.shape[0] % (2 * heads):
            raise ModelError(
                f"{self._base.name} has {heads} heads of {self._base.key_length}, which {weight} does "
                "not fit; adapters of models whose layers differ in that cannot be converted."
            )
        return rotary_rows(b, heads)


def rotary_rows(rows: "np.ndarray", heads: int) -> "np.ndarray":
    """The rows of q or k in llama.cpp's order, from the order of Hugging Face.

    `rows` has the shape (heads × d, n). Hugging Face rotates element i of a head with element
    i + d/2, llama.cpp's llama rotates neighbours: element i moves to 2i, i + d/2 to 2i + 1.
    """
    half = rows.shape[0] // heads // 2
    return rows.reshape(heads, 2, half, -1).swapaxes(1, 2).reshape(rows.shape)
