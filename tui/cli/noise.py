"""`llamadiff noise`: whether variants differ more than each differs from itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

import click

from .options import Asked, variant_options
from .printing import data, note, print_json, table

if TYPE_CHECKING:
    from ...compare.control import Control, LensSpread
    from ...compare.run import Output, Run

SEEDS = 8


@click.command("noise")
@variant_options
@click.option("--seeds", default=SEEDS, type=click.IntRange(2, 100), metavar="N", help=f"Outputs of each variant, each with its own seed. [{SEEDS}]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def noise_command(asked: Asked, seeds: int, as_json: bool) -> int:
    """Tell whether variants really differ from the first one, or no more than by chance.

    The same variant says something else with another seed, so each is run several times; it takes
    six outputs of each for a verdict. SAME is the share of words that two outputs have in common, the
    mean over all pairs; PARTS AT is the token at which half of the pairs have parted. The verdict is
    that of a test: what a variant differs from the first by is held against what it would be if
    outputs with the same seed had changed places, and is beyond noise where at most 5 % of these swaps
    come up to it. Variants that always take the likeliest token are run in batches of other sizes
    instead, and are beyond noise where they differ by more than these do. The exit code is 1 when a
    variant is beyond noise.

    \b
    llamadiff noise -p support --variant adapter=none --variant adapter=support@0.2
    """
    from ...compare.control import control
    from ...compare.run import new_run
    from ..noise_words import HEAD, details, lens_verdict, lens_words, rows, verdicts

    variants = asked.make_variants()
    run = new_run(variants, asked.values, repeats=seeds, exact=asked.exact)
    shapes, lenses = asyncio.run(_measured(asked, run, as_json))
    found = control({it.name: run.of(it) for it in variants}, variants[0].name, shapes)
    if as_json:
        print_json(_document(run, found, lenses), indent=True)
    else:
        for sentence in verdicts(found):
            data(sentence)
        for name, lens in lenses.items():
            data(lens_verdict(lens, variants[0].name, name))
        data("")
        table([HEAD, *rows(found)])
        data("")
        for sentence in details(found):
            data(sentence)
        for name, lens in lenses.items():
            data(lens_words(lens, variants[0].name, name))
        for name in shapes if not run.exact else ():
            note(f"{name} takes the likeliest token: it was run in batches of other sizes.")
    return 1 if any(it.within is False for it in found.contrasts.values()) else 0


async def _measured(
    asked: Asked, run: Run, hashes: bool
) -> tuple[dict[str, Sequence[Output]], dict[str, LensSpread]]:
    """Carry out the run; what greedy variants say in other batches, and the lens on the first."""
    from ...compare.control import is_greedy, lens_spread, other_shapes
    from ...compare.errors import CompareError
    from .session import HASHING_S, raise_failed, raise_refused, recorded, runner

    shapes: dict[str, Sequence[Output]] = {}
    lenses: dict[str, LensSpread] = {}
    first, *others = run.variants
    with recorded(asked, run):
        async with runner(asked) as it:
            await it.run(run, strict=True)
            raise_refused(run)
            raise_failed(run)
            hashing = asyncio.create_task(it.hash_files(run))
            for variant in filter(is_greedy, run.variants):
                shapes[variant.name] = (
                    ()  # exact: other batches change nothing
                    if run.exact
                    else await other_shapes(it, run.of(variant)[0], run.values)
                )
            for variant in others:
                try:
                    pair, texts = (first, variant), run.of(first)
                    lens = await lens_spread(it, pair, texts, run.values, exact=run.exact)
                except CompareError as error:
                    note(str(error))
                    continue
                if lens is not None:
                    lenses[variant.name] = lens
            await asyncio.wait({hashing}, timeout=None if hashes else HASHING_S)
    return shapes, lenses


def _document(run: Run, found: Control, lenses: dict[str, LensSpread]) -> dict[str, object]:
    from ...compare.document import run_document
    from ...compare.noise import contrast_document, floor_document, spread_document

    document = run_document(run, version("llamadiff"))
    document["noise"] = {
        "alone": {name: floor_document(it) for name, it in found.floors.items()},
        "against": found.baseline,
        "variants": {name: contrast_document(it) for name, it in found.contrasts.items()},
        "lens": {
            name: {
                "texts": len(it.deltas.values),
                "mean_delta": spread_document(it.deltas),
                "rounding": it.rounding,
                "within_noise": it.within,
            }
            for name, it in lenses.items()
        },
    }
    return document
