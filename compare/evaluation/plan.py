"""What an evaluation is to do, settled before its first row: rows, variants, and units of work."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path

import msgspec

from ...models.engine.protocol import ModelSettings, file_version
from ..history.content import canonical, digest
from ..variants import Variant
from .rows import SuiteRow
from .suite import NamedCheck, Suite
from .variants import baseline_of

WIDTH = 8
"""Sequences that a lane decodes as one batch."""

Place = tuple[int, str, int]
"""Of an answer: its row's place, its variant's name, its repeat."""


@dataclass(frozen=True)
class Unit:
    """Rows that are run together: in each lane one batch, always of the same sequences.

    An answer's last bits depend on what is decoded beside it. So a unit is run whole or not at
    all: an evaluation that was interrupted and goes on gives the same as one that was not.
    """

    number: int
    rows: range


@dataclass(frozen=True)
class Plan:
    """An evaluation before it begins. `planned` rows were settled beforehand; `rows` are run."""

    suite: Suite
    variants: tuple[Variant, ...]
    baseline: Variant
    rows: tuple[SuiteRow, ...]
    planned: int
    settings: ModelSettings
    exact: bool = False

    @property
    def repeats(self) -> int:
        return self.suite.repeats

    @property
    def answers(self) -> int:
        """How many there will be."""
        return len(self.rows) * len(self.variants) * self.repeats

    def units(self) -> Iterator[Unit]:
        """All rows, unit by unit."""
        step = max(1, WIDTH // (self._widest() * self.repeats))
        for number, start in enumerate(range(0, len(self.rows), step)):
            yield Unit(number, range(start, min(start + step, len(self.rows))))

    def places(self, unit: Unit) -> list[Place]:
        """The answers of a unit."""
        return [
            (row, variant.name, repeat)
            for row in unit.rows
            for variant in self.variants
            for repeat in range(self.repeats)
        ]

    def left(self, done: Collection[Place]) -> list[Unit]:
        """The units of which an answer is missing."""
        return [unit for unit in self.units() if not all(p in done for p in self.places(unit))]

    def _widest(self) -> int:
        return max(Counter(map(lane_of, self.variants)).values())

    def fingerprint(self) -> str:
        """The same for evaluations that would give the same: same rows, variants, files and checks."""
        return digest(json.dumps(self.definition(), sort_keys=True).encode())

    def definition(self) -> dict[str, object]:
        """All that the answers and their scores follow from."""
        return {
            "rows": [
                [row.key, row.line, dict(row.values), row.expected, row.tags] for row in self.rows
            ],
            "variants": [_variant(variant) for variant in self.variants],
            "baseline": self.baseline.name,
            "checks": [_check(check) for check in self.suite.checks],
            "repeats": self.repeats,
            "exact": self.exact,
            "settings": msgspec.to_builtins(self.settings),
        }


def make_plan(
    suite: Suite,
    variants: Sequence[Variant],
    rows: Sequence[SuiteRow],
    settings: ModelSettings,
    *,
    limit: int | None = None,
    exact: bool = False,
) -> Plan:
    """`limit` rows are run, the first of those planned; without `planned` all of the dataset's are."""
    return Plan(
        suite,
        tuple(variants),
        baseline_of(suite, variants),
        tuple(rows[:limit]),
        suite.planned or len(rows),
        settings,
        exact or suite.exact,
    )


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
    """A check's settings; of files that it reads what is in them."""
    if not is_dataclass(check) or isinstance(check, type):
        return {}
    found = asdict(check)
    for field in fields(check):
        value = getattr(check, field.name)
        if isinstance(value, Path):
            found[field.name] = hashlib.sha256(value.read_bytes()).hexdigest()
    return found
