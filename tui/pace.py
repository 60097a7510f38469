"""How often streams are drawn: no faster than the terminal has shown what was drawn before."""

from __future__ import annotations

import time
from collections.abc import Callable

SLOW_S = 0.5
"""A terminal that took longer gets less at a time."""
PATIENCE_S = 20
"""After that an answer is taken for lost."""
UNSURE_S = 1
"""As long as it has never answered; and after `TRIES` of these it is not asked any more."""
TRIES = 3


class Pace:
    """Has the terminal answer once it has shown what streams drew; they wait for that.

    Between the app and a terminal far away are buffers of megabytes: what is written into them is
    shown much later, and so is what a key changes if it is written behind.
    """

    def __init__(self, ask: Callable[[], bool]) -> None:
        """`ask` asks the terminal; False where there is none."""
        self._ask = ask
        self._asked: float | None = None
        """When, where there is no answer yet."""
        self._drawn = False
        self._answers = False
        self._unanswered = 0
        self.slow = False
        """Whether the last answer took long."""

    @property
    def ready(self) -> bool:
        """Whether streams may be drawn."""
        if self._asked is None:
            return True
        patience = PATIENCE_S if self._answers else UNSURE_S
        return time.monotonic() - self._asked >= patience

    def drawn(self) -> None:
        """Streams were drawn: with the next paint the terminal is asked."""
        self._drawn = True

    def painted(self) -> None:
        """Something was written to the terminal."""
        if not self._drawn:
            return
        self._drawn = False
        if self._asked is not None:
            self._unanswered += 1
        asks = (self._answers or self._unanswered < TRIES) and self._ask()
        self._asked = time.monotonic() if asks else None

    def answered(self) -> None:
        """The terminal has shown all that was written before it was asked."""
        if self._asked is not None:
            self.slow = time.monotonic() - self._asked > SLOW_S
        self._answers, self._asked = True, None
