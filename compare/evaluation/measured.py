"""What is measured beside an evaluation's answers, as the history keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from .decision.figures import Elsewhere, Trained
from .scoreboard import Pace

Hashes = Mapping[Path, str | None]


@dataclass(frozen=True)
class Measured:
    """What computing took so far, and what is measured once all answers are there.

    `answers` of them took `seconds`. `paces` are by variant, `hashes` (SHA-256) and `adapters` by
    file; `elsewhere` is what adapters did on other suites, `problems` are sentences on suites that
    could not be run. `verdict` is what it decided in the end, for lists: the words before the colon.
    """

    seconds: float = 0.0
    answers: int = 0
    paces: Mapping[str, Pace] = field(default_factory=dict[str, Pace])
    hashes: Hashes = field(default_factory=dict[Path, str | None])
    elsewhere: tuple[Elsewhere, ...] = ()
    problems: tuple[str, ...] = ()
    adapters: Mapping[Path, Trained] = field(default_factory=dict[Path, Trained])
    verdict: str = ""

    def decided(self, decision: Mapping[str, Any] | None) -> Measured:
        """It with the verdict of a decision's document."""
        return replace(self, verdict=decision["verdict"].partition(":")[0] if decision else "")

    def text(self) -> str:
        """It as JSON, for `read_measured`."""
        found = asdict(self)
        for key in ("hashes", "adapters"):
            found[key] = {str(path): it for path, it in found[key].items()}
        return json.dumps(found)


def read_measured(text: str) -> Measured:
    """What `text` gave. Raises ValueError or TypeError for anything else."""
    found: dict[str, Any] = json.loads(text)
    for key, kind in (("hashes", str | None), ("adapters", Trained)):
        found[key] = {Path(it): msgspec.convert(value, kind) for it, value in found[key].items()}
    for key, kind in (("paces", dict[str, Pace]), ("elsewhere", tuple[Elsewhere, ...])):
        found[key] = msgspec.convert(found[key], kind)
    return Measured(**{**found, "problems": tuple(found["problems"])})
