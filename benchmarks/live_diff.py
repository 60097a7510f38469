"""Measures what live diffing costs: four outputs of 5,000 words arriving at 400 tokens/s in all.

    .venv/bin/python benchmarks/live_diff.py

Texts are made up, a token is taken for a word, and nothing waits: the CPU time of all diffs
against the first output is set against the seconds that the arrival would have taken.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from llamadiff.compare.diff.ignore import NOTHING, Ignore
from llamadiff.compare.diff.ignoring import differ
from llamadiff.compare.diff.live import diff
from llamadiff.compare.diff.units import Mode, split

OUTPUTS = 4
WORDS = 5_000
TOKENS_PER_SECOND = 400
UPDATES_PER_SECOND = 12
MODES: list[Mode] = ["word", "char", "line", "token"]
IGNORE = {"": NOTHING, "-i -b": Ignore(case=True, space=True)}
KINDS = {"same": 0.0, "edited": 0.05, "unrelated": 1.0}
"""Name and share of the words at which another output departs from the first."""


@dataclass(frozen=True)
class Cost:
    """Of one arrival: share of a core, longest update and last one in ms, units per token."""

    core: float
    longest_ms: float
    last_ms: float
    compared: float


def prose(rng: random.Random, count: int) -> list[str]:
    """Words, a few of them frequent, with punctuation and paragraphs."""
    letters = "etaoinshrdlucmfwyp"

    def word() -> str:
        rank = int(rng.paretovariate(0.6)) % 20_000
        core = "".join(letters[(rank * 7 + i * rank // 3) % 18] for i in range(2 + rank % 8))
        return core + rng.choice([" "] * 12 + [", ", ". ", ".\n\n"])

    return [word() for _ in range(count)]


def departing(words: list[str], rng: random.Random, share: float) -> list[str]:
    """The same number of words, with other ones in places."""
    if share == 1.0:
        return prose(rng, len(words))
    return [prose(rng, 1)[0] if rng.random() < share else word for word in words]


def measure(mode: Mode, words: int, share: float, ignore: Ignore) -> Cost:
    """Let all outputs arrive at the same pace and be compared with the first."""
    rng = random.Random(5)
    first = prose(rng, words)
    outputs = [first, *(departing(first, rng, share) for _ in range(OUTPUTS - 1))]
    texts = ["".join(output) for output in outputs]
    ends = [[0] for _ in outputs]
    for output, so_far in zip(outputs, ends, strict=True):
        for word in output:
            so_far.append(so_far[-1] + len(word))
    seconds = words * OUTPUTS / TOKENS_PER_SECOND
    steps = int(seconds * UPDATES_PER_SECOND)
    differs = [differ(mode, ignore) for _ in outputs[1:]]
    spent: list[float] = []
    for step in range(1, steps + 1):
        count = words * step // steps
        done = step == steps
        now = [text[: so_far[count]] for text, so_far in zip(texts, ends, strict=True)]
        upto = [so_far[1 : count + 1] for so_far in ends]
        for it, text, text_ends in zip(differs, now[1:], upto[1:], strict=True):
            start = time.process_time()
            it.update(now[0], text, a_done=done, b_done=done, a_ends=upto[0], b_ends=text_ends)
            spent.append(time.process_time() - start)
    compared = sum(it.units_compared for it in differs)
    return Cost(
        core=sum(spent) / seconds,
        longest_ms=1000 * max(spent[: -len(differs)]),
        last_ms=1000 * max(spent[-len(differs) :]),
        compared=compared / (2 * words * len(differs)),
    )


def main() -> None:
    print(
        f"{OUTPUTS} outputs of {WORDS:,} words, {TOKENS_PER_SECOND} tokens/s in all, "
        f"{UPDATES_PER_SECOND} updates/s, {OUTPUTS - 1} diffs against the first\n"
    )
    head = (
        "mode",
        "outputs",
        "% of a core",
        "longest ms",
        "last ms",
        "compared at 500",
        "at 5,000",
    )
    print("{:12} {:10} {:>12} {:>11} {:>8} {:>16} {:>9}".format(*head))
    for ignored, ignore in IGNORE.items():
        for mode in MODES:
            for kind, share in KINDS.items():
                small = measure(mode, WORDS // 10, share, ignore)
                large = measure(mode, WORDS, share, ignore)
                print(
                    f"{mode + ' ' + ignored:12} {kind:10} {100 * large.core:12.2f} "
                    f"{large.longest_ms:11.1f} {large.last_ms:8.1f} {small.compared:16.1f} "
                    f"{large.compared:9.1f}"
                )
    print("\n(compared: units looked at for each unit that arrived, in texts of so many words;")
    print("-i -b: case and white space ignored)")

    rng = random.Random(1)
    diff("warm", "up", "char")
    a, b = "".join(prose(rng, WORDS)), "".join(prose(rng, WORDS))
    for mode in ("word", "char", "line"):
        start = time.process_time()
        diff(a, b, mode)
        print(
            f"two finished unrelated texts of {len(split(a, 'word')):,} units, {mode}: "
            f"{1000 * (time.process_time() - start):.1f} ms"
        )


if __name__ == "__main__":
    main()
