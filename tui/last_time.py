"""How the app was left, written down when it is closed and read at the next start."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec

from .diffing import Diffing, View
from .paths import is_there, private
from .splits import Splits

if TYPE_CHECKING:
    from ..compare.variants import Variant
    from ..prompts.document import Prompt

VERSION = 1
"""Of the file: one that another version wrote is not read."""
NAME = "last-time.json"
_OURS = "llamadiff:"
"""What stands for the folder that this program is in, which the next version may have elsewhere."""
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class KeptAdapter:
    """An adapter of a stack."""

    name: str
    path: str
    scale: float


@dataclass(frozen=True)
class KeptBeginning:
    """What an answer begins with."""

    tokens: tuple[int, ...]
    text: str
    source: str


@dataclass(frozen=True)
class KeptVariant:
    """A variant. `prompt` is its prompt in canonical form, for when its file is gone."""

    name: str
    label: str
    model: str
    model_name: str
    adapters: Sequence[KeptAdapter]
    prompt: str
    prompt_path: str | None
    sampling: Mapping[str, object]
    values: Mapping[str, str]
    beginning: KeptBeginning | None = None


@dataclass(frozen=True)
class LastTime:
    """What was on the screen. `place` is the screen that lay over the playground, `tab` the prompt's
    and `cursor` the place in it, `focus` the pane that had the focus. `run` is the newest run whose
    outputs were shown, and `tops` the characters that stood at the top of them."""

    version: int
    variants: Sequence[KeptVariant]
    selected: str
    baseline: str
    values: Mapping[str, str]
    seed: int | None
    exact: bool
    repeats: int
    live: bool
    view: View
    diffing: Diffing
    place: str = ""
    tab: str = "user"
    cursor: tuple[int, int] = (0, 0)
    focus: str = ""
    run: str = ""
    tops: Mapping[str, int] = field(default_factory=dict[str, int])
    splits: Splits = field(default_factory=Splits)


def write(folder: Path, it: LastTime) -> None:
    """Write it down whole; what cannot be written is logged."""
    part = folder / f"{NAME}.{uuid4().hex}"
    try:
        private(folder)
        part.write_text(json.dumps(msgspec.to_builtins(it, str_keys=True)), encoding="ascii")
        part.replace(folder / NAME)
    except (OSError, ValueError, TypeError) as error:
        logging.warning("how the app was left is not kept: %s", error)
        part.unlink(missing_ok=True)


def read(folder: Path) -> LastTime | None:
    """What was written last; None if that is nothing, and, logged, for what cannot be read."""
    path = folder / NAME
    try:
        data = json.loads(path.read_text(encoding="ascii"))
        version = data.get("version") if isinstance(data, dict) else None
        if version == VERSION:
            return msgspec.convert(data, LastTime)
        logging.warning("%s is of version %s and not of %s: it is not read", path, version, VERSION)
    except FileNotFoundError:
        pass
    except (OSError, ValueError, TypeError, RecursionError, msgspec.MsgspecError) as error:
        logging.warning("%s cannot be read: %s", path, error)
    return None


def variant_out(variant: Variant) -> KeptVariant:
    """A variant to be written down."""
    from ..compare.history.content import canonical

    prompt, beginning = variant.prompt, variant.beginning
    return KeptVariant(
        variant.name,
        variant.label,
        _out(variant.model),
        variant.model_name,
        [KeptAdapter(it.name, _out(it.path), it.scale) for it in variant.adapters],
        canonical(prompt).decode(),
        None if prompt.path is None else _out(prompt.path),
        variant.sampling,
        variant.values,
        beginning and KeptBeginning(beginning.tokens, beginning.text, beginning.source),
    )


def variants_in(kept: Sequence[KeptVariant]) -> tuple[list[Variant], list[str]]:
    """The variants, and what is to be said of files that are not there any more. Reads files.

    Prompts are those of their files now. Raises CompareError or ModelError.
    """
    gone: dict[str, str] = {}
    found = [_variant_in(it, gone) for it in kept]
    return found, list(gone.values())


def _variant_in(kept: KeptVariant, gone: dict[str, str]) -> Variant:
    from ..compare.variants import Beginning, StackedAdapter, Variant

    model, model_name = _in(kept.model), kept.model_name
    if not is_there(model):
        if kept.model.startswith(_OURS):
            from ..models.catalog import default_model

            bundled = default_model()
            model, model_name = bundled.facts.path, bundled.entry.name
        else:
            gone[kept.model] = (
                f"{model} is gone: give {kept.name} another model ({{variant.model}})."
            )
    for adapter in kept.adapters:
        if not is_there(path := _in(adapter.path)):
            gone[adapter.path] = (
                f"{path} is gone: give {kept.name} other adapters ({{variant.adapters}})."
            )
    begins = kept.beginning
    return Variant(
        kept.name,
        model,
        model_name,
        _prompt_in(kept, gone),
        tuple(StackedAdapter(it.name, _in(it.path), it.scale) for it in kept.adapters),
        kept.sampling,
        kept.label,
        kept.values,
        begins and Beginning(begins.tokens, begins.text, begins.source),
    )


def _prompt_in(kept: KeptVariant, gone: dict[str, str]) -> Prompt:
    """The prompt that is in the file now; without one, as it was."""
    from ..compare.history.content import restored
    from ..prompts.errors import PromptError
    from ..prompts.parse import load_prompt

    if kept.prompt_path is not None:
        path = _in(kept.prompt_path)
        try:
            return load_prompt(path)
        except PromptError as error:
            said = str(error) if is_there(path) else f"{path} is gone."
            gone[kept.prompt_path] = f"{said} {kept.name} has its prompt as it was, without a file."
    return replace(restored(kept.prompt.encode()), path=None)


def _out(path: Path) -> str:
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - links stay what they are
    if whole.is_relative_to(_ROOT):
        return _OURS + whole.relative_to(_ROOT).as_posix()
    return str(whole)


def _in(path: str) -> Path:
    return _ROOT / path.removeprefix(_OURS) if path.startswith(_OURS) else Path(path)
