"""The history at size: its first page, a search, and what a kill at a random moment loses.

    .venv/bin/python benchmarks/history.py

Outputs are made up: 1,000 characters of words of very different frequency, four to a run. Each
figure is of a program that has just been started and opens the history for the first time; the
file has been read before. The kills are of `llamadiff run`, and what counts as said is what
another process had read from it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from llamadiff.compare.history.entries import Wanted
from llamadiff.compare.history.history import History
from llamadiff.compare.run import Output, Run, Stamp, State
from llamadiff.compare.variants import Variant
from llamadiff.models.engine.protocol import Timings
from llamadiff.prompts.document import Prompt

VARIANTS = 4
WORDS = 160
SEARCHES = {
    "a word of nearly every output": "w0",
    "a word of one in a hundred": "w199",
    "a rare word": "w15000",
    "three words, the last unfinished": "w3 w40 w2",
    "the first letter of a word": "w",
    "a word of prompts only": "question1234",
    "a word of each prompt": "of",
    "the first, with a model's name": "w0 model",
    "that, with a model's name": "of model",
    "nothing there is": "nowhere",
}


def made(rng: random.Random, number: int) -> Run:
    prompt = Prompt(f"Prompt {number % 50}", user=f"question{number % 5_000} of {number % 50}")
    model = Path(f"/models/{number % 7}.gguf")
    variants = tuple(
        Variant(chr(65 + i), model, f"model-{number % 7}", prompt) for i in range(VARIANTS)
    )
    run = Run(variants, {"topic": f"topic {number}"})
    for variant in variants:
        words = [f"w{int(rng.paretovariate(0.4)) % 20_000 - 1}" for _ in range(WORDS)]
        output = Output(variant, 0, 0, State.DONE, finish_reason="stop")
        for word in words:
            output.text += word + " "
            output.token_ends.append(len(output.text))
        output.tokens = [rng.randrange(32_000) for _ in words]
        output.timings = Timings(0.01, 20, 0, WORDS, 300.0, 2)
        output.stamp = Stamp("0" * 64, (), prompt.user, list(range(20)))
        run.outputs.append(output)
    return run


def fill(folder: Path, outputs: int) -> None:
    rng = random.Random(1)
    history = History(folder, "0", print)
    for number in range(outputs // VARIANTS):
        run = made(rng, number)
        history.begin(run)
        history.end(run)
        if number % 500 == 499:
            history.flush()
    history.close()


def inside(folder: Path, text: str) -> None:
    """One first look, in this process; prints its seconds and how much was found."""
    start = time.perf_counter()
    history = History(folder, "0", print)
    if text.endswith(" model"):
        wanted = Wanted(text=text.removesuffix(" model"), model="model-3")
        found: list[object] = list(history.search(wanted))
    elif text:
        found = list(history.search(Wanted(text=text)))
    else:
        found = list(history.page())
    print(time.perf_counter() - start, len(found))
    history.close()


def look(folder: Path, text: str, times: int) -> tuple[list[float], int]:
    """Milliseconds, sorted, of as many programs, and how much each found."""
    command = [sys.executable, __file__, "--inside", str(folder), "--text", text]
    said = [subprocess.run(command, check=True, capture_output=True, text=True).stdout.split() for _ in range(times)]  # fmt: skip
    return sorted(1000 * float(seconds) for seconds, _ in said), int(said[0][1])


PROMPT = """\
name = "Endless"
user = "Tell me about dogs."
[sampling]
max_tokens = 100000
logit_bias = { %s }
"""


def kill(home: Path, rng: random.Random) -> tuple[float, bool]:
    """Kill a run at a random moment. How many seconds before that the newest text that is lost was
    said (0 when none is), and whether the database is sound."""
    prompt = home / "endless.toml"
    prompt.write_text(PROMPT % ", ".join(f'"{token}" = -100.0' for token in range(8)))
    argv = [str(Path(sys.executable).parent / "llamadiff"), "run", "-p", str(prompt), "-c", "60000"]
    program = subprocess.Popen(
        [*argv, "--json", "--stream", "--variant", "seed=1", "--variant", "seed=2,adapter=support"],
        stdout=subprocess.PIPE,
        env={**os.environ, "LLAMADIFF_HOME": str(home)},
    )
    heard: list[tuple[float, str, str]] = []
    first = threading.Event()

    def listen() -> None:
        assert program.stdout is not None
        for line in program.stdout:
            now = time.perf_counter()
            with contextlib.suppress(json.JSONDecodeError):
                piece = json.loads(line)
                heard.append((now, piece["variant"], piece["text"]))
            first.set()

    listener = threading.Thread(target=listen)
    listener.start()
    first.wait()
    time.sleep(rng.random() * 3)
    killed = time.perf_counter()
    program.send_signal(signal.SIGKILL)
    program.wait()
    listener.join()
    history = History(home / "state", "0", print)
    kept: dict[str, str] = {}
    if runs := history.page(limit=1):
        kept = {output.variant.name: output.text for output in history.open(runs[0].id).outputs}
        history.remove([runs[0].id])
    history.close()
    oldest_lost = killed
    said: dict[str, int] = {}
    for when, variant, text in heard:
        said[variant] = said.get(variant, 0) + len(text)
        if said[variant] > len(kept.get(variant, "")):
            oldest_lost = min(oldest_lost, when)
    connection = sqlite3.connect(home / "state" / "history.db")
    sound = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    return killed - oldest_lost, sound


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outputs", type=int, default=100_000)
    parser.add_argument("-n", type=int, default=9, help="programs for each figure")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--text", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        inside(options.inside, options.text)
        return
    folder = Path(tempfile.mkdtemp())
    try:
        if options.outputs:
            start = time.perf_counter()
            fill(folder, options.outputs)
            size = (folder / "history.db").stat().st_size
            seconds = time.perf_counter() - start
            print(f"{options.outputs:,} outputs, {size / 1e6:,.0f} MB, written in {seconds:.0f} s")
            for name, text in {"the first page": "", **SEARCHES}.items():
                times, found = look(folder, text, options.n)
                print(f"{name:34} {statistics.median(times):7.1f} ms (longest {times[-1]:.1f}), {found} found")  # fmt: skip
        (folder / "home").mkdir()
        rng = random.Random(7)
        if lost := [kill(folder / "home", rng) for _ in range(options.kills)]:
            seconds_lost = sorted(seconds for seconds, _ in lost)
            print(
                f"{len(lost)} runs killed: the oldest text lost was {seconds_lost[-1]:.2f} s old at most, "
                f"{statistics.median(seconds_lost):.2f} s in the median; {sum(sound for _, sound in lost)} databases sound"
            )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
