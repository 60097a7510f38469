"""Near misses for a name that was not found."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`"; did you mean topic?"` for the closest of the known names, or an empty string."""
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_lower, n=3)
    if not close:
        return ""
    return f"; did you mean {' or '.join(by_lower[name] for name in close)}?"
