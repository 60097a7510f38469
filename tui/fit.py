"""Which adapters fit a model, told from the heads of the files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


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
