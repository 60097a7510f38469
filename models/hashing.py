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
from pathlib import Path

from .errors import ModelError

_FILE = "sha256.json"
_BLOB = re.compile(r"(?:sha256-)?([0-9a-f]{64})")


def sha256_file(path: Path, cache_dir: Path) -> str:
    """The SHA-256 of the file at `path`, in hexadecimal, from the cache or by reading it.

    A cache folder that cannot be written costs only the time to hash again. Raises ModelError
    when the file cannot be read, or changes while it is.
    """
    known = cached_sha256(path, cache_dir)
    if known is not None:
        return known
    try:
        before = _identity(path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        after = _identity(path)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from None
    if before != after:
        raise ModelError(f"{path} changed while it was read; wait until it is complete.")
    _remember(before, digest, cache_dir)
    return digest


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
