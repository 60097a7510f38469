"""Other ways to run the same model: llama-bench, llama-server, and llama_cpp.Llama.

Each runs at the priority of the engine's worker and with as many threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import random
import shutil
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from llamadiff.models.bench.streams import Stream, tokens_per_s

NICE = ("nice", "-n", "5")
SLOTS = 4
SLOT_CONTEXT = 4096
START_TIMEOUT_S = 120.0


def tool(name: str) -> str | None:
    """llama-bench or llama-server: the one that `make .venv/NAME` builds, or one on PATH."""
    built = Path(sys.executable).parent.parent / name
    return str(built) if built.exists() else shutil.which(name)


class LlamaBench:
    """Runs llama-bench once for each figure."""

    def __init__(self, program: str, model: Path, threads: int) -> None:
        self._argv = [*NICE, program, "-m", str(model), "-t", str(threads), "-r", "1", "-o", "json"]

    async def prefill(self, tokens: int) -> float:
        """Prompt tokens per second."""
        return await self._run("-p", str(tokens), "-n", "0")

    async def decode(self, tokens: int) -> float:
        """Generated tokens per second."""
        return await self._run("-p", "0", "-n", str(tokens))

    async def _run(self, *arguments: str) -> float:
        process = await asyncio.create_subprocess_exec(
            *self._argv,
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        output, _ = await process.communicate()
        if process.returncode:
            sys.exit(f"llama-bench ended with {process.returncode}")
        return json.loads(output)[0]["avg_ts"]


class HighLevel:
    """A process with llama_cpp.Llama that keeps the model."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def decode(self, tokens: int, depth: int) -> float:
        """Tokens per second of one stream."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"tokens": tokens, "depth": depth}).encode() + b"\n")
        answer = await self._process.stdout.readline()
        if not answer:
            sys.exit("benchmarks/high_level.py ended")
        return json.loads(answer)["tokens_per_s"]


@asynccontextmanager
async def high_level(model: Path, threads: int) -> AsyncIterator[HighLevel]:
    """Start it; it ends with the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("high_level.py")),
        str(model),
        str(threads),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        rival = HighLevel(process)
        await rival.decode(16, 16)
        yield rival
    finally:
        await _end(process)


class Server:
    """llama-server with four slots, asked over HTTP on the loopback interface."""

    def __init__(self, port: int, n_vocab: int) -> None:
        self._port = port
        self._n_vocab = n_vocab

    async def decode(self, tokens: int, depth: int, streams: int) -> float:
        """Tokens per second of several streams, with one prompt and different seeds, in all."""
        prompt = [random.randrange(self._n_vocab) for _ in range(depth)]
        return await asyncio.to_thread(self._decode, prompt, tokens, streams)

    def _decode(self, prompt: list[int], tokens: int, streams: int) -> float:
        results = [Stream() for _ in range(streams)]
        start = time.perf_counter()
        threads = [
            threading.Thread(target=self._stream, args=(prompt, tokens, seed, start, result))
            for seed, result in enumerate(results)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return tokens_per_s(results)

    def _stream(
        self, prompt: list[int], tokens: int, seed: int, start: float, result: Stream
    ) -> None:
        body = {
            "prompt": prompt,
            "n_predict": tokens,
            "seed": seed,
            "temperature": 0.8,
            "top_k": 40,
            "top_p": 0.95,
            "min_p": 0.05,
            "ignore_eos": True,
            "return_tokens": True,
            "stream": True,
        }
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/completion", json.dumps(body), headers)
        came: list[tuple[float, bytes]] = []
        for line in connection.getresponse():
            came.append((time.perf_counter() - start, line))
        connection.close()
        for at, line in came:
            if line.startswith(b"data: {"):
                answer = json.loads(line[6:])
                if not answer.get("stop") and (count := len(answer["tokens"])):
                    result.add(at, count)


@asynccontextmanager
async def server(program: str, model: Path, threads: int, n_vocab: int) -> AsyncIterator[Server]:
    """Start llama-server; it ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *NICE,
        program,
        "-m",
        str(model),
        "-t",
        str(threads),
        "-np",
        str(SLOTS),
        "-c",
        str(SLOTS * SLOT_CONTEXT),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-ui",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + START_TIMEOUT_S
        while not await asyncio.to_thread(_healthy, port):
            if process.returncode is not None or time.monotonic() > end:
                sys.exit("llama-server did not start")
            await asyncio.sleep(0.05)
        rival = Server(port, n_vocab)
        await rival.decode(16, 16, SLOTS)
        yield rival
    finally:
        await _end(process)


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.suppress(OSError), contextlib.closing(connection):
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    return False


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
