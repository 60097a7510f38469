"""SHA-256 of model files, remembered so that a file of gigabytes is read once.

A digest is kept under the file's device, inode, size and modification time, in
`sha256.json` of the cache folder. Files whose name is already their digest, as Ollama
(`blobs/sha256-<hex>`) and the Hugging Face cache (`blobs/<hex>`) store them, are taken at their
word and not read.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from .errors import ModelError

_FILE = "sha256.json"
_PIECE = 4 << 20
_BLOB = re.compile(r"(?:sha256-)?([0-9a-f]{64})")


def sha256_file(
    path: Path, cache_dir: Path | None, progress: Callable[[int], None] = lambda done: None
) -> str:
    """The SHA-256 of the file at `path`, in hexadecimal, from the cache or by reading it.

    `progress` is told how many bytes have been read; an exception that it raises ends the reading.
    Without a `cache_dir` the file is read and the hash not remembered. A cache folder that cannot be written costs only the time to hash again. Raises ModelError
    when the file cannot be read, or changes while it is.
    """
    known = None if cache_dir is None else cached_sha256(path, cache_dir)
    if known is not None:
        return known
    digest, done = hashlib.sha256(), 0
    try:
        before = _identity(path)
        with path.open("rb") as file:
            while block := file.read(_PIECE):
                digest.update(block)
                done += len(block)
                progress(done)
        after = _identity(path)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from None
    if before != after:
        raise ModelError(f"{path} changed while it was read; wait until it is complete.")
    if cache_dir is not None:
        _remember(before, digest.hexdigest(), cache_dir)
    return digest.hexdigest()


def model_sha256(
    parts: Sequence[Path],
    cache_dir: Path | None,
    progress: Callable[[int], None] = lambda done: None,
) -> str:
    """The SHA-256 of a model's file; of a split model those of all its parts, with spaces between.

    `progress` is told how many bytes of all parts are done. Raises ModelError as `sha256_file`.
    """
    hashes: list[str] = []
    before = 0
    for part in parts:
        hashes.append(
            sha256_file(part, cache_dir, lambda done, before=before: progress(before + done))
        )
        before += _size(part)
        progress(before)
    return " ".join(hashes)


def cached_model_sha256(parts: Sequence[Path], cache_dir: Path) -> str | None:
    """`model_sha256` if it is known without reading the files, else None."""
    hashes = [cached_sha256(part, cache_dir) for part in parts]
    return None if None in hashes else " ".join(filter(None, hashes))


def cached_sha256(path: Path, cache_dir: Path) -> str | None:
    """The SHA-256 of the file at `path` if it is known without reading the file, else None."""
    try:
        real = path.resolve(strict=True)
        identity = _identity(real)
    except (OSError, RuntimeError, ValueError):
        return None
    blob = _BLOB.fullmatch(real.name)
    if blob and real.parent.name == "blobs":
        return blob[1]
    return _read(cache_dir).get(identity)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _identity(path: Path) -> str:
    status = path.stat()
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"


def _read(cache_dir: Path) -> dict[str, str]:
    """The digests remembered in `cache_dir`; none where there is no sound file."""
    try:
        known = json.loads((cache_dir / _FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {key: value for key, value in known.items() if isinstance(value, str)}


def _remember(identity: str, digest: str, cache_dir: Path) -> None:
    """Add a digest; a reader sees the file before or after, never half of it."""
    try:
        cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=cache_dir, prefix=_FILE)
    except OSError:
        return
    new = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(_read(cache_dir) | {identity: digest}, file, indent=0)
        new.replace(cache_dir / _FILE)
    except OSError:
        new.unlink(missing_ok=True)
