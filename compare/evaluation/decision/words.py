"""How the decision table writes its figures: one way for each kind, so that a figure in the verdict
reads as it does in the table."""

from __future__ import annotations

from dataclasses import replace

from ...statistics.figures import Difference, Estimate, Interval
from ...statistics.noise import NoiseFloor
from ...statistics.wording import plus_minus, points, rounded
from .figures import BreakEven

KIB = 1000


def score(it: Estimate) -> str:
    """A mean score in points with its interval: 80.2 (76.5 to 83.5)."""
    if not it.rows:
        return "no scored rows"
    return f"{100 * it.mean:.1f} ({100 * it.interval.low:.1f} to {100 * it.interval.high:.1f})"


def share(it: Estimate) -> str:
    """A share in per cent with its interval."""
    low, high = 100 * it.interval.low, 100 * it.interval.high
    return f"{100 * it.mean:.1f} % ({low:.1f} to {high:.1f})"


def lead(mean: float, interval: Interval) -> str:
    """A difference of scores in points with its interval."""
    return f"{points(mean)} ({points(interval.low)} to {points(interval.high)})"


def size_of_lead(mean: float, interval: Interval) -> str:
    """The same without signs, for sentences that say who leads: 18.0 points (11.0 to 25.0)."""
    if interval.low * interval.high < 0:
        return f"{points(mean)} points ({points(interval.low)} to {points(interval.high)})"
    ends = sorted((abs(interval.low), abs(interval.high)))
    return f"{100 * abs(mean):.1f} points ({100 * ends[0]:.1f} to {100 * ends[1]:.1f})"


def lead_and_noise(it: Difference, *floors: NoiseFloor | None) -> str:
    """A difference with its interval, and beside it the larger noise floor of the two."""
    known = [floor.interval.high for floor in floors if floor is not None and floor.rows]
    return lead(it.mean, it.interval) + (f", noise {plus_minus(max(known))}" if known else "")


def amount(it: Estimate, unit: str = "") -> str:
    """A mean amount with its interval; nothing is said of its spread where that is unknown."""
    unit = f" {unit}" if unit else ""
    low, high = it.interval.low, it.interval.high
    if it.rows < 2:
        return f"{it.mean:,.0f}{unit} (one call)"
    if f"{low:,.0f}" == f"{high:,.0f}":
        return f"{it.mean:,.0f}{unit}"
    return f"{it.mean:,.0f}{unit} ({low:,.0f} to {high:,.0f})"


def duration(seconds: float) -> str:
    """Milliseconds below a second, then seconds, minutes, hours."""
    if abs(seconds) < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def time_of(it: Estimate) -> str:
    """Seconds of a call, with their interval."""
    if it.rows < 2:
        return f"{duration(it.mean)} (one call)"
    low = duration(max(0.0, it.interval.low))
    return f"{duration(it.mean)} ({low} to {duration(it.interval.high)})"


def calls(count: int) -> str:
    """Two digits; what is beyond them is a guess."""
    return f"{rounded(count):,}"


def after(it: BreakEven) -> str:
    """When it has paid for itself: after 2,300 calls (1,900 to 3,000); nothing of when where a call
    costs more on average."""
    if it.least is None:
        return "never"
    if it.calls is None:
        return "not on average"
    if it.most is None:
        return f"not before {calls(it.least)} calls, if ever"
    if calls(it.least) == calls(it.most):
        return f"after {calls(it.calls)} calls"
    return f"after {calls(it.calls)} calls ({calls(it.least)} to {calls(it.most)})"


def saves(it: BreakEven) -> str:
    """What each call saves against prompting, or costs more: saves 64 a call."""
    saved, does, more = it.saved, "saves", ""
    if saved.mean < 0:
        low, high = -saved.interval.high, -saved.interval.low
        saved = replace(
            saved, mean=-saved.mean, interval=replace(saved.interval, low=low, high=high)
        )
        does, more = "costs", " more"
    if it.unit != "seconds":
        return f"{does} {amount(saved)}{more} a call"
    low, high = duration(saved.interval.low), duration(saved.interval.high)
    each = duration(saved.mean) + (f" ({low} to {high})" if saved.rows > 1 else "")
    return f"{does} {each}{more} a call"


def size(count: int) -> str:
    """Bytes."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < KIB:
            return f"{amount:.3g} {unit}"
        amount /= KIB
    return f"{amount:.3g} TB"
