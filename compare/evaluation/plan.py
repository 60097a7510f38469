"""What an evaluation is to do, settled before its first row: rows, variants, and groups of answers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from pathlib import Path

import msgspec

from ...models.engine.protocol import ModelSettings, file_version
from ..checks.code import Code
from ..checks.judge import Judge
from ..checks.likelihood import Likelihood
from ..history.content import canonical, digest
from ..statistics.figures import Planned
from ..variants import Variant
from .rows import SuiteRow
from .settled import Names, Settled, names_of
from .suite import NamedCheck, Suite

WIDTH = 8
"""Sequences that a lane decodes as one batch."""

Place = tuple[int, str, int]
"""Of an answer: its row's place, its variant's name, its repeat."""


@dataclass(frozen=True)
class Group:
    """Answers that a lane decodes as one batch, always the same ones.

    An answer's last bits depend on what is decoded beside it. So a group is run whole or not at
    all: an evaluation that was interrupted and goes on gives the same as one that was not.
    """

    number: int
    lane: int
    places: tuple[Place, ...]

    @property
    def row(self) -> int:
        """The place of its first row."""
        return self.places[0][0]

    @property
    def small(self) -> bool:
        """It would fit into a batch with another."""
        return len(self.places) <= WIDTH // 2

    @property
    def by_row(self) -> list[Group]:
        """Its rows, each by itself."""
        rows = itertools.groupby(self.places, key=lambda place: place[0])
        return [replace(self, places=tuple(places)) for _, places in rows]


@dataclass(frozen=True)
class Plan:
    """An evaluation before it begins. `rows` are run; `planned` were settled beforehand, and for
    some comparisons `apart` from those. `notes` are sentences on that.
    """

    suite: Suite
    variants: tuple[Variant, ...]
    baseline: Variant
    rows: tuple[SuiteRow, ...]
    planned: Settled
    settings: ModelSettings
    exact: bool = False
    judges: Mapping[str, Variant] = field(default_factory=dict[str, Variant])
    """By rubric, what judges by it."""
    apart: Mapping[Names, Settled] = field(default_factory=dict[Names, Settled])
    notes: tuple[str, ...] = ()
    to_keep: Mapping[str, Settled] = field(default_factory=dict[str, Settled])
    """By the hash of a comparison, what the history is to know of it."""
    trained: tuple[str, ...] = ()
    """The variants with adapters that were trained just now, those of most rows last: they alone
    stand for adapters in the decision."""

    def planned_for(self, one: Variant, other: Variant, rows: Sequence[int]) -> Planned:
        """Which of these rows, given by their places, were planned for a comparison."""
        return self.settled_for(one, other).among([self.rows[row].key for row in rows])

    def settled_for(self, one: Variant, other: Variant) -> Settled:
        """What was planned for a comparison."""
        return self.apart.get(names_of(one.name, other.name), self.planned)

    @property
    def repeats(self) -> int:
        return self.suite.repeats

    @property
    def against_baseline(self) -> set[str]:
        """The rubrics by which answers are judged beside the baseline's."""
        checks = (it.check for it in self.suite.checks)
        return {it.rubric for it in checks if isinstance(it, Judge) and it.against_baseline}

    @property
    def files(self) -> list[Path]:
        """The models and adapters of the variants, each once."""
        stacks = ((it.model, *(adapter.path for adapter in it.adapters)) for it in self.variants)
        return list(dict.fromkeys(itertools.chain.from_iterable(stacks)))

    @property
    def generates(self) -> bool:
        """Whether there is a check that needs an answer in words."""
        return not all(isinstance(it.check, Likelihood) for it in self.suite.checks)

    @property
    def answers(self) -> int:
        """How many there will be."""
        return len(self.rows) * len(self.variants) * self.repeats

    def groups(self) -> list[Group]:
        """All answers, in the order of their first rows: of each lane as many rows as fit into a
        batch, or as many repeats of one."""
        lanes: dict[tuple[object, ...], list[str]] = {}
        for variant in self.variants:
            lanes.setdefault(lane_of(variant), []).append(variant.name)
        found: list[tuple[int, tuple[Place, ...]]] = []
        for lane, names in enumerate(lanes.values()):
            rows = max(1, WIDTH // (len(names) * self.repeats))
            repeats = min(self.repeats, max(1, WIDTH // len(names)))
            for first in range(0, len(self.rows), rows):
                block = range(first, min(first + rows, len(self.rows)))
                for start in range(0, self.repeats, repeats):
                    again = range(start, min(start + repeats, self.repeats))
                    places = ((row, name, i) for row in block for name in names for i in again)
                    found.append((lane, tuple(places)))
        found.sort(key=lambda each: each[1][0][0])
        return [Group(number, *each) for number, each in enumerate(found)]

    def left(self, done: Collection[Place]) -> list[Group]:
        """The groups of which an answer is missing."""
        return [group for group in self.groups() if not all(p in done for p in group.places)]

    def fingerprint(self) -> str:
        """The same for evaluations that would give the same: same rows, variants, files and checks."""
        return digest(json.dumps(self.definition(), sort_keys=True).encode())

    def definition(self) -> dict[str, object]:
        """All that the answers and their scores follow from."""
        return {
            "rows": [
                [row.key, row.line, dict(row.values), row.expected, row.tags, row.turns]
                for row in self.rows
            ],
            "variants": [_variant(variant) for variant in self.variants],
            "baseline": self.baseline.name,
            "judges": {rubric: _variant(it) for rubric, it in self.judges.items()},
            "checks": [_check(check) for check in self.suite.checks],
            "repeats": self.repeats,
            "exact": self.exact,
            "settings": msgspec.to_builtins(self.settings),
        }


def lane_of(variant: Variant) -> tuple[object, ...]:
    """What the engine decodes together: variants of one base and one adapter stack."""
    stack = [(it.path, it.scale) for it in variant.adapters if it.scale != 0]
    return (variant.model, *stack)


def _variant(variant: Variant) -> dict[str, object]:
    return {
        "name": variant.name,
        "label": variant.label,
        "model": [str(variant.model), file_version(variant.model)],
        "adapters": [[str(a.path), a.scale, file_version(a.path)] for a in variant.adapters],
        "prompt": canonical(variant.prompt).decode(),
        "sampling": msgspec.to_builtins(dict(variant.sampling), str_keys=True),
        "values": dict(variant.values),
    }


def _check(named: NamedCheck) -> list[object]:
    return [named.name, named.weight, type(named.check).__name__, _plain(named.check)]


def _plain(check: object) -> Mapping[str, object]:
    """A check's settings; of its file the SHA-256 of what is in it."""
    if not is_dataclass(check) or isinstance(check, type):
        return {}
    found = asdict(check)
    if isinstance(check, Code):
        found["path"] = found.pop("digest")
    return found
