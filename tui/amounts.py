"""Sizes, numbers and times as people say them."""

from __future__ import annotations

from datetime import datetime, timedelta


def size(count: int | None) -> str:
    """Bytes in words."""
    if count is None:
        return "–"
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError


def count(number: int | None) -> str:
    """A number of parameters in words: 4.5M, 1.1B."""
    if number is None:
        return "–"
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.1f}{unit}"
    return str(number)


def moment(time: datetime, now: datetime | None = None) -> str:
    """A time in the place where the program runs: `21:03`, `yesterday 21:03`, `3 Nov 2025`."""
    now = (now or datetime.now()).astimezone()
    time = time.astimezone(now.tzinfo)
    days, clock = (now.date() - time.date()).days, f"{time:%H:%M}"
    if days == 0:
        return clock
    if days == 1:
        return f"yesterday {clock}"
    day = f"{time.day} {time:%b}"
    return f"{day} {clock}" if now - time < timedelta(days=300) else f"{day} {time.year}"


def figure(number: float) -> str:
    """A number in few digits, with a minus sign that is as wide as a plus: `−1.25`."""
    return f"{number:.6g}".replace("-", "−")


def span(seconds: float) -> str:
    """A time that something takes: `5 s`, `2 min 05 s`, `1 h 10 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
