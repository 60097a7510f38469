"""Four variants through the app in a pty, all its screen painting, beside the engine alone.

    .venv/bin/python benchmarks/app.py --shape 1.1B

One app stays open and runs its four variants again and again, in turn with an engine of our own
that is asked for the same: prompt, seeds, length. Both choose their number of threads as they do
for a person, and give threads up when the cores are wanted elsewhere. Tokens are counted where
they arrive, at the engine's client; the app's are noted by a wrapper around that client.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from files import file_options, model_file, models_of
from terminal import Terminal

from llamadiff.models.bench.bench import Bench
from llamadiff.models.bench.figures import Figure, paired
from llamadiff.models.bench.streams import Stream, hear, tokens_per_s
from llamadiff.models.engine.client import Engine, StreamEvent
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import Request

VARIANTS = 4
END = 2
"""The token that ends a text in every shape."""
PROMPT = """\
name = "Random"
user = "Whatever it is, this model has something to say about it."
[sampling]
max_tokens = {tokens}
logit_bias = {{ "{end}" = -100000.0 }}
"""


class Heard(msgspec.Struct):
    """One run in the app."""

    prompt: list[int]
    tokens_per_s: float
    threads: int


def inside(report: Path, arguments: Sequence[str]) -> None:
    """The app itself, which appends a Heard to `report` after each run."""
    from llamadiff.tui.cli.main import main

    generate = Engine.generate

    async def noted(
        self: Engine, model: LoadedModel, requests: Sequence[Request]
    ) -> AsyncIterator[list[StreamEvent]]:
        streams = {request.id: Stream() for request in requests}
        sent = time.perf_counter()
        async for events in generate(self, model, requests):
            hear(streams, events, time.perf_counter() - sent)
            yield events
        heard = Heard(
            requests[0].tokens,
            tokens_per_s(list(streams.values())),
            min(stream.threads for stream in streams.values()),
        )
        with report.open("ab") as file:
            file.write(msgspec.json.encode(heard) + b"\n")

    Engine.generate = noted
    main(arguments)


def run_in_app(terminal: Terminal, report: Path, count: int) -> Heard:
    """Press run and watch until the `count`-th run is over."""

    def lines() -> list[bytes]:
        return report.read_bytes().splitlines() if report.exists() else []

    terminal.send("\x12")  # ctrl+r: run
    terminal.wait(lambda: len(lines()) >= count, 600, f"run {count}")
    terminal.drain(0.5)
    return msgspec.json.decode(lines()[-1], type=Heard)


class Result(msgspec.Struct):
    """The figure, the fewest threads that computed for either, and the bytes of a run's painting."""

    figure: Figure
    app_threads: int
    engine_threads: int
    painted_bytes: int


async def measure(path: Path, folder: Path, rounds: int, tokens: int) -> Result:
    prompt, report = folder / "random.toml", folder / "report"
    prompt.write_text(PROMPT.format(tokens=tokens, end=END))
    argv = [sys.executable, __file__, "--inside", str(report), "-m", str(path), "-p", str(prompt)]
    for seed in range(VARIANTS):
        argv += ["--variant", f"seed={seed}"]
    terminal = Terminal(argv, env={"LLAMADIFF_HOME": str(folder)})
    engine = Engine(folder / "engine.log")
    try:
        terminal.wait_for("ready", start=0)
        bench = Bench(engine, await engine.load(path), bare=None, ends=[END], tokens=tokens)
        heard = run_in_app(terminal, report, 1)
        await bench.listen(*(bench.request(heard.prompt, tokens) for _ in range(VARIANTS)))
        pairs: list[tuple[float, float]] = []
        threads: list[tuple[int, int]] = []
        painted = len(terminal.seen)
        for i in range(rounds):
            heard = run_in_app(terminal, report, i + 2)
            requests = [bench.request(heard.prompt, tokens, seed=seed) for seed in range(VARIANTS)]
            alone = await bench.listen(*requests)
            pairs.append((heard.tokens_per_s, tokens_per_s(alone)))
            threads.append((heard.threads, min(stream.threads for stream in alone)))
        title = f"{VARIANTS} variants in the app, total"
        return Result(
            paired(title, "tokens/s", "engine alone", pairs),
            min(app for app, _ in threads),
            min(alone for _, alone in threads),
            (len(terminal.seen) - painted) // rounds,
        )
    finally:
        terminal.close()
        await engine.close()


def main() -> None:
    parser = file_options(__doc__, rounds=7)
    parser.add_argument("--tokens", type=int, default=256, help="length of a stream [256]")
    options = parser.parse_args()
    document: list[dict[str, Any]] = []
    for shape, kind in models_of(options):
        path = model_file(options.files, shape, kind)
        with tempfile.TemporaryDirectory() as folder:
            it = asyncio.run(measure(path, Path(folder), options.rounds, options.tokens))
        document.append({"shape": shape, "type": kind, **msgspec.to_builtins(it)})
        if not options.json and it.figure.reference:
            print(
                f"{shape} {kind}: {it.figure.value.median:.1f} tokens/s in the app, "
                f"{it.figure.reference.median:.1f} of the engine alone, {it.figure.ratio}; fewest "
                f"threads {it.app_threads} and {it.engine_threads}; "
                f"{it.painted_bytes:,} bytes painted in a run"
            )
    if options.json:
        print(json.dumps(document, indent=2))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(Path(sys.argv[2]), sys.argv[3:])
    else:
        main()
