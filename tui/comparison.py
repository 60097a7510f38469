"""One output against the baseline's, both growing: marks to draw and figures to say."""

from __future__ import annotations

from bisect import bisect_right

from ..compare.diff.divergence import first_token_divergence
from ..compare.diff.ignoring import differ
from ..compare.diff.result import Diff
from ..compare.diff.units import Mode
from ..compare.run import Output
from .diffing import Diffing, View
from .drawing import Drawing
from .widgets.output_text import Mark


class Comparison:
    """The live diff of two outputs as one view shows it."""

    def __init__(
        self, base: Output, other: Output, view: View, diffing: Diffing | None = None
    ) -> None:
        self.base = base
        self.other = other
        self.view: View = view
        self.diffing = diffing or Diffing()
        self.diff: Diff | None = None
        self.skipped = 0
        """Tokens of the baseline's reasoning, which stand before what is compared."""
        self.mode: Mode = self.diffing.mode(view)
        self._live = differ(self.mode, self.diffing.ignore)
        self._token: int | None = None
        self._same_tokens = 0
        """How many of the first tokens are known to be the same."""
        self._drawing: tuple[bool, Drawing] | None = None

    def shown_as(self, view: View, diffing: Diffing) -> Comparison:
        """This one, or a new one where what is compared or its drawing differs."""
        if (view, diffing) == (self.view, self.diffing):
            return self
        new = Comparison(self.base, self.other, view, diffing)
        if (new.mode, diffing.ignore) == (self.mode, self.diffing.ignore):
            new._live = self._live
        return new

    def update(self) -> Diff:
        """Compare what there is by now."""
        a, b = self.base, self.other
        ends = (a.token_ends, b.token_ends) if self.mode == "token" else (None, None)
        self.diff = self._live.update(
            a.text, b.text, a_done=a.state.over, b_done=b.state.over, a_ends=ends[0], b_ends=ends[1]
        )
        return self.diff

    @property
    def first_token(self) -> int | None:
        """The first token at which the two part, from 0 where the baseline begins with its
        reasoning; None while they have not.

        Also None for different base models, whose tokens are not the same things. Where something
        is ignored, it is the baseline's token in which what is not ignored parts.
        """
        found = self._parted
        return None if found is None else self.skipped + found

    @property
    def _parted(self) -> int | None:
        a, b = self.base, self.other
        if a.variant.model != b.variant.model:
            return None
        if self.diffing.ignore:
            parted = self.diff.first_divergence if self.diff is not None else None
            return None if parted is None else bisect_right(a.token_ends, parted)
        if self._token is None:
            start, both = self._same_tokens, min(len(a.tokens), len(b.tokens))
            index = first_token_divergence(a.tokens[start:both], b.tokens[start:both])
            if index is not None:
                self._token = start + index
            elif len(a.tokens) != len(b.tokens) and a.state.over and b.state.over:
                self._token = both
            self._same_tokens = both if index is None else start + index
        return self._token

    @property
    def drawing(self) -> Drawing | None:
        """What was drawn last."""
        return self._drawing[1] if self._drawing else None

    def drawn(self, *, signs: bool = False) -> tuple[str, list[Mark]]:
        """The text to draw and its marks; `signs` writes unified changes as `[-a-]` and `{+b+}`."""
        if self.diff is None or self.view == "off":
            return self.other.text, []
        if self._drawing is None or self._drawing[0] != signs:
            drawing = Drawing(
                unified=self.view == "unified",
                fold=self.diffing.fold,
                lines=self.mode == "line",
                signs=signs,
            )
            self._drawing = signs, drawing
        drawing = self._drawing[1]
        drawing.update(self.diff, self.base.text, self.other.text)
        return drawing.text, drawing.marks
