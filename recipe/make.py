"""The order of the work: base, its GGUF file, then each adapter on that file, suites and prompts."""

import asyncio
import json
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .export import export_base
from .scale import Scale
from .suites import write_suites
from .tasks import TASKS
from .train_adapters import train_adapters
from .train_base import train_base


def bundled(out: Path) -> Path:
    """The folder of the GGUF files in ``out``, which is laid out as the repository is."""
    return out / "models" / "bundled"


def make(scale: Scale, work: Path, out: Path) -> list[Path]:
    """Train everything at one scale and return the GGUF files; what is done already is kept.

    ``training.json`` in ``out`` gets the record of the base's training, for the card.
    """
    with _bars() as progress:
        bar = progress.add_task("base", total=scale.steps, loss=float("nan"))
        folder = train_base(
            scale, work, lambda step, loss: progress.update(bar, completed=step, loss=loss)
        )
    base = bundled(out) / f"{scale.name}-Q8_0.gguf"
    export_base(folder, base, scale.name)
    record = {"base": json.loads((folder / "training.json").read_text())}
    (out / "training.json").write_text(json.dumps(record))
    write_suites(out)
    with _bars() as progress:
        adapters = asyncio.run(train_adapters(TASKS, scale, base, work, bundled(out), progress))
    return [base, *adapters]


def _bars() -> Progress:
    """A bar for each training: how far it has come, and how long it will take."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.3f}"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True))
