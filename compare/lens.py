"""The lens: one text under two variants, token by token, with nothing sampled.

Both models are given their own prompt and then the same answer (teacher forcing). What each
would have given every token of it shows where an adapter, or another prompt, changes the model's
mind, without the noise of sampling.
"""

from __future__ import annotations

import asyncio
import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from ..models.engine.client import EngineError, LoadedModel
from ..models.engine.protocol import (
    AdapterUse,
    Failed,
    Prefill,
    Scored,
    ScoreRequest,
    TokenLogprob,
    file_version,
)
from .errors import CompareError
from .prepare import answer_tokens
from .run import Output
from .runner import Prepared, Runner
from .variants import Variant

# A long text has hundreds of thousands of these: the garbage collector, which would stop the screen
# for a quarter of a second to look at them, is told that they hold no cycles.


class Alternative(msgspec.Struct, frozen=True, gc=False):
    """A token a model could have said, and its natural log-probability."""

    token: int
    piece: bytes
    logprob: float


class View(msgspec.Struct, frozen=True, gc=False):
    """How one variant sees a token: natural log-probability, rank from 1, and the entropy, in nats,
    of what it expected here; `top` are the tokens it thought likeliest."""

    logprob: float
    rank: int
    entropy: float
    top: tuple[Alternative, ...]


class LensToken(msgspec.Struct, frozen=True, gc=False):
    """A token of the text under both variants; `piece` is its bytes."""

    token: int
    piece: bytes
    a: View
    b: View

    @property
    def delta(self) -> float:
        """By how much B finds it likelier than A, in nats."""
        return self.b.logprob - self.a.logprob


@dataclass(frozen=True)
class Summary:
    """A text under one variant: its log-likelihood in nats, and e to the mean loss per token."""

    logprob: float
    perplexity: float


Turns = tuple[Output | None, Output | None]
"""In a conversation, the output of each variant that the text stands in the place of."""


@dataclass(frozen=True)
class Lens:
    """One text under two variants."""

    a: Variant
    b: Variant
    tokens: tuple[LensToken, ...]
    turns: Turns = (None, None)

    @property
    def summaries(self) -> tuple[Summary, Summary]:
        """The text as a whole, under A and under B."""
        return _summary([it.a for it in self.tokens]), _summary([it.b for it in self.tokens])

    @property
    def mean_delta(self) -> float:
        """The mean of the tokens' `delta`, in nats."""
        return math.fsum(it.delta for it in self.tokens) / len(self.tokens)

    def largest(self, count: int) -> list[int]:
        """Indexes of the tokens with the largest differences, largest first."""
        order = sorted(range(len(self.tokens)), key=lambda i: -abs(self.tokens[i].delta))
        return order[:count]


def _summary(views: Sequence[View]) -> Summary:
    total = math.fsum(view.logprob for view in views)
    return Summary(total, math.exp(-total / len(views)))


NO_TEXT = "There is no text to look at; give one."
Progress = Callable[[float], None]


async def look(
    runner: Runner,
    variants: tuple[Variant, Variant],
    values: Mapping[str, str],
    answer: str | Sequence[int],
    *,
    turns: Turns = (None, None),
    top: int = 5,
    exact: bool = False,
    on_progress: Progress = lambda fraction: None,
) -> Lens:
    """Score `answer`, a text or the token ids of an output, as what either variant would say.

    With `turns` each would say it in its own conversation, in the place of that output.
    `top` alternatives are told for each token. `on_progress` is told the fraction computed.
    Raises CompareError when the answer is empty, does not fit in a context, or the variants'
    models have other vocabularies; otherwise as `Runner.prepare`.
    """
    first, second = variants
    one = await runner.prepare(first, values, output=turns[0])
    two = await runner.prepare(second, values, keep=[one.model], output=turns[1])
    if isinstance(answer, str):
        tokens = await answer_tokens(runner.engine, one.chat, answer)
    else:
        tokens = list(answer)
    if not tokens:
        raise CompareError(NO_TEXT)
    pieces = await runner.engine.pieces(one.model, tokens)
    if one.model is not two.model and not await _same_words(
        runner, (one, two), answer, tokens, pieces
    ):
        raise CompareError(
            f"{first.name} and {second.name} have models with different vocabularies; the lens "
            "compares token by token, so give both the same one."
        )
    done = [0.0, 0.0]

    async def views(which: int, ready: Prepared, variant: Variant) -> list[View]:
        def progress(fraction: float) -> None:
            done[which] = fraction
            on_progress(sum(done) / 2)

        return await _views(runner, ready, variant, tokens, top, exact, progress)

    seen_a = await views(0, one, first)
    seen_b = await views(1, two, second)
    return Lens(
        first,
        second,
        tuple(
            LensToken(token, piece, a, b)
            for token, piece, a, b in zip(tokens, pieces, seen_a, seen_b, strict=True)
        ),
        turns,
    )


async def mean_logprob(
    runner: Runner,
    variant: Variant,
    values: Mapping[str, str],
    answer: str | Sequence[int],
    *,
    output: Output | None = None,
    exact: bool = False,
) -> float:
    """How likely the variant finds an answer, a text or token ids: the mean of its tokens' natural
    log-probabilities, in nats. With `output` it would say it in its conversation, in the place of
    that. Raises as `look`."""
    ready = await runner.prepare(variant, values, output=output)
    if isinstance(answer, str):
        tokens = await answer_tokens(runner.engine, ready.chat, answer)
    else:
        tokens = list(answer)
    if not tokens:
        raise CompareError(NO_TEXT)
    _check_room(ready, variant, tokens)
    (scored,) = await score_after(runner, ready, variant, (), [tokens], exact=exact)
    return math.fsum(it.logprob for it in scored) / len(scored)


