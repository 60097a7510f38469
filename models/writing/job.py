"""Have files written by a process of its own: told what to do, listened to, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from ..engine.client import EngineError
from ..engine.process import cause_of_end, last_words, open_log
from ..errors import ModelError
from .tasks import Done, Progress, Refused, Step, line, read_report

OnProgress = Callable[[Progress], None]


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
