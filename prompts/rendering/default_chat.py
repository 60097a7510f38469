"""The plain text a model without a chat template is given."""

from __future__ import annotations

from collections.abc import Sequence

from ..document import Message

DEFAULT_STOP = ("\nUser:",)
"""The model would go on to write the next question itself."""


def default_chat(messages: Sequence[Message], *, prefill: str, add_generation_prompt: bool) -> str:
    """Labelled turns with an empty line between them, and no special token.

    ```
    System: Be brief.

    User: Tell me about dogs.

    Assistant:
    ```
    The last label stands without a space, because most vocabularies join a space to the word that
    follows it; a prefill brings its own.
    """
    turns = [f"{message.role.capitalize()}: {message.content}" for message in messages]
    if add_generation_prompt:
        space = " " if prefill and not prefill[0].isspace() else ""
        turns.append(f"Assistant:{space}{prefill}")
    return "\n\n".join(turns)
