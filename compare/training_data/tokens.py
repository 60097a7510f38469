"""Examples as tokens, and which of them are learned."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ...models.engine.client import Engine
from ...models.engine.loads import LoadedModel
from ...models.tuning.rows import PreferenceRow, TrainingRow
from ...prompts.rendering.special import JOINT, Special
from ..runner import Runner
from .examples import Example, Examples
from .rendering import AnswerText, ExampleRenderer

AT_ONCE = 256
"""Examples that are rendered, and then tokenized, together."""


@dataclass(frozen=True)
class PreparedExample:
    """An example as it is trained on.

    A conversation is one row where each turn's tokens begin with those of the turn before, as they
    do in the engine's cache, else a row for each answer. `pair` is there for preferences alone.
    `joined`: the text as a whole has other tokens than the engine is sent, so that the row is made of
    the tokens sent and those of the answer. `ended` is false where no token ends the answer.
    `prefill` is what the prompt begins the answer with.
    """

    example: Example
    rows: tuple[TrainingRow, ...]
    pair: PreferenceRow | None = None
    joined: bool = False
    ended: bool = True
    prefill: str = ""

    @property
    def expected(self) -> str:
        """What the model is to say behind the words that its answer begins with."""
        return self.example.answer.removeprefix(self.prefill)

    @property
    def longest(self) -> int:
        """Tokens of its longest row."""
        return max(len(row.tokens) for row in self.rows)


@dataclass(frozen=True)
class Prepared:
    """All examples of a source for one model."""

    source: Examples
    model: LoadedModel
    examples: tuple[PreparedExample, ...]
    special: Special
    written: tuple[tuple[str, ...], ...]
    """By example, the special tokens that are written in its texts, and stay text."""


@dataclass(frozen=True)
class _Answer:
    """Tokens that are sent, and those that are answered, the one that ends included."""

    sent: list[int]
    answered: list[int]
    joined: bool
    ended: bool


async def prepare(
    runner: Runner,
    model: LoadedModel,
    source: Examples,
    on_progress: Callable[[int, int], None] = lambda done, of: None,
) -> Prepared:
    """Render and tokenize every example, as `runner` would for inference.

    `on_progress` is told how many are done, and of how many. Raises CompareError with file and line
    for a row that the prompt or the model's chat template refuses; PromptError, EngineError.
    """
    templates = await asyncio.to_thread(lambda: runner.facts(model.path).chat_templates)
    examples = source.examples
    renders = ExampleRenderer(source.source, runner.renderer, model, templates, examples[0].prompt)
    tokenizer = _Tokenizer(runner.engine, model)
    found: list[PreparedExample] = []
    coming = asyncio.create_task(asyncio.to_thread(renders.rendered, examples[:AT_ONCE]))
    try:
        for first in range(0, len(examples), AT_ONCE):
            batch, texts = examples[first : first + AT_ONCE], await coming
            following = examples[first + AT_ONCE : first + 2 * AT_ONCE]
            coming = asyncio.create_task(asyncio.to_thread(renders.rendered, following))
            answers = await tokenizer.answers([it for each in texts for it in each])
            for example, each in zip(batch, texts, strict=True):
                made = _prepared(example, [answers.pop(0) for _ in each])
                found.append(replace(made, prefill=each[-1].prefill))
            on_progress(len(found), len(examples))
    finally:
        coming.cancel()
    written = tuple(_written(renders.special, example) for example in examples)
    return Prepared(source, model, tuple(found), renders.special, written)


def _written(special: Special, example: Example) -> tuple[str, ...]:
    texts = (*example.asked, example.answer, example.rejected or "")
    return tuple(dict.fromkeys(it for text in texts for it in special.written_in(text)))


class _Tokenizer:
    """Tokens of answers, many texts at a time."""

    def __init__(self, engine: Engine, model: LoadedModel) -> None:
        self._engine, self._model = engine, model
        self._ending: dict[str, bool] = {}
        self._eos: list[int] | None = None

    async def answers(self, texts: Sequence[AnswerText]) -> list[_Answer]:
        """The tokens of each, in order. Raises EngineError."""
        for end in dict.fromkeys(text.end for text in texts):
            if end and end not in self._ending:
                tokens = await self._tokens(end)
                self._ending[end] = any(token in self._model.ends for token in tokens)
        return list(await asyncio.gather(*map(self._answer, texts)))

    async def _answer(self, text: AnswerText) -> _Answer:
        if not self._ending.get(text.end, True):  # blanks, say, which no answer ends with
            whole = text.whole and text.whole.removesuffix(text.end)
            text = replace(text, answer=text.answer.removesuffix(text.end), whole=whole)
        sent = await self._tokens(text.before)
        tokens = await self._tokens(text.whole) if text.whole is not None else []
        joined = tokens[: len(sent)] != sent
        if joined:
            tokens = await self._tokens(text.before, text.answer)
        answered = tokens[len(sent) :]
        ends = self._model.ends
        last = next((place for place, it in enumerate(answered) if it in ends), None)
        if last is not None:
            return _Answer(sent, answered[: last + 1], joined, True)
        eos = await self._eos_token()
        return _Answer(sent, [*answered, *eos], joined, bool(eos))

    async def _tokens(self, *marked: str) -> list[int]:
        parts = [part for text in marked for part in text.split(JOINT)]
        return (await self._engine.tokenize(self._model, *parts, add_special=False)).tokens

    async def _eos_token(self) -> list[int]:
        """The token of the end of a text, where it ends an answer; none for models without one."""
        if self._eos is None:
            found = await self._tokens(self._model.info.eos) if self._model.info.eos else []
            self._eos = found if len(found) == 1 and found[0] in self._model.ends else []
        return self._eos


def _prepared(example: Example, answers: Sequence[_Answer]) -> PreparedExample:
    joined, ended = any(it.joined for it in answers), all(it.ended for it in answers)
    if example.rejected is not None:
        chosen, rejected = (
            TrainingRow(*_masked([it]), f"{example.key}-{name}")
            for it, name in zip(answers, ("chosen", "rejected"), strict=True)
        )
        pair = PreferenceRow(chosen, rejected, example.key)
        return PreparedExample(example, (chosen, rejected), pair, joined, ended)
    groups: list[list[_Answer]] = []
    for answer in answers:
        before = groups[-1][-1] if groups else None
        if before and _begins(answer.sent, before):
            groups[-1].append(answer)
        else:
            groups.append([answer])
    rows = tuple(
        TrainingRow(*_masked(group), f"{example.key}-{number}" if number else example.key)
        for number, group in enumerate(groups)
    )
    return PreparedExample(example, rows, None, joined, ended)


def _begins(sent: Sequence[int], before: _Answer) -> bool:
    """What is sent begins with all that was sent and answered before."""
    n, whole = len(before.sent), len(before.sent) + len(before.answered)
    return list(sent[:n]) == before.sent and list(sent[n:whole]) == before.answered


def _masked(answers: Sequence[_Answer]) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """The tokens of the last of them, and which are learned: what each answered."""
    last = answers[-1]
    tokens = (*last.sent, *last.answered)
    trained = [False] * len(tokens)
    for it in answers:
        start = len(it.sent)
        trained[start : start + len(it.answered)] = [True] * len(it.answered)
    return tokens, tuple(trained)
