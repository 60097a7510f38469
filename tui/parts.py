"""The texts of a prompt a person edits one at a time: system and user, or each message."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..prompts.document import Prompt


@dataclass(frozen=True)
class Part:
    """One editable text of a prompt; `key` finds it again, `title` is shown on its tab."""

    key: str
    title: str
    text: str


def parts_of(prompt: Prompt) -> list[Part]:
    """System and user; for a prompt with messages, each of those in between."""
    messages = [
        Part(f"message {number}", message.role.capitalize(), message.content)
        for number, message in enumerate(prompt.messages)
    ]
    system, user = Part("system", "System", prompt.system), Part("user", "User", prompt.user)
    if not messages:
        return [system, user]
    has_system = prompt.system or not any(m.role == "system" for m in prompt.messages)
    return [system] * bool(has_system) + messages + [user] * bool(prompt.user)


def with_part(prompt: Prompt, key: str, text: str) -> Prompt:
    """The prompt with the text of one part replaced."""

    from ..prompts.document import Message

    if key == "system":
        return replace(prompt, system=text)
    if key == "user":
        return replace(prompt, user=text)
    number = int(key.removeprefix("message "))
    messages = list(prompt.messages)
    messages[number] = Message(messages[number].role, text)
    return replace(prompt, messages=tuple(messages))
