"""Which adapters fit a model: told from the heads of the files, and kept as it was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


@dataclass(frozen=True)
class Misfit:
    """Why a variant's files cannot be used together, in a sentence; `gone` if one is not there."""

    sentence: str
    gone: bool = False


class Misfits:
    """Why the adapters of variants do not fit their models, as far as that has been seen."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Path, ...], Misfit | None] = {}
        """By the path of the model and of the adapters on it."""

    def of(self, variant: Variant) -> Misfit | None:
        return self._seen.get(_files(variant))

    def note(self, variant: Variant, misfit: Misfit | None) -> None:
        """Take note why they do not fit, or that they do."""
        self._seen[_files(variant)] = misfit

    def over(self, variant: Variant, output: Output | None) -> bool:
        """Whether it was for adapters that did not fit that the variant's output failed, and they
        or the model are others since."""
        changed = output is not None and _files(output.variant) != _files(variant)
        return output is not None and changed and self.of(output.variant) is not None


def _files(variant: Variant) -> tuple[Path, ...]:
    return (variant.model, *(adapter.path for adapter in variant.adapters))
