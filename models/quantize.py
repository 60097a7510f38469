"""Quantize a base model: llama.cpp's recipes, carried out by a process of its own."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from .errors import ModelError
from .gguf.facts import ModelFacts
from .gguf.types import FILE_TYPES
from .writing.job import OnProgress, carry_out
from .writing.tasks import Quantize
from .writing.whole import check_out, written_whole

FLOATS = ("F32", "F16", "BF16")
"""Types that are no quantization: what a model is quantized from."""

NEED_IMPORTANCE = (
    "IQ1_S",
    "IQ1_M",
    "IQ2_XXS",
    "IQ2_XS",
    "IQ2_S",
    "IQ2_M",
    "IQ3_XXS",
    "IQ3_XS",
    "Q2_K_S",
)
"""Recipes that llama.cpp carries out with an importance matrix only."""

_FOREIGN = ("NVFP4",)
"""Types of files that other tools make."""

RECIPES = {
    name: number for number, name in FILE_TYPES.items() if name not in (*NEED_IMPORTANCE, *_FOREIGN)
}
"""The numbers (llama_ftype) of the recipes a model can be quantized by."""


@dataclass(frozen=True)
class Quantized:
    """A quantized model: the sizes, in bytes, of what it was made of and of itself."""

    path: Path
    bytes_before: int
    bytes: int


def file_type(name: str) -> int:
    """The number of a recipe, by its name in any case. Raises ModelError with the list of them."""
    upper = name.upper()
    if upper in RECIPES:
        return RECIPES[upper]
    if upper in NEED_IMPORTANCE:
        raise ModelError(
            f"{upper} needs an importance matrix, which is not supported; choose another type, "
            "as Q2_K or Q4_K_M."
        )
    near = difflib.get_close_matches(upper, RECIPES, 1)
    hint = f"did you mean {near[0]}? Known are" if near else "choose one of"
    raise ModelError(f"{name!r} is no type; {hint} {', '.join(RECIPES)}.")


async def quantize(
    model: ModelFacts,
    out: Path,
    type_name: str,
    *,
    requantize: bool = False,
    log: Path,
    on_progress: OnProgress = lambda progress: None,
) -> Quantized:
    """Write `model` to `out`, quantized by the recipe `type_name`.

    Cancelling leaves nothing behind. Raises ModelError, one sentence, when there is no such type,
    when the model is quantized already and `requantize` does not say that this is wanted, or when
    llama.cpp refuses; EngineError when the process that does the work dies.
    """
    out = out.absolute()
    recipe = file_type(type_name)
    packed = [kind for kind in model.bytes_by_type if kind not in FLOATS]
    if packed and not requantize:
        raise ModelError(
            f"{model.name} is quantized already ({model.quantization}), and quantizing it again "
            "adds its errors to those there are; take the original, or ask for it with --requantize."
        )
    place = check_out(out, model.parts, min(model.bytes, model.parameters * 2))
    with written_whole(place) as part:
        step = Quantize(str(model.path.absolute()), str(part), recipe, requantize)
        await carry_out([step], log, on_progress)
        size = part.stat().st_size
    return Quantized(out, model.bytes, size)
