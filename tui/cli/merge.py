"""`llamadiff merge`: a base model and a stack of adapters as one file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from .found import open_catalog
from .options import complete_adapter, complete_model
from .printing import data, note, print_json, size
from .progress import ProgressLine

ROUNDED = 0.01
"""A share of the change that is worth a word when rounding spoils it; above 1 is a note."""


@click.command("merge")
@click.argument("model", metavar="MODEL", shell_complete=complete_model)
@click.option("-a", "--adapter", "adapters", multiple=True, required=True, metavar="ADAPTER[@SCALE]", shell_complete=complete_adapter, help="Merge this adapter; repeat to merge several.")  # fmt: skip
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), metavar="OUT.gguf", help="The file to write; a GGUF file there is replaced.")  # fmt: skip
@click.option("--outtype", metavar="TYPE", help="Quantize all of it by this recipe, as Q4_K_M. [each tensor as in the base]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def merge_command(
    model: str, adapters: tuple[str, ...], out: Path, outtype: str | None, as_json: bool
) -> None:
    """Write MODEL with adapters merged into it: one file that runs without them.

    Each weight is written in the type it has in MODEL, so a small type rounds away some of what
    the adapters change: how much is said in the end. `llamadiff diff` shows what it does.

    \b
    llamadiff merge demo-6m-Q8_0 -a support@0.8 -o shop.gguf
    """
    from ...compare.spec import parse_adapter
    from ...models.adapters.merge import merge
    from ...models.gguf.check import check_adapter
    from ..paths import cache_dir, log_dir

    catalog = open_catalog()
    base = catalog.model(model).facts
    used = [parse_adapter(adapter, catalog) for adapter in adapters]
    stack = [(check_adapter(adapter.path), adapter.scale) for adapter in used]
    with ProgressLine() as line:
        merged = asyncio.run(
            merge(
                base,
                stack,
                out,
                outtype=outtype,
                log=log_dir() / "writing.log",
                cache_dir=cache_dir(),
                on_progress=lambda it: line.show(it.stage, it.done / max(it.total, 1)),
            )
        )
    if as_json:
        print_json(
            {
                "path": str(merged.path),
                "bytes": merged.bytes,
                "rounding": merged.rounding,
                "notes": list(merged.notes),
            },
            indent=True,
        )
        return
    data(str(merged.path))
    note(f"{' + '.join(map(str, used))} merged into {base.name}: {size(merged.bytes)}.")
    for sentence in merged.notes:
        note(sentence)
    if merged.rounding is not None and ROUNDED <= merged.rounding <= 1:
        note(
            f"Rounding to {merged.stored} is an error of {merged.rounding:.0%} of what the "
            "adapters change; a type of more bits (--outtype) has a smaller one."
        )
