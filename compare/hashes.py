"""The hashes of model files, computed behind everything else and shared by all who ask."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path

from ..models.engine.protocol import file_version
from ..models.errors import ModelError


class FileHashes:
    """SHA-256 by file, remembered in `cache_dir` between programs. Use from one asyncio loop."""

    def __init__(self, cache_dir: Path) -> None:
        self._cache_dir = cache_dir
        self._known: dict[tuple[Path, str], asyncio.Future[str | None]] = {}

    async def sha256(self, file: Path) -> str | None:
        """The hash in hexadecimal, of the file as it is now; None for one that cannot be read."""
        key = (file, file_version(file))
        if key not in self._known:
            self._known[key] = asyncio.get_running_loop().create_future()
            # Not a worker of the loop's pool: a file of gigabytes must hold up neither what is
            # rendered there nor the end of the program.
            threading.Thread(
                target=self._work, args=(file, self._known[key]), name="hash", daemon=True
            ).start()
        return await asyncio.shield(self._known[key])

    def _work(self, file: Path, done: asyncio.Future[str | None]) -> None:
        from ..models.hashing import sha256_file

        try:
            digest = sha256_file(file, self._cache_dir)
        except ModelError:
            digest = None
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            done.get_loop().call_soon_threadsafe(done.set_result, digest)
