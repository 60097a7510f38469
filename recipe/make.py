"""The order of the work: base, its GGUF file, then each adapter on that file."""

import json
from pathlib import Path

from llamadiff.models.adapters.convert import convert
from llamadiff.models.adapters.training import Training
from llamadiff.models.gguf.check import check_model

from .adapter_text import ADAPTERS
from .export import export_base
from .scale import Scale
from .train_adapters import train_adapter
from .train_base import train_base

BUNDLED = Path(__file__).parents[1] / "models" / "bundled"


def make(scale: Scale, work: Path, out: Path) -> list[Path]:
    """Train everything at one scale and return the GGUF files written to ``out``."""
    return finish(scale, train_base(scale, work), work, out)


def finish(scale: Scale, base_folder: Path, work: Path, out: Path) -> list[Path]:
    """Export a trained base and train its adapters; return the GGUF files in ``out``."""
    base = out / f"{scale.name}-Q8_0.gguf"
    export_base(base_folder, base, scale.name)
    files = [base]
    for name in ADAPTERS:
        adapter = out / f"{name}.gguf"
        folder = train_adapter(name, scale, base, base_folder, work)
        convert(folder, adapter, check_model(base), name=name, training=training(scale, folder))
        files.append(adapter)
    return files


def training(scale: Scale, folder: Path) -> Training:
    """What `train_adapter` left in its folder, for the adapter's file."""
    record = json.loads((folder / "training.json").read_text())
    return Training(
        rows=record["rows"],
        tokens=record["tokens"],
        steps=scale.adapter_steps,
        seconds=record["seconds"],
        peak_bytes=record["peak_bytes"],
        parameters=record["parameters"],
        losses=tuple((step, loss) for step, loss in record["losses"]),
    )
