"""What is asked of the engine while it is measured: prompts, streams, stacks."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..engine.client import Engine
from ..engine.loads import LoadedModel
from ..engine.protocol import AdapterUse, ModelSettings, Request, Sampling
from ..gguf.facts import ModelFacts
from ..memory import available_memory, check_memory, estimate
from .bare_client import Bare
from .jobs import N_CTX, NEVER
from .streams import Stream, listen, tokens_per_s

Stack = tuple[AdapterUse, ...]
LONG_PROMPT = 1_500
CHANGED = 4
"""Tokens at the end of a long prompt that an edit changes."""
DEPTH = 64
"""Prompt tokens before a stream whose speed is measured."""


@dataclass
class Bench:
    """An engine and, if there is room for it, a bare loop, each with the model resident.

    `stack` is used wherever one is enough, `stacks` where several are compared.
    """

    engine: Engine
    model: LoadedModel
    bare: Bare | None
    ends: Sequence[int]
    """Tokens that would end a stream early; they are ruled out."""
    stack: Stack = ()
    stacks: Sequence[Stack] = ((),)
    variants: int = 4
    """How many variants share one stack when several are measured."""
    rounds: int = 5
    tokens: int = 128
    """Length of a stream."""
    random: random.Random = field(default_factory=lambda: random.Random(1))

    @property
    def long(self) -> int:
        """Tokens of a long prompt: 1,500, or what the context holds."""
        return min(LONG_PROMPT, self.model.info.n_ctx - 2 * DEPTH)

    def prompt(self, length: int) -> list[int]:
        """Random tokens."""
        n_vocab = self.model.info.n_vocab
        return [self.random.randrange(n_vocab) for _ in range(length)]

    def request(
        self, prompt: list[int], tokens: int, stack: Stack | None = None, seed: int = 0
    ) -> Request:
        bias = dict.fromkeys(self.ends, NEVER)
        sampling = Sampling(max_tokens=tokens, seed=seed, logit_bias=bias)
        stack = self.stack if stack is None else stack
        return Request(self.engine.new_id(), prompt, stack, sampling)

    async def listen(self, *requests: Request) -> list[Stream]:
        return await listen(self.engine, self.model, requests)

    async def first_ms(self, prompt: list[int], stack: Stack | None = None) -> float:
        """Milliseconds until the first token of a prompt is here."""
        (stream,) = await self.listen(self.request(prompt, 1, stack))
        return 1000 * stream.first_s

    async def prefill_speed(self) -> float:
        """Tokens per second of a long prompt until its first token is here, nothing cached."""
        return 1000 * self.long / await self.first_ms(self.prompt(self.long))

    async def speed(self, stack: Stack | None = None) -> float:
        """Tokens per second of one stream."""
        return tokens_per_s(await self.listen(self.request(self.prompt(DEPTH), self.tokens, stack)))

    async def warm_up(self) -> None:
        """What only happens once: contexts, threads, memory touched for the first time."""
        await self.first_ms(self.prompt(self.long))
        await self.variants_speed(self.variants)

    async def variants_speed(self, count: int) -> float:
        """Tokens per second of `count` variants with one prompt on one stack."""
        prompt = self.prompt(DEPTH)
        return tokens_per_s(
            await self.listen(
                *(self.request(prompt, self.tokens, seed=seed) for seed in range(count))
            )
        )

    async def stacks_speed(self) -> float:
        """Tokens per second of one stream on each of the stacks, all at once."""
        prompt = self.prompt(DEPTH)
        return tokens_per_s(
            await self.listen(*(self.request(prompt, self.tokens, stack) for stack in self.stacks))
        )


@asynccontextmanager
async def opened(
    facts: ModelFacts,
    stacks: Sequence[Stack],
    *,
    log_path: Path,
    variants: int = 4,
    rounds: int = 5,
    tokens: int = 128,
) -> AsyncIterator[Bench]:
    """A bench on a model; the first of `stacks` is the one used alone. Its processes end with it.

    The engine's own number of threads is made its fixed number: it would otherwise compute on
    fewer while other programs want the cores, and the bare loop would not. Without memory for a
    second copy of the model there is no bare loop. Raises ModelError when the model does not fit
    at all, EngineError.
    """
    n_ctx = min(facts.context or N_CTX, N_CTX)
    check_memory(facts, n_ctx=n_ctx, n_seq=variants)
    engine, bare = Engine(log_path), None
    try:
        info = (await engine.load(facts.path)).info
        await engine.unload(facts.path)
        model = await engine.load(facts.path, ModelSettings(n_threads=info.n_threads))
        if estimate(facts, n_ctx=n_ctx, n_seq=2 * variants).least <= available_memory():
            bare = await Bare.start(facts.path, stacks[0], info.n_threads, log_path)
            ends = bare.ready.ends
        else:
            ends = (await engine.tokenize(model, info.eos, add_special=False)).tokens
        yield Bench(engine, model, bare, ends, stacks[0], stacks, variants, rounds, tokens)
    finally:
        if bare:
            await bare.close()
        await engine.close()
