"""The demo: the steps of the tour done by themselves, at the pace of somebody who reads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.events import Key
from textual.worker import Worker

from ..key_names import key_name
from ..screens.jump import Jump
from .steps import STEPS, events_of

if TYPE_CHECKING:
    from ..app import LlamadiffApp
    from .tour import Tour

WORD_S = 0.22
"""For reading a word."""
KEY_S = 0.6
"""Between keys that do something each, and for seeing what was pressed."""
TYPED_S = 0.15
"""Between keys that write a text."""
WAIT_S = 0.05


class Player:
    """Presses the keys of each step, `speed` times as fast as usual, until it is stopped; with
    `loop` again and again."""

    def __init__(self, speed: float = 1.0, *, loop: bool = False) -> None:
        self._speed, self._loop = speed, loop
        self._worker: Worker[None] | None = None
        self._sent: list[Key] = []
        """Keys on their way to the app."""
        self.pressed = ""
        """The key that was pressed last, as long as it is to be seen."""

    @property
    def playing(self) -> bool:
        return self._worker is not None and not self._worker.is_finished

    def begin(self, tour: Tour) -> None:
        """Play from the tour's step on."""
        self._worker = tour.app.run_worker(self._play(tour), group="demo", exit_on_error=False)

    def stop(self) -> None:
        """Leave the rest to the person."""
        if self._worker is not None:
            self._worker.cancel()
            self._worker = None

    def sent(self, event: Key) -> bool:
        """Whether a key comes from here."""
        ours = any(it is event for it in self._sent)
        self._sent = [it for it in self._sent if it is not event]
        return ours

    async def _play(self, tour: Tour) -> None:
        while True:
            while not tour.over:
                await self._do(tour, tour.at)
            if not self._loop:
                tour.app.end_tour()
                return
            await tour.again()

    async def _do(self, tour: Tour, at: int) -> None:
        step = STEPS[at]
        await self._sleep(WORD_S * len(f"{step.says} {step.do}".split()))
        while not tour.ready:
            await asyncio.sleep(WAIT_S)
        for key, pause in _paced(step.keys):
            if tour.at == at:
                await self._press(tour, key, pause)
        self.pressed = ""
        while tour.at == at:
            await asyncio.sleep(WAIT_S)

    async def _press(self, tour: Tour, key: str, pause: float) -> None:
        if key.startswith("@"):
            screen = tour.app.screen
            key = screen.letter_of(key[1:]) if isinstance(screen, Jump) else ""
        if not key:
            return
        named = events_of(tour.app, key)[0]
        self.pressed = key_name(named)
        event = Key(named, key if len(key) == 1 else None)
        self._sent.append(event)
        tour.app.post_message(event)
        await self._sleep(pause)
        await _taken_in(tour.app)

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)


async def _taken_in(app: LlamadiffApp) -> None:
    """Wait until a key has done what it does: on its way from the focus up to the app it could be
    overtaken by the next one."""
    while True:
        way = app.screen.focused.ancestors_with_self if app.screen.focused else [app.screen, app]
        if not any(it.message_queue_size for it in way):
            return
        await asyncio.sleep(WAIT_S)


def _paced(keys: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    """Each key, and how long to wait after it in seconds."""
    for key, following in zip(keys, (*keys[1:], ""), strict=True):
        typed = len(key) == len(following) == 1 and key.isalpha() and following.isalpha()
        yield key, TYPED_S if typed else KEY_S
