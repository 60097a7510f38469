"""Which rows are trained on, which validate, and in what order rows are added."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...models.tuning.rows import PreferenceRow, TrainingRow
from ..errors import CompareError
from .tokens import PreparedExample

_WHOLE = 2**64


@dataclass(frozen=True)
class Split:
    """Examples to train on, in the order in which a smaller number of them is taken, and those held
    out. No question is in both."""

    train: tuple[PreparedExample, ...]
    validation: tuple[PreparedExample, ...]

    def first(self, count: int) -> Split:
        """With the first `count` examples to train on. A larger number holds a smaller one's.

        Raises CompareError for more than there are.
        """
        if count > len(self.train):
            raise CompareError(
                f"{count:,} rows are asked for, and there are {len(self.train):,} to train on."
            )
        return Split(self.train[:count], self.validation)


def split(
    examples: Sequence[PreparedExample], classes: Collection[str], *, share: float, seed: int
) -> Split:
    """Hold out a share of what is asked, drawn by the seed.

    Every question is drawn by itself, so adding rows moves no other; duplicates and contradictions
    stay together. Each of the `classes` has the share up to chance, and at least one question on
    either side: where chance gave none, the nearest is moved. The order is drawn, too, with every
    class evenly spread. Raises CompareError where there are fewer than two different questions.
    """
    drawn = {it.example.input: _draw(seed, "split", it.example.input) for it in examples}
    if len(drawn) < 2:
        raise CompareError(
            "Fewer than two different questions are left; one is needed to learn, one to validate with."
        )
    groups = _by_class(examples, classes)
    inputs = {name: dict.fromkeys(it.example.input for it in them) for name, them in groups.items()}
    held = {name for name, place in drawn.items() if place < share * _WHOLE}
    for them in (*inputs.values(), drawn):
        _both_sides(them, drawn, held)
    train = [it for it in examples if it.example.input not in held]
    validation = tuple(it for it in examples if it.example.input in held)
    return Split(_spread(train, classes, seed), validation)


def _both_sides(them: Iterable[str], drawn: Mapping[str, int], held: set[str]) -> None:
    """Move one question, where all are on one side and there are several."""
    order = sorted(them, key=lambda it: (drawn[it], it))
    if len(order) < 2:
        return
    if held.isdisjoint(order):
        held.add(order[0])
    elif held.issuperset(order):
        held.remove(order[-1])


def _by_class(
    examples: Iterable[PreparedExample], classes: Collection[str]
) -> dict[str, list[PreparedExample]]:
    groups: dict[str, list[PreparedExample]] = defaultdict(list)
    for it in examples:
        groups[it.example.answered if classes else ""].append(it)
    return groups


def _spread(
    examples: Iterable[PreparedExample], classes: Collection[str], seed: int
) -> tuple[PreparedExample, ...]:
    """In a drawn order in which every beginning has the classes in the proportion of the whole."""
    placed: list[tuple[float, int, int, PreparedExample]] = []
    for them in _by_class(examples, classes).values():
        drawn = sorted(((_draw(seed, "order", it.example.key), it) for it in them), key=_place)
        placed += [
            ((number + 0.5) / len(drawn), place, it.example.line, it)
            for number, (place, it) in enumerate(drawn)
        ]
    return tuple(it for *_, it in sorted(placed, key=lambda them: them[:3]))


def _place(them: tuple[int, PreparedExample]) -> tuple[int, int]:
    return them[0], them[1].example.line


def _draw(seed: int, what: str, text: str) -> int:
    """A number below 2^64 that only depends on these."""
    return int.from_bytes(hashlib.sha256(f"{what} {seed} {text}".encode()).digest()[:8])


def rows_in(examples: Iterable[PreparedExample]) -> list[TrainingRow] | list[PreferenceRow]:
    """What the trainer is given: of preferences the pairs, else the rows."""
    them = list(examples)
    pairs = [it.pair for it in them if it.pair is not None]
    return pairs or [row for it in them for row in it.rows]
