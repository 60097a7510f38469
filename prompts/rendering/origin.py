"""Which characters of a rendered prompt its author wrote, and which an expression gave (helper only)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from jinja2.compiler import CodeGenerator

from .outline import Span


class Own(str):
    """A text of the prompt's author, but for the places in it that expressions gave.

    To a template it is a text like any other; what is computed from it is no one's own.
    """

    _given: tuple[Span, ...] = ()

    def __str__(self) -> str:
        return self


def given_in(pieces: Iterable[str]) -> list[Span]:
    """The places that expressions gave in pieces set one behind the other."""
    found: list[Span] = []
    at = 0
    for piece in pieces:
        spans: Sequence[Span] = piece._given if isinstance(piece, Own) else ((0, len(piece)),)
        for start, end in spans:
            if found and found[-1][1] == at + start:
                found[-1] = found[-1][0], at + end
            elif start < end:
                found.append((at + start, at + end))
        at += len(piece)
    return found


def joined(pieces: Iterable[str]) -> str:
    """What a macro or a block gives, with its origin."""
    parts = list(pieces)
    text = Own("".join(parts))
    text._given = tuple(given_in(parts))
    return text


class OwnText(CodeGenerator):
    """Compiles templates that give the text between their tags, and constants, as `Own`."""

    def _output_const_repr(self, group: Iterable[Any]) -> str:
        return f"environment.own({super()._output_const_repr(group)})"
