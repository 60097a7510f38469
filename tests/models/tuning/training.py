"""What the tests of training share: small rows, and a job carried out within this process."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from llamadiff.models.gguf.check import check_model
from llamadiff.models.tuning.control import Stopped
from llamadiff.models.tuning.rows import PreferenceRow, Row, TrainingRow, rows_of, write_rows
from llamadiff.models.tuning.session import Session
from llamadiff.models.tuning.settings import TuningSettings
from llamadiff.models.tuning.tasks import Job, Report, Stepped

FEW = TuningSettings(
    rank=4, alpha=8, steps=6, batch=2, accumulation=2, eval_every=3, checkpoint_every=2, epochs=1
)


def rows(n: int, *, vocabulary: int = 300, seed: int = 0) -> list[TrainingRow]:
    """Rows of several lengths whose second half, the tokens of the first raised by one, is learned."""
    draw, made = random.Random(seed), []
    for i in range(n):
        asked = [draw.randrange(100, vocabulary - 1) for _ in range(draw.randrange(3, 12))]
        answer = [it + 1 for it in asked]
        marks = (False,) * len(asked) + (True,) * len(answer)
        made.append(TrainingRow((*asked, *answer), marks, f"row {i}"))
    return made


def preferences(n: int, *, vocabulary: int = 300, seed: int = 0) -> list[PreferenceRow]:
    """Of each row its answer preferred to the same backwards and lowered."""
    made: list[PreferenceRow] = []
    for row in rows(n, vocabulary=vocabulary, seed=seed):
        half = len(row.tokens) // 2
        worse = (*row.tokens[:half], *(it - 2 for it in row.tokens[:half][::-1]))
        made.append(
            PreferenceRow(row, TrainingRow(worse, row.trained, f"{row.key}, worse"), row.key)
        )
    return made


def job(
    folder: Path,
    base: Path,
    train: Sequence[Row],
    held_out: Sequence[Row] = (),
    settings: TuningSettings = FEW,
    *,
    resume: bool = False,
    reference: tuple[float, ...] = (),
    weights: Path | None = None,
) -> Job:
    """A job whose files are all in `folder`."""
    write_rows(rows_of(train, held_out), folder / "rows")
    return Job(
        base=str(base), rows=str(folder / "rows"), work=str(folder / "work"),
        out=str(folder / "tuned.gguf"), cache_dir=str(folder / "cache"), settings=settings,
        resume=resume, threads=1, reference=reference, weights=str(weights) if weights else None,
    )  # fmt: skip


@dataclass
class Told:
    """Does what a person would: `at` is called with each report, and may set the rest."""

    at: Callable[[Told, Report], None] = lambda told, report: None
    reports: list[Report] = field(default_factory=list[Report])
    stopped: bool = False
    paused: bool = False

    def say(self, report: Report) -> None:
        self.reports.append(report)
        self.at(self, report)

    def check(self) -> None:
        if self.stopped:
            raise Stopped

    def wait(self) -> None:
        self.check()

    @property
    def losses(self) -> list[float]:
        return [loss for it in self.reports if isinstance(it, Stepped) for _, loss in it.losses]


def carry_out(it: Job, told: Told | None = None) -> tuple[Report, Told]:
    """Do the job here; the last report, and all that was told before it."""
    told = told or Told()
    return Session(it, check_model(Path(it.base)), told.say, told).run(), told
