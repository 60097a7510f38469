"""Rows as a screen draws them: what each token stands for, and which are learned."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ...models.engine.client import Engine
from ...models.tuning.rows import TrainingRow
from .tokens import Prepared, PreparedExample

Span = tuple[int, int]


@dataclass(frozen=True)
class PreviewedRow:
    """A row in words. `title` says which of its example's rows it is, empty for the only one.

    `texts` has a text for each token, a character that several share in the last of them; `special`
    whether it is a special token and `trained` whether it is learned. `learned` are the places in
    `text`, all of them together, that are.
    """

    line: int
    title: str
    texts: tuple[str, ...]
    special: tuple[bool, ...]
    trained: tuple[bool, ...]

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def learned(self) -> tuple[Span, ...]:
        found: list[Span] = []
        at = 0
        for trained, them in groupby(zip(self.texts, self.trained, strict=True), lambda it: it[1]):
            length = sum(len(text) for text, _ in them)
            if trained and length:
                found.append((at, at + length))
            at += length
        return tuple(found)


async def previewed(
    engine: Engine, prepared: Prepared, examples: Sequence[PreparedExample]
) -> list[PreviewedRow]:
    """The rows of these examples, which are some of those prepared. Raises EngineError."""
    wanted = [(it, row, title) for it in examples for row, title in _titled(it)]
    ids = sorted({token for _, row, _ in wanted for token in row.tokens})
    pieces = dict(zip(ids, await engine.pieces(prepared.model, ids), strict=True))
    special = {token for token, piece in pieces.items() if piece in prepared.special.encoded}
    found: list[PreviewedRow] = []
    for it, row, title in wanted:
        texts = _texts([pieces[token] for token in row.tokens])
        marks = tuple(token in special for token in row.tokens)
        found.append(PreviewedRow(it.example.line, title, texts, marks, row.trained))
    return found


def _titled(it: PreparedExample) -> list[tuple[TrainingRow, str]]:
    if it.pair is not None:
        return [(it.pair.chosen, "chosen"), (it.pair.rejected, "rejected")]
    if len(it.rows) == 1:
        return [(it.rows[0], "")]
    return [(row, f"answer {number}") for number, row in enumerate(it.rows, start=1)]


def _texts(pieces: Sequence[bytes]) -> tuple[str, ...]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    texts = [decoder.decode(piece) for piece in pieces]
    if texts:
        texts[-1] += decoder.decode(b"", final=True)
    return tuple(texts)
