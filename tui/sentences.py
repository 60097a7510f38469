"""Sentences of the other folders in the words of the app: keys, by their ids, and tabs, not options."""

from __future__ import annotations

import re
from pathlib import Path

_UNDEFINED = re.compile(r"`\{\{ (\w+) \}\}` in .+ is not defined; add it to the prompt's variables")
_ADAPTER = re.compile(r"give it (?:as an adapter \(-a\)|with -a)")
_MODEL = re.compile("give it with -m")
_OVER = re.compile(r"--over (?=\S)")
_GONE = re.compile("does not exist; check the path")
_GRAMMAR = re.compile(r"(The grammar does not parse: .*)")


def for_pane(sentence: str, model: Path) -> str:
    """What is wrong with a variant on this base model, as `for_app`, and what to press to mend it."""
    key = "{variant.model} (after {run.stop}) for another base model" if str(model) in sentence else "{variant.adapters} (after {run.stop}) for other adapters"  # fmt: skip
    sentence = _GONE.sub(
        f"does not exist: press {key}, or put it back and press {{run.start}}", sentence
    )
    return _GRAMMAR.sub(
        r"\1 It is in the prompt's file: {prompt.external} opens that.", for_app(sentence)
    )


def for_app(sentence: str) -> str:
    """The sentence with what to do in the app in place of what to do elsewhere.

    A name a template uses is listed under Variables without being declared, so it lacks a value.
    """
    sentence = _UNDEFINED.sub(r"\1 has no value: give it one under Variables", sentence)
    sentence = _ADAPTER.sub("{variant.adapters} in the playground adds it as an adapter", sentence)
    sentence = _OVER.sub("", sentence).replace(
        "add one with -a", "{variant.adapters} in the playground adds one"
    )
    return _MODEL.sub("{variant.model} in the playground takes it as the base model", sentence)
