"""From the last key to the token count of a long prompt: each stage, the whole, and the event loop.

A person types letters into a prompt of 200 KB; after each one a preview is made on the real engine,
as the app makes it. "stretch" is the longest time that the event loop did not come round.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from terminal import Terminal

from llamadiff.compare.prepare import previewed, render, tokenized
from llamadiff.compare.preview import Preview
from llamadiff.compare.runner import Runner
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.frames import LENGTH, decode_events, frame
from llamadiff.models.engine.protocol import Request, Sampling, Tokens
from llamadiff.prompts.rendering.helper import Renderer
from llamadiff.tui.widgets.rendered_layers import LAYERS, draw

LETTERS = "ⴰⴱⴳⴷⴹⴻⴼⴽⵀⵃⵄⵅⵇⵉⵊⵍⵎⵏⵓⵔⵕⵖⵙⵚⵛⵜⵟⵡⵢⵣⵥ"
"""Each adds tokens of its own, so the count after it is another."""
ROOT = Path(__file__).parent.parent
ENDLESS = Sampling(max_tokens=100_000, logit_bias=dict.fromkeys(range(8), -100.0))


def long_text(size: int, *, lines: bool) -> str:
    """Prose of the repository, repeated to `size` characters."""
    files = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *sorted(ROOT.glob("compare/*.py"))]
    prose = "".join(path.read_text("utf-8") for path in files).replace("{", "(")
    text = (prose * (size // len(prose) + 1))[:size]
    return text if lines else text.replace("\n", " ")


class Loop:
    """Watches the event loop: `longest` is the longest time it did not come round, in seconds."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        before = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            self.longest = max(self.longest, now - before - 0.001)
            before = now

    def close(self) -> None:
        self._task.cancel()


async def timed(times: list[float], work: Awaitable[object]) -> object:
    began = time.perf_counter()
    result = await work
    times.append((time.perf_counter() - began) * 1000)
    return result


async def measure(runner: Runner, variant: Variant, n: int, *, streaming: bool) -> dict[str, float]:
    """Milliseconds of each stage (medians), of the whole (median and largest), and the stretch."""
    rng = random.Random(1)
    stages: dict[str, list[float]] = {}
    loaded = await runner.load(variant)
    facts = runner.facts(variant.model)
    stream = asyncio.create_task(endless(runner, loaded)) if streaming else None
    loop = Loop()
    whole: list[float] = []

    def typed(variant: Variant) -> Variant:
        user = variant.prompt.user
        at = rng.randrange(len(user))
        return replace(variant, prompt=replace(variant.prompt, user=f"{user[:at]}x{user[at:]}"))

    async def stage(name: str, work: Awaitable[object]) -> object:
        return await timed(stages.setdefault(name, []), work)

    began = time.perf_counter()
    await runner.preview(variant, {})
    cold = (time.perf_counter() - began) * 1000
    loop.longest = 0.0
    for _ in range(n):
        variant = typed(variant)
        began = time.perf_counter()
        await asyncio.to_thread(runner.renderer.template_variables, variant.prompt)
        preview = await runner.preview(variant, {})
        whole.append((time.perf_counter() - began) * 1000)
    stretch = loop.longest * 1000
    for _ in range(n):
        variant = typed(variant)
        prompt = variant.prompt
        names = asyncio.to_thread(runner.renderer.template_variables, prompt)
        await stage("template read", names)
        chat = await stage(
            "rendered", render(runner.renderer, loaded, facts.chat_templates, prompt, {})
        )
        tokens = await stage("tokenized, with the pipe", tokenized(runner.engine, chat))  # type: ignore[arg-type]
        from llamadiff.compare.prepare import Prepared

        ready = Prepared(chat, tokens, ENDLESS, ())  # type: ignore[arg-type]
        preview = await stage("counted", asyncio.to_thread(previewed, runner.renderer, ready))
    assert isinstance(preview, Preview)
    packed: list[float] = []
    began = time.perf_counter()
    data = frame([Tokens.of(0, preview.tokens, dict(preview.texts))])
    packed.append((time.perf_counter() - began) * 1000)
    began = time.perf_counter()
    decode_events(data[LENGTH.size :])
    unpacked = (time.perf_counter() - began) * 1000
    layers: dict[str, float] = {}
    for layer in LAYERS:
        began = time.perf_counter()
        await asyncio.to_thread(draw, preview, layer, ids=layer == "tokens", width=100)
        layers[f"layer {layer}"] = (time.perf_counter() - began) * 1000
    loop.close()
    if stream is not None:
        stream.cancel()
    return {
        "tokens": len(preview.tokens),
        "cold": cold,
        "whole": statistics.median(whole),
        "whole_max": max(whole),
        "stretch": stretch,
        **{name: statistics.median(times) for name, times in stages.items()},
        "msgpack": packed[0] + unpacked,
        **layers,
    }


