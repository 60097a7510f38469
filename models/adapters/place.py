"""Where an adapter may be written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import ModelError
from ..gguf.check import check_adapter
from ..writing.whole import check_out


def check_adapter_out(out: Path, inputs: Sequence[Path], needed: int) -> Path:
    """As `check_out`, but what is there may only be an adapter: a model is not replaced by one."""
    place = check_out(out, inputs, needed)
    if place.exists():
        try:
            check_adapter(place)
        except ModelError as error:
            raise ModelError(
                f"{out} is there and no adapter, so it is not replaced; give another name ({error})"
            ) from None
    return place
