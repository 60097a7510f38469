"""Turn a PEFT LoRA folder into a GGUF adapter for one base model, tensor by tensor.

What is read is described in peft_config.py and peft_weights.py. The GGUF side (keys, `.lora_a` and
`.lora_b` in PEFT's own layout, but A of a token embedding on its side) is what llama.cpp's
llama-adapter.cpp and llm_graph_context::build_inp_embd read. llama.cpp scales every pair by
alpha / rank; where PEFT's scale differs (`use_rslora`, `alpha_pattern`) B carries the difference.
"""

import contextlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import ModelError, plain
from ..gguf.facts import ModelFacts
from ..hashing import cached_model_sha256, model_sha256, sha256_file
from ..writing.whole import written_whole
from .names import TOKEN_EMBEDDING, Names
from .patterns import first_matches
from .peft_config import PeftConfig, read_config
from .peft_weights import Pair, Stored, read_pairs, weight_files
from .place import check_adapter_out
from .provenance import Provenance
from .training import Training

if TYPE_CHECKING:
    import numpy as np

FORMAT = 2
"""Counted up when the same folder comes to be written as another file."""

OutType = Literal["f16", "bf16", "f32", "q8_0"]
Progress = Callable[[str, int, int], None]
"""Told what is being done, and how many bytes of how many have been read by now, in all."""

_LARGEST: Mapping[str, float] = {
    "F16": 65504.0,
    "Q8_0": 65504.0 * 127,
    "BF16": 3.38e38,
    "F32": math.inf,
}
"""The largest number a type holds (of Q8_0: 127 times its float16 scale), in ascending order."""


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
    training: Training | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Converted:
    """Write the adapter in `folder` to `out`, for `base`, under the title `name`.

    `name` is the folder's own unless given; `training` is what is known of how it was trained. Rows that do not fill a block of Q8_0 are written as
    F16. With `cache_dir`, where hashes are remembered, that of the base is recorded too, which has
    to be read for it the first time. The adapter's files are read twice, once for their hashes. An
    exception that `progress` raises ends the conversion. The file appears at `out`, in place of an
    adapter there, only once it is complete; otherwise nothing is left.

    Raises ModelError, one sentence, when the folder is not a PEFT LoRA, uses what a GGUF adapter
    cannot hold, does not fit the base, or `out` cannot be written.
    """
    config = read_config(folder)
    pairs = read_pairs(folder)
    plans = _plans(folder, pairs, config, base)
    files = weight_files(folder)
    sizes = [_size(path) for path in files]
    place = check_adapter_out(out, [*base.parts, *files], sum(sizes))
    known = cache_dir is None or cached_model_sha256(base.parts, cache_dir) is not None
    steps = _Steps(progress, 2 * sum(sizes) + (0 if known else sum(map(_size, base.parts))))
    here = _known_as(folder)
    base_sha256 = None
    if cache_dir is not None:
        steps.begin(f"hashing {base.path.name}")
        base_sha256 = model_sha256(
            base.parts, cache_dir, (lambda done: None) if known else steps.at
        )
    steps.begin(f"hashing {here}")
    provenance = Provenance(
        folder=here,
        sources={path.name: _sha256(path, steps) for path in files},
        trained_on=config.base,
        local=_is_path(folder, config.base),
        base=base.title or base.name,
        base_file=base.path.name,
        base_sha256=base_sha256,
    )
    title = name or here.rpartition("/")[2] or "adapter"
    steps.begin("converting")
    try:
        with written_whole(place) as part:
            idle = _write(
                part, plans, config.alpha, base, title, provenance, training, outtype, steps
            )
            written = part.stat().st_size
    except OSError as error:
        raise ModelError(f"{out} cannot be written: {error.strerror or error}.") from None
    said = [f"{folder} changes nothing: in each of its pairs A or B is zero throughout."] * idle
    return Converted(out, len(plans), written, (*said, *notes(folder, config)))


def _known_as(folder: Path) -> str:
    """The name of the folder, or of the repository whose snapshot it is in a hub's cache."""
    path = folder.resolve()
    for snapshots in path.parents:
        repository = snapshots.parent.name
        if snapshots.name == "snapshots" and repository.startswith("models--"):
            inside = path.relative_to(snapshots).parts[1:]
            return "/".join((*repository.removeprefix("models--").split("--"), *inside))
    return path.name


