"""The commands of the palette: every action that has an id, with its key, and a few more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from .key_names import with_keys
from .offered import offered
from .picture import save_picture

if TYPE_CHECKING:
    from .app import LlamadiffApp


@dataclass(frozen=True)
class _Command:
    name: str
    about: str
    run: Callable[[], Any]


class Actions(Provider):
    """Everything the app can do from where the palette was opened."""

    def _commands(self) -> Iterator[_Command]:
        app, screen = cast("LlamadiffApp", self.app), self.screen
        for it in sorted(offered(screen), key=lambda it: it.group == "pane"):
            if it.action != "command_palette":
                run = partial(app.run_action, it.action, it.node)
                yield _Command(f"{it.name}  {it.keys}", it.does, run)
        if app.check_action("tour", ()):
            yield _Command("guided tour", "What llamadiff does, in two minutes", app.action_tour)
        yield _Command("messages", "What was said so far, and where logs are", app.action_messages)
        if hasattr(screen, "action_start_afresh"):
            about = with_keys(
                app, "The variants that llamadiff opens with at first; {variant.undo} takes it back"
            )
            yield _Command("start afresh", about, partial(app.run_action, "start_afresh", screen))
        yield _Command("theme", "Choose the colours", app.action_change_theme)
        if app.check_action("suspend_process", ()):
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
