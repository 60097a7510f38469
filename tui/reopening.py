"""A recorded run made ready to be gone on with: its variants, its seed, and what stood beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..compare.errors import CompareError
from ..compare.run import Around, Run
from ..compare.variants import Variant
from ..prompts.errors import PromptError

if TYPE_CHECKING:
    from ..prompts.document import Prompt


@dataclass(frozen=True)
class Other:
    """What another run gave one variant, with the seed of that run if it had one for all."""

    run: Run
    seed: int | None
    pinned: bool


@dataclass(frozen=True)
class Reopened:
    """A run with all that was on the screen with it. `missing` are the names of variants of which
    nothing is known any more."""

    run: Run
    seed: int | None
    variants: Sequence[Variant]
    baseline: str
    others: Sequence[Other]
    missing: Sequence[str]


def reopened(run: Run, read: Callable[[str], Run]) -> Reopened:
    """As it was. Reads files; `read` reads another run, or raises CompareError."""
    found, seed = variants_of(run)
    variants = {it.name: it for it in found}
    around = run.around or Around(next(iter(variants), ""), tuple(variants))
    others: list[Other] = []
    for it in around.beside:
        try:
            whole = read(it.run_id)
        except CompareError:
            continue
        own = tuple(variant for variant in whole.variants if variant.name == it.variant)
        outputs = [output for output in whole.outputs if output.variant.name == it.variant]
        if not outputs:
            continue
        one = Run(own, whole.values, whole.exact, outputs=outputs, id=whole.id)
        (variants[it.variant],), its_seed = variants_of(one)
        others.append(Other(one, its_seed, it.pinned))
    names = [name for name in around.names if name in variants]
    missing = [name for name in around.names if name not in variants]
    baseline = around.baseline if around.baseline in names else names[0]
    return Reopened(run, seed, [variants[it] for it in names], baseline, others, missing)


def variants_of(run: Run) -> tuple[list[Variant], int | None]:
    """The variants with the prompts they had, and the one seed of all, if it was given for all.

    A prompt whose file still says the same is that file's. Any other has no file: what is done to
    it changes nothing that is in the file by now. Reads files.
    """
    found = [replace(it, prompt=_in_its_file(it.prompt)) for it in run.variants]
    seeds = {output.variant.name: output.seed for output in run.outputs if not output.repeat}
    if all(_own_seed(it) == seeds.get(it.name, _own_seed(it)) for it in found):
        return found, None
    if len(set(seeds.values())) == 1:
        return found, next(iter(seeds.values()))
    return [
        replace(it, sampling={**it.sampling, "seed": seeds[it.name]}) if it.name in seeds else it
        for it in found
    ], None


def _in_its_file(prompt: Prompt) -> Prompt:
    from ..prompts.parse import load_prompt

    if prompt.path is not None:
        try:
            now = load_prompt(prompt.path)
        except PromptError:
            now = None
        if now is not None and now == prompt:
            return now
    return replace(prompt, path=None)


def _own_seed(variant: Variant) -> object:
    return {**variant.prompt.sampling, **variant.sampling}.get("seed", 0)
