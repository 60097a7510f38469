"""The playground as it was before a change of its list, for undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..compare.run import Output
from ..compare.variants import Variant

if TYPE_CHECKING:
    from .asked import Asked
    from .talk import TalkKept


@dataclass(frozen=True)
class Snapshot:
    variants: tuple[Variant, ...]
    shares: Mapping[str, int]
    selected: str
    baseline: str
    outputs: Mapping[str, Output]
    before: Mapping[str, Output]
    then: Mapping[str, Output]
    asked: Sequence[Asked]
    talk: TalkKept
    rest: tuple[Mapping[str, str], int | None, bool, int, bool, bool] | None = None
    """With what was reopened since: the values, the seed, exactness, repeats, live mode, and
    whether each output was compared with its own of before."""
