"""What an adapter answers to questions that are held out, while it learns."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from ...models.engine.client import Engine, EngineError
from ...models.engine.loads import LoadedModel
from ...models.engine.protocol import (
    BACKGROUND,
    AdapterUse,
    Delta,
    Failed,
    Request,
    Sampling,
    file_version,
)
from ...models.errors import ModelError
from ...models.tuning.rows import TrainingRow
from ..training_data.tokens import PreparedExample
from .events import Sample, Sampled

ASKED = 3
"""Questions."""
LONGEST = 64
"""Tokens of an answer."""
log = logging.getLogger(__name__)


class Sampler:
    """Asks the engine, behind everything else, the same questions again and again."""

    def __init__(
        self, engine: Engine, model: LoadedModel, held_out: Sequence[PreparedExample]
    ) -> None:
        self._engine, self._model = engine, model
        self._asked = chosen(held_out)
        self._before: list[str] = []

    async def sample(self, step: int, adapter: Path) -> Sampled | None:
        """What the adapter answers; None where it is gone by now, or the engine cannot say."""
        try:
            if not self._before:
                self._before = await self._answers(())
            use = AdapterUse(str(adapter), version=file_version(adapter))
            now = await self._answers((use,))
        except (ModelError, EngineError) as error:
            log.warning("nothing was sampled at step %s: %s", step, error)
            return None
        them = zip(self._asked, self._before, now, strict=True)
        return Sampled(
            step,
            tuple(
                Sample("\n".join(it.example.asked), it.expected, before, answer)
                for it, before, answer in them
            ),
        )

    async def _answers(self, adapters: tuple[AdapterUse, ...]) -> list[str]:
        """One for each question. Raises ModelError and EngineError."""
        requests = [
            Request(
                self._engine.new_id(),
                sent(it.pair.chosen if it.pair else it.rows[-1]),
                adapters,
                Sampling(temperature=0.0, max_tokens=LONGEST),
                priority=BACKGROUND,
            )
            for it in self._asked
        ]
        texts = {it.id: "" for it in requests}
        async for events in self._engine.generate(self._model, requests):
            for event in events:
                match event:
                    case Delta():
                        texts[event.id] += event.text
                    case Failed():
                        raise ModelError(event.message)
                    case _:
                        pass
        return list(texts.values())


def chosen(held_out: Iterable[PreparedExample]) -> list[PreparedExample]:
    """A few of what is held out, with different answers as far as there are."""
    first: dict[str, PreparedExample] = {}
    others: list[PreparedExample] = []
    for it in held_out:
        answered = it.example.answered
        if answered in first:
            others.append(it)
        first.setdefault(answered, it)
    return [*first.values(), *others][:ASKED]


def sent(row: TrainingRow) -> list[int]:
    """The tokens before the last answer of a row."""
    end = len(row.trained)
    while end and not row.trained[end - 1]:
        end -= 1
    while end and row.trained[end - 1]:
        end -= 1
    return list(row.tokens[:end])
