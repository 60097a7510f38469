"""`llamadiff bench`: this machine's figures for a model, beside a bare llama.cpp loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from ..safe_text import safe_line
from .found import open_catalog
from .options import complete_adapter, complete_model
from .peft import converter
from .printing import note, print_json, size, table

if TYPE_CHECKING:
    from ...models.bench.bench import Stack
    from ...models.bench.figures import Figure, Unit
    from ...models.catalog import Catalog
    from ...models.gguf.facts import ModelFacts

MOST_STACKS = 4
"""As many as the engine runs at once."""


@click.command("bench")
@click.argument("model", shell_complete=complete_model)
@click.option(
    "-a",
    "--adapter",
    "adapters",
    multiple=True,
    metavar="ADAPTER[@SCALE]",
    shell_complete=complete_adapter,
    help="Apply an adapter, a GGUF file, a PEFT folder or a name; repeat to stack several.",
)
@click.option(
    "--variants",
    default=4,
    type=click.IntRange(2, 8),
    metavar="N",
    help="How many variants run at once where several do. [4]",
)
@click.option(
    "--rounds",
    default=5,
    type=click.IntRange(1, 1000),
    metavar="N",
    help="How often each figure is taken. [5]",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def bench_command(
    model: str, adapters: tuple[str, ...], variants: int, rounds: int, as_json: bool
) -> None:
    """Measure MODEL on this machine: a GGUF file, or a name from `llamadiff models`.

    Speeds are set against the same work done with llama.cpp's calls alone; what is compared
    runs in turn, and the ratios are those of each turn. With -a the model runs under these
    adapters, and other scales of them are compared and changed to.
    """
    catalog = open_catalog()
    facts = catalog.model(model).facts
    stack = _stack(adapters, facts, catalog)
    document, figures = asyncio.run(_measure(facts, stack, variants, rounds))
    if as_json:
        import msgspec

        print_json({**document, "figures": msgspec.to_builtins(figures)}, indent=True)
    else:
        _print_table(document, figures)


def _stack(adapters: tuple[str, ...], facts: ModelFacts, catalog: Catalog) -> Stack:
    """Raises CompareError or ModelError when an adapter cannot be used on the model."""
    from ...compare.errors import CompareError
    from ...compare.spec import parse_adapter
    from ...models.adapters.preflight import check_fit
    from ...models.engine.protocol import AdapterUse, file_version
    from ...models.hashing import cached_model_sha256
    from ..paths import cache_dir

    stack: list[AdapterUse] = []
    convert = converter()
    for text in adapters:
        adapter = parse_adapter(text, catalog, lambda folder: convert(folder, facts))
        for sentence in check_fit(
            catalog.adapter(str(adapter.path)).facts,
            facts,
            base_sha256=cached_model_sha256(facts.parts, cache_dir()),
        ):
            note(sentence)
        if adapter.scale == 0:
            raise CompareError(f"{adapter.name} has scale 0, which is no adapter; leave it out.")
        stack.append(AdapterUse(str(adapter.path), adapter.scale, file_version(adapter.path)))
    return tuple(stack)


def _scaled(stack: Stack, count: int) -> list[Stack]:
    """The stack at `count` different scales, from its own downwards; the base is one stack."""
    from ...models.engine.protocol import AdapterUse

    factors = [1 - i / (2 * count) for i in range(count)] if stack else [1.0]
    return [
        tuple(AdapterUse(use.path, use.scale * factor, use.version) for use in stack)
        for factor in factors
    ]


async def _measure(
    facts: ModelFacts, stack: Stack, variants: int, rounds: int
) -> tuple[dict[str, Any], dict[str, Figure]]:
    """What was measured and how, and the figures by name."""
    from ...models.bench.bench import opened
    from ...models.bench.measure import measure, usual_figures
    from ..paths import log_dir

    note(f"Loading {safe_line(facts.name)} …")
    async with opened(
        facts,
        _scaled(stack, min(variants, MOST_STACKS)),
        log_path=log_dir() / "engine.log",
        variants=variants,
        rounds=rounds,
    ) as bench:
        if bench.bare is None:
            note("There is no memory for a second copy of the model: no bare loop beside it.")

        def tell(name: str) -> None:
            note(f"Measuring {name.replace('_', ' ')} …")

        figures = {name: it async for name, it in measure(bench, usual_figures(bench), tell)}
        info, hello = bench.model.info, bench.engine.hello
        document = {
            "schema": 1,
            "model": {
                "name": facts.name,
                "path": str(facts.path),
                "parameters": info.n_params,
                "quantization": facts.quantization,
                "bytes": facts.bytes,
            },
            "adapters": [{"path": use.path, "scale": use.scale} for use in stack],
            "engine": {
                "llama_cpp": hello.llama_cpp if hello else None,
                "backend": info.backend,
                "threads": info.n_threads,
                "n_ctx": info.n_ctx,
                "n_ubatch": info.n_ubatch,
                "kv_type": info.kv_type,
            },
            "prompt_tokens": bench.long,
            "stream_tokens": bench.tokens,
            "variants": variants,
            "rounds": rounds,
        }
        return document, figures


def _print_table(document: dict[str, Any], figures: dict[str, Figure]) -> None:
    engine = document["engine"]
    threads = "1 thread" if engine["threads"] == 1 else f"{engine['threads']} threads"
    heading = f"{document['model']['name']} · {engine['backend']}, {threads}"
    table(
        [(heading, "", "median", "beside", "ratio (least–largest)"), *map(_row, figures.values())]
    )


def _row(figure: Figure) -> tuple[str, ...]:
    value, reference, ratio = figure.value, figure.reference, figure.ratio
    here = f"{_amount(value.median, figure.unit):>9}"
    if reference is None or ratio is None:
        spread = f"({_amount(value.min, figure.unit)}–{_amount(value.max, figure.unit)})"
        return figure.title, figure.unit, here, "", spread
    return (
        figure.title,
        figure.unit,
        here,
        f"{_amount(reference.median, figure.unit)} {figure.against}",
        f"{ratio.median:.2f} ({ratio.min:.2f}–{ratio.max:.2f})",
    )


def _amount(value: float, unit: Unit) -> str:
    if unit == "bytes":
        return size(round(value))
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