async def endless(runner: Runner, model: object) -> None:
    tokens = (await runner.engine.tokenize(model, "Dogs are", add_special=False)).tokens  # type: ignore[arg-type]
    while True:
        requests = [Request(runner.engine.new_id(), tokens, sampling=ENDLESS) for _ in range(4)]
        async for _ in runner.engine.generate(model, requests):  # type: ignore[arg-type]
            pass


async def everything(n: int, size: int, report: Callable[[str, dict[str, float]], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder) / "engine.log")
        with Renderer() as renderer:
            runner = Runner(engine, renderer, cache_dir=Path(folder))
            (variant,) = make_variants(Defaults(), ["prompt=tell-me-about"])
            for lines in (True, False):
                for streaming in (False, True):
                    user = long_text(size, lines=lines)
                    it = replace(variant, prompt=replace(variant.prompt, user=user, variables=()))
                    what = "many lines" if lines else "one line"
                    name = f"{what}{', four streams' if streaming else ''}"
                    report(name, await measure(runner, it, n, streaming=streaming))
        await engine.close()


def in_the_app(n: int, size: int, *, lines: bool) -> dict[str, float]:
    """Milliseconds from a key in the app, in a pty, to the paint of the new count."""
    with tempfile.TemporaryDirectory() as folder:
        prompt = Path(folder) / "long.toml"
        prompt.write_text(
            f'name = "Long"\nuser = """\n{toml(long_text(size, lines=lines))}"""\n', "utf-8"
        )
        argv = [str(Path(sys.executable).parent / "llamadiff"), "-p", str(prompt)]
        terminal = Terminal(argv, env={"LLAMADIFF_HOME": folder})
        times: list[float] = []
        try:
            terminal.wait_for("ready", start=0)
            terminal.wait(lambda: painted_count(terminal.seen), 30, "a count")
            terminal.drain(2)
            for number in range(n):
                before = painted_count(terminal.seen)
                pressed = terminal.send(LETTERS[number % len(LETTERS)])
                found = terminal.wait(
                    lambda before=before: painted_count(terminal.seen) != before, 10, "a new count"
                )
                times.append((found - pressed) * 1000)
                terminal.drain(0.3)
        finally:
            terminal.close()
    times.sort()
    return {
        "tokens": 0,
        "median": statistics.median(times),
        "p90": times[int(len(times) * 0.9) - 1],
        "largest": times[-1],
    }


def painted_count(seen: bytearray) -> bytes | None:
    """The count of tokens that was painted last."""
    found = re.findall(rb"([0-9][0-9,]*) tok\x1b", bytes(seen[-400_000:]))
    return found[-1] if found else None


def toml(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=30, help="keys")
    parser.add_argument("--size", type=int, default=200_000, help="characters")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    def report(name: str, figures: dict[str, float]) -> None:
        if options.json:
            print(json.dumps({"prompt": name, **figures}))
            return
        rest = ", ".join(f"{key} {value:.1f}" for key, value in figures.items() if key != "tokens")
        print(f"{name}, {figures['tokens']:,.0f} tokens, ms: {rest}")
        sys.stdout.flush()

    for lines in (True, False):
        what = "many lines" if lines else "one line"
        figures = in_the_app(options.n, options.size, lines=lines)
        report(f"in the app, key to painted count, {what}", figures)
    asyncio.run(everything(options.n, options.size, report))


if __name__ == "__main__":
    main()
