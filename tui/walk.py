"""Going from difference to difference in one pane."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .drawing import Stop
    from .places import Places
    from .widgets.compared_text import ComparedText


class Walk:
    """Where a person is among the differences that a pane shows."""

    def __init__(self, text: ComparedText) -> None:
        self._text = text
        self._places: Places | None = None
        self._here: Stop | None = None
        self._number = 0

    @property
    def said(self) -> str:
        """Which difference it is: "3 of 17"; nothing before the first step."""
        if self._here is None or self._places is None:
            return ""
        return f"{self._number + 1:,} of {len(self._places.stops):,}"

    @property
    def here(self) -> Stop | None:
        """The difference that is marked."""
        return self._here if self._places is not None else None

    def show(self, places: Places | None) -> None:
        """Stay at the same difference in what is drawn now, or at the nearest one; without
        differences drawn, until there are again."""
        self._places = places
        if self._here is None:
            return
        if places is None:
            self._text.point_at(None)
            return
        stops = places.stops
        if not stops:
            self.leave()
            return
        here = self._here
        number = bisect_left(stops, (here.a, here.b), key=lambda stop: (stop.a, stop.b))
        near = range(max(0, number - 1), min(number + 1, len(stops)))
        self._go(
            stops, min(near, key=lambda n: abs(stops[n].a - here.a) + abs(stops[n].b - here.b))
        )

    def bring(self) -> None:
        """Scroll the difference that is marked into view."""
        if self._here is not None and self._places is not None:
            self._text.bring(self._here.start)

    def leave(self) -> None:
        """Be at no difference."""
        self._here = None
        self._text.point_at(None)

    def step(self, by: int) -> bool:
        """Go to the next difference (1) or the one before (-1), round the end; False if none.

        The first step goes to the first one from the top of what is in view, or the last before.
        """
        stops = self._places.stops if self._places is not None else []
        if not stops:
            return False
        if self._here is not None:
            number = self._number + by
        else:
            number = bisect_left(stops, self._text.top, key=lambda stop: stop.end)
            number += 0 if by > 0 else -1
        self._go(stops, number % len(stops))
        self.bring()
        return True

    def _go(self, stops: list[Stop], number: int) -> None:
        self._number, self._here = number, stops[number]
        # Where something was removed, what follows it is marked.
        self._text.point_at((self._here.start, max(self._here.end, self._here.start + 1)))
