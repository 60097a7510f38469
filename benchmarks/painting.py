"""What streaming costs a terminal: bytes for each token, and how much of a core the screen takes.

    .venv/bin/python benchmarks/painting.py [--rate TOKENS_PER_S] [--seconds S]

Four panes at 120x40 in a pty, their texts compared with the first one's, statistics shown. The
bundled model's tokens are held back at the engine's client and given on at an even rate, so that
what is measured does not hang on the machine's speed and the engine does not compute meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import psutil
from key_latency import PROMPT
from terminal import Terminal

from llamadiff.models.engine.client import Engine, StreamEvent
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import Delta, Request

VARIANTS = ("adapter=none", "adapter=support", "adapter=none,seed=1", "adapter=sentiment@0.3")
WARM_S = 5
"""Until all panes are full and scroll."""


def inside(report: Path, rate: float, arguments: Sequence[str]) -> None:
    """The app itself, at `rate` tokens/s in all; how many came so far is in `report`."""
    from llamadiff.tui.cli.main import main

    generate, file = Engine.generate, os.open(report, os.O_WRONLY | os.O_CREAT)

    async def paced(
        self: Engine, model: LoadedModel, requests: Sequence[Request]
    ) -> AsyncIterator[list[StreamEvent]]:
        waiting: dict[int, list[StreamEvent]] = {request.id: [] for request in requests}
        async for events in generate(self, model, requests):
            for event in events:
                waiting[event.id] += _single(event) if isinstance(event, Delta) else [event]
        start, given = time.perf_counter(), 0
        while any(waiting.values()):
            due = [events.pop(0) for events in waiting.values() if events]
            given += sum(isinstance(event, Delta) for event in due)
            os.pwrite(file, b"%d" % given, 0)
            yield due
            await asyncio.sleep(max(0.0, start + given / rate - time.perf_counter()))

    Engine.generate = paced
    main(arguments)


def _single(delta: Delta) -> list[StreamEvent]:
    """A delta as one for each of its tokens."""
    starts = [0, *delta.ends]
    return [
        Delta(delta.id, delta.text[start:end], [token], [end - start])
        for token, start, end in zip(delta.tokens, starts, delta.ends, strict=False)
    ]


def measure(terminal: Terminal, report: Path, seconds: float) -> dict[str, float]:
    terminal.wait_for("ready", start=0)
    terminal.send("\x12")  # ctrl+r: run
    terminal.wait(lambda: report.exists() and report.read_bytes(), 120, "a first token")
    terminal.drain(WARM_S)
    app = psutil.Process(terminal.pid)
    tokens, written, cpu, start = _now(terminal, report, app)
    terminal.drain(seconds)
    tokens_end, written_end, cpu_end, end = _now(terminal, report, app)
    came = tokens_end - tokens
    return {
        "tokens_per_s": came / (end - start),
        "bytes_per_token": (written_end - written) / came,
        "core": (cpu_end - cpu) / (end - start),
    }


def _now(terminal: Terminal, report: Path, app: psutil.Process) -> tuple[int, int, float, float]:
    times = app.cpu_times()
    cpu = times.user + times.system
    return int(report.read_bytes()), len(terminal.seen), cpu, time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=100, help="tokens/s in all [100]")
    parser.add_argument("--seconds", type=float, default=30, help="how long to look [30]")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    each = int((options.seconds + 2 * WARM_S) * options.rate / len(VARIANTS))
    with tempfile.TemporaryDirectory() as folder:
        report, prompt = Path(folder) / "report", Path(folder) / "long.toml"
        ruled_out = ", ".join(f'"{token}" = -100.0' for token in range(8))
        prompt.write_text((PROMPT % ruled_out).replace("100000", f"{each}"))
        argv = [sys.executable, __file__, "--inside", str(report), f"{options.rate}"]
        argv += ["-p", str(prompt), "-c", "8192"]
        for variant in VARIANTS:
            argv += ["--variant", variant]
        terminal = Terminal(argv, env={"LLAMADIFF_HOME": folder})
        try:
            result = measure(terminal, report, options.seconds)
        finally:
            terminal.close()
    if options.json:
        print(json.dumps(result))
        return
    print(
        f"{len(VARIANTS)} panes at {result['tokens_per_s']:.0f} tokens/s in all: "
        f"{result['bytes_per_token']:.0f} bytes a token, {100 * result['core']:.1f} % of a core"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(Path(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])
    else:
        main()
