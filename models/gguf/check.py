"""Decide from its header whether llama.cpp can use a file, before anything is loaded.

What llama.cpp would refuse with a line in its log, or end the process over, is refused here in
one sentence. The rules are those of llama-model-loader.cpp, llama-vocab.cpp and
llama-adapter.cpp in llama-cpp-python 0.3.36.
"""

import math
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from ..errors import ModelError, plain, size_in_words
from .architectures import CAUSAL, NOT_CAUSAL
from .facts import PROVENANCE, AdapterFacts, ModelFacts
from .finite import first_not_finite
from .header import ArraySummary, Header, TensorInfo, read_header
from .sound import (
    NEVER_WEIGHTS,
    TOKENS,
    Attention,
    refuse_attention,
    refuse_numbers,
    refuse_repeated_tokens,
    refuse_type,
)
from .split import model_name, read_parts
from .types import FILE_TYPES

MAX_LAYERS = 512
"""LLAMA_MAX_LAYERS; more end the process."""

MAX_NUMBER = (1 << 31) - 1
"""llama.cpp counts layers, elements and tokens in 32 bits, one for the sign."""

MAX_SCANNED = 64_000_000
"""Bytes up to which numbers are looked through for NaN and infinities."""


_OTHER_KINDS = {
    "mmproj": "a projector (the image or audio part of a model)",
    "imatrix": "an importance matrix",
}


def check_model(
    path: Path, architectures: Collection[str] = CAUSAL, *, values: bool = False
) -> ModelFacts:
    """The facts of the base model at `path`, all its parts included.

    `architectures` are those that can be run. With `values`, its vocabulary and the numbers of its
    smallest tensors, up to `MAX_SCANNED` bytes, are read too (which imports numpy). Raises ModelError, one sentence, when the file is
    missing, unreadable, not GGUF, damaged, truncated, split with parts missing, an adapter or
    anything else than a causal language model, newer than this llama.cpp, or such that it would
    end the process.
    """
    header = read_header(path)
    kind = header.metadata.get("general.type")
    if kind == "adapter":
        raise ModelError(f"{path} is an adapter, not a base model; give it as an adapter (-a).")
    headers = read_parts(header)
    architecture = _architecture(header)
    _refuse_not_causal(header, kind, architecture, architectures)
    for part in headers:
        _check_tensors(part)
        for tensor in part.tensors:
            refuse_type(part, tensor)
    tensors = [tensor for part in headers for tensor in part.tensors]
    if not tensors:
        raise ModelError(f"{path} holds a vocabulary and no weights; give a whole model.")
    shapes = {tensor.name: tensor.shape for tensor in tensors}
    if len(shapes) < len(tensors):
        raise ModelError(f"{path} holds a tensor twice among its parts; fetch the model again.")

    layers = _positive(header, architecture, "block_count")
    if layers > MAX_LAYERS:
        raise ModelError(f"{path} claims {layers} layers, llama.cpp runs {MAX_LAYERS} at most.")
    embedding = _positive(header, architecture, "embedding_length")
    attention = _attention(header, architecture, layers, embedding)
    refuse_attention(header, architecture, embedding, attention, shapes)
    refuse_numbers(header, architecture, layers)
    vocab_size = _vocab_size(header)
    if values:
        refuse_repeated_tokens(header, vocab_size)
        for part in headers:
            _refuse_not_finite(part, "fetch or convert the model again")
    by_type = Counter[str]()
    for tensor in tensors:
        by_type[tensor.type_name] += tensor.n_bytes
    return ModelFacts(
        name=plain(model_name(path)),
        path=path,
        parts=tuple(part.path for part in headers),
        title=_text(header, "general.name"),
        license=_text(header, "general.license"),
        architecture=architecture,
        parameters=sum(math.prod(shape) for shape in shapes.values()),
        quantization=_quantization(header, by_type),
        bytes=sum(part.file_size for part in headers),
        context=_positive(header, architecture, "context_length"),
        layers=layers,
        embedding=embedding,
        heads=attention.heads,
        kv_heads=max(attention.kv_heads),
        key_length=attention.key_length,
        value_length=attention.value_length,
        kv_per_token=sum(attention.kv_heads) * (attention.key_length + attention.value_length),
        vocab_size=vocab_size,
        tied_embeddings="output.weight" not in shapes,
        bos_id=_integer(header, "tokenizer.ggml.bos_token_id"),
        eos_id=_integer(header, "tokenizer.ggml.eos_token_id"),
        chat_templates=_chat_templates(header),
        shapes=shapes,
        bytes_by_type=dict(by_type),
    )


def _chat_templates(header: Header) -> dict[str, str]:
    """The templates by name: `tokenizer.chat_template` is "default", and others have theirs behind
    it, as gguf's `add_chat_template` writes them."""
    key = "tokenizer.chat_template"
    found = {"default": header.metadata.get(key)}
    for name in header.metadata:
        if name.startswith(f"{key}."):
            found[name.removeprefix(f"{key}.")] = header.metadata[name]
    return {name: text for name, text in found.items() if isinstance(text, str) and text}


