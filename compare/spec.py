"""Variants from words: what `-m`, `-a`, `-p`, `--set` and `--variant` say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..models.engine.protocol import LARGEST_SCALE
from ..models.engine.samplers import FIELDS, parse_value
from ..models.errors import ModelError
from ..prompts.document import Message, Prompt
from ..prompts.errors import PromptError
from .errors import CompareError
from .variants import StackedAdapter, Variant, variant_names

if TYPE_CHECKING:
    from ..models.catalog import Catalog
    from ..models.gguf.facts import ModelFacts
    from ..prompts.library import Library

KEYS = ("label", "model", "adapter", "prompt")
LONGEST_SAID = 40
"""Characters of a text that an error quotes."""


@dataclass(frozen=True)
class Defaults:
    """What every variant starts from: names or paths, and sampling settings as text.

    Without a `catalog` names are those of the bundled files and of other programs, and without a
    `library` those of the prompts that ship. `convert` makes a file of a PEFT folder for a base
    model; without it such folders are refused. `user` is the user's message, in place of the
    prompt's or without a prompt.
    """

    model: str | None = None
    prompt: str | None = None
    adapters: tuple[str, ...] = ()
    sampling: Mapping[str, str] = field(default_factory=dict[str, str])
    catalog: Catalog | None = None
    library: Library | None = None
    convert: Callable[[Path, ModelFacts], Path] | None = None
    user: str | None = None


def make_variants(defaults: Defaults, specs: Sequence[str]) -> list[Variant]:
    """The listed variants, or one of the defaults alone.

    Raises CompareError, ModelError or PromptError, each one sentence.
    """
    return variants_of(defaults, [parse_spec(spec) for spec in specs] or [{}])


def variants_of(
    defaults: Defaults,
    specs: Sequence[Mapping[str, object]],
    names: Sequence[str] = tuple(variant_names()),
) -> list[Variant]:
    """One variant for each table of the keys and settings that a SPEC has.

    Values of `KEYS` are text; those of settings may be what they stand for. Raises as
    `make_variants`.
    """
    if len(specs) > len(names):
        raise CompareError(f"{len(specs)} variants are too many; at most {len(names)}.")
    from ..models.catalog import Catalog
    from ..prompts.library import Library

    catalog, library = defaults.catalog or Catalog(), defaults.library or Library()
    return [
        _make(name, defaults, spec, catalog, library)
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
    name: str, defaults: Defaults, spec: Mapping[str, object], catalog: Catalog, library: Library
) -> Variant:
    from ..models.catalog import default_model

    said = {key: str(spec[key]) for key in KEYS if key in spec}
    model = said.get("model", defaults.model)
    found = catalog.model(model) if model else default_model()
    prompt = _prompt(name, said.get("prompt", defaults.prompt), defaults.user, library)
    stack = parse_stack(said["adapter"]) if "adapter" in said else defaults.adapters
    convert, base = defaults.convert, found.facts
    to_file = (lambda folder: convert(folder, base)) if convert else None
    adapters = tuple(parse_adapter(adapter, catalog, to_file) for adapter in stack)
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
        prompt=prompt,
        adapters=adapters,
        sampling={key: setting(key, value) for key, value in settings.items()},
        label=said.get("label", ""),
    )


def _prompt(variant: str, wanted: str | None, user: str | None, library: Library) -> Prompt:
    """The prompt of a variant, by its path or name; `user` is asked instead of its own text."""
    if user is not None and not user.strip():
        raise CompareError("--user is empty; give the text that the user says.")
    if not wanted:
        if user is not None:
            return Prompt("own text", user=user)
        known = ", ".join(sorted({path.stem for path in library.paths()})[:30])
        raise CompareError(
            f"Variant {variant} has no prompt; give one with -p: a file, or {known}; or --user TEXT."
        )
    try:
        prompt = library.resolve(wanted)
    except (PromptError, OSError):
        if not any(character.isspace() for character in wanted.strip()) or _exists(wanted):
            raise
        said = wanted if len(wanted) <= LONGEST_SAID else f"{wanted[:LONGEST_SAID]}…"
        raise CompareError(
            f"{said!r} is neither a prompt's name nor a file; give a text of your own with --user."
        ) from None
    return prompt if user is None else _asking(prompt, user)


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def _asking(prompt: Prompt, user: str) -> Prompt:
    """The prompt with another last word of the user."""
    if prompt.user or not prompt.messages:
        return replace(prompt, user=user)
    return replace(prompt, messages=(*prompt.messages[:-1], Message("user", user)))


def setting(key: str, value: object) -> object:
    """The value of a sampling setting, text converted. Raises CompareError or ModelError."""
    if key == "scale":
        raise CompareError(
            "A scale is not a setting of its own; it goes behind its adapter, as "
            "adapter=support@0.5 in --variant, or -a support@0.5."
        )
    try:
        return parse_value(key, value)
    except ModelError as error:
        if key in FIELDS:
            raise
        raise CompareError(f"{error} A variant also takes {', '.join(KEYS)}.") from None


def parse_stack(text: str) -> tuple[str, ...]:
    """`support@0.8+tone@0.3` as its adapters; `none` is the base alone."""
    return () if text in ("", "none") else tuple(text.split("+"))


def parse_adapter(
    text: str, catalog: Catalog, convert: Callable[[Path], Path] | None = None
) -> StackedAdapter:
    """`NAME` or `NAME@SCALE`; of a PEFT folder the file that `convert` makes of it.

    Raises CompareError for a scale, ModelError for a name.
    """
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
    from ..models.catalog import PeftFolderError

    try:
        found = catalog.adapter(name)
    except PeftFolderError as peft:
        if convert is None:
            raise
        return StackedAdapter(peft.name, convert(peft.folder), scale)
    return StackedAdapter(found.entry.name, found.facts.path, scale)
