"""One text that shows both: what was removed in place, followed by what was added."""

from __future__ import annotations

from .result import Diff, Kind


def unified(diff: Diff, a: str, b: str) -> list[tuple[Kind, str]]:
    """The segments of `diff` in reading order, for the unified view.

    The equal, added and ahead-in-`b` segments joined give `b`; the equal, removed and
    ahead-in-`a` ones give `a`. No segment is empty.
    """
    return [
        (span.kind, b[span.b_start : span.b_end] or a[span.a_start : span.a_end])
        for span in diff.spans
    ]
