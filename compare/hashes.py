"""The hashes of model files, computed behind everything else and shared by all who ask."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterable
from pathlib import Path

from ..models.engine.protocol import file_version
from ..models.errors import ModelError
from .run import Output, Run


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

    async def known(
        self, files: Iterable[Path], patience_s: float | None = None
    ) -> dict[Path, str | None]:
        """Those of the files that are hashed within so many seconds; of all without a limit."""
        found: dict[Path, str | None] = {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                for file in files:
                    found[file] = await self.sha256(file)
        return found

    def _work(self, file: Path, done: asyncio.Future[str | None]) -> None:
        from ..models.hashing import sha256_file

        try:
            digest = sha256_file(file, self._cache_dir)
        except ModelError:
            digest = None
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            done.get_loop().call_soon_threadsafe(done.set_result, digest)


async def changed_files(run: Run, hashes: FileHashes) -> list[str]:
    """The files of models and adapters of a run that are gone or not what they were, a sentence
    each. Where no hash was recorded, the file only has to be there."""
    said: dict[Path, str] = {}
    for output in run.outputs:
        for what, path, then in _files(output):
            if path in said:
                continue
            now = await hashes.sha256(path) if then else None
            if then == now:
                gone = then is None and not await asyncio.to_thread(path.is_file)
            else:
                gone = now is None
            if gone:
                said[path] = f"{what} is not at {path} any more."
            elif then is not None and now is not None and now != then:
                said[path] = (
                    f"{what} is not the file it was: its SHA-256 was {then[:8]}… and is {now[:8]}…"
                )
            else:
                said[path] = ""
    return [sentence for sentence in said.values() if sentence]


def _files(output: Output) -> list[tuple[str, Path, str | None]]:
    """What each file is, where, and its recorded hash."""
    variant, stamp = output.variant, output.stamp
    hashes = stamp.adapter_sha256 or (None,) * len(variant.adapters)
    return [
        (f"The model {variant.model_name}", variant.model, stamp.model_sha256),
        *(
            (f"The adapter {adapter.name}", adapter.path, sha256)
            for adapter, sha256 in zip(variant.adapters, hashes, strict=True)
        ),
    ]
