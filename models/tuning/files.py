"""Write small files whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ..errors import ModelError


def written_whole(path: Path, data: bytes | memoryview) -> None:
    """Put `data` at `path`; whoever is killed meanwhile leaves what was there before.

    Raises ModelError, one sentence, as when the disk is full.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
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