def check_adapter(path: Path, *, values: bool = True) -> AdapterFacts:
    """The facts of the LoRA adapter at `path`.

    With `values`, the numbers of a file up to `MAX_SCANNED` bytes are read too. Raises
    ModelError, one sentence, when the file is missing, unreadable, not GGUF, damaged, truncated,
    not a LoRA adapter, has half a pair, an alpha that is not a float32 (llama.cpp ends the
    process over it), or holds NaN or infinities.
    """
    header = read_header(path)
    if header.metadata.get("general.type") != "adapter":
        raise ModelError(f"{path} is not an adapter; give a LoRA adapter in the GGUF format.")
    kind = header.metadata.get("adapter.type")
    if kind != "lora":
        raise ModelError(
            f"{path} is an adapter of the type {kind or '(none)'}, llama.cpp uses LoRA only."
        )
    architecture = _architecture(header)
    _check_tensors(header)
    pairs = _pairs(header)
    if not pairs:
        raise ModelError(f"{path} holds no LoRA tensors; convert the adapter again.")
    if values:
        _refuse_not_finite(header, "train the adapter again")
    both = [tensor for pair in pairs.values() for tensor in pair]
    return AdapterFacts(
        name=plain(path.stem),
        path=path,
        architecture=architecture,
        ranks=tuple(sorted({b.shape[0] for _, b in pairs.values()})),
        alpha=_alpha(header),
        targets=tuple(sorted({_target(weight) for weight in pairs})),
        parameters=sum(math.prod(tensor.shape) for tensor in both),
        bytes=header.file_size,
        base=_text(header, "general.base_model.0.name"),
        pairs=pairs,
        provenance=_provenance(header),
        odd=_odd(header),
    )


def _refuse_not_finite(header: Header, advice: str) -> None:
    """Look at the smallest tensors: a norm, or all there are, before the matrices of a large file."""
    taken, within = 0, list[TensorInfo]()
    for tensor in sorted(header.tensors, key=lambda it: it.n_bytes):
        taken += tensor.n_bytes
        if taken > MAX_SCANNED:
            break
        within.append(tensor)
    spoilt = first_not_finite(header, within)
    if spoilt is not None:
        raise ModelError(f"{header.path} has NaN or infinity in {spoilt}; {advice}.")


def _architecture(header: Header) -> str:
    architecture = header.metadata.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise ModelError(f"{header.path} names no architecture; convert it again.")
    return plain(architecture)


def _refuse_not_causal(
    header: Header, kind: object, architecture: str, architectures: Collection[str]
) -> None:
    what = _OTHER_KINDS.get(kind) if isinstance(kind, str) else None
    what = what or NOT_CAUSAL.get(architecture)
    if header.metadata.get(f"{architecture}.attention.causal") is False:
        what = "a text-embedding model"
    if what is not None:
        raise ModelError(f"{header.path} is {what}; give a causal language model.")
    if architecture not in architectures:
        raise ModelError(
            f"{header.path} is of the architecture {architecture}, which this llama.cpp does not "
            "know; update llamadiff or use another model."
        )


def _check_tensors(header: Header) -> None:
    """Every tensor must lie right behind the one before it, and inside the file."""
    if not header.tensors:
        return
    assert header.data_offset is not None
    expected = needed = 0
    for tensor in header.tensors:
        if tensor.offset != expected:
            raise ModelError(
                f"{header.path} is damaged: the tensor {tensor.name} is out of place; "
                "fetch or copy the file again."
            )
        needed = header.data_offset + tensor.offset + tensor.n_bytes
        expected += tensor.n_bytes + -tensor.n_bytes % header.alignment
    if needed > header.file_size:
        raise ModelError(
            f"{header.path} is cut off: it has {size_in_words(header.file_size)} of "
            f"{size_in_words(needed)}; fetch or copy it again."
        )


def _integer(header: Header, key: str) -> int | None:
    value = header.metadata.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(header: Header, key: str) -> str | None:
    value = header.metadata.get(key)
    return plain(value) if isinstance(value, str) and value else None


def _positive(header: Header, architecture: str, name: str) -> int:
    value = _integer(header, f"{architecture}.{name}")
    if value is None or value < 1:
        raise ModelError(
            f"{header.path} does not say its {name.replace('_', ' ')} "
            f"({architecture}.{name}); convert the model again."
        )
    if value > MAX_NUMBER:
        raise ModelError(
            f"{header.path} claims {value:,} as its {name.replace('_', ' ')}; "
            "convert the model again."
        )
    return value


def _per_layer(header: Header, key: str, layers: int) -> tuple[int, ...] | None:
    """A number that is the same for all layers, or one for each; None where it is not given."""
    value = header.metadata.get(key)
    if isinstance(value, int) and value >= 0:
        return (value,)
    if isinstance(value, tuple):
        numbers = tuple(number for number in value[:layers] if isinstance(number, int))
        if numbers and min(numbers) >= 0:
            return numbers
    return None


