"""Adapters converted once and kept: what the app uses when a PEFT folder is picked."""

import contextlib
import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelError
from ..gguf.check import check_adapter
from ..gguf.facts import ModelFacts
from ..writing.whole import cut
from .convert import FORMAT, Progress, convert, notes
from .peft_config import CONFIG, read_config
from .peft_weights import weight_files
from .preflight import check_fit

_LONGEST_NAME = 100
"""Bytes of a folder's name that its file's name begins with."""

_ABANDONED_S = 24 * 3600.0
"""An unfinished file this old is nobody's: whoever wrote it was killed."""


@dataclass(frozen=True)
class Usable:
    """An adapter's file, and what a person should know of how it was made, a sentence each."""

    path: Path
    notes: tuple[str, ...] = ()


def kept(folder: Path, base: ModelFacts, cache_dir: Path) -> Path:
    """Where the adapter of a PEFT folder for `base` is kept once it has been converted.

    It is a file in `cache_dir`/adapters, under the folder's name and what its files and the base's
    are (path, size, modification time): a change makes another one. Raises ModelError.
    """
    known = [str(FORMAT), base.architecture]
    try:
        for path in (folder / CONFIG, *weight_files(folder), base.path):
            status = path.stat()
            known.append(f"{path.resolve()}:{status.st_size}:{status.st_mtime_ns}")
    except OSError as error:
        raise ModelError(f"{error.filename} cannot be used: {error.strerror or error}.") from None
    key = hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]
    return cache_dir / "adapters" / f"{cut(folder.resolve().name, _LONGEST_NAME)}-{key}.gguf"


def converted(
    folder: Path,
    base: ModelFacts,
    cache_dir: Path,
    *,
    progress: Progress = lambda what, done, total: None,
) -> Usable:
    """The GGUF file of a PEFT folder's adapter for `base`, converted unless it has been before.

    A kept file that cannot be used any more is made again. `progress` and errors as in `convert`.
    """
    config = read_config(folder)
    out = kept(folder, base, cache_dir)
    said = notes(folder, config)
    try:
        out.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_sound(out, base):
            out.unlink(missing_ok=True)
            _sweep(out.parent)
            said = convert(folder, out, base, cache_dir=cache_dir, progress=progress).notes
    except OSError as error:
        raise ModelError(f"{error.filename} cannot be used: {error.strerror or error}.") from None
    return Usable(out, said)


def _is_sound(file: Path, base: ModelFacts) -> bool:
    try:
        check_fit(check_adapter(file), base)
    except ModelError:
        return False
    return True


def _sweep(folder: Path) -> None:
    """Delete what conversions that were killed have left."""
    for path in folder.glob(".*.part"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_S:
                path.unlink()
