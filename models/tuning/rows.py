"""What is trained on: rows of token ids with their loss masks, and the file they travel in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ..errors import ModelError
from .files import written_whole


@dataclass(frozen=True)
class TrainingRow:
    """A row to be learned: all its tokens, special ones included, and which the loss counts.

    `trained` is as long as `tokens`; the first token follows none and is never learned. `key`
    identifies the row.
    """

    tokens: tuple[int, ...]
    trained: tuple[bool, ...]
    key: str

    @property
    def learned(self) -> int:
        """How many of its tokens the loss counts."""
        return sum(self.trained[1:])


@dataclass(frozen=True)
class PreferenceRow:
    """Two answers to one question, of which one was preferred."""

    chosen: TrainingRow
    rejected: TrainingRow
    key: str


Row = TrainingRow | PreferenceRow


@dataclass(frozen=True)
class Rows:
    """All that a training is given. One of the two kinds is empty throughout.

    `validation` is held out: its loss is measured and says which checkpoint is the best.
    """

    train: tuple[TrainingRow, ...] = ()
    validation: tuple[TrainingRow, ...] = ()
    train_pairs: tuple[PreferenceRow, ...] = ()
    validation_pairs: tuple[PreferenceRow, ...] = ()


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Rows)


def rows_of(train: Sequence[Row], validation: Sequence[Row] = ()) -> Rows:
    """Rows of one kind. Raises ModelError when kinds are mixed."""
    everything = (*train, *validation)
    pairs = [row for row in everything if isinstance(row, PreferenceRow)]
    if pairs and len(pairs) < len(everything):
        raise ModelError(
            "Rows to learn and preferences cannot be trained on together; give one kind."
        )
    learn = [row for row in everything if isinstance(row, TrainingRow)]
    n = len(train)
    if pairs:
        return Rows(train_pairs=tuple(pairs[:n]), validation_pairs=tuple(pairs[n:]))
    return Rows(train=tuple(learn[:n]), validation=tuple(learn[n:]))


def sequences(rows: Sequence[Row]) -> list[TrainingRow]:
    """All token sequences in the rows, of a preference first the chosen one."""
    return [
        sequence
        for row in rows
        for sequence in ((row,) if isinstance(row, TrainingRow) else (row.chosen, row.rejected))
    ]


def check_rows(rows: Rows, *, preferences: bool, longest: int, vocab_size: int) -> None:
    """Raise ModelError, one sentence, for rows that cannot be trained on.

    `longest` is the sequence length in tokens.
    """
    train, validation = of_kind(rows, preferences=preferences)
    if not train:
        other = rows.train if preferences else rows.train_pairs
        if other:
            kind, method = ("preferences", "sft") if preferences else ("rows to learn", "dpo")
            raise ModelError(
                f"The method {'dpo' if preferences else 'sft'} needs {kind}, and there are none; "
                f"use the method {method}."
            )
        raise ModelError("There are no rows to train on; give some.")
    for row in sequences([*train, *validation]):
        if len(row.tokens) != len(row.trained):
            raise ModelError(
                f"The row {row.key} has {len(row.tokens):,} tokens and {len(row.trained):,} marks; "
                "make it again."
            )
        if not row.learned:
            raise ModelError(f"The row {row.key} has no token to learn; leave it out.")
        if len(row.tokens) > longest:
            raise ModelError(
                f"The row {row.key} has {len(row.tokens):,} tokens and the sequence length is "
                f"{longest:,}; leave it out or train with a larger sequence_length."
            )
        if not all(0 <= token < vocab_size for token in row.tokens):
            raise ModelError(
                f"The row {row.key} has tokens that the base does not; tokenize it with this base."
            )


def of_kind(rows: Rows, *, preferences: bool) -> tuple[Sequence[Row], Sequence[Row]]:
    """The rows to train on and those held out."""
    if preferences:
        return rows.train_pairs, rows.validation_pairs
    return rows.train, rows.validation


def write_rows(rows: Rows, path: Path) -> None:
    """Write them to `path`, whole or not at all. Raises ModelError."""
    written_whole(path, _encoder.encode(rows))


def read_rows(path: Path) -> tuple[Rows, str]:
    """The rows in the file at `path`, and the SHA-256 of its bytes. Raises ModelError."""
    try:
        data = path.read_bytes()
        return _decoder.decode(data), hashlib.sha256(data).hexdigest()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from None
    except msgspec.DecodeError:
        raise ModelError(f"{path} holds no rows to train on; make it again.") from None
