"""What in a prompt is allowed, and still seldom meant."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from .document import Prompt
from .suggest import did_you_mean

SPECIAL = re.compile(
    r"<\|[\w./-]{1,40}\|>"  # ChatML, Llama 3, Phi
    r"|<｜[^｜<>\n]{1,40}｜>"  # DeepSeek
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<</?SYS>>"  # Llama 2, Mistral
    r"|</?s>|<(?:bos|eos|pad|unk)>|<(?:start|end)_of_turn>"  # SentencePiece vocabularies, Gemma
)
"""Texts that are single tokens with a meaning of their own in widespread vocabularies."""


@dataclass(frozen=True)
class PromptWarning:
    """One sentence about a field, such as `user`, `variables.topic` or `prefill`."""

    field: str
    message: str


def warnings(prompt: Prompt, used: Collection[str]) -> list[PromptWarning]:
    """What a person may not have meant; `used` are the variables that the templates use.

    (See `Renderer.template_variables`.) Names variables that are not used or not declared, a start
    of the answer that ends with a blank, texts that look like special tokens, and examples that
    answer the same question differently.
    """
    return [
        *_variables(prompt, used),
        *_prefill(prompt),
        *_special_tokens(prompt),
        *_examples(prompt),
    ]


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
        if special := list(dict.fromkeys(SPECIAL.findall(text))):
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
    found: list[PromptWarning] = []
    for number, example in enumerate(prompt.examples, start=1):
        first, answer = answers.setdefault(example.user, (number, example.assistant))
        if answer != example.assistant:
            found.append(
                PromptWarning(
                    f"examples[{number}]",
                    f"examples {first} and {number} answer the same text differently",
                )
            )
    return found
