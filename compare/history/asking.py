"""What a person types to find runs: words, and filters such as `model:llama tag:good since:7d`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ..errors import CompareError
from .entries import Wanted

FILTERS = ("model", "adapter", "prompt", "label", "tag", "note", "since", "until")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FILTER = re.compile(
    rf"(?<!\S)(?P<name>{'|'.join(FILTERS)}):(?:\"(?P<quoted>[^\"]*)(?:\"|$)|(?P<plain>\S*))",
    re.IGNORECASE,
)
_QUOTED = re.compile(r'"[^"]*(?:"|$)')


def moment_of(text: str) -> datetime:
    """A moment in UTC: so long ago (90d, 12h, 30m, 2w), or a date. Raises CompareError."""
    try:
        if match := re.fullmatch(r"(\d+)([mhdw])", text):
            return datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])})
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CompareError(
            f"{text!r} is neither an age, as 90d or 12h, nor a date, as 2026-01-31."
        ) from None


def asked(typed: str) -> tuple[Wanted, str]:
    """What is wanted, and a sentence about a filter that says nothing yet and is left out.

    A filter without a value is one that is still being typed.
    """
    found: dict[str, Any] = {}
    problem = ""
    quoted = [match.span() for match in _QUOTED.finditer(typed)]

    def take(match: re.Match[str]) -> str:
        nonlocal problem
        if any(start < match.start() < end for start, end in quoted):
            return match[0]
        name, value = match["name"].lower(), match["quoted"] or match["plain"] or ""
        if not value:
            return ""
        if name in found:
            problem = f"{name}: is given twice; the first one counts."
            return ""
        try:
            found[name] = _readers.get(name, str)(value)
        except CompareError as error:
            problem = str(error)
        return ""

    text = _FILTER.sub(take, typed).lstrip()
    return replace(Wanted(text=text), **found), problem


_readers: dict[str, Callable[[str], Any]] = {"since": moment_of, "until": moment_of}
