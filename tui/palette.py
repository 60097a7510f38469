"""The commands of the palette: every action that has an id, with its key, and a few more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual.command import DiscoveryHit, Hit, Hits, Provider

from .key_names import key_name
from .keys import (
    APP_KEYS,
    COMPARE_KEYS,
    EVALUATE_KEYS,
    EVALUATION_KEYS,
    HISTORY_KEYS,
    LENS_SCREEN_KEYS,
    LIBRARY_KEYS,
    PLAYGROUND_KEYS,
    RATE_KEYS,
    ROW_KEYS,
    SWEEP_SCREEN_KEYS,
    TRAINING_KEYS,
    TUNE_KEYS,
    VERSION_KEYS,
)
from .picture import save_picture

_OF_SCREENS = (
    *PLAYGROUND_KEYS,
    *LIBRARY_KEYS,
    *VERSION_KEYS,
    *HISTORY_KEYS,
    *COMPARE_KEYS,
    *LENS_SCREEN_KEYS,
    *SWEEP_SCREEN_KEYS,
    *RATE_KEYS,
    *EVALUATE_KEYS,
    *EVALUATION_KEYS,
    *ROW_KEYS,
    *TUNE_KEYS,
    *TRAINING_KEYS,
)


@dataclass(frozen=True)
class _Command:
    name: str
    about: str
    run: Callable[[], Any]


class Actions(Provider):
    """Everything the app can do from where the palette was opened."""

    def _commands(self) -> Iterator[_Command]:
        app, screen = self.app, self.screen
        own = {binding.id for _, binding in screen._bindings}
        for binding in _OF_SCREENS:
            action = binding.action.partition("(")[0]
            here = binding.id in own and screen.check_action(action, ())
            if binding.show and here:
                keys = " ".join(key_name(key) for key in binding.key.split(","))
                name = f"{binding.description}  {keys}"
                yield _Command(
                    name, binding.tooltip, partial(app.run_action, binding.action, screen)
                )
        for binding in APP_KEYS:
            if binding.action == "command_palette":
                continue
            name = f"{binding.description}  {key_name(binding.key)}"
            yield _Command(name, binding.tooltip, partial(app.run_action, binding.action, app))
        yield _Command("theme", "Choose the colours", app.action_change_theme)
        yield _Command("suspend", "Back to the shell; fg returns", app.action_suspend_process)
        redraw = partial(app.run_action, "redraw", app)
        yield _Command("draw again", "The whole screen, where the terminal lost some of it", redraw)
        yield _Command(
            "save a picture of the screen",
            "As an SVG file, in the folder where llamadiff was started",
            lambda: app.set_timer(0.1, partial(save_picture, app)),
        )

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        for command in self._commands():
            yield DiscoveryHit(command.name, command.run, help=command.about)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command in self._commands():
            score = max(matcher.match(command.name), 0.9 * matcher.match(command.about))
            if score > 0:
                yield Hit(score, matcher.highlight(command.name), command.run, help=command.about)
