"""Write small files whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ModelError
from ..writing.whole import part_of


def written_whole(path: Path, data: bytes | memoryview) -> None:
    """Put `data` at `path`; whoever is killed meanwhile leaves what was there before.

    Raises ModelError, one sentence, as when the disk is full.
    """
    part = part_of(path)
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"{path} cannot be written: {error.strerror or error}.") from None
