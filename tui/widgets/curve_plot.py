"""A curve of a sweep, drawn in braille with a mark for each value."""

from __future__ import annotations

from collections.abc import Sequence

from textual.events import Click
from textual.message import Message

from ...compare.curves import Curve
from ..amounts import figure
from ..safe_text import safe_line
from .plot import Plot, round_numbers


class CurvePlot(Plot):
    """Shows one curve. `show` says which; it is drawn anew where something differs."""

    class Chosen(Message):
        """A person clicked at the value with this number."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self) -> None:
        super().__init__()
        self._curve: Curve | None = None
        self._over = ""
        self._at: Sequence[float] = ()
        self._chosen = 0

    def show(self, curve: Curve, over: str, at: Sequence[float], chosen: int) -> None:
        """Show this curve over these values of what is called `over`, one of them marked."""
        if (curve, over, at, chosen) != (self._curve, self._over, self._at, self._chosen):
            self._curve, self._over, self._at, self._chosen = curve, over, at, chosen
            self.refresh()

    @property
    def shown(self) -> tuple[object, ...]:
        return self._curve, self._at, self._chosen

    # ----------------------------------------------------------------- drawing

    def draw(self) -> None:
        plot, curve = self.plt, self._curve
        if curve is None or not self._at:
            return
        times = 100 if curve.share else 1
        points = sorted(
            (value, number, spread)
            for number, (value, spread) in enumerate(zip(self._at, curve.values, strict=True))
            if spread is not None
        )
        self._scale(curve, times)
        dim, primary, accent = map(self.colour, ("dim", "primary", "accent"))
        for value, _, it in points:
            if it.high > it.low:
                plot.plot([value] * 2, [it.low * times, it.high * times], marker="│", color=dim)
        where = [value for value, _, _ in points]
        means = [it.mean * times for _, _, it in points]
        if points:
            plot.plot(where, means, marker="braille", color=primary)
            plot.scatter(where, means, marker="●", color=primary)
        for value, number, it in points:
            if number == self._chosen:
                plot.scatter([value], [it.mean * times], marker="◆", color=accent)

    def _scale(self, curve: Curve, times: int) -> None:
        """Have the axes reach over all values from the start, so that a curve grows in its place."""
        plot = self.plt
        low, high = min(self._at), max(self._at)
        if low == high:
            low, high = low - 1, high + 1
        plot.xlim(low, high)
        found = [it for it in curve.values if it is not None]
        bottom, top = 0.0, 100.0
        if not curve.share:
            bottom = min((it.low for it in found), default=0.0)
            top = max((it.high for it in found), default=1.0)
            around = (top - bottom) * 0.08 or abs(top) * 0.1 or 1.0
            bottom, top = bottom - around, top + around
        plot.ylim(bottom, top)
        ticks = round_numbers(bottom, top, max(2, self.size.height // 4))
        plot.yticks(ticks, [f"{tick:g} %" if curve.share else figure(tick) for tick in ticks])
        places = _with_room(sorted(set(self._at)), low, high, self.size.width - 8)
        plot.xticks(places, [figure(place) for place in places])
        plot.xlabel(f"{safe_line(self._over)} →")
        plot.ylabel(f"↑ {curve.unit}")

    def on_click(self, event: Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or not self._at:
            return
        low, high = min(self._at), max(self._at)
        left = 8
        part = (offset.x - left) / max(1, self.size.width - left)
        wanted = low + part * (high - low)
        nearest = min(range(len(self._at)), key=lambda i: abs(self._at[i] - wanted))
        self.post_message(self.Chosen(nearest))


def _with_room(values: Sequence[float], low: float, high: float, width: int) -> list[float]:
    """Those of the values, in order, whose labels stand apart on a line of this width."""
    chosen: list[float] = []
    end = -2.0
    for value in values:
        half = len(figure(value)) / 2
        middle = (value - low) / (high - low) * width
        if middle - half > end + 1:
            chosen.append(value)
            end = middle + half
    return chosen
