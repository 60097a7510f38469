"""An app that looks and answers as a person has set it, and keeps what is changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from textual.message_pump import MessagePump
from textual.theme import Theme

from ..prompts.errors import PromptError
from .config.reading import NAME, Configured
from .config.schema import SETTINGS, Config
from .terminal_app import TerminalApp
from .theme import THEMES, variables_for

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
            self.notify(said, severity="warning", timeout=20, markup=False)

    def get_css_variables(self) -> dict[str, str]:
        variables = {**super().get_css_variables(), **variables_for(self.current_theme)}
        self.theme_variables = variables
        return variables

    def configure(self, name: str, value: Any) -> None:
        """Set something from now on. Raises PromptError when the file cannot be written; then it is
        so until the app ends."""
        now = self.configured
        sources = {key: it for key, it in now.sources.items() if key != name}
        if value != SETTINGS[name].default:
            sources[name] = NAME
        config = replace(now.config, **{name: value})
        self.configured = replace(now, config=config, sources=sources)
        self._take(name)
        if now.path is not None:
            from .config.writing import write_setting

            write_setting(now.path, name, value)

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
        try:
            self.configure("theme", theme.name)
        except PromptError as error:
            self.notify(
                f"{error}; the theme is kept until the end.", severity="error", markup=False
            )
