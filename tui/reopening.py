"""A recorded run made ready to be gone on with: its variants and its seed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..compare.variants import Variant
from ..prompts.errors import PromptError

if TYPE_CHECKING:
    from ..compare.run import Run
    from ..prompts.document import Prompt


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