def _attention(header: Header, architecture: str, layers: int, embedding: int) -> Attention:
    """What a model says of its heads. Layers without attention have none.

    Defaults are llama.cpp's: as many KV heads as heads, and heads that share out the embedding.
    """
    prefix = f"{architecture}.attention"
    heads = _per_layer(header, f"{prefix}.head_count", layers) or (0,)
    kv_heads = _per_layer(header, f"{prefix}.head_count_kv", layers) or heads
    if len(kv_heads) == 1:
        kv_heads *= layers
    per_head = embedding // max(heads) if max(heads) else 0
    key = _integer(header, f"{prefix}.key_length")
    value = _integer(header, f"{prefix}.value_length")
    return Attention(
        max(heads),
        kv_heads,
        per_head if key is None else key,
        per_head if value is None else value,
    )


def _vocab_size(header: Header) -> int:
    tokens = header.metadata.get(TOKENS)
    if header.types.get(TOKENS) == "arr[str]":
        if isinstance(tokens, ArraySummary):
            return tokens.length
        if isinstance(tokens, tuple) and tokens:
            return len(tokens)
    raise ModelError(f"{header.path} has no vocabulary; give a model with its tokenizer.")


def _quantization(header: Header, bytes_by_type: Counter[str]) -> str:
    file_type = _integer(header, "general.file_type")
    if file_type is not None and file_type in FILE_TYPES:
        return FILE_TYPES[file_type]
    return bytes_by_type.most_common(1)[0][0]


def _pairs(header: Header) -> dict[str, tuple[TensorInfo, TensorInfo]]:
    """The A and B tensors of each weight that the adapter changes, by the weight's name."""
    halves: dict[str, dict[str, TensorInfo]] = {}
    for tensor in header.tensors:
        weight, dot, half = tensor.name.rpartition(".")
        if dot and half in ("lora_a", "lora_b"):
            halves.setdefault(weight, {})[half] = tensor
        elif not tensor.name.endswith("_norm.weight"):  # which llama.cpp passes over
            raise ModelError(
                f"{header.path} holds {tensor.name}, which is no part of a LoRA adapter; "
                "convert the adapter again."
            )
    pairs: dict[str, tuple[TensorInfo, TensorInfo]] = {}
    for weight, found in halves.items():
        if len(found) < 2:
            missing = "lora_b" if "lora_a" in found else "lora_a"
            raise ModelError(f"{header.path} lacks {weight}.{missing}; convert the adapter again.")
        a, b = found["lora_a"], found["lora_b"]
        if len(a.shape) < 2 or len(b.shape) < 2 or 0 in a.shape or 0 in b.shape:
            raise ModelError(
                f"{header.path} has an empty LoRA pair for {weight}; convert the adapter again."
            )
        for tensor in (a, b):
            if tensor.type_name in NEVER_WEIGHTS:
                raise ModelError(
                    f"{header.path} has {tensor.name} as {tensor.type_name}, which llama.cpp "
                    "cannot compute with; convert the adapter again."
                )
        pairs[weight] = (a, b)
    return pairs


def _provenance(header: Header) -> dict[str, str]:
    """What the file says of where it is from, by key."""
    found: dict[str, str] = {}
    for key, value in header.metadata.items():
        if key.startswith(PROVENANCE) and key != "general.base_model.count":
            texts = value if isinstance(value, tuple) else (value,)
            if texts and all(isinstance(text, str) for text in texts):
                found[plain(key)] = plain(", ".join(map(str, texts)))
    return found


def _odd(header: Header) -> tuple[str, ...]:
    """What may surprise about an adapter; see `AdapterFacts`."""
    sentences: list[str] = []
    starts = header.types.get("adapter.alora.invocation_tokens")
    if starts not in (None, "arr[u32]"):
        raise ModelError(
            f"{header.path} stores adapter.alora.invocation_tokens as {starts} where llama.cpp "
            "wants an array of u32; convert the adapter again."
        )
    if starts:
        sentences.append(
            f"{header.path} is an activated LoRA, meant to begin at certain tokens; here it is "
            "applied to the whole text."
        )
    norms = [tensor.name for tensor in header.tensors if tensor.name.endswith("_norm.weight")]
    if norms:
        sentences.append(
            f"{header.path} also changes {len(norms)} norms ({norms[0]} …), which llama.cpp passes "
            "over."
        )
    return tuple(map(plain, sentences))


def _alpha(header: Header) -> float | None:
    key = "adapter.lora.alpha"
    alpha = header.metadata.get(key)
    if alpha is None:
        return None
    if header.types[key] != "f32" or not isinstance(alpha, float):
        raise ModelError(
            f"{header.path} stores {key} as {header.types[key]} where llama.cpp wants a float32; "
            "convert the adapter again."
        )
    if not math.isfinite(alpha):
        raise ModelError(f"{header.path} has an alpha of {alpha}; convert the adapter again.")
    return alpha or None


def _target(weight: str) -> str:
    """The kind of a weight: attn_q for blk.3.attn_q.weight, token_embd for token_embd.weight."""
    parts = weight.removesuffix(".weight").split(".")
    return plain(".".join(parts[2:] if parts[0] == "blk" and len(parts) > 2 else parts))
