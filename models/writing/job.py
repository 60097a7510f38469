"""Have files written by a process of its own: told what to do, listened to, and ended.

Whatever becomes of that process, a file appears under its name whole or not at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

from ..engine.client import EngineError
from ..engine.process import cause_of_end, last_words, open_log
from ..errors import ModelError, size_in_words
from .tasks import Done, Progress, Refused, Step, line, read_report

OnProgress = Callable[[Progress], None]


@contextlib.contextmanager
def scratch(out: Path) -> Iterator[Path]:
    """A new file beside `out`, deleted in the end. Raises ModelError when there can be none."""
    try:
        handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.", suffix=".part")
        os.fchmod(handle, 0o644)
        os.close(handle)
    except OSError as error:
        raise ModelError(f"{out} cannot be written: {error.strerror}.") from None
    part = Path(name)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def written_whole(out: Path) -> Iterator[Path]:
    """A new file beside `out` that takes its place once the block has ended well.

    Raises ModelError when it cannot.
    """
    with scratch(out) as part:
        yield part
        try:
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(out)
        except OSError as error:
            raise ModelError(f"{out} cannot be written: {error.strerror}.") from None


def check_out(out: Path, inputs: Sequence[Path], needed: int) -> None:
    """Raise ModelError when `out` is one of the files it is made of, is a folder, or lacks room."""
    if out.is_dir():
        raise ModelError(f"{out} is a folder; name a file in it.")
    if not out.parent.is_dir():
        raise ModelError(f"The folder {out.parent} does not exist; make it first.")
    for path in inputs:
        if out.exists() and out.samefile(path):
            raise ModelError(f"{out} is what the new file is made of; give another name.")
    free = shutil.disk_usage(out.parent).free
    if needed > free:
        raise ModelError(
            f"{out.parent} has {size_in_words(free)} free and about {size_in_words(needed)} are "
            "needed; make room or write elsewhere."
        )


async def carry_out(steps: Sequence[Step], log: Path, on_progress: OnProgress) -> Done:
    """Have `steps` done one after the other. Cancelling ends the process at once.

    Native code prints to `log`. Raises ModelError when something is refused, EngineError when the
    process dies.
    """
    async with _process(log) as (process, start):
        assert process.stdin and process.stdout
        with contextlib.suppress(OSError):
            process.stdin.write(line(list(steps)))
            await process.stdin.drain()
        async for text in process.stdout:
            match read_report(text):
                case Progress() as progress:
                    on_progress(progress)
                case Done() as done:
                    return done
                case Refused() as refused:
                    raise ModelError(refused.message)
        said = last_words(log, start)
        why = cause_of_end(await process.wait(), "The process that writes the file")
        raise EngineError(f"{why} {f'It last said: {said} ' if said else ''}Its log is {log}.")


@contextlib.asynccontextmanager
async def _process(log: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """The process, and the length of the log at its start; it is gone after the block."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        errors = open_log(log)
    except OSError as error:
        raise EngineError(f"The log {log} cannot be written: {error.strerror}.") from None
    try:
        start = os.fstat(errors).st_size
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "llamadiff.models.writing.worker",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors,
            env={**os.environ, "GGML_NO_BACKTRACE": "1", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )  # fmt: skip
    finally:
        os.close(errors)
    try:
        yield process, start
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
