"""The ends of a template that are plain text, which jinja2 need not read: it takes its time."""

from __future__ import annotations

import re
from typing import NamedTuple

_OPENING = re.compile(r"\{[{%#]")
_OPENED = ("{{", "{%", "{#")
_CLOSING = ("}}", "%}", "#}")
_NEWLINE = re.compile(r"\r\n|\r")
LEAST = 2_000
"""Characters of plain text at an end that are worth setting apart."""


class Ends(NamedTuple):
    """A template is `before`, what `template` makes without its first `blank` characters, `after`.

    `template` begins with a newline for each one in `before`, so that lines are counted as in the
    whole.
    """

    before: str
    template: str
    after: str
    blank: int


def split_ends(text: str) -> Ends:
    """The plain text at the ends of a template, with newlines as jinja2 writes them.

    A character that is no blank stays on either side of what jinja2 reads: tags strip only blanks.
    """
    opening = _OPENING.search(text)
    first = opening.start() if opening else len(text)
    start = max(0, len(text[:first].rstrip()) - 1)
    end = len(text)
    closed = max(text.rfind(closing) for closing in _CLOSING)
    if opening is None:
        start = end
    elif closed > max(text.rfind(opened) for opened in _OPENED):
        end -= max(0, len(text[closed + 2 :].lstrip()) - 1)
    if start < LEAST:
        start = 0
    if len(text) - end < LEAST:
        end = len(text)
    before, after = (_NEWLINE.sub("\n", part) for part in (text[:start], text[end:]))
    blank = before.count("\n")
    return Ends(before, "\n" * blank + text[start:end], after, blank)
