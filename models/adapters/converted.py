"""Adapters converted once and kept: what the app uses when a PEFT folder is picked."""

import hashlib
import json
from pathlib import Path

from ..errors import ModelError
from ..gguf.facts import ModelFacts
from .convert import Progress, convert
from .peft_config import CONFIG, read_config
from .peft_weights import weight_files


def kept(folder: Path, base: ModelFacts, cache_dir: Path) -> Path:
    """Where the adapter of a PEFT folder for `base` is kept once it has been converted.

    It is a file in `cache_dir`/adapters, under the folder's name and what its files and the base's
    are (path, size, modification time): a change makes another one. Raises ModelError.
    """
    known = [base.architecture]
    try:
        for path in (folder / CONFIG, *weight_files(folder), base.path):
            status = path.stat()
            known.append(f"{path.resolve()}:{status.st_size}:{status.st_mtime_ns}")
    except OSError as error:
        raise ModelError(f"{error.filename} cannot be used: {error.strerror or error}.") from None
    key = hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]
    return cache_dir / "adapters" / f"{folder.resolve().name}-{key}.gguf"


def converted(
    folder: Path,
    base: ModelFacts,
    cache_dir: Path,
    *,
    progress: Progress = lambda done, total: None,
) -> Path:
    """The GGUF file of a PEFT folder's adapter for `base`, converted unless it has been before.

    `progress` and errors as in `convert`.
    """
    read_config(folder)
    out = kept(folder, base, cache_dir)
    if not out.exists():
        try:
            out.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ModelError(
                f"{error.filename} cannot be used: {error.strerror or error}."
            ) from None
        convert(folder, out, base, cache_dir=cache_dir, progress=progress)
    return out
