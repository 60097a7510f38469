"""Variants from words: what `-m`, `-a`, `-p`, `--set` and `--variant` say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..models.engine.protocol import LARGEST_SCALE
from ..models.engine.samplers import FIELDS, parse_value
from ..models.errors import ModelError
from .errors import CompareError
from .variants import StackedAdapter, Variant, variant_names

if TYPE_CHECKING:
    from ..models.catalog import Catalog
    from ..prompts.library import Library

KEYS = ("label", "model", "adapter", "prompt")


@dataclass(frozen=True)
class Defaults:
    """What every variant starts from: names or paths, and sampling settings as text.

    Without a `catalog` names are those of the bundled files and of other programs, and without a
    `library` those of the prompts that ship.
    """

    model: str | None = None
    prompt: str | None = None
    adapters: tuple[str, ...] = ()
    sampling: Mapping[str, str] = field(default_factory=dict[str, str])
    catalog: Catalog | None = None
    library: Library | None = None


def make_variants(defaults: Defaults, specs: Sequence[str]) -> list[Variant]:
    """The listed variants, or one of the defaults alone.

    Raises CompareError, ModelError or PromptError, each one sentence.
    """
    names = variant_names()
    if len(specs) > len(names):
        raise CompareError(f"{len(specs)} variants are too many; at most {len(names)}.")
    from ..models.catalog import Catalog
    from ..prompts.library import Library

    catalog, library = defaults.catalog or Catalog(), defaults.library or Library()
    if not specs:
        return [_make(names[0], defaults, {}, catalog, library)]
    return [
        _make(name, defaults, parse_spec(spec), catalog, library)
        for name, spec in zip(names, specs, strict=False)
    ]


def with_values(
    variants: Sequence[Variant],
    values: Mapping[str, Sequence[str]],
    used: Mapping[str, Collection[str]],
) -> list[Variant]:
    """Each variant with every combination of the values of those variables that its prompt has.

    `used` gives, by a prompt's name, the variables that its templates use. Raises PromptError as
    `matrix` does, and CompareError for more variants than there are names.
    """
    from ..prompts.matrix import matrix

    cases = matrix([variant.prompt for variant in variants], values, used)
    names = variant_names()
    if len(cases) > len(names):
        raise CompareError(f"{len(cases):,} combinations are too many; at most {len(names)}.")
    made: list[Variant] = []
    for name, case in zip(names, cases, strict=False):
        variant = variants[case.place]
        label = f"{variant.label} · {case}" if variant.label and case.values else variant.label
        made.append(replace(variant, name=name, values=case.values, label=label))
    return made


def parse_spec(spec: str) -> dict[str, str]:
    """`key=value` pairs separated by commas. Raises CompareError."""
    pairs: dict[str, str] = {}
    for part in spec.split(","):
        key, equals, value = part.partition("=")
        key = key.strip()
        if not equals or not key:
            raise CompareError(
                f"--variant {spec!r}: {part!r} is not key=value; an example is "
                "label=tuned,adapter=support@0.8,prompt=tell-me-about,temperature=0.2"
            )
        if key in pairs:
            raise CompareError(f"--variant {spec!r} gives {key} twice.")
        pairs[key] = value.strip()
    return pairs


def _make(
    name: str, defaults: Defaults, spec: Mapping[str, str], catalog: Catalog, library: Library
) -> Variant:
    from ..models.catalog import default_model

    model = spec.get("model", defaults.model)
    found = catalog.model(model) if model else default_model()
    prompt = spec.get("prompt", defaults.prompt)
    if not prompt:
        known = ", ".join(sorted({path.stem for path in library.paths()})[:30])
        raise CompareError(f"Variant {name} has no prompt; give one with -p: a file, or {known}.")
    stack = parse_stack(spec["adapter"]) if "adapter" in spec else defaults.adapters
    adapters = tuple(parse_adapter(adapter, catalog) for adapter in stack)
    paths = [adapter.path for adapter in adapters]
    for adapter in adapters:
        if paths.count(adapter.path) > 1:
            raise CompareError(
                f"{adapter.name} is twice in the stack of variant {name}; add up its scales."
            )
    settings = {**defaults.sampling, **{k: v for k, v in spec.items() if k not in KEYS}}
    return Variant(
        name=name,
        model=found.facts.path,
        model_name=found.entry.name,
        prompt=library.resolve(prompt),
        adapters=adapters,
        sampling={key: _setting(key, value) for key, value in settings.items()},
        label=spec.get("label", ""),
    )


def _setting(key: str, value: str) -> object:
    try:
        return parse_value(key, value)
    except ModelError as error:
        if key in FIELDS:
            raise
        raise CompareError(f"{error} A variant also takes {', '.join(KEYS)}.") from None


def parse_stack(text: str) -> tuple[str, ...]:
    """`support@0.8+tone@0.3` as its adapters; `none` is the base alone."""
    return () if text in ("", "none") else tuple(text.split("+"))


def parse_adapter(text: str, catalog: Catalog) -> StackedAdapter:
    """`NAME` or `NAME@SCALE`. Raises CompareError for a scale, ModelError for a name."""
    name, at, number = text.rpartition("@")
    if not at:
        name, number = text, "1"
    try:
        scale = float(number)
    except ValueError:
        # An @ may be part of a path, or stand before a revision: org/repo@1a2b3c4/name.
        name, scale = text, 1.0
        if "/" not in number and not Path(text).exists():
            raise CompareError(f"{text!r}: {number!r} is not a scale; write NAME@0.8.") from None
    if not abs(scale) <= LARGEST_SCALE:
        raise ModelError(f"{text!r}: a scale is between {-LARGEST_SCALE:g} and {LARGEST_SCALE:g}.")
    found = catalog.adapter(name)
    return StackedAdapter(found.entry.name, found.facts.path, scale)
