"""What in a prompt is allowed, and still seldom meant."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .document import Prompt
from .rendering.special import LIKE_SPECIAL
from .suggest import did_you_mean


@dataclass(frozen=True)
class PromptWarning:
    """One sentence about a field, such as `user`, `variables.topic` or `prefill`."""

    field: str
    message: str


def warnings(prompt: Prompt, used: Collection[str]) -> list[PromptWarning]:
    """What a person may not have meant; `used` are the variables that the templates use.

    (See `Renderer.template_variables`.) That of `own_warnings`, and texts that look like special
    tokens, which only a model's vocabulary tells for sure.
    """
    return [*own_warnings(prompt, used), *_special_tokens(prompt)]


def own_warnings(prompt: Prompt, used: Collection[str]) -> list[PromptWarning]:
    """What needs no model to be known: a start of the answer that ends with a blank, examples that
    answer the same question differently, and variables that are not used or not declared."""
    return [*_prefill(prompt), *_examples(prompt), *_variables(prompt, used)]


def _variables(prompt: Prompt, used: Collection[str]) -> list[PromptWarning]:
    declared = {variable.name for variable in prompt.variables}
    inherited = prompt.inherited.variables if prompt.inherited else ()
    found = [
        PromptWarning(f"variables.{variable.name}", f"the variable {variable.name} is not used")
        for variable in prompt.variables
        if variable.name not in used and variable not in inherited
    ]
    for name in used:
        if name not in declared:
            hint = did_you_mean(name, declared) or "; it has to be given each time"
            found.append(PromptWarning(f"variables.{name}", f"{name} is not declared{hint}"))
    return found


def _prefill(prompt: Prompt) -> list[PromptWarning]:
    if prompt.prefill == prompt.prefill.rstrip():
        return []
    return [
        PromptWarning(
            "prefill",
            "the start of the answer ends with a blank, which most models expect at the start of "
            "the next word: what follows may be odd",
        )
    ]


def _special_tokens(prompt: Prompt) -> list[PromptWarning]:
    texts = [(field, text) for _, field, text in prompt.text_fields()]
    texts += [(f"variables.{it.name}", it.default or "") for it in prompt.variables]
    found: list[PromptWarning] = []
    for field, text in texts:
        if special := list(dict.fromkeys(LIKE_SPECIAL.findall(text))):
            listed = ", ".join(special[:5])
            found.append(
                PromptWarning(
                    field,
                    f"{listed} may be read as special tokens; the model's chat template adds its "
                    "own",
                )
            )
    return found


def _examples(prompt: Prompt) -> list[PromptWarning]:
    answers: dict[str, tuple[int, str]] = {}
    differing: list[tuple[int, int]] = []
    for number, example in enumerate(prompt.examples, start=1):
        first, answer = answers.setdefault(example.user.strip(), (number, example.assistant))
        if answer.strip() != example.assistant.strip():
            differing.append((first, number))
    if not differing:
        return []
    first, number = differing[0]
    more = f", and so do {len(differing) - 1} more" if len(differing) > 1 else ""
    message = f"examples {first} and {number} answer the same text differently{more}"
    return [PromptWarning(f"examples[{number}]", message)]
