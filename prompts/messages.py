"""Chat messages in OpenAI's JSON form, as datasets and other tools write them."""

from __future__ import annotations

from collections.abc import Sequence

from .document import ROLES, Message

_SAME_ROLE = {"developer": "system", "human": "user", "gpt": "assistant"}
"""Roles that go by another name elsewhere."""


def read_messages(value: object) -> tuple[Message, ...]:
    """Messages out of a JSON list of objects with `role` and `content`.

    Content is text, or a list of parts of type `text`; `developer` counts as `system`. Raises
    ValueError with a clause such as "message 2 has no content" for anything else.
    """
    if not isinstance(value, list) or not value:
        raise ValueError("messages must be a list of objects with role and content")
    return tuple(_message(number, item) for number, item in enumerate(value, start=1))


def _message(number: int, item: object) -> Message:
    if not isinstance(item, dict):
        raise ValueError(f"message {number} is not an object")
    for key in ("role", "content"):
        if item.get(key) is None:
            raise ValueError(f"message {number} has no {key}")
    role = item["role"]
    role = _SAME_ROLE.get(role, role) if isinstance(role, str) else role
    if role not in ROLES:
        raise ValueError(f"message {number} has the role {role}, not one of {', '.join(ROLES)}")
    return Message(role, _content(number, item["content"]))


def _content(number: int, content: object) -> str:
    if isinstance(content, str):
        return content
    texts: list[str] = []
    for part in content if isinstance(content, list) else [None]:
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(part["text"])
        else:
            raise ValueError(f"message {number} holds something that is not text")
    return "".join(texts)


def as_json(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Messages as JSON data in that form."""
    return [{"role": message.role, "content": message.content} for message in messages]