def _is_path(folder: Path, base: str | None) -> bool:
    """Whether what PEFT calls the base is a folder on this disk rather than a repository."""
    places = (Path(), folder, folder.parent)
    with contextlib.suppress(OSError, ValueError):
        return base is not None and any((place / base).exists() for place in places)
    return True


def notes(folder: Path, config: PeftConfig) -> tuple[str, ...]:
    """What a person should know of the adapter in `folder` once it is converted, a sentence each."""
    return tuple(
        f"{folder} sets {key}, which llamadiff does not know and has not applied."
        for key in map(plain, config.unknown)
    )


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


class _Steps:
    """Bytes read so far, told to whoever wants to know."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._what, self._start, self._done = progress, "", 0, 0
        self._total = total

    def begin(self, what: str) -> None:
        """What is done from here on."""
        self._what, self._start = what, self._done
        self.at(0)

    def at(self, n_bytes: int) -> None:
        """Bytes that have been read since the beginning of this step."""
        self._done = self._start + n_bytes
        self._progress(self._what, min(self._done, self._total), self._total)

    def add(self, n_bytes: int) -> None:
        self.at(self._done - self._start + n_bytes)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from None


def _sha256(path: Path, steps: _Steps) -> str:
    """The hash of one of the adapter's files, which is small enough to be read again each time."""
    read = 0

    def progress(done: int) -> None:
        nonlocal read
        steps.add(done - read)
        read = done

    return sha256_file(path, None, progress)


def _write(
    path: Path,
    plans: list[_Plan],
    alpha: float,
    base: ModelFacts,
    title: str,
    provenance: Provenance,
    training: Training | None,
    outtype: OutType,
    steps: _Steps,
) -> bool:
    """Write the file; whether nothing in it changes anything."""
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
        if training is not None:
            training.record(writer)
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
        idle = True
        for plan in plans:
            zero = False
            for half, stored in (("lora_a", plan.pair.a), ("lora_b", plan.pair.b)):
                values = stored.read()
                zero = zero or not values.any()
                if half == "lora_b":
                    values = plan.rows(_scaled(stored, values, plan.factor))
                elif plan.pair.embedding:
                    values = values.T
                packed_as = kind(values.shape[1])
                _refuse_too_large(stored, values, packed_as.name)
                writer.write_tensor_data(quantize(np.ascontiguousarray(values), packed_as))
                steps.add(stored.n_bytes)
            idle = idle and zero
        writer.close()
        return idle
    except BaseException:
        for file in writer.fout or ():
            file.close()
        raise


def _scaled(stored: Stored, b: "np.ndarray", factor: float) -> "np.ndarray":
    """B times its factor. Raises ModelError where that is past all numbers."""
    import numpy as np

    if factor == 1:
        return b
    with np.errstate(over="ignore"):
        scaled = b * np.float32(factor)
    if not np.isfinite(scaled).all():
        raise ModelError(
            f"{stored.key} in {stored.path} is past what float32 holds once it is multiplied by the "
            "scale that alpha_pattern or use_rslora gives it; train it with a smaller alpha."
        )
    return scaled


def _refuse_too_large(stored: Stored, values: "np.ndarray", kind: str) -> None:
    """Raise ModelError when the type `kind` would make infinities of the largest of `values`."""
    largest = float(max(values.max(), -values.min()))
    if largest > _LARGEST[kind]:
        enough = [name.lower() for name in ("BF16", "F32") if largest <= _LARGEST[name]]
        raise ModelError(
            f"{stored.key} in {stored.path} has numbers too large for {kind.lower()}; "
            f"convert it with outtype {' or '.join(enough)}."
        )


def _shapes(pair: Pair) -> dict[str, tuple[int, int]]:
    """Rows and row length of A and B as they are written."""
    (rank, row), (rows, _) = pair.a.shape, pair.b.shape
    return {"lora_a": (row, rank) if pair.embedding else (rank, row), "lora_b": (rows, rank)}
