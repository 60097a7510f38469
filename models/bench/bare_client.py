"""Starts the bare loop in a process of its own and asks it for figures."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ..engine.client import EngineError
from ..engine.protocol import AdapterUse
from .jobs import Decode, Job, Prefill, Ready, Took


class Bare:
    """A bare loop with one model and one adapter stack resident; idle between jobs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.ready = Ready(0, [])

    @classmethod
    async def start(
        cls, model: Path, stack: Sequence[AdapterUse], n_threads: int, log_path: Path
    ) -> Bare:
        """Load the model. Raises EngineError; what llama.cpp complains of is in the log."""
        argv = [sys.executable, "-P", "-m", "llamadiff.models.bench.bare", str(model)]
        argv += ["-t", str(n_threads)]
        for use in stack:
            argv += ["-a", f"{use.path}@{use.scale}"]
        log_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with log_path.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, "GGML_NO_BACKTRACE": "1"},
                start_new_session=True,
                limit=2**24,
            )
        bare = cls(process)
        try:
            bare.ready = msgspec.json.decode(await bare._line(), type=Ready)
        except BaseException:
            await bare.close()
            raise
        return bare

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise EngineError("The bare loop ended; the reason is in the engine's log.")
        return line

    async def run(self, job: Job) -> Took:
        """Carry out a job. Raises EngineError."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(job) + b"\n")
        return msgspec.json.decode(await self._line(), type=Took)

    async def seconds(self, chunks: Sequence[int], keep: int = 0) -> float:
        """How long a prompt takes in these chunks, after `keep` positions that are there."""
        return (await self.run(Prefill(list(chunks), keep))).seconds

    async def tokens_per_s(self, tokens: int, sequences: int = 1, depth: int = 0) -> float:
        """Decoding speed, over all sequences."""
        took = await self.run(Decode(tokens, sequences, depth))
        return took.tokens / took.seconds

    async def close(self) -> None:
        """End the process, whatever it is doing."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
