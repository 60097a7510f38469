"""Find and read the tensors of a PEFT adapter: safetensors files, one tensor at a time.

The format: eight bytes that give the header's length, the header as JSON, then the tensors without
gaps. Files are not trusted: what the header claims is held against the file first. The keys are
those that peft 0.21 saves.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from ..errors import ModelError, size_in_words

if TYPE_CHECKING:
    import numpy as np

WEIGHTS = "adapter_model.safetensors"
INDEXES = ("adapter_model.safetensors.index.json", "model.safetensors.index.json")
"""Of weights in several files; transformers 5 saves an adapter's under the second name."""

MAX_HEADER = 4 << 20
"""Bytes; 25,000 tensors have names for about as much."""

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_HALF = re.compile(r"(.+)\.lora_(?:([AB])\.weight|embedding_([AB]))")
_PREFIX = "base_model.model."
_ODD_KEYS = {
    "lora_magnitude_vector": "uses DoRA",
    "lora_B.bias": "trains biases",
    "modules_to_save": "replaces whole modules",
    "token_adapter": "trains single tokens",
}


@dataclass(frozen=True)
class Stored:
    """A tensor in a file: `shape` as in PyTorch, `offset` from the start of the file in bytes."""

    path: Path
    key: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    n_bytes: int

    def read(self) -> "np.ndarray":
        """The numbers as float32. Raises ModelError when they cannot be read or are not finite."""
        import numpy as np

        layout = np.dtype(_TYPES[self.dtype])
        count = self.n_bytes // layout.itemsize
        try:
            raw = np.fromfile(self.path, dtype=layout, count=count, offset=self.offset)
        except OSError as error:
            raise ModelError(f"{self.path} cannot be read: {error.strerror or error}.") from None
        if raw.size < count:
            raise ModelError(f"{self.path} changed while it was read; wait until it is complete.")
        if self.dtype == "BF16":  # which numpy lacks: the upper half of a float32
            raw = (raw.astype(np.uint32) << 16).view(np.float32)
        with np.errstate(over="ignore"):
            values = raw.astype(np.float32, copy=False)
        if not np.isfinite(values).all():
            raise ModelError(
                f"{self.path} has NaN or infinity in {self.key}; train the adapter again."
            )
        return values.reshape(self.shape)


