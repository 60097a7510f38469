"""What the Playground remembers of a moment: what outputs were made from, and steps to take back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..compare.run import Output
from ..compare.variants import Variant


@dataclass(frozen=True)
class Asked:
    """What an output was made from, to tell whether it still answers what is on the screen."""

    variant: Variant
    values: tuple[tuple[str, str], ...]
    seed: int | None
    exact: bool
    repeats: int
    outputs: tuple[Output, ...] = field(default=(), compare=False)
    """Of all repeats."""


@dataclass(frozen=True)
class Snapshot:
    """The list of variants as it was."""

    variants: tuple[Variant, ...]
    shares: Mapping[str, int]
    selected: str
    baseline: str
    outputs: Mapping[str, Output]
    before: Mapping[str, Output]
    asked: Mapping[str, Asked]
    rest: tuple[Mapping[str, str], int | None, bool, int, Mapping[str, Output], set[str]] | None = None  # fmt: skip
    """With what was reopened since: the values, the seed, exactness, repeats, `then`, what is pinned."""
