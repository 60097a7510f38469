"""Merge a stack of adapters into their base model: one file that needs no adapters."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..engine.protocol import LARGEST_SCALE
from ..errors import ModelError
from ..gguf.facts import AdapterFacts, ModelFacts
from ..gguf.header import read_header
from ..hashing import cached_model_sha256
from ..quantize import FLOATS, file_type
from ..writing.job import OnProgress, carry_out
from ..writing.tasks import Done, Merge, Quantize, StackedFile, Step
from ..writing.whole import check_out, scratch, written_whole
from .preflight import check_fit

FIXED = ("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "NVFP4")
"""Types that numbers cannot be packed into anew: they take an importance matrix, or a scale that
is kept in another tensor."""


WIDE = (file_type("F32"), file_type("BF16"))
"""Recipes whose numbers F16 cannot hold."""

SPACE = 6
"""Bytes a weight that quantizing anew takes at most: 32 bits in between, and 16 in the end."""


@dataclass(frozen=True)
class Merged:
    """A merged model: its size in bytes, and what rounding missed of the change.

    `rounding` is a share of the change, as the root of summed squares over all changed weights;
    None when nothing changes. `stored` is the type it was rounded to. `notes` are what a person
    should know of it, a sentence each.
    """

    path: Path
    bytes: int
    rounding: float | None
    stored: str
    notes: tuple[str, ...] = ()


async def merge(
    base: ModelFacts,
    stack: Sequence[tuple[AdapterFacts, float]],
    out: Path,
    *,
    outtype: str | None = None,
    log: Path,
    cache_dir: Path,
    on_progress: OnProgress = lambda progress: None,
) -> Merged:
    """Write `base` with the adapters of `stack`, each at its scale, to `out`.

    Each tensor keeps its type; with `outtype` the file is quantized by that recipe. Cancelling
    leaves nothing behind. Raises ModelError, one sentence, when the stack does not fit, a changed
    weight has a type that cannot be written, or `out` cannot; EngineError when the process that
    does the work dies.
    """
    out = out.absolute()
    used = [(adapter, scale) for adapter, scale in stack if scale]
    _check_stack(base, used)
    _check_scales(base, used)
    recipe = None if outtype is None else file_type(outtype)
    if recipe is None:
        _check_types(base, used)
    inputs = [*base.parts, *(adapter.path for adapter, _ in used)]
    loose = "F32" if recipe in WIDE else "F16"
    needed = base.bytes if recipe is None else base.parameters * SPACE
    place = check_out(out, inputs, needed)
    with contextlib.ExitStack() as files:
        whole = files.enter_context(written_whole(place))
        first = whole if recipe is None else files.enter_context(scratch(place))
        steps: list[Step] = [
            Merge(
                base=[str(path.absolute()) for path in base.parts],
                base_name=base.title or base.name,
                title=_title(base, used),
                stack=[StackedFile(str(a.path.absolute()), a.name, scale) for a, scale in used],
                out=str(first),
                cache_dir=str(cache_dir),
                loose=None if recipe is None else loose,
            )
        ]
        if recipe is not None:
            steps.append(Quantize(str(first), str(whole), recipe, requantize=True))
        done = await carry_out(steps, log, on_progress)
        size = whole.stat().st_size
    stored = base.quantization if outtype is None else outtype.upper()
    notes = [*_notes(base, used, outtype, cache_dir), *_losses(done, stored)]
    return Merged(out, size, done.rounding, stored, tuple(notes))


def _losses(done: Done, stored: str) -> Iterator[str]:
    """What the merged file lacks of the adapters that a person would look for in it."""
    for name in done.idle:
        yield f"{name} changes nothing: in each of its pairs A or B is zero throughout."
    if done.rounding is not None and done.rounding > 1:
        wider = "F32" if stored in FLOATS else "F16"
        advice = "" if stored == wider else f"; use --outtype {wider}"
        yield (
            f"Rounding to {stored} changes the weights more than the adapters do "
            f"({done.rounding:.0%} of their change){advice}."
        )


def _notes(
    base: ModelFacts,
    stack: Sequence[tuple[AdapterFacts, float]],
    outtype: str | None,
    cache_dir: Path,
) -> Iterator[str]:
    sha256 = cached_model_sha256(base.parts, cache_dir)  # which merging has computed
    for adapter, _ in stack:
        yield from check_fit(adapter, base, base_sha256=sha256)
    packed = any(kind not in FLOATS for kind in base.bytes_by_type)
    if packed and outtype is not None and outtype.upper() not in FLOATS:
        yield (
            f"{base.name} is quantized already ({base.quantization}), and quantizing it again to "
            f"{outtype.upper()} has added its errors to those there were; the original would lose less."
        )


def _check_stack(base: ModelFacts, stack: Sequence[tuple[AdapterFacts, float]]) -> None:
    if not stack:
        raise ModelError("There is nothing to merge; give an adapter with a scale other than 0.")
    paths = [adapter.path.resolve() for adapter, _ in stack]
    for adapter, scale in stack:
        if paths.count(adapter.path.resolve()) > 1:
            raise ModelError(f"{adapter.name} is given twice; add up its scales.")
        if not abs(scale) <= LARGEST_SCALE:
            raise ModelError(
                f"The scale of {adapter.name} is {scale:g}; give one between "
                f"{-LARGEST_SCALE:g} and {LARGEST_SCALE:g}."
            )
        check_fit(adapter, base)


def _check_scales(base: ModelFacts, stack: Sequence[tuple[AdapterFacts, float]]) -> None:
    """Raise ModelError when a weight that changes is multiplied by a tensor of its own."""
    for adapter, _ in stack:
        for weight in adapter.pairs:
            scale = f"{weight.removesuffix('.weight')}.scale"
            if scale in base.shapes:
                raise ModelError(
                    f"{base.name} multiplies {weight} by {scale}, and adapters cannot be merged "
                    "into such weights; merge them into a model of another type."
                )


def _check_types(base: ModelFacts, stack: Sequence[tuple[AdapterFacts, float]]) -> None:
    """Raise ModelError when a weight that changes has a type that cannot be written."""
    changed = {weight for adapter, _ in stack for weight in adapter.pairs}
    for part in base.parts:
        for tensor in read_header(part).tensors:
            if tensor.name in changed and tensor.type_name in FIXED:
                raise ModelError(
                    f"{base.name} holds {tensor.name} as {tensor.type_name}, which cannot be "
                    "written anew; choose another type for the merged model, as Q4_K_M."
                )


def _title(base: ModelFacts, stack: Sequence[tuple[AdapterFacts, float]]) -> str:
    """`demo-6m + support@0.8`."""
    return " + ".join([base.title or base.name, *(f"{it.name}@{scale:g}" for it, scale in stack)])
