"""A prompt as the model will see it: its messages, its text, its tokens, and what they cost."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

from ..prompts.document import Message
from ..prompts.rendering.outline import Span
from ..prompts.rendering.special import LIKE_SPECIAL, Special

_CONTINUATION = bytes(range(0x80, 0xC0))
"""Bytes of UTF-8 that do not begin a character."""

_BLANK = re.compile(rb"\s{1,4096}")
_STRIDE = 256
"""How many tokens are compared with the text at once."""
_NEAR, _FAR = 64, 256
"""How many bytes ahead a token is looked for after one that is not in the text."""

TEMPLATE = "template"


@dataclass(frozen=True)
class Part:
    """What one part of a prompt costs.

    `name` is `system`, `example 1` …, `history`, `user` or `prefill`, or `template` for what the
    chat template writes around them.
    """

    name: str
    tokens: int


@dataclass(frozen=True)
class Preview:
    """A prompt as the model will see it, in three layers, with what each part costs.

    `messages` are the chat with its values filled in, `prefill` the start of the answer. `text` is
    what the chat template makes of them, `spans[i]` where message i stands in it (the prefill comes
    last, where there is one), None where the template leaves it out or changes it. `tokens` are its
    ids, and `texts` has the bytes that each of them stands for. `special` are the places in `tokens` of special
    tokens, `lookalikes` the places in `text` of what is written like one and is none. `starts[i]` is
    the offset in `text` at which token i begins; a character that several tokens share belongs to
    the first of them. `message_tokens` counts the tokens of each message, `parts` those of all
    parts; together they are the whole. `n_ctx` is the context in tokens. `warnings` are sentences,
    the gravest first.
    """

    messages: tuple[Message, ...]
    text: str
    tokens: list[int]
    texts: Mapping[int, bytes]
    starts: list[int]
    message_tokens: tuple[int, ...]
    template_source: str
    n_ctx: int
    prefill: str = ""
    spans: tuple[Span | None, ...] = ()
    special: frozenset[int] = frozenset()
    lookalikes: tuple[Span, ...] = ()
    parts: tuple[Part, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the context holds the prompt and a token of the answer."""
        return len(self.tokens) < self.n_ctx

    @property
    def pieces(self) -> list[bytes]:
        """The bytes of each token."""
        return [self.texts[token] for token in self.tokens]

    def with_warnings(self, warnings: tuple[str, ...]) -> Preview:
        """This preview with its warnings."""
        return replace(self, warnings=warnings)

    def in_message(self, token: int) -> int | None:
        """Which message (or the prefill, behind the last) a token begins in; None for the
        template's own."""
        return self.message_at(self.starts[token])

    def message_at(self, at: int) -> int | None:
        """As `in_message`, for an offset in `text`."""
        begins, places = self._places
        found = bisect_right(begins, at) - 1
        if found < 0 or at >= places[found][1]:
            return None
        return places[found][2]

    @cached_property
    def _places(self) -> tuple[list[int], list[tuple[int, int, int]]]:
        """Starts, ends and numbers of the messages that are in the text, in its order."""
        places = sorted((*span, number) for number, span in enumerate(self.spans) if span)
        return [start for start, _, _ in places], places


def token_starts(text: str, tokens: Sequence[int], texts: Mapping[int, bytes]) -> list[int]:
    """The offset in `text` at which each of its tokens starts, and the text's length.

    Most vocabularies' tokens stand for the text byte for byte. Others set a space behind a special
    token that the text does not have, or leave out blanks around one: then each token is looked for
    from where the last one ended, and blanks left out belong to the token before them. A token that
    stands for other letters than the text has (an unknown one) takes none until the next is found.
    """
    lengths = {token: _characters(piece) for token, piece in texts.items()}
    data = text.encode("utf-8", "replace")
    starts: list[int] = []
    at = place = lost = 0
    for first in range(0, len(tokens), _STRIDE):
        some = tokens[first : first + _STRIDE]
        joined = b"".join(map(texts.__getitem__, some))
        if data.startswith(joined, at):
            starts += accumulate(map(lengths.__getitem__, some), initial=place)
            place, lost = starts.pop(), 0
            at += len(joined)
            continue
        for token in some:
            piece = texts[token]
            start, end = _found(data, piece, at, lost)
            lost = 0 if end > start or piece.isspace() else lost + len(piece)
            place += _characters(data[at:start])
            starts.append(place)
            place += _characters(data[start:end])
            at = end
    return [*starts, len(text)]


def _found(data: bytes, piece: bytes, at: int, lost: int) -> tuple[int, int]:
    """Where the next token lies in the text; twice `at` if it does not.

    `lost` is how many bytes the tokens before it stand for that were not found.
    """
    if data.startswith(piece, at):
        return at, at + len(piece)
    without = piece.removeprefix(b" ")
    blank = _BLANK.match(data, at)
    start = blank.end() if blank else at
    for wanted in (piece, without):
        found = data.find(wanted, at, start + len(wanted)) if wanted else -1
        if found >= 0:
            return found, found + len(wanted)
    if not without:
        return at, at
    found = data.find(without, at, at + min(_NEAR + 2 * lost, _FAR)) if lost else -1
    return (found, found + len(without)) if found >= 0 else (at, at)


def _characters(data: bytes) -> int:
    """How many characters begin in a piece of UTF-8."""
    return len(data.translate(None, _CONTINUATION))


def special_places(
    tokens: Sequence[int], texts: Mapping[int, bytes], special: Special
) -> frozenset[int]:
    """Which of the tokens are special tokens, by the texts they stand for."""
    ids = {token for token, text in texts.items() if text in special.encoded}
    if not ids:
        return frozenset()
    return frozenset(at for at, token in enumerate(tokens) if token in ids)


def lookalikes(
    text: str, starts: Sequence[int], special: frozenset[int], known: Special
) -> tuple[Span, ...]:
    """Where the text is written like a special token, this model's or another's, and is none."""
    found = {*known.find(text), *(match.span() for match in LIKE_SPECIAL.finditer(text))}
    if not found:
        return ()
    tokens = {starts[token] for token in special}
    inside = [(starts[token], starts[token + 1]) for token in sorted(special)]
    begins = [start for start, _ in inside]
    apart: list[Span] = []
    for start, end in sorted(found):
        at = bisect_left(begins, start + 1) - 1
        if start in tokens or (at >= 0 and start < inside[at][1]):
            continue
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
    return tuple(apart)


def counts(starts: Sequence[int], spans: Sequence[Span | None]) -> tuple[list[int], int]:
    """Tokens that begin in each span, and those that begin in none.

    Spans are in order and apart. `starts` is of `token_starts`.
    """
    places = starts[:-1] if len(starts) > 1 else []
    found = [
        bisect_left(places, span[1]) - bisect_left(places, span[0]) if span else 0 for span in spans
    ]
    return found, len(places) - sum(found)


def parts_of(names: Sequence[str], tokens: Sequence[int], around: int) -> tuple[Part, ...]:
    """The cost of each part by name, in order, and last of what is `around` them."""
    total: dict[str, int] = {}
    for name, count in zip(names, tokens, strict=True):
        total[name] = total.get(name, 0) + count
    return (*(Part(name, count) for name, count in total.items()), Part(TEMPLATE, around))
