"""What the property test asks of the engine, and the process that knows the answers."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec.structs import replace

from llamadiff.models.engine.chunks import plan
from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.protocol import AdapterUse, Event, Request, Sampling

from ...conftest import Heard
from .asking import NEVER_END

LONGEST = 700
"""Tokens of a prompt; with a context of 768 some outputs reach its end."""
PATIENCE_S = 60.0
Command = list[Request]


class Reference:
    """The process of reference.py. It is asked for nothing twice."""

    def __init__(self, base: Path, n_ctx: int, n_threads: int) -> None:
        script = Path(__file__).with_name("reference.py")
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(script), str(base), str(n_ctx), str(n_threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._known: dict[str, dict[str, Any]] = {}
        vocabulary = self._read()
        self.pieces = [piece.encode("latin-1") for piece in vocabulary["pieces"]]

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        assert self._process.wait(PATIENCE_S) == 0

    def answer(self, request: Request, forced: list[int] | None = None) -> dict[str, Any]:
        """See reference.Reference.answer; stop strings are left to the caller."""
        ask = json.dumps(
            {
                "tokens": request.tokens,
                "adapters": [(use.path, use.scale) for use in request.adapters],
                "sampling": msgspec.to_builtins(request.sampling, str_keys=True),
                "logprobs": request.logprobs,
                "forced": forced,
            }
        )
        if ask not in self._known:
            assert self._process.stdin
            self._process.stdin.write(ask + "\n")
            self._process.stdin.flush()
            self._known[ask] = self._read()
        return self._known[ask]

    def text(self, tokens: Sequence[int]) -> str:
        return b"".join(self.pieces[token] for token in tokens).decode("utf-8", "replace")

    def stopped(self, tokens: Sequence[int], stop: Sequence[str]) -> tuple[int, str] | None:
        """How many tokens it takes to complete a stop string, and the text before it."""
        for count in range(1, len(tokens) + 1) if stop else ():
            text = self.text(tokens[:count])
            if found := [text.index(it) for it in stop if it in text]:
                return count, text[: min(found)]
        return None


# ------------------------------------------------------------------------------ what is asked


def prompt(length: int, seed: int) -> list[int]:
    chance = random.Random(seed)
    return [chance.randrange(8, 2048) for _ in range(length)]


LENGTHS = st.sampled_from([100, 300, 32, 33, 65, 255, 256, 257, 288, 512, 545, 700, 1])
PROMPTS = st.builds(prompt, LENGTHS | st.integers(1, LONGEST), st.integers(0, 3))
SCALES = st.sampled_from([1.0, 0.5, 0.0, 1.3, -0.7])
STACKS = st.lists(
    st.tuples(st.sampled_from(["support", "sentiment"]), SCALES), max_size=2, unique_by=lambda u: u[0]
)  # fmt: skip
FILTERS: list[dict[str, Any]] = [
    {},
    {"top_k": 0, "min_p": 0.0, "top_p": 1.0},
    {"repeat_penalty": 1.3, "repeat_last_n": 20, "presence_penalty": 0.2},
    {"dry_multiplier": 0.8, "dry_allowed_length": 1},
    {"xtc_probability": 0.5, "xtc_threshold": 0.05, "typical_p": 0.9},
    {"samplers": ("temperature", "min_p", "top_k"), "top_n_sigma": 1.0},
    {"mirostat": 2},
]


@st.composite
def samplings(draw: st.DrawFn) -> Sampling:
    return Sampling(
        max_tokens=draw(st.sampled_from([20, 1, 5, 40, 80])),
        seed=draw(st.integers(0, 2)),
        temperature=draw(st.sampled_from([0.8, 0.0, 1.5])),
        logit_bias=draw(st.sampled_from([{}, NEVER_END])),
        **draw(st.sampled_from(FILTERS)),
    )


@st.composite
def commands(draw: st.DrawFn) -> Command:
    """One to four requests over one or two prompts, perhaps one of them twice, perhaps repeated.

    An adapter's path is its name until it is sent.
    """
    prompts = draw(st.lists(PROMPTS, min_size=1, max_size=2))
    exact = draw(st.sampled_from([[True], [False], [True, False]]))
    requests: Command = []
    for _ in range(draw(st.integers(1, 4))):
        stack = tuple(AdapterUse(name, scale) for name, scale in draw(STACKS))
        requests.append(
            Request(
                id=0,
                tokens=draw(st.sampled_from(prompts)),
                adapters=stack,
                sampling=draw(samplings()),
                stop=draw(st.sampled_from([(), ("e ",), ("zqx", ". ", "s a")])),
                logprobs=draw(st.sampled_from([4, 1, 4, 0])),
                exact=draw(st.sampled_from(exact)),
            )
        )
    if len(requests) < 4 and draw(st.booleans()):
        requests.append(requests[0])
    repeats = draw(st.sampled_from([1, 1, 2]))
    return [
        replace(it, group=i, sampling=replace(it.sampling, seed=it.sampling.seed + i))
        for it in requests
        for i in range(repeats)
    ]


@dataclass(frozen=True)
class Edit:
    """A change to a prompt that leaves a part of it as it was."""

    how: str
    count: int
    seed: int

    def of(self, tokens: list[int]) -> list[int]:
        new = prompt(self.count, 100 + self.seed)
        match self.how:
            case "head":
                return [*new, *tokens[self.count :]][:LONGEST]
            case "tail":
                return [*tokens[: -self.count], *new]
            case "append":
                return [*tokens, *new][-LONGEST:]
            case _:
                return tokens[: max(1, len(tokens) - self.count)]


EDITS = st.builds(
    Edit,
    st.sampled_from(["append", "tail", "head", "cut"]),
    st.sampled_from([40, 1, 4, 32, 256]),
    st.integers(0, 3),
)


def touch(tokens: list[int], chunk: int, first: bool) -> list[int]:
    """The prompt with another first or last token in one of its chunks."""
    ends = [0, *plan(len(tokens))]
    at = ends[chunk % (len(ends) - 1)] if first else ends[1 + chunk % (len(ends) - 1)] - 1
    return [*tokens[:at], 8 + (tokens[at] - 7) % 2040, *tokens[at + 1 :]]


SIGNALS = st.sampled_from([signal.SIGKILL, signal.SIGABRT])
MOMENTS = st.integers(1, 40)
"""Counts events: what happens does so once that many have arrived."""


def without_end(command: Command) -> Command:
    """The command with outputs long enough to be interrupted."""
    return [
        replace(it, stop=(), sampling=replace(it.sampling, max_tokens=100, logit_bias=NEVER_END))
        for it in command
    ]


# --------------------------------------------------------------------------- what is listened to


class Overheard(Engine):
    """An engine whose events are shown to `note` as they arrive."""

    def __init__(self, log_path: Path, note: Callable[[Sequence[Event]], None]) -> None:
        super().__init__(log_path)
        self._note = note

    def _dispatch(self, events: list[Event]) -> None:
        self._note(events)
        super()._dispatch(events)


def off(it: Heard, want: Mapping[str, Any]) -> list[float]:
    """How far each log-probability is from the reference's."""
    assert [score.token for score in it.logprobs] in ([], it.tokens)
    pairs = zip(it.logprobs, want["logprobs"], strict=False)
    return [abs(mine.logprob - logprob) for mine, (logprob, _) in pairs]


def lane(request: Request) -> object:
    """What requests must have in common to share a cache."""
    return tuple(use for use in request.adapters if use.scale), request.exact
