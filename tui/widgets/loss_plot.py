"""The losses of a training over its steps: a curve of those trained on, marks for those held out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import groupby
from statistics import fmean

from rich.text import Text

from .plot import Plot, round_numbers

Losses = tuple[tuple[int, float], ...]
"""Pairs of a step, counted from 1, and a loss in nats per learned token."""


class LossPlot(Plot):
    """`show` says which losses; the axis of steps reaches to the last one from the start.

    It is drawn in a thread, and shows what it did before meanwhile.
    """

    def __init__(self) -> None:
        super().__init__()
        self._drawing = False
        self._losses: Losses = ()
        self._validations: Losses = ()
        self._steps = 0

    def show(self, losses: Losses, validations: Losses, steps: int) -> None:
        """Show the losses so far of a training of so many steps."""
        if (losses, validations, steps) != self.shown:
            self._losses, self._validations, self._steps = losses, validations, steps
            self.refresh()

    def render(self) -> Text:
        if not self._drawing and (self._built is None or self._built[0] != self.wanted):
            self._drawing = True
            self.run_worker(self._draw_again(), group="plot", exit_on_error=False)
        return self._built[1] if self._built is not None else Text()

    async def _draw_again(self) -> None:
        wanted = self.wanted
        try:
            self._built = wanted, await asyncio.to_thread(self.built)
        finally:
            self._drawing = False
        self.refresh()

    @property
    def shown(self) -> tuple[object, ...]:
        return self._losses, self._validations, self._steps

    def draw(self) -> None:
        plot, last = self.plt, max(self._steps, 2)
        found = [loss for _, loss in (*self._losses, *self._validations)]
        low, high = min(found, default=0.0), max(found, default=1.0)
        around = (high - low) * 0.08 or high * 0.1 or 1.0
        low, high = max(0.0, low - around), high + around
        plot.xlim(1, last)
        plot.ylim(low, high)
        ticks = _ticks(low, high, max(2, self.size.height // 4))
        digits = max((len(f"{tick:g}".partition(".")[2]) for tick in ticks), default=0)
        plot.yticks(ticks, [f"{tick:.{digits}f}" for tick in ticks])
        steps = [1, *(it for it in round_numbers(1, last, 4) if 1 < it < last * 0.94), last]
        plot.xticks(steps, [f"{step:,.0f}" for step in steps])
        plot.xlabel("step →")
        plot.ylabel("↑ nats per token")
        if self._losses:
            where, means = zip(*_thinned(self._losses, last, 2 * self.size.width), strict=True)
            plot.plot(where, means, marker="braille", color=self.colour("primary"))
        if self._validations:
            best = min(self._validations, key=lambda it: it[1])
            plot.scatter(*zip(*self._validations, strict=True), marker="○", color=self.colour("accent"))  # fmt: skip
            plot.scatter([best[0]], [best[1]], marker="●", color=self.colour("accent"))


def _ticks(low: float, high: float, most: int) -> list[float]:
    """About `most` round numbers, and two at least: one alone is no scale."""
    found = round_numbers(low, high, most)
    return found if len(found) > 1 else _ticks(low, high, most + 1)


def _thinned(losses: Losses, last: int, most: int) -> Sequence[tuple[float, float]]:
    """At most so many points over steps up to the last one, each the mean of its neighbours."""
    width = max(1.0, last / max(1, most))
    places = groupby(losses, key=lambda it: int(it[0] / width))
    groups = [list(them) for _, them in places]
    return [(fmean(step for step, _ in it), fmean(loss for _, loss in it)) for it in groups]
