"""The app of `llamadiff demo`: the tour, done by itself."""

from __future__ import annotations

from ..app import LlamadiffApp
from ..setup import Setup
from .player import Player


class DemoApp(LlamadiffApp):
    """Begins with the tour, which `player` does."""

    def __init__(self, setup: Setup, player: Player) -> None:
        super().__init__(setup)
        self._player = player

    def on_mount(self) -> None:
        self.begin_tour(self._player)
