"""`llamadiff quantize`: a base model in a smaller type."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from .found import base_model, open_catalog
from .options import complete_model
from .printing import data, note, print_json, size
from .progress import ProgressLine


@click.command("quantize")
@click.argument("model", metavar="MODEL", shell_complete=complete_model)
@click.argument("type_name", metavar="TYPE")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), metavar="OUT.gguf", help="The file to write; a GGUF file there is replaced.")  # fmt: skip
@click.option("--requantize", is_flag=True, help="Do it though MODEL is quantized already, and lose more than from the original.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def quantize_command(
    model: str, type_name: str, out: Path, requantize: bool, as_json: bool
) -> None:
    """Write MODEL quantized to TYPE, a recipe of llama.cpp such as Q4_K_M or Q8_0.

    \b
    llamadiff quantize model-F16.gguf Q4_K_M -o model-Q4_K_M.gguf
    """
    from ...models.quantize import quantize
    from ..paths import log_dir

    facts = base_model(open_catalog(), model).facts
    with ProgressLine() as line:
        made = asyncio.run(
            quantize(
                facts,
                out,
                type_name,
                requantize=requantize,
                log=log_dir() / "writing.log",
                on_progress=lambda it: line.show(
                    it.stage, it.done / max(it.total, 1), f"tensor {it.done} of {it.total}"
                ),
            )
        )
    if as_json:
        print_json(
            {"path": str(made.path), "bytes": made.bytes, "bytes_before": made.bytes_before},
            indent=True,
        )
        return
    data(str(made.path))
    note(f"{facts.name}: {size(made.bytes_before)} → {size(made.bytes)}.")
