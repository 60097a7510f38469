"""One output against the baseline's, both growing: marks to draw and figures to say."""

from __future__ import annotations

from ..compare.diff.divergence import first_token_divergence
from ..compare.diff.live import LiveDiff
from ..compare.diff.result import Diff, Span, same_start
from ..compare.diff.unified import unified
from ..compare.run import Output
from .state import View
from .widgets.output_text import Mark

_SIGNS = {"removed": ("[-", "-]"), "added": ("{+", "+}")}


class Comparison:
    """The live diff of two outputs as one view shows it."""

    def __init__(self, base: Output, other: Output, view: View) -> None:
        self.base = base
        self.other = other
        self.view: View = view
        self.diff: Diff | None = None
        self._live = LiveDiff("token" if view == "tokens" else "word")
        self._token: int | None = None
        self._same_tokens = 0
        """How many of the first tokens are known to be the same."""
        self._spans: tuple[Span, ...] = ()
        self._marks: list[Mark] = []
        """One for each of `_spans`."""

    def update(self) -> Diff:
        """Compare what there is by now."""
        a, b = self.base, self.other
        ends = (a.token_ends, b.token_ends) if self.view == "tokens" else (None, None)
        self.diff = self._live.update(
            a.text, b.text, a_done=a.state.over, b_done=b.state.over, a_ends=ends[0], b_ends=ends[1]
        )
        return self.diff

    @property
    def first_token(self) -> int | None:
        """Index of the first token at which the two part; None while they have not.

        Also None for different base models, whose tokens are not the same things.
        """
        a, b = self.base, self.other
        if self._token is None and a.variant.model == b.variant.model:
            start, both = self._same_tokens, min(len(a.tokens), len(b.tokens))
            index = first_token_divergence(a.tokens[start:both], b.tokens[start:both])
            if index is not None:
                self._token = start + index
            elif len(a.tokens) != len(b.tokens) and a.state.over and b.state.over:
                self._token = both
            self._same_tokens = both if index is None else start + index
        return self._token

    def drawn(self, *, signs: bool = False) -> tuple[str, list[Mark]]:
        """The text to draw and its marks; `signs` writes unified changes as `[-a-]` and `{+b+}`."""
        if self.diff is None or self.view == "off":
            return self.other.text, []
        if self.view == "unified":
            text, marks = "", []
            for kind, segment in unified(self.diff, self.base.text, self.other.text):
                if signs and kind in _SIGNS:
                    segment = segment.join(_SIGNS[kind])
                if kind != "equal":
                    marks.append(Mark(len(text), len(text) + len(segment), kind))
                text += segment
            return text, marks
        spans = self.diff.spans
        same = same_start(self._spans, spans)
        del self._marks[same:]
        self._marks += [
            Mark(span.b_start, span.b_end, span.kind if span.kind in ("added", "ahead") else "")
            for span in spans[same:]
        ]
        self._spans = spans
        return self.other.text, self._marks
