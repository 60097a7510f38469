"""What plots share: drawn anew only where something differs, in the theme's colours, round ticks."""

from __future__ import annotations

import math

from rich.text import Text
from textual.color import BLACK, WHITE, Color
from textual_plotext import PlotextPlot


class Plot(PlotextPlot):
    """Subclasses say what is shown, by something that can be compared, and draw it."""

    def __init__(self) -> None:
        super().__init__()
        self._built: tuple[tuple[object, ...], Text] | None = None
        self.drawings = 0
        """How often it was drawn so far; tests hold streaming to few with it."""

    @property
    def shown(self) -> tuple[object, ...]:
        """What it is drawn from."""
        raise NotImplementedError

    def draw(self) -> None:
        """Put what is shown into an empty figure."""
        raise NotImplementedError

    def render(self) -> Text:
        wanted = self.wanted
        if self._built is None or self._built[0] != wanted:
            self._built = wanted, self.built()
        return self._built[1]

    @property
    def wanted(self) -> tuple[object, ...]:
        """All that the picture depends on."""
        return (*self.shown, self.size, self.app.theme)

    def built(self) -> Text:
        """The picture; takes some ten milliseconds."""
        self.plt.clear_figure()
        self.plt.xaxes(True, False)
        self.plt.yaxes(True, False)
        self.draw()
        text = super().render()
        assert isinstance(text, Text)
        self.drawings += 1
        return text

    def colour(self, name: str) -> tuple[int, int, int]:
        """One of the theme's, as plotext takes it; of the terminal's own one like it."""
        found = Color.parse(self.app.theme_variables[name])
        if found.ansi == -1:  # the default
            return (WHITE if self.app.current_theme.dark else BLACK).rgb
        return found.rgb


def round_numbers(low: float, high: float, most: int) -> list[float]:
    """At most about `most` round numbers from `low` to `high`."""
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * it for it in (1, 2, 5, 10) if power * it >= raw)
    first, last = math.ceil(low / step), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]
