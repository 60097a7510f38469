"""`llamadiff convert`: a PEFT folder becomes a GGUF adapter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .found import base_model, open_catalog
from .options import complete_model
from .printing import data, note, size
from .progress import ProgressLine

OUT_TYPES = ("f16", "bf16", "f32", "q8_0")


@click.command("convert")
@click.argument("peft_dir", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", required=True, metavar="OUT.gguf", type=click.Path(path_type=Path),
    help="The file to write; an adapter there is replaced.",
)  # fmt: skip
@click.option(
    "--base", required=True, metavar="MODEL", shell_complete=complete_model,
    help="The base model it was trained on: a GGUF file, or a name from `llamadiff models`.",
)  # fmt: skip
@click.option(
    "--outtype", type=click.Choice(OUT_TYPES, case_sensitive=False), default="f16",
    help="How numbers are stored. [f16]",
)  # fmt: skip
def convert_command(peft_dir: Path, out: Path, base: str, outtype: Any) -> None:
    """Turn PEFT_DIR, the folder in which PEFT saved a LoRA adapter, into a GGUF file.

    The file's path goes to stdout.
    """
    from ...models.adapters.convert import convert
    from ..paths import cache_dir

    facts = base_model(open_catalog(), base).facts
    with ProgressLine() as line:
        converted = convert(
            peft_dir,
            out,
            facts,
            outtype=outtype,
            cache_dir=cache_dir(),
            progress=lambda what, done, total: line.show(what, done / max(total, 1)),
        )
    for sentence in converted.notes:
        note(sentence)
    note(f"{converted.pairs} weights of {facts.name} are adapted; {size(converted.bytes)}")
    data(str(converted.path))
