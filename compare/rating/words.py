"""Questions and answers as a rater reads them: nothing in them says how the variants were asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ...prompts.document import Prompt
from ..reasoning import MARKS
from ..variants import Variant

_ALONE = re.compile(r"\{\{-?\s*(\w+)\s*-?\}\}")
_TAG = re.compile(r"\{[{%#](.*?)[}%#]\}", re.DOTALL)
_WORD = re.compile(r"[^\W\d]\w*")


def filled(text: str, prompt: Prompt, values: Mapping[str, str]) -> str | None:
    """A template with its values in the place of variables; None where it has more than these."""
    known = {it.name: it.default for it in prompt.variables if it.default is not None} | {**values}
    if any(not _ALONE.fullmatch(tag[0]) for tag in _TAG.finditer(text)):
        return None
    if any(name not in known for name in _ALONE.findall(text)):
        return None
    return _ALONE.sub(lambda it: known[it[1]], text)


def question(variants: Sequence[Variant], values: Mapping[str, str]) -> str:
    """What all variants were asked, in a person's words.

    That is the user's text where it is the same for all. Otherwise the values that all share: what
    only one of them says, in its prompt or as a value of its own, would tell it from the others.
    Empty where nothing is shared.
    """
    texts = {_asked(variant, values) for variant in variants}
    if len(texts) == 1 and (text := texts.pop()):
        return text
    shared = _shared(variants, values)
    if len(shared) == 1:
        return next(iter(shared.values()))
    return "\n".join(f"{name}: {value}" for name, value in shared.items())


def began(variant: Variant, values: Mapping[str, str]) -> str:
    """What the prompt lets every answer begin with, but for a mark that opens reasoning."""
    text = filled(variant.prompt.prefill, variant.prompt, {**values, **variant.values}) or ""
    tail = text.rstrip()
    return next((tail.removesuffix(it) for it, _ in MARKS if tail.endswith(it)), text)


def _asked(variant: Variant, values: Mapping[str, str]) -> str | None:
    prompt = variant.prompt
    users = [text for role, _, text in prompt.text_fields() if role == "user"]
    last = prompt.user or (users[-1] if users else "")
    return filled(last, prompt, {**values, **variant.values})


def _shared(variants: Sequence[Variant], values: Mapping[str, str]) -> dict[str, str]:
    used: dict[str, None] = {}
    for variant in variants:
        for _, _, text in variant.prompt.text_fields():
            for tag in _TAG.findall(text):
                used |= dict.fromkeys(_WORD.findall(tag))
    own = {name for variant in variants for name in variant.values}
    defaults = [
        {it.name: it.default for it in variant.prompt.variables if it.default is not None}
        for variant in variants
    ]
    found: dict[str, str] = {}
    for name in used:
        given = {each.get(name) for each in defaults}
        value = values.get(name, given.pop() if len(given) == 1 else None)
        if value is not None and name not in own:
            found[name] = value
    return found
