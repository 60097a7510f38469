"""Which of a model's chat templates renders a prompt, and with what."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import PromptError
from ..suggest import did_you_mean


def choose_template(
    templates: Mapping[str, str], given: Mapping[str, object]
) -> tuple[str | None, dict[str, object]]:
    """The template's text, None for a model that has none, and the arguments for it.

    `given` is a prompt's `template` table. Its `name` chooses; without one a template `tool_use`
    renders chats with `tools`, as in transformers and llama.cpp, and `default` all others. Raises
    PromptError for a name the model does not have.
    """
    arguments = {key: value for key, value in given.items() if key != "name"}
    name = given.get("name")
    if isinstance(name, str):
        if name not in templates:
            known = f"; it has {', '.join(templates)}" if templates else "; it has none"
            hint = did_you_mean(name, list(templates)) or known
            raise PromptError(f"the model has no chat template {name}{hint}", field="template.name")
        return templates[name], arguments
    if arguments.get("tools") and "tool_use" in templates:
        return templates["tool_use"], arguments
    return templates.get("default"), arguments
