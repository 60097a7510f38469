"""How often streams are drawn: no faster than the terminal has shown what was drawn before."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

SLOW_S = 0.5
"""A terminal that took longer gets less at a time."""
PATIENCE_S = 20
"""After that an answer is not waited for any more."""
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
        self._asked: deque[float] = deque()
        """When, for each answer that is due. They come in order."""
        self._heard = 0.0
        """When the last answer came."""
        self._drawn = False
        self._answers = False
        self._unanswered = 0
        self.slow = False
        """Whether the last answer took long."""

    @property
    def ready(self) -> bool:
        """Whether streams may be drawn."""
        if not self._asked:
            return True
        patience = PATIENCE_S if self._answers else UNSURE_S
        return time.monotonic() - self._asked[-1] >= patience

    def drawn(self) -> None:
        """Streams were drawn: with the next paint the terminal is asked."""
        self._drawn = True

    def painted(self) -> None:
        """Something was written to the terminal."""
        if not self._drawn:
            return
        self._drawn = False
        if self._asked and self.ready:
            self._unanswered += 1
            if self._heard > self._asked[-1]:
                # It answered since, and then no more: one of the answers was lost.
                self._asked.clear()
        if (self._answers or self._unanswered < TRIES) and self._ask():
            self._asked.append(time.monotonic())

    def answered(self) -> None:
        """The terminal has shown all that was written before it was asked."""
        self._answers, self._heard = True, time.monotonic()
        if self._asked:
            self.slow = self._heard - self._asked.popleft() > SLOW_S

    def forget(self) -> None:
        """Wait for no answer: the terminal was left, or did not get what it was asked."""
        self._asked.clear()
