"""One text that shows both: what was removed in place, followed by what was added."""

from __future__ import annotations

from collections.abc import Iterable

from .result import Diff, Look

SIGNS: dict[Look, tuple[str, str]] = {
    "removed": ("[-", "-]"), "added": ("{+", "+}"), "left": ("[~", "~]"), "arrived": ("{~", "~}"),
}  # fmt: skip
"""What stands before and behind a changed piece where there is no other mark."""


def unified(diff: Diff, a: str, b: str) -> list[tuple[Look, str]]:
    """The segments of `diff` in reading order, for the unified view.

    The equal, added, arrived and ahead-in-`b` segments joined give `b`; the equal, removed, left
    and ahead-in-`a` ones give `a`, where nothing is ignored. What was moved is there twice: where
    it has left, and where it has arrived. No segment is empty.
    """
    shown: list[tuple[Look, str]] = []
    for span in diff.spans:
        text = b[span.b_start : span.b_end]
        if not text and span.kind != "equal":  # equal without a text is white space that is ignored
            text = a[span.a_start : span.a_end]
        if text:
            shown.append((span.look, text))
    return shown


def signed(pieces: Iterable[tuple[Look, str]]) -> str:
    """The pieces as plain text, changed ones between their signs."""
    return "".join(text.join(SIGNS.get(look, ("", ""))) for look, text in pieces)
