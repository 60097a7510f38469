"""Turn a PEFT LoRA folder into a GGUF adapter for one base model, tensor by tensor.

What is read is described in peft_config.py and peft_weights.py. The GGUF side (keys, `.lora_a` and
`.lora_b` in PEFT's own layout, but A of a token embedding on its side) is what llama.cpp's
llama-adapter.cpp and llm_graph_context::build_inp_embd read. llama.cpp scales every pair by
alpha / rank; where PEFT's scale differs (`use_rslora`, `alpha_pattern`) B carries the difference.
"""

import hashlib
import math
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import ModelError, plain
from ..gguf.facts import ModelFacts
from ..hashing import sha256_file
from .names import TOKEN_EMBEDDING, Names
from .patterns import first_matches
from .peft_config import PeftConfig, read_config
from .peft_weights import Pair, read_pairs, weight_files
from .provenance import Provenance

if TYPE_CHECKING:
    import numpy as np

OutType = Literal["f16", "bf16", "f32", "q8_0"]
Progress = Callable[[int, int], None]

_LARGEST: Mapping[OutType, float] = {
    "f16": 65504.0,
    "bf16": 3.38e38,
    "f32": math.inf,
    "q8_0": 65504.0 * 127,
}
"""The largest number a type holds (of Q8_0: 127 times its float16 scale)."""

_CHUNK = 1 << 22


@dataclass(frozen=True)
class Converted:
    """What `convert` wrote: where, how many pairs, and what a person should know of it."""

    path: Path
    pairs: int
    bytes: int
    notes: tuple[str, ...]


def convert(
    folder: Path,
    out: Path,
    base: ModelFacts,
    *,
    name: str | None = None,
    outtype: OutType = "f16",
    cache_dir: Path | None = None,
    progress: Progress = lambda done, total: None,
) -> Converted:
    """Write the adapter in `folder` to `out`, for `base`, under the title `name`.

    `name` is the folder's own unless given. Rows that do not fill a block of Q8_0 are written as
    F16. With `cache_dir`, where hashes are remembered, that of the base's file is recorded
    too (it takes some seconds the first time). `progress` is told how many bytes of how many have been read
    (each is read twice, once for its hash); an exception that it raises ends the conversion. The
    file appears at `out`, in place of what was there, only once it is complete; otherwise nothing
    is left.

    Raises ModelError, one sentence, when the folder is not a PEFT LoRA, uses what a GGUF adapter
    cannot hold, does not fit the base, or `out` cannot be written.
    """
    config = read_config(folder)
    pairs = read_pairs(folder)
    plans = _plans(folder, pairs, config, base)
    files = weight_files(folder)
    _refuse_place(out, [base.path, *base.parts, *files])
    steps = _Steps(progress, 2 * sum(path.stat().st_size for path in files))
    here = folder.resolve().name
    provenance = Provenance(
        folder=here,
        sources={path.name: _sha256(path, steps) for path in files},
        trained_on=config.base,
        base=base.title or base.name,
        base_file=base.path.name,
        base_sha256=None if cache_dir is None else sha256_file(base.path, cache_dir),
    )
    title = name or here or "adapter"
    try:
        handle, temporary = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name[:200]}.")
        os.close(handle)
        unfinished = Path(temporary)
        try:
            _write(unfinished, plans, config.alpha, base, title, provenance, outtype, steps)
            unfinished.chmod(0o644)
            unfinished.replace(out)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ModelError(f"{out} cannot be written: {error.strerror or error}.") from None
    notes = tuple(
        f"{folder} sets {key}, which llamadiff does not know and has not applied."
        for key in config.unknown
    )
    return Converted(out, len(plans), out.stat().st_size, notes)


@dataclass(frozen=True)
class _Plan:
    """One pair on its way: the weight it changes, and what B is multiplied by."""

    weight: str
    pair: Pair
    factor: float
    rows: Callable[["np.ndarray"], "np.ndarray"]


def _plans(
    folder: Path, pairs: Mapping[str, Pair], config: PeftConfig, base: ModelFacts
) -> list[_Plan]:
    """How each pair is to be written. Everything that can be refused unread is refused here."""
    if not config.alpha:
        raise ModelError(f"{folder} has a lora_alpha of 0 and changes nothing; train it again.")
    names = Names(base)
    modules = list(pairs)
    ranks = first_matches(list(config.ranks), modules)
    alphas = first_matches(list(config.alphas), modules)
    plans: dict[str, _Plan] = {}
    for module, in_ranks, in_alphas in zip(modules, ranks, alphas, strict=True):
        pair = pairs[module]
        rank = config.rank if in_ranks is None else config.ranks[in_ranks]
        if rank != pair.rank:
            raise ModelError(
                f"{folder} is damaged: its config gives {module} rank {rank} and its weights have "
                f"{pair.rank}; save the adapter again."
            )
        weight = names.weight(module)
        if weight in plans:
            raise ModelError(f"{folder} changes {weight} twice; save the adapter again.")
        _refuse_misfit(folder, module, pair, weight, base)
        alpha = config.alpha if in_alphas is None else config.alphas[in_alphas]
        scale = alpha / (math.sqrt(rank) if config.rslora else rank)
        factor = scale / (config.alpha / rank)
        plans[weight] = _Plan(weight, pair, factor, partial(names.rows, weight))
    return list(plans.values())


