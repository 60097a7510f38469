"""Models and adapters to measure with, written when they are not there yet."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from adapters import write_adapter
from gguf import GGMLQuantizationType as Type
from shapes import SHAPES, write

from llamadiff.models.bench.bench import Stack
from llamadiff.models.engine.protocol import AdapterUse, file_version

FOLDER = Path(sys.executable).parent.parent / "shapes"
"""Beside what `make test` installs: .venv/shapes."""


def model_file(folder: Path, shape: str, kind: str) -> Path:
    """A model of this shape and type."""
    path = folder / f"{shape}-{kind}.gguf"
    return _written(path, lambda beside: write(beside, SHAPES[shape], Type[kind]))


def adapter_stacks(folder: Path, shape: str, count: int = 4) -> list[Stack]:
    """`count` stacks of one adapter each, all different."""
    stacks: list[Stack] = []
    for seed in range(count):
        path = folder / f"{shape}-adapter-{seed}.gguf"
        _written(path, lambda beside, seed=seed: write_adapter(beside, SHAPES[shape], seed))
        stacks.append((AdapterUse(str(path), 1.0, file_version(path)),))
    return stacks


def _written(path: Path, write_to: Callable[[Path], None]) -> Path:
    if not path.exists():
        print(f"writing {path.name} …", file=sys.stderr)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        write_to(beside)
        beside.rename(path)
    return path


def file_options(description: str | None, rounds: int) -> argparse.ArgumentParser:
    """The options that the benchmarks on shapes share."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--shape",
        choices=SHAPES,
        action="append",
        help="repeat for several; all of them otherwise",
    )
    parser.add_argument(
        "--type",
        choices=["Q4_0", "Q8_0", "Q6_K"],
        action="append",
        help="repeat for several; Q4_0 otherwise",
    )
    parser.add_argument("--rounds", type=int, default=rounds, help=f"[{rounds}]")
    parser.add_argument(
        "--files",
        type=Path,
        default=FOLDER,
        metavar="FOLDER",
        help="where models are, or are written [.venv/shapes]",
    )
    parser.add_argument("--json", action="store_true")
    return parser


def models_of(options: argparse.Namespace) -> list[tuple[str, str]]:
    """The shapes and types asked for."""
    return [(shape, kind) for shape in options.shape or SHAPES for kind in options.type or ["Q4_0"]]
