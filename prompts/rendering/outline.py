"""Where the messages of a chat stand in its text, found by rendering it with other words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Span = tuple[int, int]
"""The offsets at which a message's text starts and ends in the text of the chat."""

SystemRole = Literal["own", "merged", "dropped", "refused"]
"""What a chat template does with a system message: sets it apart, writes it into the user's turn as
if the user had said it, leaves it out, or refuses the chat."""

_NUMBERED = re.compile("\ufdd2([0-9]+)\ufdd3")


def stand_in(number: int) -> str:
    """What takes the place of a message's text in an outline."""
    return f"\ufdd2{number}\ufdd3"


@dataclass(frozen=True)
class Outline:
    """What a template writes around the messages: `around[i]` stands before message `order[i]`,
    and the last of `around` at the end."""

    around: tuple[str, ...]
    order: tuple[int, ...]

    def before(self, number: int) -> str | None:
        """All that stands before a message, None if it is not there."""
        if number not in self.order:
            return None
        at = self.order.index(number)
        return (
            "".join(
                before + stand_in(other)
                for before, other in zip(self.around[:at], self.order[:at], strict=True)
            )
            + self.around[at]
        )


def outline_of(rendered: str) -> Outline:
    """The outline in a chat that was rendered with stand-ins."""
    pieces = _NUMBERED.split(rendered)
    return Outline(tuple(pieces[::2]), tuple(int(number) for number in pieces[1::2]))


def spans(text: str, contents: Sequence[str], outline: Outline | None) -> list[Span | None]:
    """Where each of `contents` stands in `text`; None for one that does not.

    Exact where the template writes the messages out, trimmed or not, with the outline around them.
    Where it makes something else of them, they are looked for one behind the other.
    """
    exact = _by_outline(text, contents, outline) if outline else None
    return exact or _one_by_one(text, contents)


def _by_outline(text: str, contents: Sequence[str], outline: Outline) -> list[Span | None] | None:
    found: list[Span | None] = [None] * len(contents)
    if not text.startswith(outline.around[0]):
        return None
    at = len(outline.around[0])
    last = len(outline.order) - 1
    for place, number in enumerate(outline.order):
        after = outline.around[place + 1]
        for content in _ways(contents[number]):
            end = at + len(content)
            if not text.startswith(content, at) or not text.startswith(after, end):
                continue
            if place < last or end + len(after) == len(text):
                found[number] = found[number] or (at, end)
                at = end + len(after)
                break
        else:
            return None
    return found


def _one_by_one(text: str, contents: Sequence[str]) -> list[Span | None]:
    found: list[Span | None] = []
    at = 0
    for content in contents:
        for way in _ways(content):
            start = text.find(way, at)
            if start >= 0:
                at = start + len(way)
                found.append((start, at))
                break
        else:
            found.append(None)
    return found


def _ways(content: str) -> list[str]:
    """A text as templates write it: as it is, or trimmed."""
    ways = (content, content.rstrip(), content.lstrip(), content.strip())
    return list(dict.fromkeys(ways))


def system_role(with_system: Outline | None, without: Outline | None) -> SystemRole:
    """What a template does with a system message, from the outlines of a system message and a
    user's and of a user's alone; None stands for a chat that it refuses."""
    if with_system is None:
        return "own" if without is None else "refused"
    before = with_system.before(0)
    if before is None:
        return "dropped"
    if without is not None and before == without.before(0):
        return "merged"
    return "own"