async def _same_words(
    runner: Runner,
    ready: tuple[Prepared, Prepared],
    answer: str | Sequence[int],
    tokens: list[int],
    pieces: list[bytes],
) -> bool:
    """Whether two models know the answer by the same tokens."""
    one, two = ready
    if one.model.info.n_vocab != two.model.info.n_vocab:
        return False
    if isinstance(answer, str):
        return await answer_tokens(runner.engine, two.chat, answer) == tokens
    return await runner.engine.pieces(two.model, tokens) == pieces


async def score_after(
    runner: Runner,
    ready: Prepared,
    variant: Variant,
    said: Sequence[int],
    texts: Sequence[Sequence[int]],
    *,
    top: int = 0,
    exact: bool = False,
    progress: Progress = lambda fraction: None,
) -> list[list[TokenLogprob]]:
    """Score each of `texts`, token ids, as what the variant says once it has said `said`.

    Raises CompareError for what cannot be scored, otherwise EngineError.
    """
    before = [*ready.tokens.tokens, *said]
    if not before:
        raise CompareError(f"{variant.name}: nothing comes before the text; give a prompt.")
    adapters = tuple(
        AdapterUse(str(it.path), it.scale, file_version(it.path)) for it in variant.adapters
    )
    requests = [
        ScoreRequest(
            runner.engine.new_id(), [*before, *text], len(before), adapters, top=top, exact=exact
        )
        for text in texts
    ]
    scored: dict[int, list[TokenLogprob]] = {request.id: [] for request in requests}
    async for events in runner.engine.score(ready.model, requests):
        for event in events:
            if isinstance(event, Scored):
                scored[event.id] += event.logprobs
            elif isinstance(event, Prefill):
                progress(event.done / event.total)
            elif isinstance(event, Failed):
                message = f"{variant.name}: {event.message}"
                raise (CompareError if event.refused else EngineError)(message)
    if any(len(it) != len(text) for it, text in zip(scored.values(), texts, strict=True)):
        raise EngineError(f"{variant.name}: the scoring was stopped.")
    return list(scored.values())


async def _views(
    runner: Runner,
    ready: Prepared,
    variant: Variant,
    tokens: list[int],
    top: int,
    exact: bool,
    progress: Progress,
) -> list[View]:
    _check_room(ready, variant, tokens)
    (scored,) = await score_after(
        runner, ready, variant, (), [tokens], top=top, exact=exact, progress=progress
    )
    words = await _words(runner, ready.model, {token for it in scored for token, _ in it.top})
    # Ten thousand tokens take a fifth of a second: not on the loop.
    return await asyncio.to_thread(_seen, scored, words)


def _check_room(ready: Prepared, variant: Variant, tokens: Sequence[int]) -> None:
    count, room = ready.tokens.count + len(tokens), ready.model.info.n_ctx
    if count > room:
        raise CompareError(
            f"{variant.name}: the prompt and the text are {count:,} tokens long, "
            f"but the context holds {room:,}; take a shorter text."
        )


def _seen(scored: Sequence[TokenLogprob], words: Mapping[int, bytes]) -> list[View]:
    return [
        View(
            it.logprob,
            it.rank,
            it.entropy,
            tuple(Alternative(token, words[token], logprob) for token, logprob in it.top),
        )
        for it in scored
    ]


async def _words(runner: Runner, model: LoadedModel, tokens: set[int]) -> dict[int, bytes]:
    ids = sorted(tokens)
    return dict(zip(ids, await runner.engine.pieces(model, ids), strict=True))


def lens_document(lens: Lens) -> dict[str, object]:
    """The lens as `lens --json` prints it: nats, ranks from 1, pieces as text where they are."""
    return {
        "schema": 1,
        "variants": [
            {
                "name": variant.name,
                "label": variant.label or variant.name,
                "stack": variant.stack,
                "logprob": summary.logprob,
                "perplexity": summary.perplexity,
            }
            for variant, summary in zip((lens.a, lens.b), lens.summaries, strict=True)
        ],
        "mean_delta": lens.mean_delta,
        "tokens": [
            {
                "token": it.token,
                "text": it.piece.decode("utf-8", "replace"),
                "delta": it.delta,
                "views": [_view(it.a), _view(it.b)],
            }
            for it in lens.tokens
        ],
    }


COLUMNS = (
    "index", "token", "text", "delta", "logprob_a", "rank_a", "entropy_a", "logprob_b", "rank_b",
    "entropy_b",
)  # fmt: skip


def lens_csv(lens: Lens) -> str:
    """A line for each token under a line of headings, RFC 4180; numbers as in `lens_document`."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(COLUMNS)
    for index, it in enumerate(lens.tokens):
        seen = [n for view in (it.a, it.b) for n in (view.logprob, view.rank, view.entropy)]
        text = it.piece.decode("utf-8", "replace")
        writer.writerow([index, it.token, text, it.delta, *seen])
    return lines.getvalue()


def _view(view: View) -> dict[str, object]:
    return {
        "logprob": view.logprob,
        "rank": view.rank,
        "entropy": view.entropy,
        "top": [
            {"token": it.token, "text": it.piece.decode("utf-8", "replace"), "logprob": it.logprob}
            for it in view.top
        ],
    }
