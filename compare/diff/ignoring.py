"""A diff that does not mind case or white space: folded texts are compared, the real ones shown."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .ignore import NOTHING, Ignore
from .live import LiveDiff
from .result import Diff, Span, same_start

if TYPE_CHECKING:
    from .units import Mode

_VISIBLE = re.compile(r"\S+")


def differ(mode: Mode = "word", ignore: Ignore = NOTHING) -> LiveDiff | IgnoringDiff:
    """What keeps the diff of two texts, growing or not."""
    return IgnoringDiff(mode, ignore) if ignore else LiveDiff(mode)


class IgnoringDiff:
    """As `LiveDiff`, but for what is ignored.

    Its equal spans may hold texts of different lengths. `Diff.equal`, the similarity and the
    first divergence (an offset of the baseline) are those of what is compared.
    """

    def __init__(self, mode: Mode, ignore: Ignore) -> None:
        self._live = LiveDiff(mode)
        self._space = ignore.space
        self._a = _Folded(ignore, mode)
        self._b = _Folded(ignore, mode)
        self._spans: tuple[Span, ...] = ()
        self._mapped: list[Span] = []
        """`_spans` in real offsets."""
        self._found: Diff | None = None
        self._lengths = (0, 0)
        self._last: Diff | None = None

    @property
    def units_compared(self) -> int:
        """As `LiveDiff.units_compared`."""
        return self._live.units_compared

    def update(
        self,
        a_text: str,
        b_text: str,
        *,
        a_done: bool,
        b_done: bool,
        a_ends: Sequence[int] | None = None,
        b_ends: Sequence[int] | None = None,
    ) -> Diff:
        """As `LiveDiff.update`."""
        self._a.update(a_text)
        self._b.update(b_text)
        found = self._live.update(
            self._a.text,
            self._b.text,
            a_done=a_done,
            b_done=b_done,
            a_ends=None if a_ends is None else self._a.folded_ends(a_ends),
            b_ends=None if b_ends is None else self._b.folded_ends(b_ends),
        )
        lengths = (len(a_text), len(b_text))
        if self._last is None or found is not self._found or lengths != self._lengths:
            self._last = self._real(found)
            self._found, self._lengths = found, lengths
        return self._last

    def _real(self, found: Diff) -> Diff:
        if not self._space:  # without case, the offsets are the same
            return found
        same = same_start(self._spans, found.spans)
        del self._mapped[same:]
        self._add_real(found.spans[same:])
        self._spans = found.spans
        parted = found.first_divergence
        return replace(
            found,
            spans=(*self._mapped, *self._rest(found)),
            first_divergence=None if parted is None else self._a.real_at(parted),
        )

    def _add_real(self, spans: Sequence[Span]) -> None:
        """Add spans in real offsets; each starts where the one before ends."""
        last = self._mapped[-1] if self._mapped else None
        a, b = (last.a_end, last.b_end) if last is not None else (0, 0)
        for span in spans:
            a_start, b_start, moved = a, b, span.moved
            if span.a_end > span.a_start:
                a = self._a.real_at(span.a_end)
            if span.b_end > span.b_start:
                b = self._b.real_at(span.b_end)
            if moved is not None:
                moved = (self._b if span.kind == "removed" else self._a).real_at(moved)
            self._mapped.append(Span(span.kind, a_start, a, b_start, b, moved))

    def _rest(self, found: Diff) -> list[Span]:
        """White space at the end, which is not compared."""
        a, b = self._a, self._b
        if (a.seen, b.seen) == (len(a.real), len(b.real)):
            return []
        kind = "ahead" if found.spans and found.spans[-1].kind == "ahead" else "equal"
        return [Span(kind, a.seen, len(a.real), b.seen, len(b.real))]


class _Folded:
    """A growing text as it is compared, and where its characters are in the real one.

    White space is taken in once something follows it, so that what is there stays as it is.
    """

    def __init__(self, ignore: Ignore, mode: Mode) -> None:
        self._ignore = ignore
        self._keep_lines = mode == "line"
        self._restart()

    def _restart(self) -> None:
        self.real = ""
        self.text = ""
        self.seen = 0
        """How much of the real text is taken in; what follows is white space."""
        self._starts = [0]
        self._shifts = [0]
        """From offset `_starts[i]` on, the real offsets are larger by `_shifts[i]`."""
        self._ends: list[int] = []
        self._last_end = 0

    def update(self, grown: str) -> None:
        """Take in a text; if it does not begin with what was there, from its start."""
        if not grown.startswith(self.real):
            self._restart()
        more = grown[len(self.real) :]
        self.real = grown
        if self._ignore.space:
            more = self._without_space()
        else:
            self.seen = len(grown)
        self.text += _caseless(more) if self._ignore.case else more

    def _without_space(self) -> str:
        """What is to be added for the real text that is not taken in yet."""
        pieces: list[str] = []
        length = len(self.text)
        for match in _VISIBLE.finditer(self.real, self.seen):
            gap = self.real[self.seen : match.start()]
            if gap:
                space = "" if not length else "\n" if self._keep_lines and "\n" in gap else " "
                pieces.append(space)
                length += len(space)
                shift = match.start() - length
                if shift != self._shifts[-1]:
                    self._starts.append(length)
                    self._shifts.append(shift)
            pieces.append(match.group())
            length += len(match.group())
            self.seen = match.end()
        return "".join(pieces)

    def real_at(self, offset: int) -> int:
        """Where the character at `offset`, or the end of the one before, is in the real text."""
        return offset + self._shifts[bisect_right(self._starts, offset) - 1] if offset else 0

    def folded_ends(self, ends: Sequence[int]) -> Sequence[int]:
        """The ends of tokens as offsets here; white space goes to the token that follows it."""
        if not self._ignore.space:
            return ends
        for end in ends[len(self._ends) :]:
            if end > len(self.real):
                break
            visible = len(self.real[self._last_end : end].rstrip())
            before = self._ends[-1] if self._ends else 0
            self._ends.append(self._folded_at(self._last_end + visible) if visible else before)
            self._last_end = end
        return self._ends

    def _folded_at(self, end: int) -> int:
        """The offset here after the character that ends at `end` in the real text."""
        run = bisect_right(range(len(self._starts)), end - 1, key=self._real_start) - 1
        return end - self._shifts[run]

    def _real_start(self, run: int) -> int:
        return self._starts[run] + self._shifts[run]


def _caseless(text: str) -> str:
    """`text` without case, character by character: none gets longer or shorter."""
    folded = text.casefold()
    return folded if len(folded) == len(text) else "".join(map(_caseless_character, text))


def _caseless_character(character: str) -> str:
    ways = character.casefold(), character.lower(), character
    return next(way for way in ways if len(way) == 1)