def _refuse_misfit(folder: Path, module: str, pair: Pair, weight: str, base: ModelFacts) -> None:
    if pair.embedding != (weight == TOKEN_EMBEDDING):
        raise ModelError(f"{folder} does not fit {base.name}: {module} is of another kind there.")
    if pair.embedding and base.tied_embeddings:
        raise ModelError(
            f"{folder} changes the token embedding, which in {base.name} is also the output layer "
            "and cannot be adapted; train the adapter without it."
        )
    row, rows = pair.a.shape[1], pair.b.shape[0]
    found = (rows, row) if pair.embedding else (row, rows)
    if found != base.shapes[weight]:
        wanted = " × ".join(map(str, reversed(base.shapes[weight])))
        raise ModelError(
            f"{folder} does not fit {base.name}: {module} is {found[1]} × {found[0]} in the "
            f"adapter and {wanted} in the base; convert it for the base it was trained on."
        )


def _refuse_place(out: Path, kept: list[Path]) -> None:
    if out.is_dir():
        raise ModelError(f"{out} is a folder; give the name of a file in it.")
    if not out.parent.is_dir():
        raise ModelError(f"{out.parent} is not a folder; make it, or write elsewhere.")
    if any(out.exists() and path.exists() and out.samefile(path) for path in kept):
        raise ModelError(f"{out} is what the adapter is made from; write to another file.")


class _Steps:
    """Bytes read so far, told to whoever wants to know."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._done, self._total = progress, 0, total
        progress(0, total)

    def add(self, n_bytes: int) -> None:
        self._done += n_bytes
        self._progress(min(self._done, self._total), self._total)


def _sha256(path: Path, steps: _Steps) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_CHUNK):
                digest.update(block)
                steps.add(len(block))
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from None
    return digest.hexdigest()


def _write(
    path: Path,
    plans: list[_Plan],
    alpha: float,
    base: ModelFacts,
    title: str,
    provenance: Provenance,
    outtype: OutType,
    steps: _Steps,
) -> None:
    import numpy as np
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFType, GGUFWriter, LlamaFileType
    from gguf.quants import quantize

    wanted = GGMLQuantizationType[outtype.upper()]
    mix = "ALL_F32" if outtype == "f32" else f"MOSTLY_{outtype.upper()}"

    def kind(row: int) -> GGMLQuantizationType:
        return GGMLQuantizationType.F16 if row % GGML_QUANT_SIZES[wanted][0] else wanted

    writer = GGUFWriter(path, base.architecture)
    try:
        writer.add_type(GGUFType.ADAPTER)
        writer.add_name(plain(title))
        writer.add_file_type(LlamaFileType[mix])
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", alpha)
        provenance.record(writer)
        for plan in plans:
            for half, (rows, row) in _shapes(plan.pair).items():
                block, n_bytes = GGML_QUANT_SIZES[kind(row)]
                size = rows * row // block * n_bytes
                writer.add_tensor_info(
                    f"{plan.weight}.{half}", (rows, row), np.dtype(np.float32), size, kind(row)
                )
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for plan in plans:
            for half, stored in (("lora_a", plan.pair.a), ("lora_b", plan.pair.b)):
                values = stored.read()
                if half == "lora_b":
                    values = plan.rows(
                        values if plan.factor == 1 else values * np.float32(plan.factor)
                    )
                elif plan.pair.embedding:
                    values = values.T
                if not max(values.max(), -values.min()) <= _LARGEST[outtype]:
                    raise ModelError(
                        f"{stored.key} in {stored.path} has numbers too large for {outtype}; "
                        "convert it with outtype bf16 or f32."
                    )
                writer.write_tensor_data(
                    quantize(np.ascontiguousarray(values), kind(values.shape[1]))
                )
                steps.add(stored.n_bytes)
        writer.close()
    except BaseException:
        for file in writer.fout or ():
            file.close()
        raise


def _shapes(pair: Pair) -> dict[str, tuple[int, int]]:
    """Rows and row length of A and B as they are written."""
    (rank, row), (rows, _) = pair.a.shape, pair.b.shape
    return {"lora_a": (row, rank) if pair.embedding else (rank, row), "lora_b": (rows, rank)}
