"""What went wrong in the helper, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..document import Prompt
from ..suggest import did_you_mean


def prompt_sentence(error: Mapping[str, Any], prompt: Prompt) -> str:
    """Of one of a prompt's templates."""
    declared = [variable.name for variable in prompt.variables]
    name, field = error.get("name", ""), error.get("field")
    place = f"{field}, line {error['line']}" if error.get("line") else field
    match error["kind"]:
        case "unknown_value":
            known = f"; its variables are {', '.join(declared)}" if declared else ""
            hint = did_you_mean(name, declared) or known
            return f"{prompt.name} has no variable {name}{hint}"
        case "no_value":
            return f"the variable {name} has no value; give it one, or a default in the prompt"
        case "undefined":
            hint = did_you_mean(name, declared) or "; add it to the prompt's variables"
            return f"`{{{{ {name} }}}}` in {field} is not defined{hint}"
        case "too_long":
            return f"the template in {field} produced too much text and was stopped"
        case "syntax":
            return f"the template in {place} cannot be read: {error['message']}"
        case "unsafe":
            return f"the template in {place} is not allowed to do this: {error['message']}"
        case _:
            return f"the template in {place} failed: {error['message']}"


def chat_sentence(error: Mapping[str, Any]) -> str:
    """Of a model's chat template."""
    line = f" (line {error['line']} of the template)" if error.get("line") else ""
    match error["kind"]:
        case "refused":
            return f"the model's chat template refuses these messages: {error['message']}{line}"
        case "too_long":
            return "the model's chat template produced too much text and was stopped"
        case "syntax":
            return f"the model's chat template cannot be read: {error['message']}{line}"
        case "unsafe":
            return f"the model's chat template is not allowed to do this: {error['message']}{line}"
        case _:
            return f"the model's chat template failed: {error['message']}{line}"
