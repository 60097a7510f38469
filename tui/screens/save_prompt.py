"""Save a prompt as a TOML file whose path is typed, with completion."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from textual.widgets import Input

from ...prompts.document import Prompt
from ...prompts.errors import PromptError
from ...prompts.library import SHIPPED
from ..safe_text import safe_line
from .paths import complete
from .picker import Choice, Picker

_SUFFIX = ".toml"


class SavePrompt(Picker[Prompt]):
    """Gives the prompt as it is in the file."""

    PLACEHOLDER = "path of a .toml file"
    SUFFIX = _SUFFIX
    KEYS_TEXT = "tab completes · ↑↓ · enter save · esc cancel"

    def __init__(self, prompt: Prompt) -> None:
        super().__init__()
        self._prompt = prompt
        own = prompt.path
        self._own = None if own is None or _is_shipped(own) else own
        self._confirmed: Path | None = None
        """A file that is there already and may be written over."""

    def title_text(self) -> str:
        return f"Save {safe_line(self._prompt.name)} as"

    def load(self) -> list[Choice]:
        return []

    async def on_mount(self) -> None:
        field = self.query_one(Input)
        field.value = str(self._own or f"{self._prompt.slug}{_SUFFIX}")
        field.cursor_position = len(field.value)
        field.focus()

    def matching(self) -> list[Choice]:
        """The folders and files that what is typed could become."""
        return [Choice(path, path) for path in complete(self.typed, _SUFFIX) if path != self.typed]

    def action_complete(self) -> None:
        field, key = self.query_one(Input), self.highlighted()
        if key is not None:
            field.value = key
            field.cursor_position = len(key)

    async def choose(self) -> None:
        """Save to what is typed."""
        await self.take(self.typed)

    async def take(self, key: str) -> None:
        if not key or key.endswith("/") or Path(key).expanduser().is_dir():
            self.problem("Give the name of a file.")
            return
        path = Path(key).expanduser()
        if path.suffix != _SUFFIX:
            path = path.with_name(path.name + _SUFFIX)
        if _is_shipped(path):
            self.problem(
                "The prompts that ship with llamadiff stay as they are; give another path."
            )
        elif path.exists() and path not in (self._own, self._confirmed):
            if await self._is_prompt(path):
                self._confirmed = path
                self.problem(f"{path} is there already; enter again puts this prompt into it.")
        else:
            await self._save(path)

    async def _is_prompt(self, path: Path) -> bool:
        """Whether a prompt is in this file; says so if not, as nothing else is written over."""
        from ...prompts.parse import load_prompt

        try:
            await asyncio.to_thread(load_prompt, path)
        except PromptError as error:
            self.problem(f"This would not be saved over a file that is no prompt: {error}")
            return False
        return True

    async def _save(self, path: Path) -> None:
        from ...prompts.merge import Conflict
        from ...prompts.save import save_prompt
        from .both_changed import BothChanged

        prompt: Prompt | None = self._prompt
        while prompt is not None:
            try:
                saved = await asyncio.to_thread(
                    save_prompt, prompt, path, replacing=path == self._confirmed
                )
            except Conflict as conflict:
                prompt = await self.app.push_screen_wait(BothChanged(conflict))
            except PromptError as error:
                self.problem(str(error))
                return
            else:
                self.dismiss(replace(saved, path=path))
                return


def _is_shipped(path: Path) -> bool:
    return path.resolve().is_relative_to(SHIPPED.resolve())
