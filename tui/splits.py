"""How the panes share the screen: what a person gave each, kept from one start to the next."""

from __future__ import annotations

from dataclasses import dataclass, field

EVEN = 4
"""The share of an output that nobody made wider or narrower."""
SHARES = (1, 16)
STEP = 5
"""Per cent of the screen that a key gives a pane."""
SIDES = (20, 80)
"""Per cent that one of two panes has at least and at most."""


@dataclass
class Splits:
    """`higher` is how many lines the playground's upper half has more than it would have, `prompt`
    and the shares of `pages`, by the screen's name, how many per cent the first of two panes has
    (those not there have what the style sheet says), `outputs` the shares of outputs, by name."""

    higher: int = 0
    prompt: int | None = None
    outputs: dict[str, int] = field(default_factory=dict[str, int])
    pages: dict[str, int] = field(default_factory=dict[str, int])

    def widen_output(self, name: str, by: int) -> None:
        """Give an output a larger share of the row, or with -1 a smaller one."""
        least, most = SHARES
        self.outputs[name] = min(most, max(least, self.outputs.get(name, EVEN) + by))


def moved(percent: int, by: int) -> int:
    """A share of the first of two panes a step on, in `SIDES`."""
    least, most = SIDES
    return min(most, max(least, percent + STEP * by))
