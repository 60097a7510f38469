"""Time from a key press to its paint while four variants stream, over a slow line.

    .venv/bin/python benchmarks/slow_line.py [--rate BYTES_PER_S] [--buffer BYTES] [-n KEYS]

Between the app's pty and the terminal is what ssh has there: a buffer that takes at once all that
the app writes, and a line that empties it slowly. The terminal answers when it is asked how it is
(DSR), at the time when that reaches it. Each key is a letter that no output holds, so that its first
appearance at the terminal is its paint.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from key_latency import LETTERS, PROMPT
from terminal import Terminal

STEP_S = 0.005


class FarTerminal(Terminal):
    """`seen` is what came through the line; `written` counts what the app wrote."""

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], rate: float, buffer: int
    ) -> None:
        super().__init__(argv, env=env)
        self._rate, self._buffer = rate, buffer
        self._waiting = bytearray()
        self._passed_on = time.perf_counter()
        self.written = 0

    def wait(self, condition: Callable[[], object], timeout_s: float, what: str) -> float:
        end = time.perf_counter() + timeout_s
        while not condition():
            if time.perf_counter() > end:
                raise TimeoutError(f"{what!r} did not appear")
            self._pass_on()
        return time.perf_counter()

    def drain(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self._pass_on()

    def _pass_on(self) -> None:
        """Take what the app wrote, as far as there is room, and let through what the line takes."""
        room = self._buffer - len(self._waiting)
        if room <= 0:
            time.sleep(STEP_S)
        elif select.select([self.fd], [], [], STEP_S)[0]:
            data = os.read(self.fd, min(65536, room))
            self.written += len(data)
            if not self._waiting:
                self._passed_on = time.perf_counter()
            self._waiting += data
        count = min(len(self._waiting), int((time.perf_counter() - self._passed_on) * self._rate))
        if count:
            self._passed_on += count / self._rate
            self.arrive(bytes(self._waiting[:count]))
            del self._waiting[:count]


def measure(terminal: FarTerminal, keys: int) -> dict[str, float]:
    terminal.wait_for("ready", start=0)
    terminal.send("\x12")  # ctrl+r: run
    terminal.wait_for("streaming", timeout_s=60)
    terminal.drain(10)
    latencies: list[float] = []
    pause = random.Random(1)
    start, written = time.perf_counter(), terminal.written
    for i in range(keys):
        letter = LETTERS[i % len(LETTERS)]
        begin = len(terminal.seen)
        pressed = terminal.send(letter)
        latencies.append(terminal.wait_for(letter, timeout_s=600, start=begin) - pressed)
        terminal.drain(0.2 + pause.random() * 1.5)
    seconds = time.perf_counter() - start
    latencies.sort()
    return {
        "keys": keys,
        "median_s": statistics.median(latencies),
        "max_s": latencies[-1],
        "written_per_s": (terminal.written - written) / seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=4096, help="bytes/s of the line [4096]")
    parser.add_argument("--buffer", type=int, default=512 * 1024, help="bytes [524288]")
    parser.add_argument("-n", type=int, default=30, help="key presses [30]")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prompt = Path(folder) / "endless.toml"
        prompt.write_text(PROMPT % ", ".join(f'"{token}" = -100.0' for token in range(8)))
        argv = [str(Path(sys.executable).parent / "llamadiff"), "-p", str(prompt), "-c", "60000"]
        for variant in ("adapter=none", "adapter=support", "adapter=none,seed=1", "adapter=sentiment@0.3"):  # fmt: skip
            argv += ["--variant", variant]
        terminal = FarTerminal(argv, {"LLAMADIFF_HOME": folder}, options.rate, options.buffer)
        try:
            result = measure(terminal, options.n)
        finally:
            terminal.close()
    if options.json:
        print(json.dumps(result))
        return
    print(
        f"a line of {options.rate:,.0f} bytes/s behind {options.buffer:,} bytes, {options.n} keys: "
        f"median {result['median_s']:.2f} s, largest {result['max_s']:.2f} s; "
        f"{result['written_per_s']:,.0f} bytes/s written"
    )


if __name__ == "__main__":
    main()
