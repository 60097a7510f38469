"""What is trained on: rows of token ids with their loss masks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingRow:
    """A row to be learned: all its tokens, special ones included, and which the loss counts.

    `trained` is as long as `tokens`; the first token follows none and is never learned. `key`
    identifies the row.
    """

    tokens: tuple[int, ...]
    trained: tuple[bool, ...]
    key: str


@dataclass(frozen=True)
class PreferenceRow:
    """Two answers to one question, of which one was preferred."""

    chosen: TrainingRow
    rejected: TrainingRow
    key: str
