"""The Tune screen and a training with everything there already: the same picture every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from textual.pilot import Pilot

from llamadiff.compare.training_data.findings import Case, Finding, Kind, Report
from llamadiff.compare.training_data.preview import PreviewedRow
from llamadiff.compare.tuning.data import CheckedData
from llamadiff.compare.tuning.events import Sample, Sampled
from llamadiff.compare.tuning.plan import TuningPlan
from llamadiff.models.tuning.estimate import Estimate
from llamadiff.models.tuning.settings import TuningSettings
from llamadiff.prompts.library import resolve
from llamadiff.tui.screens.training import TrainingScreen
from llamadiff.tui.screens.tune import Tune
from llamadiff.tui.training import Look, Training
from llamadiff.tui.tune_form import TuneForm

from .app import MODEL, playground

ROWS = Path("/rows/reviews.jsonl")
ASKS = "<s>[USER] Is this review positive, negative or neutral? It fits well. [/USER]"


def checked() -> CheckedData:
    """Rows in which something is wrong."""
    findings = (
        Finding(Kind.LEAKED, 1, (Case(4, "It fits well.", 17, Path("/suites/sentiment.jsonl")),), grave=True, subject="Sentiment"),
        Finding(Kind.DUPLICATE, 2, (Case(9, "Never again.", 3), Case(11, "Fine.", 2))),
    )  # fmt: skip
    report = Report(
        ROWS, False, 120, 120, 120, 3840, 240, 48, 1024, {"positive": 61, "negative": 59}, findings
    )
    row = PreviewedRow(
        1, "", (ASKS, " positive", "</s>"), (False, False, True), (False, True, True)
    )
    took = Estimate(70, 18_900, 97_280, 640_000_000, 65.0)
    return CheckedData(
        cast("Any", None),
        "",
        report,
        None,
        TuningSettings(epochs=5, accumulation=1),
        (row,),
        (took,),
    )


class StillTune(Tune):
    """Has its rows checked."""

    def _check_soon(self) -> None:
        self._data, self._rate, self._stage = checked(), 0.0018, ""
        self._show()


async def show_choices(pilot: Pilot[None]) -> None:
    """Put the choices over the playground."""
    home = playground(pilot)
    home.tune_form = TuneForm(
        MODEL, "demo-7m", Path("/adapters"), ROWS, "reviews.jsonl", resolve("sentiment"),
        (Path("/suites/sentiment.toml"),), "mine", "25,50", {"epochs": "5", "batch": "4"},
        frozenset({"data", "suites", "name", "counts", "epochs", "others"}),
    )  # fmt: skip
    await pilot.app.push_screen(StillTune(home))


async def show_training(pilot: Pilot[None]) -> None:
    """Put a training that goes on over the playground."""
    home = playground(pilot)
    plan = TuningPlan(base=MODEL, data=ROWS, out=Path("/adapters/mine.gguf"))
    it = Training(plan)
    losses = tuple((step, 0.4 + 3 / step + 0.2 * (step % 3)) for step in range(1, 41))
    samples = (
        Sample("It fits well.", "positive", "It is a question that people ask.", "positive"),
        Sample("It broke at once.", "negative", "", "positive"),
    )
    it.state = "running"
    it.look = Look(
        name="mine", step=40, steps=70, losses=losses,
        validations=((7, 1.2), (14, 0.9), (21, 0.72), (28, 0.8), (35, 0.84)),
        tokens_per_s=1234.0, memory_bytes=512_000_000, left_s=33.0, samples=Sampled(35, samples),
    )  # fmt: skip
    home.training = it
    await pilot.app.push_screen(TrainingScreen(home, it))
