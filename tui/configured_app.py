"""An app that looks and answers as a person has set it, and keeps what is changed."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual.message_pump import MessagePump
from textual.theme import Theme

from ..prompts.errors import PromptError
from .config.reading import NAME, Configured
from .config.schema import SETTINGS, Config
from .key_names import with_keys
from .safe_text import safe_line
from .terminal_app import TerminalApp
from .theme import THEMES, variables_for

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

MOST_TOLD = 3
"""Problems of the settings that are told at the start; `llamadiff settings` tells all."""


def config_of(it: MessagePump) -> Config:
    """The settings, for what belongs to the app."""
    return cast("ConfiguredApp", it.app).configured.config


class ConfiguredApp(TerminalApp):
    """Has our themes, and the person's own colours, keys and movement."""

    def __init__(self, configured: Configured) -> None:
        super().__init__()
        self.configured = configured
        """The settings as they are now."""
        for theme in THEMES:
            self.register_theme(theme)
        self._keys_told: list[str] = []
        if configured.keys:
            from .config.keymap import keymap_of

            keymap = keymap_of(configured)
            self._keys_told += keymap.problems
            self.set_keymap(dict(keymap.keys))
        self._take("theme", "compact", "animations")

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        told = [*self.configured.problems, *self._keys_told]
        more = [f"{len(told) - MOST_TOLD} more: see `llamadiff settings`."]
        for said in [*told[:MOST_TOLD], *more[: len(told) > MOST_TOLD]]:
            self.notify(said, severity="warning", timeout=20)

    def notify(self, message: str, *, markup: bool = False, **options: Any) -> None:
        """As Textual's, of a plain sentence that may hold ids of keys."""
        super().notify(with_keys(self, message), markup=markup, **options)

    def get_css_variables(self) -> dict[str, str]:
        variables = {**super().get_css_variables(), **variables_for(self.current_theme)}
        self.theme_variables = variables
        return variables

    def configure(self, name: str, value: Any, say: Callable[[str], object]) -> None:
        """Set something from now on, and have it written, one change after the other.

        `say` is told a mistake, or nothing once it is written; what cannot be written is so until
        the app ends.
        """
        now = self.configured
        sources = {key: it for key, it in now.sources.items() if key != name}
        if value != SETTINGS[name].default:
            sources[name] = NAME
        config = replace(now.config, **{name: value})
        self.configured = replace(now, config=config, sources=sources)
        self._take(name)
        if now.path is not None:
            writing = self._writer.submit(_write, now.path, name, value)
            self.run_worker(self._written(writing, say), group="settings", exit_on_error=False)

    @functools.cached_property
    def _writer(self) -> ThreadPoolExecutor:
        """One thread, which the program waits for when it ends."""
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(1, "write settings")

    async def _written(self, writing: Future[None], say: Callable[[str], object]) -> None:
        try:
            await asyncio.shield(asyncio.wrap_future(writing))
        except (PromptError, OSError, RuntimeError) as error:
            logging.exception("a setting was not written")
            say(safe_line(f"It is so until the end: {error}."))
        else:
            say("")

    def _take(self, *names: str) -> None:
        """Do as these settings say."""
        config = self.configured.config
        if "theme" in names:
            self.theme = config.theme
        if "compact" in names:
            self.set_class(config.compact, "-compact")
        if "animations" in names:
            self.animation_level = "full" if config.animations else "none"

    def _theme_changed(self, theme: Theme) -> None:
        """Keep a theme that was chosen from the palette."""
        now = self.configured
        if theme.name == now.config.theme:
            return
        if fixed := now.fixed("theme"):
            self.notify(f"Until the end: {fixed} says {now.config.theme}.", timeout=5)
            return
        self.configure("theme", theme.name, self.tell_unwritten)

    def tell_unwritten(self, said: str) -> None:
        """Show a mistake, if there is one."""
        if said:
            self.notify(said, severity="error")


def _write(path: Path, name: str, value: Any) -> None:
    from .config.writing import write_setting

    write_setting(path, name, value)
