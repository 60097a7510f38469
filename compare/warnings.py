"""What a person should know before a prompt is run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..prompts.document import Prompt
from ..prompts.rendering.outline import SystemRole
from ..prompts.warnings import own_warnings
from .preview import Preview


@dataclass(frozen=True)
class Found:
    """What the warnings are drawn from."""

    prompt: Prompt
    used: Sequence[str]
    """The variables that the prompt's templates use."""
    preview: Preview
    part_names: Sequence[str]
    system_role: SystemRole
    fenced: Mapping[str, Sequence[str]]
    """What stays text though it is written like special tokens: see `RenderedPrompt`."""
    template: str | None
    arguments: Mapping[str, object]


def warnings_of(found: Found) -> tuple[str, ...]:
    """What a person should know before running a prompt, a sentence each, the gravest first."""
    said: list[str] = []
    for warn in _WARNINGS:
        said += warn(found)
    return tuple(said)


def _too_long(found: Found) -> list[str]:
    preview = found.preview
    if preview.fits:
        return []
    count, room = f"{len(preview.tokens):,}", f"{preview.n_ctx:,}"
    examples = sum(part.tokens for part in preview.parts if part.name.startswith("example "))
    if examples >= preview.n_ctx:
        return [
            f"the examples alone are {examples:,} tokens long, but the context holds {room}; "
            "take fewer of them"
        ]
    return [
        f"the prompt is {count} tokens long, but the context holds {room}; shorten the prompt or "
        "ask for a larger context"
    ]


def _no_template(found: Found) -> list[str]:
    if found.preview.template_source == "model":
        return []
    return ["the model has no chat template, a plain one is used"]


def _system_role(found: Found) -> list[str]:
    match found.system_role:
        case "dropped":
            return ["the model's chat template leaves the system text out; move it into user"]
        case "merged":
            return [
                "the model's chat template has no system role: it sets the system text before the "
                "user's, as if the user had said it"
            ]
        case _:
            return []


def _fenced(found: Found) -> list[str]:
    said = [
        (f"the value of {name} holds" if name else "an expression gives a part of", texts)
        for name, texts in found.fenced.items()
    ]
    return [
        f"{what} {_listed(texts)}, which stays text: special tokens are only made of what the "
        "prompt itself says"
        for what, texts in said
    ]


def _own(found: Found) -> list[str]:
    return [warning.message for warning in own_warnings(found.prompt, found.used)]


def _written(found: Found) -> list[str]:
    preview = found.preview
    written: dict[str, list[str]] = {}
    for token in sorted(preview.special):
        number = preview.in_message(token)
        if number is not None:
            text = preview.texts[preview.tokens[token]].decode("utf-8", "replace")
            written.setdefault(found.part_names[number], []).append(text)
    return [
        f"{name} writes {_listed(list(dict.fromkeys(texts)))}, which the model is given as "
        f"{'a special token' if len(texts) == 1 else 'special tokens'}"
        for name, texts in written.items()
    ]


def _lookalike(found: Found) -> list[str]:
    preview = found.preview
    fenced = {text for texts in found.fenced.values() for text in texts}
    written: dict[str, list[str]] = {}
    for start, end in preview.lookalikes:
        text = preview.text[start:end]
        number = preview.message_at(start)
        if number is not None and text not in fenced:
            written.setdefault(found.part_names[number], []).append(text)
    return [
        f"{name} writes {_listed(list(dict.fromkeys(texts)))}, which this model has no token for"
        for name, texts in written.items()
    ]


def _unused(found: Found) -> list[str]:
    if found.template is None:
        return []
    unknown = [
        name for name in found.arguments if not re.search(rf"\b{re.escape(name)}\b", found.template)
    ]
    return [f"the model's chat template does not know {_listed(unknown)}"] if unknown else []


def _listed(texts: Sequence[str]) -> str:
    shown = ", ".join(texts[:3])
    return f"{shown} and {len(texts) - 3} more" if len(texts) > 3 else shown


_WARNINGS: tuple[Callable[[Found], list[str]], ...] = (
    _too_long,
    _system_role,
    _no_template,
    _unused,
    _own,
    _written,
    _fenced,
    _lookalike,
)
