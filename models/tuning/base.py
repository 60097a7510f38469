"""Load a base model to train on: from its GGUF file, or from the Hugging Face folder it was made of."""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..adapters.names import RENAMED_ONLY, ROTARY_ROWS_MOVED
from ..errors import ModelError
from ..gguf.facts import ModelFacts
from ..gguf.header import read_header
from .settings import Precision

if TYPE_CHECKING:
    import torch

READ_FROM_GGUF = frozenset({"gemma2", "gemma3", "llama", "phi3", "qwen2", "qwen3"})
"""Architectures that transformers reads from GGUF as llama.cpp does: tests hold the logits of
either against the other's. The rest is trained from a Hugging Face folder."""

_UNREAD_SCALING = "rope.scaling.type"
_ROPE_FACTORS = "rope_freqs.weight"
_LARGEST_GEMMA = {"gemma2": 46, "gemma3": 62}
"""Layers of the 27B models, in which llama.cpp scales attention by another width."""
_SMALL = 50_000_000
"""Parameters up to which float32 is quick enough on a CPU not to round the base for speed."""


@dataclass(frozen=True)
class Base:
    """A base that is loaded, frozen, and where and in what it computes."""

    model: Any
    device: torch.device
    dtype: torch.dtype


def check_base(facts: ModelFacts, folder: Path | None) -> None:
    """Raise ModelError, one sentence, for a base that cannot be trained on.

    `folder` is the Hugging Face folder whose weights are read instead of the GGUF file's.
    """
    convertible = ROTARY_ROWS_MOVED | RENAMED_ONLY
    if facts.architecture not in convertible:
        raise ModelError(
            f"{facts.name} is of the architecture {facts.architecture}, whose adapters cannot be "
            f"converted; these can be tuned: {', '.join(sorted(convertible))}."
        )
    if folder is not None:
        _check_folder(facts, folder)
        return
    hint = "give the Hugging Face folder that it was made of"
    if facts.architecture not in READ_FROM_GGUF:
        raise ModelError(
            f"{facts.name} is of the architecture {facts.architecture}, which transformers cannot "
            f"read from GGUF as llama.cpp does (it does {', '.join(sorted(READ_FROM_GGUF))}); {hint}."
        )
    if len(facts.parts) > 1:
        raise ModelError(
            f"{facts.name} is split into {len(facts.parts)} files, which transformers does not "
            f"read; merge them with llama-gguf-split, or {hint}."
        )
    if any(".rope_factors_" in name or name.startswith("rope_factors_") for name in facts.shapes):
        raise ModelError(
            f"{facts.name} stretches its positions, which transformers does not read from GGUF; {hint}."
        )
    scaling = read_header(facts.path, tensors=False).metadata.get(
        f"{facts.architecture}.{_UNREAD_SCALING}", "none"
    )
    if scaling != "none":
        raise ModelError(
            f"{facts.name} scales its positions ({scaling}), which transformers does not read from "
            f"GGUF; {hint}."
        )


def device_here() -> torch.device:
    """Where this process computes: on the GPU that is its own, where torch has one."""

    import torch

    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def weight_files(folder: Path | None) -> list[Path]:
    """The files of a Hugging Face folder that say what model it is; of none, none."""
    if folder is None:
        return []
    found = (*folder.glob("*.safetensors"), *folder.glob("*.bin"), folder / "config.json")
    return sorted(path for path in found if path.is_file())


