"""A PEFT folder that is picked becomes a GGUF adapter for the variant's base model."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..compare.shares import percent

if TYPE_CHECKING:
    from ..models.adapters.converted import Usable


class _Stopped(Exception):
    """Nobody waits for the conversion any more."""


def places(folders: Sequence[Path], base: Path, cache_dir: Path) -> dict[Path, Path]:
    """Where the adapters of PEFT folders are once they have been converted for the model `base`.

    Folders of which that cannot be said are left out: picking one says what is wrong with it.
    """
    from ..models.adapters.converted import kept
    from ..models.errors import ModelError
    from ..models.gguf.check import check_model

    found: dict[Path, Path] = {}
    if folders:
        with suppress(ModelError):
            facts = check_model(base)
            for folder in folders:
                with suppress(ModelError):
                    found[folder] = kept(folder, facts, cache_dir)
    return found


async def readable(
    adapter: Path, base: Path, cache_dir: Path, say: Callable[[str], None]
) -> Usable:
    """The file of an adapter that llama.cpp can read: itself, or that of a PEFT folder.

    A folder is converted for the model `base` unless it has been before. `say` is told how far it
    has come. Cancelling this stops it and leaves nothing behind. Raises ModelError.
    """
    from ..models.adapters.converted import Usable, converted
    from ..models.gguf.check import check_model

    if not adapter.is_dir():
        return Usable(adapter)
    loop = asyncio.get_running_loop()
    stopped = threading.Event()
    said = ""

    def progress(what: str, done: int, total: int) -> None:
        nonlocal said
        if stopped.is_set():
            raise _Stopped
        sentence = f"{what} … {percent(done / max(1, total))}"
        if sentence != said:
            said = sentence
            loop.call_soon_threadsafe(say, sentence)

    def convert() -> Usable:
        return converted(adapter, check_model(base), cache_dir, progress=progress)

    try:
        return await asyncio.to_thread(convert)
    except asyncio.CancelledError:
        stopped.set()
        raise
