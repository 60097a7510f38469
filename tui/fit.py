"""Which adapters fit a model: told from the heads of the files, and kept as it was seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..compare.run import Output
from ..compare.variants import Variant


def misfits(adapters: Sequence[Path], base: Path) -> dict[str, str]:
    """Why adapters cannot be used on the model `base`, a sentence each by path; nothing is loaded.

    Numbers are not looked at. Of a model that cannot be used itself nothing is said.
    """
    from ..models.adapters.preflight import check_fit
    from ..models.errors import ModelError
    from ..models.gguf.check import check_adapter, check_model

    found: dict[str, str] = {}
    try:
        facts = check_model(base)
    except ModelError:
        return found
    for adapter in adapters:
        try:
            check_fit(check_adapter(adapter, values=False), facts)
        except ModelError as error:
            found[str(adapter)] = str(error)
    return found


class Misfits:
    """Why the adapters of variants do not fit their models, as far as that has been seen."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Path, ...], str] = {}
        """By the path of the model and of the adapters on it."""

    def of(self, variant: Variant) -> str:
        """A sentence, or nothing."""
        return self._seen.get(_files(variant), "")

    def note(self, variant: Variant, sentence: str) -> None:
        """Take note why they do not fit; with an empty sentence, that they do."""
        self._seen[_files(variant)] = sentence

    def over(self, variant: Variant, output: Output | None) -> bool:
        """Whether it was for adapters that did not fit that the variant's output failed, and they
        or the model are others since."""
        changed = output is not None and _files(output.variant) != _files(variant)
        return output is not None and changed and bool(self.of(output.variant))


def _files(variant: Variant) -> tuple[Path, ...]:
    return (variant.model, *(adapter.path for adapter in variant.adapters))