def load_base(facts: ModelFacts, folder: Path | None, precision: Precision, threads: int) -> Base:
    """The base's model, in training's precision, on the GPU where torch has one.

    Raises ModelError when it cannot be read, or is not the model that `facts` describes.
    """

    import torch

    check_base(facts, folder)
    os.environ["TQDM_DISABLE"] = "1"
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    device = device_here()
    dtype = dtype_of(precision, device, facts.parameters)
    source: Path = folder or facts.path.parent
    options: dict[str, Any] = {} if folder else {"gguf_file": facts.path.name}
    try:
        config: Any = AutoConfig.from_pretrained(
            source, local_files_only=True, trust_remote_code=False, **options
        )
        if folder is None:
            _complete(facts, config)
        model: Any = AutoModelForCausalLM.from_pretrained(
            source,
            config=config,
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            **options,
        )
    except (OSError, ValueError, RuntimeError, KeyError, NotImplementedError, ImportError) as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(f"transformers cannot read {folder or facts.name}: {said}") from None
    _check_model(facts, folder, model)
    if folder is None:
        _apply_rope_factors(facts, model)
    model.config.use_cache = False
    model.requires_grad_(False)
    return Base(model.to(device), device, dtype)


def _complete(facts: ModelFacts, config: Any) -> None:
    """Put into the config what transformers does not take from a GGUF file, as llama.cpp has it."""
    config.pad_token_id = None
    if facts.architecture.startswith(("qwen3", "gemma")):
        config.head_dim = facts.key_length
    largest = _LARGEST_GEMMA.get(facts.architecture)
    if largest:
        whole = facts.embedding // facts.heads if facts.layers == largest else facts.key_length
        config.query_pre_attn_scalar = whole


def dtype_of(precision: Precision, device: torch.device, parameters: int) -> torch.dtype:
    """What `auto` means: bfloat16 where the hardware computes in it and the model is not small."""

    import torch

    if precision == "auto":
        if device.type == "cuda":
            precision = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "f32"
        else:
            fast = parameters > _SMALL and _cpu_has_bf16()
            precision = "bf16" if fast else "f32"
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bfloat16: AVX512-BF16 or AMX, as torch knows it."""

    import torch

    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(asked and asked())


def _check_model(facts: ModelFacts, folder: Path | None, model: Any) -> None:
    """Raise ModelError unless the sizes are those of the GGUF model."""
    config, rows = model.config, model.get_input_embeddings().weight.shape[0]
    for what, found, wanted in (
        ("vocabulary", rows, facts.vocab_size),
        ("layers", config.num_hidden_layers, facts.layers),
        ("width", config.hidden_size, facts.embedding),
    ):
        if found != wanted:
            raise ModelError(
                f"{folder or 'transformers'} has {what} {found:,} and {facts.name} {wanted:,}; "
                "give the folder that it was made of."
            )


def _check_folder(facts: ModelFacts, folder: Path) -> None:
    """Raise ModelError for no folder of a model, or one whose tokens are others."""
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} has no config.json; give the folder of a Hugging Face model.")
    try:
        known = json.loads((folder / "tokenizer.json").read_bytes())["model"]["vocab"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # other kinds of tokenizers, whose size alone is checked
    header = read_header(facts.path, tensors=False, arrays=("tokenizer.ggml.tokens",))
    tokens = header.metadata.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, tuple):
        return
    pairs = known.items() if isinstance(known, dict) else ((it[0], i) for i, it in enumerate(known))
    for text, number in pairs:
        if number >= len(tokens) or tokens[number] != text:
            raise ModelError(
                f"{folder} has other tokens than {facts.name} (number {number}, for one); give the "
                "folder that it was made of."
            )


def _apply_rope_factors(facts: ModelFacts, model: Any) -> None:
    """Divide the rotary frequencies by the factors in the file, as llama.cpp does (ggml_rope_ext).

    transformers skips that tensor, which Llama 3.1 and later have.
    """

    import torch

    if _ROPE_FACTORS not in facts.shapes:
        return
    from gguf import GGUFReader

    tensors = GGUFReader(facts.path).tensors
    factors = next(torch.tensor(it.data) for it in tensors if it.name == _ROPE_FACTORS)
    rotary = model.get_decoder().rotary_emb
    rotary.inv_freq = rotary.inv_freq / factors.to(rotary.inv_freq)
    rotary.original_inv_freq = rotary.inv_freq