@dataclass(frozen=True)
class Pair:
    """The two matrices of one module: A is (rank, in), B (out, rank).

    Of an embedding, A is (rank, vocabulary) and B (embedding, rank).
    """

    a: Stored
    b: Stored
    embedding: bool

    @property
    def rank(self) -> int:
        return self.a.shape[0]


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files with the weights of the adapter in `folder`, in order.

    Raises ModelError when there are none, and says what to do about pickled ones.
    """
    whole, index = folder / WEIGHTS, _index(folder)
    if whole.is_file():
        return [whole]
    if index:
        shards = sorted(set(_weight_map(index).values()))
        for name in shards:
            if not (folder / name).is_file():
                raise ModelError(f"{folder} lacks {name}, which its index names; fetch it again.")
        return [folder / name for name in shards]
    pickles = sorted(path.name for path in folder.glob("adapter_model*.bin"))
    if pickles:
        raise ModelError(
            f"{folder} holds its weights as a pickle ({pickles[0]}), which can run code when it is "
            "read; if you trust it, load it with PEFT and save it again with "
            "save_pretrained(…, safe_serialization=True)."
        )
    raise ModelError(f"{folder} has no {WEIGHTS}; give the folder that PEFT saved.")


def read_pairs(folder: Path) -> dict[str, Pair]:
    """The matrices of each module, by its name in the base model as transformers has it.

    Reads headers only. Raises ModelError when a file is damaged, or holds anything else than
    whole pairs of a plain LoRA.
    """
    stored: dict[str, Stored] = {}
    for path in weight_files(folder):
        for key, tensor in read_table(path).items():
            if key in stored:
                raise ModelError(f"{folder} holds {key} twice; save the adapter again.")
            stored[key] = tensor
    index = _index(folder)
    if index and not (folder / WEIGHTS).is_file():
        missing = _weight_map(index).keys() - stored.keys()
        if missing:
            raise ModelError(
                f"{folder} lacks {min(missing)}, which its index names; fetch it again."
            )
    halves: dict[str, dict[str, Stored]] = {}
    others: list[str] = []
    embeddings: set[str] = set()
    for key, tensor in stored.items():
        match = _HALF.fullmatch(key.removeprefix(_PREFIX))
        if match is None:
            others.append(key)
            continue
        module, half = match[1], match[2] or match[3]
        if match[3]:
            embeddings.add(module)
        if half in halves.setdefault(module, {}):
            raise ModelError(f"{folder} holds two adapters of {module}; save the adapter again.")
        halves[module][half] = tensor
    for key in others:
        # Beside the pair of an output layer PEFT saves the layer itself, unchanged.
        if key.removeprefix(_PREFIX).rpartition(".base_layer.")[0] not in halves:
            raise ModelError(_no_half(folder, key))
    if not halves:
        raise ModelError(f"{folder} holds no LoRA tensors; save the adapter again.")
    return {
        module: _pair(folder, module, found, module in embeddings)
        for module, found in halves.items()
    }


def _pair(folder: Path, module: str, halves: Mapping[str, Stored], embedding: bool) -> Pair:
    if len(halves) < 2:
        raise ModelError(
            f"{folder} holds half a pair for {module}; save the adapter again (with all shards "
            "gathered, if DeepSpeed or FSDP trained it)."
        )
    a, b = halves["A"], halves["B"]
    if len(a.shape) != 2 or len(b.shape) != 2 or 0 in (*a.shape, *b.shape):
        raise ModelError(
            f"{folder} holds matrices of {list(a.shape)} and {list(b.shape)} for {module}, which "
            "are no LoRA pair; save the adapter again (with all shards gathered, if DeepSpeed or "
            "FSDP trained it)."
        )
    if a.shape[0] != b.shape[1]:
        raise ModelError(
            f"{folder} is damaged: A of {module} has rank {a.shape[0]} and B {b.shape[1]}; "
            "save the adapter again."
        )
    return Pair(a, b, embedding)


def _no_half(folder: Path, key: str) -> str:
    for part, what in _ODD_KEYS.items():
        if part in key:
            return (
                f"{folder} {what} ({key}), which a GGUF adapter cannot hold; train a plain LoRA, "
                "or merge this one into its base with PEFT and convert the whole model."
            )
    if key.endswith(("embed_tokens.weight", "lm_head.weight")):
        return (
            f"{folder} replaces {key.removeprefix(_PREFIX)} (its vocabulary was resized), which a "
            "GGUF adapter cannot hold; merge it into its base with PEFT and convert the whole model."
        )
    return f"{folder} holds {key}, which is not half of a plain LoRA pair; train a plain LoRA."


def read_table(path: Path) -> dict[str, Stored]:
    """What a safetensors file says it holds, by key. Raises ModelError when it is damaged."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > size - 8:
                raise ModelError(f"{path} is cut off; save or fetch the adapter again.")
            if length > MAX_HEADER:
                raise _damaged(path, f"its header claims {size_in_words(length)}")
            header = json.loads(file.read(length), object_pairs_hook=_no_repeats)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError):
        raise _damaged(path, "its header is not JSON") from None
    if not isinstance(header, dict):
        raise _damaged(path, "its header is not a table")
    header.pop("__metadata__", None)
    start = 8 + length
    tensors = [_stored(path, key, entry, start) for key, entry in header.items()]
    position = start
    for tensor in sorted(tensors, key=lambda it: (it.offset, it.n_bytes)):
        if tensor.offset != position:
            raise _damaged(path, f"{tensor.key} is out of place")
        position += tensor.n_bytes
    if position > size:
        raise ModelError(
            f"{path} is cut off: it has {size_in_words(size)} of {size_in_words(position)}; "
            "save or fetch the adapter again."
        )
    if position < size:
        raise _damaged(path, f"{size_in_words(size - position)} follow its last tensor")
    return {tensor.key: tensor for tensor in tensors}


def _stored(path: Path, key: str, entry: object, start: int) -> Stored:
    if not isinstance(entry, dict):
        raise _damaged(path, f"{key} is not described")
    dtype, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if not isinstance(dtype, str) or not _sizes(shape) or not _sizes(offsets) or len(offsets) != 2:
        raise _damaged(path, f"{key} is not described")
    if dtype not in _TYPES:
        raise ModelError(f"{path} holds {key} as {dtype}; save the adapter in float32.")
    n_bytes = offsets[1] - offsets[0]
    if len(shape) > 8 or n_bytes != math.prod(shape) * int(_TYPES[dtype][-1]):
        raise _damaged(path, f"the size of {key} is not that of its shape")
    return Stored(path, key, dtype, tuple(shape), start + offsets[0], n_bytes)


def _sizes(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 1 << 48 for n in value)


def _index(folder: Path) -> Path | None:
    return next((folder / name for name in INDEXES if (folder / name).is_file()), None)


def _weight_map(path: Path) -> dict[str, str]:
    """The file of each tensor, from an index; a name that leads elsewhere is refused."""
    try:
        if path.stat().st_size > MAX_HEADER:
            raise _damaged(path, "it is larger than any index")
        index = json.loads(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError):
        raise _damaged(path, "it is not JSON") from None
    names = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(names, dict) or not names:
        raise _damaged(path, "it has no weight_map")
    for name in names.values():
        if not isinstance(name, str) or not re.fullmatch(r"[\w-][\w.-]*\.safetensors", name):
            raise _damaged(path, f"it names the file {name!r}")
    return names


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a key twice")
    return table


def _damaged(path: Path, what: str) -> ModelError:
    return ModelError(f"{path} is damaged: {what}; save or fetch the adapter again.")
